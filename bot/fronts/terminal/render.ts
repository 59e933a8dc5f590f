// Reply → text for a terminal. Pure: what can be pressed or chosen is numbered, and the front keeps what each number means.
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Block, Button, Call, Field, Reply } from '../../chat/message.ts';
import { clean } from './clean.ts';
import type { Paint } from './paint.ts';
import { drawTable } from './tables.ts';
import { renderMarkdown } from './words.ts';

export interface RenderOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
  /** Where a picture's PNG lies, to open it. */
  readonly picturePath: (pictureId: string) => string;
  /** Address of a section in the web page; undefined where no page runs. */
  readonly sectionUrl: (chapterId: string, sectionId: string) => string | undefined;
  /** Commands can be said here: a source without an address names the one that shows it. */
  readonly sayable?: boolean;
  /** Number of the first thing that can be pressed. */
  readonly firstNumber: number;
}

/** Something with a number that a person can type. */
export type Pressable =
  | { readonly kind: 'call'; readonly label: string; readonly call: Call }
  | { readonly kind: 'form'; readonly label: string; readonly call: Call; readonly fields: readonly Field[] };

export interface Rendered {
  readonly text: string;
  readonly pressables: readonly Pressable[];
}

export function renderReply(reply: Reply, options: RenderOptions): Rendered {
  const pressables: Pressable[] = [];
  const number = (pressable: Pressable) => {
    pressables.push(pressable);
    return `[${options.firstNumber + pressables.length - 1}]`;
  };
  const parts = reply.blocks
    .map((block) => ({ kind: block.kind, text: drawBlock(block, options, number) }))
    .filter((part) => part.text !== '');
  const text = parts.reduce((before, part, index) => {
    const listed = part.kind === 'file' && parts[index - 1]?.kind === 'file';
    return index === 0 ? part.text : `${before}${listed ? '\n' : '\n\n'}${part.text}`;
  }, '');
  const mark = reply.audience === 'asker' ? `${options.paint.dim('(only you see this)')}\n\n` : '';
  return { text: mark + text, pressables };
}

type Number = (pressable: Pressable) => string;
type Draw = {
  readonly [K in Block['kind']]: (block: Extract<Block, { kind: K }>, options: RenderOptions, number: Number) => string;
};

const draw: Draw = {
  text: ({ markdown }, { width, paint }) => renderMarkdown(markdown, width, paint),

  buttons: ({ buttons }, { width, paint }, number) =>
    wrapWhole(
      buttons.map((button) => drawButton(button, paint, number)),
      width,
    ),

  select: ({ label, options, call, argument, value }, { width, paint }, number) => {
    if (value !== undefined) {
      const steps = options.map((option) => {
        const words = clean(option.label);
        if (option.value === value) return paint.bold(`‹${words}›`);
        const chosen = { ...call, args: { ...call.args, [argument]: option.value } };
        const mark = number({ kind: 'call', label: `${label} ${option.label}`, call: chosen });
        return `${paint.cyan(mark)} ${words}`;
      });
      return wrapWhole([`${paint.bold(clean(label))}:`, ...steps], width);
    }
    const lines = options.map((option) => {
      const chosen = { ...call, args: { ...call.args, [argument]: option.value } };
      const mark = paint.cyan(number({ kind: 'call', label: option.label, call: chosen }));
      const described = option.description === undefined ? '' : paint.dim(`: ${clean(option.description)}`);
      return wrap(`${mark} ${clean(option.label)}${described}`, width);
    });
    return [paint.bold(clean(label)), ...lines].join('\n');
  },

  form: ({ title, submitLabel, call, fields }, { width, paint }, number) => {
    const mark = paint.cyan(number({ kind: 'form', label: submitLabel, call, fields }));
    const asked = fields.map((field) => clean(field.label)).join(', ');
    return [
      paint.bold(clean(title)),
      `${mark} ${clean(submitLabel)}`,
      paint.dim(wrap(`asks for: ${asked}`, width)),
    ].join('\n');
  },

  table: ({ caption, columns, rows }, { width, paint }) => {
    const table = drawTable(
      columns.map(({ label, align }) => ({ label: oneLine(label), align })),
      rows.map((row) => row.map(oneLine)),
      width,
      paint,
    );
    return caption === '' ? table : `${paint.bold(clean(caption))}\n${table}`;
  },

  picture: ({ pictureId, alt, of }, { width, paint, picturePath }) => {
    // A formula reads as text: its words are the formula.
    if (of !== undefined && 'formula' in of) return renderMarkdown(`\`\`\`text\n${of.formula}\n\`\`\``, width, paint);
    return `${wrap(`▦ ${oneLine(alt)}`, width)}\n${paint.dim(`  ${picturePath(pictureId)}`)}`;
  },

  progress: ({ label, fraction, detail }, { width, paint }) => {
    const cells = Math.max(10, Math.min(40, width - 30));
    const full = Math.round(Math.min(1, Math.max(0, fraction)) * cells);
    const bar = paint.green('█'.repeat(full)) + paint.dim('░'.repeat(cells - full));
    const percent = `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100)}%`;
    return `${wrap(paint.bold(oneLine(label)), width)}\n${bar} ${percent}\n${wrap(oneLine(detail), width)}`.trimEnd();
  },

  sources: ({ sources }, { width, paint, sectionUrl, sayable }) => {
    const lines = sources.flatMap(({ title, quote, chapterId, sectionId, document }, index) => {
      const url = document ? undefined : sectionUrl(chapterId, sectionId);
      const said = document ? `learn show ${chapterId} ${sectionId}` : `explain ${chapterId}#${sectionId}`;
      const opens = url ?? (sayable ? said : undefined);
      return [
        wrap(`${index + 1}. ${oneLine(title)}`, width),
        ...(quote === '' ? [] : [indent(paint.dim(wrap(`“${oneLine(quote)}”`, width - 3)))]),
        ...(opens === undefined ? [] : [indent(paint.dim(opens))]),
      ];
    });
    return [paint.bold('From the guide'), ...lines].join('\n');
  },

  file: ({ path, name, bytes }, { paint }) =>
    `⇩ ${oneLine(name)} (${bytesInWords(bytes)})\n${paint.dim(`  ${clean(path)}`)}`,
};

function drawBlock<K extends Block['kind']>(
  block: Extract<Block, { kind: K }>,
  options: RenderOptions,
  number: Number,
): string {
  return draw[block.kind as K](block, options, number);
}

function drawButton(button: Button, paint: Paint, number: Number): string {
  const label = clean(button.label);
  if (button.disabled) return paint.dim(`(${label})`);
  const mark = number({ kind: 'call', label: button.label, call: button.call });
  return `${button.style === 'danger' ? paint.red(mark) : paint.cyan(mark)} ${label}`;
}

/** Lays items side by side, never breaking one across lines unless it is wider than a line. */
function wrapWhole(items: readonly string[], width: number): string {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && stringWidth(last) + 3 + stringWidth(item) <= width)
      lines[lines.length - 1] = `${last}   ${item}`;
    else lines.push(item);
  }
  return lines.map((line) => wrap(line, width)).join('\n');
}

const oneLine = (text: string) => clean(text).replace(/\s+/g, ' ').trim();

const wrap = (text: string, width: number) => wrapAnsi(text, Math.max(10, width), { hard: true });

const indent = (lines: string) => lines.replace(/^/gm, '   ');

export function bytesInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
