// Reply → Slack messages. Pure: pictures come as the ids of files uploaded before, and what must be kept is handed back.
import stringWidth from 'string-width';
import type { Block, Button, Option, ProgressStep, Reply } from '../../chat/message.ts';
import { splitMarkdown } from '../split.ts';
import {
  callAction,
  fileAction,
  fileOption,
  filesActionId,
  formAction,
  type Keepsake,
  optionValue,
  pickAction,
} from './actions.ts';
import {
  type Cell,
  mrkdwn,
  plainText,
  type SlackBlock,
  type SlackButton,
  type SlackOption,
  type TaskCard,
} from './blocks.ts';
import { cut, limits } from './limits.ts';
import { isLocal } from './links.ts';
import {
  type Align,
  escapeMrkdwn,
  escapeText,
  type Part,
  quiet,
  readMarkdown,
  toMrkdwn,
  wordsOfMarkdown,
} from './markdown.ts';

export interface RenderOptions {
  /** The Slack file of a picture; undefined: not uploaded (yet), its words stand for it. */
  readonly fileOf: (pictureId: string) => string | undefined;
  /** Address of a section in the web page; undefined where other people can't open it. */
  readonly sectionUrl: (chapterId: string, sectionId: string) => string | undefined;
  /** Only what the oldest Block Kit had: for a workspace that refuses newer blocks. */
  readonly plain?: boolean;
  /** Tells the live parts of one message from another's. */
  readonly messageKey: string;
}

/** One Slack message. */
export interface Page {
  readonly blocks: readonly SlackBlock[];
  /** For notifications and screen readers. */
  readonly text: string;
}

export interface Rendered {
  readonly pages: readonly Page[];
  readonly kept: readonly Keepsake[];
}

interface Drawing extends RenderOptions {
  readonly kept: Keepsake[];
  tables: number;
  buttons: number;
}

export function renderReply(reply: Reply, options: RenderOptions): Rendered {
  const drawing: Drawing = { ...options, kept: [], tables: 0, buttons: 0 };
  const blocks = groupFiles(reply.blocks).flatMap((block) =>
    Array.isArray(block) ? drawFiles(block, drawing) : drawBlock(block, drawing),
  );
  const words = reply.blocks.map(wordsOfBlock).filter((part) => part !== '');
  const pages = paginate(blocks);
  const texts = pages.length === 1 ? [words.join('\n')] : pages.map((page) => textOf(page));
  return {
    pages: pages.map((page, index) => ({ blocks: page, text: fallback(texts[index] ?? '') })),
    kept: drawing.kept,
  };
}

const fallback = (words: string) => {
  const text = cut(escapeText(words), 3500);
  return text.trim() === '' ? 'Finetutor' : text;
};

/** Blocks in order, as many in each message as Slack takes. */
function paginate(blocks: readonly SlackBlock[]): readonly (readonly SlackBlock[])[] {
  const pages: SlackBlock[][] = [];
  let room = 0;
  for (const block of blocks) {
    const size = JSON.stringify(block).length;
    const last = pages.at(-1);
    if (last === undefined || last.length >= limits.blocksPerMessage || size > room) {
      pages.push([block]);
      room = limits.blockCharacters - size;
    } else {
      last.push(block);
      room -= size;
    }
  }
  return pages;
}

type Draw = {
  readonly [K in Block['kind']]: (block: Extract<Block, { kind: K }>, drawing: Drawing) => readonly SlackBlock[];
};

const draw: Draw = {
  text: ({ markdown }, drawing) => drawMarkdown(markdown, drawing),

  buttons({ buttons }, drawing) {
    const pressable = buttons.filter((button) => button.disabled !== true);
    const off = buttons.filter((button) => button.disabled === true);
    const rows = chunk(pressable, limits.actionsElements).map(
      (row): SlackBlock => ({
        type: 'actions',
        elements: row.map((button) => drawButton(button, drawing)),
      }),
    );
    // Slack has no button that can't be pressed: its label stands there as words.
    const words = off.map(({ label }) => `${escapeMrkdwn(label)} _(not now)_`).join(' · ');
    return words === '' ? rows : [...rows, { type: 'context', elements: [mrkdwn(cut(words, limits.sectionText))] }];
  },

  select({ label, options, call, argument, value }, drawing) {
    const groups = chunk(options, limits.options);
    return groups.map((group, index) => {
      const from = index * limits.options;
      const title = groups.length === 1 ? label : `${label} (${from + 1} to ${from + group.length})`;
      const drawn = group.map((option) => drawOption(option, drawing));
      const initial = drawn[group.findIndex((option) => option.value === value)];
      return {
        type: 'section',
        text: mrkdwn(`*${escapeMrkdwn(cut(title, 600))}*`),
        accessory: {
          type: 'static_select',
          ...pickAction(call, argument, drawing.kept),
          placeholder: plainText('Choose…'),
          options: drawn,
          ...(initial === undefined ? {} : { initial_option: initial }),
        },
      };
    });
  },

  form(form, drawing) {
    const { title, submitLabel, fields } = form;
    const asked = fields.filter((field) => field.when === undefined).map((field) => escapeMrkdwn(field.label));
    return [
      {
        type: 'section',
        text: mrkdwn(`*${escapeMrkdwn(cut(title, 600))}*\n${cut(asked.join(' · '), 2000)}`),
        accessory: {
          type: 'button',
          text: plainText(cut(submitLabel, limits.buttonText)),
          style: 'primary',
          ...formAction(form, drawing.kept),
        },
      },
    ];
  },

  table({ caption, columns, rows }, drawing) {
    const head = columns.map(({ label }) => label);
    const aligns = columns.map(({ align }) => align);
    const words = caption === '' ? [] : drawCaption(caption, drawing);
    return [...words, ...drawTable([head, ...rows], aligns, drawing)];
  },

  picture({ pictureId, alt }, { fileOf }) {
    const file = fileOf(pictureId);
    if (file === undefined) return [{ type: 'context', elements: [mrkdwn(`📈 ${escapeMrkdwn(cut(alt, 600))}`)] }];
    return [
      { type: 'image', slack_file: { id: file }, alt_text: cut(alt === '' ? 'picture' : quiet(alt), limits.imageAlt) },
    ];
  },

  progress({ label, fraction, detail, steps = [] }, { plain, messageKey }) {
    const share = Math.min(1, Math.max(0, fraction));
    const bar = `${'▰'.repeat(Math.round(share * 20))}${'▱'.repeat(20 - Math.round(share * 20))} ${Math.floor(share * 100)}%`;
    if (plain) {
      const lines = [`*${escapeMrkdwn(label)}*`, bar, escapeMrkdwn(detail)].filter((line) => line !== '');
      return [{ type: 'section', text: mrkdwn(cut(lines.join('\n'), limits.sectionText)) }];
    }
    const details = detail === '' ? bar : `${bar}\n${quiet(detail)}`;
    const told = cut(label === '' ? 'Working' : quiet(label), limits.taskTitle);
    const card = (index: number, title: string, status: TaskCard['status'], more?: string): TaskCard => ({
      type: 'task_card',
      task_id: `progress-${messageKey}-${index}`,
      title,
      status,
      ...(more === undefined
        ? {}
        : {
            details: {
              type: 'rich_text',
              elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: more }] }],
            },
          }),
    });
    if (steps.length === 0) return [card(0, told, share >= 1 ? 'complete' : 'in_progress', details)];
    const shown = steps.slice(0, limits.planTasks);
    const current = shown.findIndex(({ state }) => state !== 'done');
    const tasks = shown.map((step, index) => {
      const title = cut(step.label === '' ? '…' : quiet(step.label), limits.taskTitle);
      return card(index, title, taskStatus[step.state], index === current ? details : undefined);
    });
    return [{ type: 'plan', title: told, tasks }];
  },

  sources({ sources }, { sectionUrl }) {
    const lines = sources.map(({ chapterId, sectionId, title, quote, document }, index) => {
      const url = document ? undefined : sectionUrl(chapterId, sectionId);
      const name = escapeMrkdwn(cut(title, 600));
      const shown = url === undefined || isLocal(url) ? `*${name}*` : `<${escapeText(url)}|${name}>`;
      return `${index + 1}. ${shown}${quote === '' ? '' : ` “${escapeMrkdwn(cut(quote, 600))}”`}`;
    });
    return chunk(['📖 From the guide', ...lines], limits.contextElements).map((elements) => ({
      type: 'context',
      elements: elements.map((line) => mrkdwn(line)),
    }));
  },

  file(file, drawing) {
    return [
      {
        type: 'section',
        text: mrkdwn(`📄 *${escapeMrkdwn(cut(file.name, 600))}* · ${bytesInWords(file.bytes)}`),
        accessory: {
          type: 'button',
          text: plainText('Send it here'),
          ...fileAction(file, drawing.buttons++, drawing.kept),
        },
      },
    ];
  },
};

const taskStatus: { readonly [S in ProgressStep['state']]: TaskCard['status'] } = {
  waiting: 'pending',
  running: 'in_progress',
  done: 'complete',
  failed: 'error',
};

type FileBlock = Extract<Block, { kind: 'file' }>;

/** Files one after the other are offered together: a button for each would be a wall of buttons. */
function groupFiles(blocks: readonly Block[]): readonly (Exclude<Block, FileBlock> | FileBlock[])[] {
  const grouped: (Exclude<Block, FileBlock> | FileBlock[])[] = [];
  for (const block of blocks) {
    const last = grouped.at(-1);
    if (block.kind !== 'file') grouped.push(block);
    else if (Array.isArray(last) && last.length < limits.options) last.push(block);
    else grouped.push([block]);
  }
  return grouped;
}

function drawFiles(files: readonly FileBlock[], drawing: Drawing): readonly SlackBlock[] {
  const [first, ...others] = files;
  if (first === undefined) return [];
  if (others.length === 0) return draw.file(first, drawing);
  const options = new Map<string, SlackOption>();
  for (const file of files) {
    const value = fileOption(file, drawing.kept);
    options.set(value, { text: plainText(cut(file.name === '' ? '…' : file.name, limits.optionText)), value });
  }
  const names = files.map((file) => `*${escapeMrkdwn(cut(file.name, 100))}* ${bytesInWords(file.bytes)}`);
  return packLines([`📄 ${names[0]}`, ...names.slice(1)], limits.sectionText - 100).map((lines, index) => {
    const text = mrkdwn(lines.replaceAll('\n', ' · '));
    if (index > 0) return { type: 'section', text };
    return {
      type: 'section',
      text,
      accessory: {
        type: 'static_select',
        action_id: filesActionId,
        placeholder: plainText('Send it here…'),
        options: [...options.values()],
      },
    };
  });
}

function drawBlock<K extends Block['kind']>(
  block: Extract<Block, { kind: K }>,
  drawing: Drawing,
): readonly SlackBlock[] {
  return draw[block.kind as K](block, drawing);
}

/** A message's text is cut where a fence, a table and a character stay whole. */
const textPart = 2600;

function drawMarkdown(markdown: string, drawing: Drawing): readonly SlackBlock[] {
  const pieces = splitMarkdown(markdown, textPart);
  if (drawing.plain) {
    return pieces.flatMap((piece) =>
      splitMarkdown(toMrkdwn(piece), limits.sectionText).map(
        (text): SlackBlock => ({
          type: 'section',
          text: mrkdwn(text),
          expand: true,
        }),
      ),
    );
  }
  return pieces.flatMap((piece) => readMarkdown(piece)).flatMap((part) => drawPart(part, drawing));
}

function drawPart(part: Part, drawing: Drawing): readonly SlackBlock[] {
  switch (part.kind) {
    case 'rich':
      return [{ type: 'rich_text', elements: part.elements }];
    case 'heading':
      return part.text.trim() === '' ? [] : [{ type: 'header', text: plainText(cut(part.text, limits.header)) }];
    case 'table':
      return drawTable(part.rows, part.aligns, drawing);
  }
}

function drawCaption(caption: string, { plain }: Drawing): readonly SlackBlock[] {
  if (plain) return [{ type: 'section', text: mrkdwn(`*${escapeMrkdwn(cut(caption, 600))}*`) }];
  const text = { type: 'text', text: quiet(caption), style: { bold: true } } as const;
  return [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [text] }] }];
}

/** A message may have one table; the others, and those too large for one, are drawn with letters. */
function drawTable(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  drawing: Drawing,
): readonly SlackBlock[] {
  const left = rows.length - limits.tableRows;
  const kept = rows.slice(0, limits.tableRows).map((row) => row.slice(0, limits.tableColumns).map(tidyCell));
  const more: readonly SlackBlock[] =
    left > 0 ? [{ type: 'context', elements: [mrkdwn(`… and ${left} more rows`)] }] : [];
  const [head = [], ...body] = kept;
  const native: SlackBlock = {
    type: 'table',
    rows: [head.map(headCell), ...body.map((row) => row.map((text): Cell => ({ type: 'raw_text', text })))],
    column_settings: head.map((_, index) => ({ align: aligns[index] ?? 'left', is_wrapped: true })),
  };
  const characters = kept.flat().reduce((sum, text) => sum + text.length, 0);
  const fits = characters <= limits.tableCharacters && JSON.stringify(native).length <= limits.blockCharacters;
  if (!drawing.plain && fits && drawing.tables < limits.tablesPerMessage) {
    drawing.tables += 1;
    return [native, ...more];
  }
  return [...drawLetters(kept, aligns, drawing.plain === true), ...more];
}

const tidyCell = (text: string) => {
  const tidy = quiet(text.replace(/\s+/g, ' ').trim());
  return tidy === '' ? ' ' : cut(tidy, 500);
};

const headCell = (text: string): Cell => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text, style: { bold: true } }] }],
});

const widestCell = 44;

function drawLetters(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  plain: boolean,
): readonly SlackBlock[] {
  const cells = rows.map((row) => row.map((text) => cut(text.trim(), widestCell)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ''))));
  const lines = cells.map((row) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? '';
        const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
        return aligns[column] === 'right' ? space + text : text + space;
      })
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  const drawn = [head, widths.map((width) => '─'.repeat(width)).join('  '), ...body];
  return packLines(drawn, textPart).map(
    (text): SlackBlock =>
      plain
        ? { type: 'section', text: mrkdwn(`\`\`\`\n${escapeText(text.replaceAll('```', "'''"))}\n\`\`\``) }
        : {
            type: 'rich_text',
            elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: quiet(text) }] }],
          },
  );
}

function packLines(lines: readonly string[], room: number): readonly string[] {
  const parts: string[] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + line.length < room) parts[parts.length - 1] = `${last}\n${line}`;
    else parts.push(line);
  }
  return parts;
}

function drawButton({ label, style, call }: Button, drawing: Drawing): SlackButton {
  return {
    type: 'button',
    text: plainText(cut(label === '' ? '…' : label, limits.buttonText)),
    ...callAction(call, drawing.buttons++, drawing.kept),
    ...(style === 'secondary' ? {} : { style }),
  };
}

function drawOption({ label, value, description }: Option, { kept }: Drawing): SlackOption {
  return {
    text: plainText(cut(label === '' ? '…' : label, limits.optionText)),
    value: optionValue(value, kept),
    ...(description === undefined || description === ''
      ? {}
      : { description: plainText(cut(description, limits.optionText)) }),
  };
}

/** The words of a block for a notification. */
function wordsOfBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return wordsOfMarkdown(block.markdown);
    case 'table':
      return block.caption;
    case 'picture':
      return block.alt;
    case 'progress':
      return `${block.label}: ${Math.floor(block.fraction * 100)}%`;
    case 'form':
      return block.title;
    case 'select':
      return block.label;
    case 'file':
      return block.name;
    default:
      return '';
  }
}

function textOf(blocks: readonly SlackBlock[]): string {
  return blocks
    .flatMap((block) => {
      if (block.type === 'header') return block.text.text;
      if (block.type !== 'rich_text') return [];
      return block.elements.map((element) =>
        element.elements
          .flatMap((one) => ('elements' in one ? one.elements : [one]))
          .map((one) => one.text)
          .join(''),
      );
    })
    .join('\n');
}

function chunk<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const chunks: T[][] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}

function bytesInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
