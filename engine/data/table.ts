// Reads a file as rows of cells, whatever table format it is in: CSV, TSV, JSON lines or a JSON array of objects.
import { pipeline, Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { UserError } from '../errors.ts';
import { count, readText, shown } from './text-file.ts';

/** `undefined`: a JSON row without that key, or with null there. */
type Cell = string | undefined;

export interface Row {
  /** Where it stands in the file, from 1. */
  readonly line: number;
  readonly cells: readonly Cell[];
}

export interface Table {
  readonly format: 'csv' | 'tsv' | 'jsonl' | 'json';
  /** Names of the columns; undefined while it is open whether the first row is a header. */
  readonly columns: readonly string[] | undefined;
  readonly rows: AsyncGenerator<Row, void>;
}

type Text = AsyncGenerator<string, void>;

async function* chain<T>(first: Iterable<T>, rest: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  try {
    yield* first;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** Takes up to `limit` items and gives them back with an iterator that still yields all. */
export async function peek<T>(items: AsyncGenerator<T, void>, limit: number): Promise<[T[], AsyncGenerator<T, void>]> {
  const first: T[] = [];
  while (first.length < limit) {
    const next = await items.next();
    if (next.done) break;
    first.push(next.value);
  }
  return [first, chain(first, items)];
}

/** How many delimiters stand in each record of `head`, quoted ones not counted; the last, perhaps cut, is left out. */
function countPerRecord(head: string, delimiter: string, quoted: boolean): number[] {
  const counts: number[] = [];
  let found = 0;
  let inQuotes = false;
  let blank = true;
  for (const char of head) {
    if (char === '"' && quoted) inQuotes = !inQuotes;
    if (inQuotes) continue;
    if (char === delimiter) found++;
    if (char === '\n') {
      if (!blank) counts.push(found);
      found = 0;
      blank = true;
    } else if (char !== '\r') blank = false;
  }
  return counts;
}

/** The delimiter that occurs in the first record, and equally often in most others. */
function detectDelimiter(head: string): '\t' | ',' | ';' {
  const text = head.endsWith('\n') ? head : `${head}\n`;
  const scored = (['\t', ',', ';'] as const).map((delimiter) => {
    const counts = countPerRecord(text, delimiter, delimiter !== '\t');
    const [first = 0] = counts;
    const equal = counts.filter((n) => n === first).length;
    return { delimiter, score: first === 0 ? 0 : equal / counts.length };
  });
  return scored.reduce((best, next) => (next.score > best.score ? next : best)).score === 0
    ? ','
    : scored.reduce((best, next) => (next.score > best.score ? next : best)).delimiter;
}

/** The line a record begins at; the parser counts to its end. */
function firstLine(lastLine: number, record: readonly string[]): number {
  return lastLine - record.reduce((lines, cell) => lines + cell.split('\n').length - 1, 0);
}

async function* readDelimited(text: Text, name: string, delimiter: string): AsyncGenerator<Row, void> {
  const parser = parse({
    delimiter,
    // A TSV has no quoting: its cells carry quotation marks as they are.
    quote: delimiter === '\t' ? null : '"',
    relax_quotes: true,
    skip_empty_lines: true,
    info: true,
    max_record_size: 4 * 1024 * 1024,
  });
  // An error of the text reaches us through the parser, which `pipeline` destroys with it.
  pipeline(Readable.from(text), parser, () => {});
  try {
    for await (const item of parser) {
      const { record, info }: { record: string[]; info: Info } = item;
      yield { line: firstLine(info.lines, record), cells: record };
    }
  } catch (error) {
    throw error instanceof CsvError ? explainCsvError(error, name, delimiter) : error;
  }
}

function explainCsvError(error: CsvError, name: string, delimiter: string): UserError {
  const lastLine = Number(error.lines);
  if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') {
    const record = Array.isArray(error.record) ? error.record.map(String) : [];
    const width = /expect (\d+)/.exec(error.message)?.[1] ?? 'another number';
    return new UserError(
      `Line ${count(firstLine(lastLine, record))} of ${shown(name)} has ${count(record.length)} ${record.length === 1 ? 'cell' : 'cells'} where the first row has ${width}: ${shown(record.join(delimiter))}.`,
      delimiter === '\t'
        ? 'Every row needs the same number of tabs; remove stray tabs from the text.'
        : `Put double quotes around a text that holds a “${delimiter}”: "good, but long"${delimiter}positive.`,
      { cause: error },
    );
  }
  return new UserError(
    error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? `${shown(name)} has a quotation mark that is never closed, so the rest of the file, down to line ${count(lastLine)}, is one cell.`
      : `${shown(name)} could not be read as a table near line ${count(lastLine)}: ${error.message}.`,
    'Close the quotation mark, or double the marks that belong to the text: "she said ""yes""".',
    { cause: error },
  );
}

/** An object of a JSON or JSON-lines file, as it stands there. */
export interface JsonRecord {
  readonly line: number;
  readonly fields: object;
}

const isRow = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

async function* readJsonLines(text: Text, name: string): AsyncGenerator<JsonRecord, void> {
  let line = 0;
  /** The pieces of a line that has not ended yet. */
  let open: string[] = [];
  const parseLine = (content: string): JsonRecord | undefined => {
    line++;
    if (content.trim() === '') return undefined;
    let fields: unknown;
    try {
      fields = JSON.parse(content);
    } catch (error) {
      throw new UserError(
        `Line ${count(line)} of ${shown(name)} is not valid JSON: ${shown(content)}.`,
        content.trim() === '{'
          ? 'Write each row as one object on one line, or all rows as one array: [{"text": …, "label": …}, …].'
          : 'Each line must be one object, such as {"text": "a good film", "label": "positive"}.',
        { cause: error },
      );
    }
    if (!isRow(fields)) {
      throw new UserError(
        `Line ${count(line)} of ${shown(name)} is not an object: ${shown(content)}.`,
        'Each line must be one object, such as {"text": "a good film", "label": "positive"}.',
      );
    }
    return { line, fields };
  };
  for await (const piece of text) {
    const lines = piece.split('\n');
    const last = lines.pop() ?? '';
    if (lines.length === 0) {
      open.push(last);
      continue;
    }
    lines[0] = open.join('') + lines[0];
    open = [last];
    for (const content of lines) {
      const row = parseLine(content);
      if (row) yield row;
    }
  }
  const row = parseLine(open.join(''));
  if (row) yield row;
}

interface JsonItem {
  readonly line: number;
  readonly content: string;
  /** What stands between the item before (or the opening bracket) and this one. */
  readonly before: string;
}

/** Cuts the text of an array into its items' texts, by brackets outside strings; the last may be cut off. */
function* splitItems(text: string): Generator<JsonItem, void> {
  let line = 1;
  let start = -1;
  let startLine = 1;
  let end = text.indexOf('[') + 1;
  let depth = 0;
  const tokens = /["{}\n]|\\./g;
  let inString = false;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (token === '\n') line++;
    else if (token === '"') inString = !inString;
    else if (inString || token.length > 1) continue;
    else if (token === '{' && depth++ === 0) {
      start = index;
      startLine = line;
    } else if (token === '}' && --depth === 0) {
      yield { line: startLine, content: text.slice(start, index + 1), before: text.slice(end, start) };
      end = index + 1;
    }
  }
  if (depth > 0) yield { line: startLine, content: text.slice(start), before: text.slice(end, start) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where a JSON array is broken. */
function findBreak(text: string): string {
  let number = 0;
  for (const { line, content, before } of splitItems(text)) {
    number++;
    if (before.trim() !== (number === 1 ? '' : ',')) return `before item ${count(number)}, line ${count(line)}`;
    if (!isJson(content)) return `in item ${count(number)}, which begins at line ${count(line)}: ${shown(content)}`;
  }
  return `after item ${count(number)}`;
}

async function* readJsonArray(text: Text, name: string): AsyncGenerator<JsonRecord, void> {
  const hint = 'It must be an array of objects: [{"text": "a good film", "label": "positive"}, …].';
  let whole = '';
  for await (const piece of text) whole += piece;
  let items: unknown;
  try {
    items = JSON.parse(whole);
  } catch (error) {
    throw new UserError(`${shown(name)} is not valid JSON: it breaks ${findBreak(whole)}.`, hint, { cause: error });
  }
  if (!Array.isArray(items)) throw new UserError(`${shown(name)} holds no list of rows.`, hint);
  const lines = splitItems(whole);
  for (const [index, fields] of items.entries()) {
    if (!isRow(fields)) {
      throw new UserError(
        `Item ${count(index + 1)} of ${shown(name)} is not an object: ${shown(JSON.stringify(fields))}.`,
        hint,
      );
    }
    yield { line: lines.next().value?.line ?? 0, fields };
  }
}

function toCell(value: unknown): Cell {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function* toRows(rows: AsyncIterable<JsonRecord>, columns: readonly string[]): AsyncGenerator<Row, void> {
  for await (const { line, fields } of rows) {
    const values = new Map<string, unknown>(Object.entries(fields));
    yield { line, cells: columns.map((column) => toCell(values.get(column))) };
  }
}

/** Rows looked at before deciding on columns. */
export const headRows = 1000;

async function openJson(format: 'json' | 'jsonl', items: AsyncGenerator<JsonRecord, void>): Promise<Table> {
  const [head, all] = await peek(items, headRows);
  const columns = [...new Set(head.flatMap(({ fields }) => Object.keys(fields)))];
  return { format, columns, rows: toRows(all, columns) };
}

/**
 * The objects of a JSON or JSON-lines file; undefined when it is something else.
 * @throws UserError as `openTable` does.
 */
export async function openRecords(path: string, name: string): Promise<AsyncGenerator<JsonRecord, void> | undefined> {
  const source = readText(path, name);
  const [pieces, text] = await peek(source, 1);
  const format = jsonFormat(name, pieces[0] ?? '');
  if (format === 'jsonl') return readJsonLines(text, name);
  if (format === 'json') return readJsonArray(text, name);
  // Not `text`: a generator that was never asked closes nothing.
  await source.return();
  return undefined;
}

function jsonFormat(name: string, head: string): 'json' | 'jsonl' | undefined {
  if (/\.(jsonl|ndjson)$/i.test(name) || /^\s*\{\s*("|\}|$)/.test(head)) return 'jsonl';
  return /\.json$/i.test(name) || /^\s*\[\s*[{\]]/.test(head) ? 'json' : undefined;
}

/**
 * Finds out the format by what the file holds (its name only decides between the JSON formats) and opens its rows.
 * @throws UserError as `readText` does, and, while rows are read, for ragged rows, open quotes and malformed JSON.
 */
export async function openTable(path: string, name: string): Promise<Table> {
  const source = readText(path, name);
  const [pieces, text] = await peek(source, 1);
  const head = (pieces[0] ?? '').slice(0, 1 << 16);
  if ((pieces[0] ?? '').trim() === '') {
    await source.return();
    throw new UserError(
      `${shown(name)} holds only blank lines.`,
      'Send a file with a text column and a label column, one example a row.',
    );
  }
  const format = jsonFormat(name, head);
  if (format === 'jsonl') return openJson('jsonl', readJsonLines(text, name));
  if (format === 'json') return openJson('json', readJsonArray(text, name));
  const delimiter = detectDelimiter(head);
  return {
    format: delimiter === '\t' ? 'tsv' : 'csv',
    columns: undefined,
    rows: readDelimited(text, name, delimiter),
  };
}
