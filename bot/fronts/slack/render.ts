// Reply → Slack messages. Pure: pictures come as the ids of files uploaded before, and what must be kept is handed back.
import type { Block, Button, Option, ProgressStep, Reply, SourceLink } from '../../chat/message.ts';
import { callAction, formAction, type Keepsake, optionValue, pickAction } from './actions.ts';
import { mrkdwn, plainText, type SlackBlock, type SlackButton, type SlackOption, type TaskCard } from './blocks.ts';
import { drawFile, drawFiles, groupFiles } from './draw-files.ts';
import { drawTable } from './draw-table.ts';
import { drawCaption, drawMarkdown } from './draw-text.ts';
import type { Drawing, RenderOptions } from './drawing.ts';
import { cut, limits } from './limits.ts';
import { isLocal } from './links.ts';
import { escapeMrkdwn, escapeText, quiet, wordsOfMarkdown } from './markdown.ts';

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

/** Enough to recognise the passage, whose sentences mostly stand in the answer above. */
const quoteCharacters = 240;

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

  sources({ sources }, drawing) {
    const { sectionUrl } = drawing;
    const unlinked: Button[] = [];
    const lines = sources.map(({ chapterId, sectionId, title, quote, document }, index) => {
      const url = document ? undefined : sectionUrl(chapterId, sectionId);
      const name = escapeMrkdwn(cut(title, 600));
      const opens = url !== undefined && !isLocal(url);
      if (!opens) unlinked.push(readButton(index + 1, { chapterId, sectionId, document }));
      const shown = opens ? `<${escapeText(url)}|${name}>` : `*${name}*`;
      return `${index + 1}. ${shown}${quote === '' ? '' : ` “${escapeMrkdwn(cut(quote, quoteCharacters))}”`}`;
    });
    const told = chunk(['📖 From the guide', ...lines], limits.contextElements).map((elements) => ({
      type: 'context' as const,
      elements: elements.map((line) => mrkdwn(line)),
    }));
    const shown = unlinked.slice(0, limits.actionsElements);
    return shown.length === 0
      ? told
      : [...told, { type: 'actions' as const, elements: shown.map((one) => drawButton(one, drawing)) }];
  },

  file: drawFile,
};

/** What no address leads to is shown here when it is asked for. */
const readButton = (
  number: number,
  { chapterId, sectionId, document }: Pick<SourceLink, 'chapterId' | 'sectionId'> & { document: true | undefined },
): Button => ({
  label: `Read ${number}`,
  style: 'secondary',
  call: document
    ? { command: 'learn', args: { action: 'show', what: chapterId, passage: sectionId } }
    : { command: 'explain', args: { concept: `${chapterId}#${sectionId}` } },
});

const taskStatus: { readonly [S in ProgressStep['state']]: TaskCard['status'] } = {
  waiting: 'pending',
  running: 'in_progress',
  done: 'complete',
  failed: 'error',
};

function drawBlock<K extends Block['kind']>(
  block: Extract<Block, { kind: K }>,
  drawing: Drawing,
): readonly SlackBlock[] {
  return draw[block.kind as K](block, drawing);
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
