// A form asked field by field: Enter takes the default, a number picks a choice, a wrong value is asked for again.
import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import type { Attachment, Field, FieldValue, Option } from '../../chat/message.ts';
import { clean } from './clean.ts';
import { bytesInWords } from './render.ts';

export type FormValues = { readonly [fieldId: string]: FieldValue | Attachment };

/** Shows a line and gives back what the person typed; undefined when they gave up. */
export type AskLine = (question: string) => Promise<string | undefined>;

/** @returns undefined when the person gave up. */
export async function askForm(
  fields: readonly Field[],
  askLine: AskLine,
  tell: (line: string) => void,
): Promise<FormValues | undefined> {
  const values: { [fieldId: string]: FieldValue | Attachment } = {};
  for (const field of fields) {
    if (!isShown(field, values)) continue;
    const value = await askField(field, askLine, tell);
    if (value === undefined) return undefined;
    if (value !== '') values[field.id] = value;
  }
  return values;
}

function isShown({ when }: Field, values: FormValues): boolean {
  const other = when === undefined ? undefined : values[when.field];
  return when === undefined || (typeof other === 'string' && when.is.includes(other));
}

async function askField(field: Field, askLine: AskLine, tell: (line: string) => void) {
  if (field.kind === 'choice' || field.kind === 'choices') {
    field.options.forEach((option, index) => {
      const described = option.description === undefined ? '' : `: ${clean(option.description)}`;
      tell(`  ${index + 1}. ${clean(option.label)}${described}`);
    });
  }
  while (true) {
    const typed = await askLine(question(field));
    if (typed === undefined || typed.trim() === '/cancel') return undefined;
    const read = await readField(field, typed.trim());
    if ('value' in read) return read.value;
    tell(`  ${read.wrong}`);
  }
}

function question(field: Field): string {
  const hint = field.hint === undefined ? '' : ` (${clean(field.hint)})`;
  const standard = standardOf(field);
  return `${clean(field.label)}${hint}${standard === '' ? '' : ` [${clean(standard)}]`}: `;
}

function standardOf(field: Field): string {
  switch (field.kind) {
    case 'text':
      return field.value ?? '';
    case 'number':
      return String(field.value);
    case 'choice':
      return labelOf(field, field.value);
    case 'choices':
      return field.value.map((value) => labelOf(field, value)).join(', ');
    case 'file':
      return '';
  }
}

const labelOf = ({ options }: { readonly options: readonly Option[] }, value: string) =>
  options.find((option) => option.value === value)?.label ?? value;

type Read = { readonly value: FieldValue | Attachment } | { readonly wrong: string };

async function readField(field: Field, typed: string): Promise<Read> {
  if (
    typed === '' &&
    field.required &&
    field.kind !== 'number' &&
    field.kind !== 'choice' &&
    field.kind !== 'choices' &&
    standardOf(field) === ''
  ) {
    return { wrong: 'This one is needed. /cancel gives up.' };
  }
  switch (field.kind) {
    case 'text':
      if (typed.length > (field.maxLength ?? Number.POSITIVE_INFINITY)) {
        return { wrong: `At most ${field.maxLength} characters, please; that is ${typed.length}.` };
      }
      return { value: typed === '' ? (field.value ?? '') : typed };
    case 'number':
      return readNumber(field, typed === '' ? String(field.value) : typed);
    case 'choice':
      return readChoice(field, typed);
    case 'choices':
      return readChoices(field, typed);
    case 'file':
      return typed === '' ? { value: '' } : readFile(field, typed);
  }
}

function readNumber(field: Extract<Field, { kind: 'number' }>, typed: string): Read {
  const value = Number(typed);
  if (Number.isNaN(value) || value < field.min || value > field.max || (field.integer && !Number.isInteger(value))) {
    return { wrong: `It must be a ${field.integer ? 'whole ' : ''}number from ${field.min} to ${field.max}.` };
  }
  return { value: String(value) };
}

function readChoice(field: Extract<Field, { kind: 'choice' }>, typed: string): Read {
  if (typed === '') return { value: field.value };
  const chosen = findOption(field.options, typed);
  return chosen === undefined ? { wrong: `Type a number from 1 to ${field.options.length}.` } : { value: chosen.value };
}

/** `1, 3`, names, `all` or `none`. */
function readChoices(field: Extract<Field, { kind: 'choices' }>, typed: string): Read {
  const { options, required } = field;
  if (typed === '' && (field.value.length > 0 || !required)) return { value: field.value };
  if (typed.toLowerCase() === 'all') return { value: options.map(({ value }) => value) };
  const words = typed.toLowerCase() === 'none' ? [] : typed.split(/\s*,\s*|(?<=\d)\s+(?=\d)/).filter(Boolean);
  const chosen = words.map((word) => findOption(options, word));
  if (chosen.includes(undefined) || (required && chosen.length === 0)) {
    return {
      wrong: `Type numbers from 1 to ${options.length} with commas between them, or all${required ? '' : ', or none'}.`,
    };
  }
  const values = new Set(chosen.map((option) => option?.value));
  return { value: options.map(({ value }) => value).filter((value) => values.has(value)) };
}

function findOption(options: readonly Option[], typed: string): Option | undefined {
  const wanted = typed.toLowerCase();
  return (
    options[Number(typed) - 1] ??
    options.find(({ value, label }) => [value, label].some((name) => name.toLowerCase() === wanted))
  );
}

async function readFile(field: Extract<Field, { kind: 'file' }>, typed: string): Promise<Read> {
  const attachment = await localFile(typed.replace(/^["']|["']$/g, ''));
  if (attachment === undefined) return { wrong: `There is no file ${clean(typed)}.` };
  if (!field.accept.includes(extname(attachment.name).toLowerCase())) {
    return { wrong: `It must end in ${field.accept.join(', ')}.` };
  }
  if (attachment.bytes > field.maxBytes) {
    return { wrong: `It is ${bytesInWords(attachment.bytes)}; at most ${bytesInWords(field.maxBytes)} can be taken.` };
  }
  return { value: attachment };
}

/** The file the person at this machine names, or undefined. Paths are theirs to give: the terminal is local. */
export async function localFile(path: string): Promise<Attachment | undefined> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  return found?.isFile() ? { name: basename(absolute), path: absolute, bytes: found.size } : undefined;
}
