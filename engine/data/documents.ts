// Reads texts for a language model: plain text, a column of texts, pairs of a prompt and its response, or chats.
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { headRows, openRecords, openTable, peek } from './table.ts';
import { count, readText, shown } from './text-file.ts';

const chat_roles = ['system', 'user', 'assistant'] as const;
export interface ChatMessage {
  readonly role: (typeof chat_roles)[number];
  readonly content: string;
}

/** A text to go on writing, or a conversation of which only the assistant's part is learnt. */
export type LmDocument =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] };

export type LmFormat = 'auto' | 'text' | 'instructions' | 'chat';

interface ReadDocuments {
  readonly items: readonly LmDocument[];
  readonly warnings: readonly string[];
}

type Fields = { readonly [key: string]: unknown };

export const prompt_keys = ['instruction', 'prompt', 'question', 'query', 'user'] as const;
export const response_keys = ['output', 'response', 'completion', 'answer', 'assistant'] as const;
const expected =
  'Give plain text; or JSON lines of {"text": …}, of {"prompt": …, "response": …}, or of {"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}]}.';

/** @throws UserError for a file that cannot be used, naming the line. */
export async function readDocuments(path: string, format: LmFormat, name = basename(path)): Promise<ReadDocuments> {
  const read = /\.(txt|md|text)$/i.test(name) ? await readParagraphs(path, name) : await readRows(path, name, format);
  if (read.items.length === 0) throw new UserError(`${shown(name)} holds no text to learn from.`, expected);
  if (format !== 'auto' && format !== 'text' && read.items.every(({ kind }) => kind === 'text')) {
    throw new UserError(`${shown(name)} holds plain texts, not ${format}.`, expected);
  }
  return read;
}

/** Texts alone, for a model that guesses hidden words. */
export async function readTexts(
  path: string,
  column: string,
): Promise<{ items: readonly string[]; warnings: readonly string[] }> {
  const name = basename(path);
  if (/\.(txt|md|text)$/i.test(name)) {
    const { items, warnings } = await readParagraphs(path, name);
    return { items: items.flatMap((item) => (item.kind === 'text' ? [item.text] : [])), warnings };
  }
  const items: string[] = [];
  for await (const { fields } of rowsOf(path, name)) {
    const text = textOf(fields, column);
    if (text !== undefined) items.push(text);
  }
  if (items.length === 0) {
    throw new UserError(
      `${shown(name)} has no texts in a column ${shown(column)}.`,
      'Name the column that holds them.',
    );
  }
  return { items, warnings: [] };
}

/** What stands between blank lines. */
async function readParagraphs(path: string, name: string): Promise<ReadDocuments> {
  let whole = '';
  for await (const piece of readText(path, name)) whole += piece;
  const paragraphs = whole.split(/\r?\n[ \t]*\r?\n/).map((text) => text.trim());
  return { items: paragraphs.flatMap((text) => (text === '' ? [] : [{ kind: 'text', text }])), warnings: [] };
}

/** Rows of JSON as they are, those of a table by their column names. */
async function* rowsOf(path: string, name: string): AsyncGenerator<{ line: number; fields: Fields }, void> {
  const records = await openRecords(path, name);
  if (records) {
    for await (const { line, fields } of records) yield { line, fields: Object.fromEntries(Object.entries(fields)) };
    return;
  }
  const table = await openTable(path, name);
  const [head, rows] = await peek(table.rows, headRows);
  const columns = head[0]?.cells.map((cell) => cell?.trim() ?? '') ?? [];
  let header = true;
  for await (const { line, cells } of rows) {
    if (!header) yield { line, fields: Object.fromEntries(columns.map((column, index) => [column, cells[index]])) };
    header = false;
  }
}

async function readRows(path: string, name: string, format: LmFormat): Promise<ReadDocuments> {
  const items: LmDocument[] = [];
  const skipped: number[] = [];
  for await (const { line, fields } of rowsOf(path, name)) {
    const document = documentOf(fields, format, `Line ${count(line)} of ${shown(name)}`);
    if (document) items.push(document);
    else skipped.push(line);
  }
  if (items.length === 0 && skipped.length > 0) {
    throw new UserError(`No row of ${shown(name)} holds ${format === 'auto' ? 'a text' : format}.`, expected);
  }
  const warnings =
    skipped.length === 0
      ? []
      : [`${count(skipped.length)} rows were left out, for example line ${skipped[0]}: nothing to learn.`];
  return { items, warnings };
}

const textOf = (fields: Fields, key: string): string | undefined => {
  const value = fields[key];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};

const firstOf = (fields: Fields, keys: readonly string[]) => keys.map((key) => textOf(fields, key)).find(Boolean);

function documentOf(fields: Fields, format: LmFormat, where: string): LmDocument | undefined {
  const listed = fields.messages ?? fields.conversations;
  if (format !== 'text' && format !== 'instructions' && Array.isArray(listed)) return readChat(fields, listed, where);
  const prompt = firstOf(fields, prompt_keys);
  const response = firstOf(fields, response_keys);
  if (format !== 'text' && format !== 'chat' && prompt !== undefined && response !== undefined) {
    const system = textOf(fields, 'system');
    const input = textOf(fields, 'input');
    return {
      kind: 'chat',
      messages: [
        ...(system === undefined ? [] : [{ role: 'system', content: system } as const]),
        { role: 'user', content: input === undefined ? prompt : `${prompt}\n\n${input}` },
        { role: 'assistant', content: response },
      ],
    };
  }
  const text = format === 'instructions' || format === 'chat' ? undefined : textOf(fields, 'text');
  return text === undefined ? undefined : { kind: 'text', text };
}

/** ShareGPT's names beside OpenAI's. */
const role_names: { readonly [name: string]: ChatMessage['role'] } = {
  system: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  bot: 'assistant',
};

function readChat(fields: Fields, listed: readonly unknown[], where: string): LmDocument | undefined {
  const messages = listed.map((message): ChatMessage => {
    const named = (key: string): unknown =>
      typeof message === 'object' && message !== null ? Reflect.get(message, key) : undefined;
    const name = named('role') ?? named('from');
    const role = typeof name === 'string' && Object.hasOwn(role_names, name) ? role_names[name] : undefined;
    const content = named('content') ?? named('value');
    if (role === undefined || typeof content !== 'string') {
      throw new UserError(
        `${where} has a message that cannot be read: ${shown(JSON.stringify(message))}.`,
        `Each message has a role (${chat_roles.join(', ')}) and a content.`,
      );
    }
    return { role, content };
  });
  const system = textOf(fields, 'system');
  const all =
    system === undefined || messages[0]?.role === 'system'
      ? messages
      : [{ role: 'system' as const, content: system }, ...messages];
  return all.some(({ role }) => role === 'assistant') ? { kind: 'chat', messages: all } : undefined;
}
