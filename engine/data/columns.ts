// Decides which column is the text and which the label: as asked for, else by name, else by what the cells hold.
import { closest } from 'fastest-levenshtein';
import { UserError } from '../errors.ts';
import type { Row } from './table.ts';
import { count, shown } from './text-file.ts';

export interface AskedColumns {
  readonly text?: string;
  readonly label?: string;
}

export interface ChosenColumns {
  readonly columns: readonly string[];
  readonly text: number;
  readonly label: number;
  /** Whether the first row is a header, to be left out. */
  readonly header: boolean;
  readonly warnings: readonly string[];
}

const usualTextNames =
  'text sentence review comment headline question content message tweet body utterance prompt post document title description input'.split(
    ' ',
  );
const usualLabelNames =
  'label labels sentiment class category target intent topic emotion polarity tag rating stars score y'.split(' ');

const simplified = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_');

/** Index of the column with exactly a usual name, in the order of those names. */
function findExactly(names: readonly string[], usual: readonly string[]): number {
  const found = usual.find((name) => names.includes(name));
  return found === undefined ? -1 : names.indexOf(found);
}

/** Index of the column with a usual name among the words of its own: `review_text`, `airline_sentiment`. */
function findByWord(names: readonly string[], usual: readonly string[]): number {
  const found = usual.find((word) => word.length > 3 && names.some((name) => name.split('_').includes(word)));
  return found === undefined ? -1 : names.findIndex((name) => name.split('_').includes(found));
}

const findFlag = (names: readonly string[]) => names.findIndex((name) => /^(is|has)_\w+$/.test(name));

const firstFound = (...indexes: readonly number[]) => indexes.find((index) => index >= 0) ?? -1;

function findText(columns: readonly string[]): number {
  const names = columns.map(simplified);
  return firstFound(findExactly(names, usualTextNames), findByWord(names, usualTextNames));
}

function findLabel(columns: readonly string[]): number {
  const names = columns.map(simplified);
  return firstFound(findExactly(names, usualLabelNames), findFlag(names), findByWord(names, usualLabelNames));
}

/** Whether a cell of the first row is exactly a usual column name: then that row is a header. */
function looksLikeHeader(cells: readonly string[]): boolean {
  return findExactly(cells.map(simplified), [...usualTextNames, ...usualLabelNames]) >= 0;
}

interface ColumnContents {
  readonly averageLength: number;
  readonly distinct: number;
}

function describeColumn(rows: readonly Row[], index: number): ColumnContents {
  const cells = rows.map((row) => row.cells[index]?.trim() ?? '').filter((cell) => cell !== '');
  const characters = cells.reduce((sum, cell) => sum + cell.length, 0);
  return { averageLength: characters / Math.max(1, cells.length), distinct: new Set(cells).size };
}

/** The longest column that is not `except`; -1 when there is none. */
function findTextByContents(rows: readonly Row[], width: number, except: number): number {
  let best = -1;
  let longest = 0;
  for (let index = 0; index < width; index++) {
    const { averageLength } = describeColumn(rows, index);
    if (index !== except && averageLength > longest) {
      best = index;
      longest = averageLength;
    }
  }
  return best;
}

/** The column with the fewest different values, at least two, that repeat; -1 when there is none. */
function findLabelByContents(rows: readonly Row[], width: number, except: number): number {
  let best = -1;
  let fewest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < width; index++) {
    const { distinct } = describeColumn(rows, index);
    if (index !== except && distinct >= 2 && distinct <= rows.length / 2 && distinct < fewest) {
      best = index;
      fewest = distinct;
    }
  }
  return best;
}

const isIdentifier = (name: string) => /^(|id|index|idx|no|nr|row|key|number|unnamed_.*)$|_id$/.test(simplified(name));

/** The one column, apart from the text and what merely counts the rows, in which every cell is a number; -1 when there is none or several. */
function findNumbersByContents(rows: readonly Row[], columns: readonly string[], except: number): number {
  const found = columns.flatMap((name, index) => {
    const cells = rows.map((row) => row.cells[index]?.trim() ?? '').filter((cell) => cell !== '');
    const numeric = cells.length > 0 && cells.every((cell) => Number.isFinite(Number(cell)));
    return numeric && index !== except && !isIdentifier(name) ? [index] : [];
  });
  return found.length === 1 ? (found[0] ?? -1) : -1;
}

/** A first row that is an example: two cells, and its label stands in later rows too. */
function headlessColumns(head: readonly Row[]): { text: number; label: number } | undefined {
  const [first, ...later] = head;
  if (first?.cells.length !== 2) return undefined;
  const label = describeColumn(head, 1).distinct <= describeColumn(head, 0).distinct ? 1 : 0;
  const value = first.cells[label]?.trim();
  return later.some((row) => row.cells[label]?.trim() === value) ? { text: 1 - label, label } : undefined;
}

/** `1`, `column 1` → 0. */
function columnNumber(name: string | undefined): number | undefined {
  const number = /^(?:column )?([12])$/i.exec(name?.trim() ?? '')?.[1];
  return number === undefined ? undefined : Number(number) - 1;
}

/** In a file without a header the names asked for are the names, except for `column 1` and `column 2`. */
function nameHeadless(guess: { text: number; label: number }, asked: AskedColumns): ChosenColumns {
  const label = columnNumber(asked.label);
  const text = columnNumber(asked.text) ?? (label === undefined ? guess.text : 1 - label);
  const names = { text: asked.text ?? 'text', label: asked.label ?? 'label' };
  const columns = text === 0 ? [names.text, names.label] : [names.label, names.text];
  return {
    columns,
    text,
    label: 1 - text,
    header: false,
    warnings: [
      `The file has no header row: its columns were taken as ${shown(columns[0] ?? '')} and ${shown(columns[1] ?? '')}.`,
    ],
  };
}

/** Index of a column by its name, or by the same name in other letters' case; -1 when there is none. */
function findNamed(columns: readonly string[], asked: string): number {
  const name = asked.trim();
  const exact = columns.indexOf(name);
  if (exact >= 0) return exact;
  return columns.findIndex((column) => column.toLowerCase() === name.toLowerCase());
}

function refuseMissing(name: string, asked: string, columns: readonly string[], header: boolean): never {
  const there = columns.slice(0, 20).map(shown).join(', ');
  const nearest = columns.length > 0 ? closest(asked, [...columns]) : '';
  throw new UserError(
    `${shown(name)} has no column ${shown(asked)}. ${columns.length === 1 ? 'Its only column is' : 'Its columns are'} ${there}.`,
    columns.length < 2
      ? 'A dataset needs two columns, text and label, separated by commas or tabs.'
      : `Did you mean ${shown(nearest)}? Name the text and the label column as the file does${header ? ' (its first row is taken as the header)' : ''}.`,
  );
}

function refuseUnclear(name: string, which: 'text' | 'label', head: readonly Row[], columns: readonly string[]): never {
  const described = columns
    .slice(0, 20)
    .map((column, index) => `${shown(column)} (${count(describeColumn(head, index).distinct)} different values)`);
  throw new UserError(
    `It is not clear which column of ${shown(name)} is the ${which}: ${described.join(', ')}.`,
    columns.length < 2
      ? 'A dataset needs two columns, text and label, separated by commas or tabs.'
      : `Name the ${which} column, or call it “${which}” in the file. A label column has a few values that repeat.`,
  );
}

function unnamed(cells: readonly (string | undefined)[]): string[] {
  return cells.map((cell, index) => cell?.trim() || `column ${index + 1}`);
}

/**
 * @param head the first rows of the file, the header among them unless `columns` is given.
 * @throws UserError for a column that is not there (naming those that are), or when it cannot tell.
 */
export function chooseColumns(
  name: string,
  head: readonly Row[],
  given: readonly string[] | undefined,
  asked: AskedColumns,
): ChosenColumns {
  const columns = given ?? unnamed(head[0]?.cells ?? []);
  const askedNames = [asked.text, asked.label].filter((column) => column !== undefined);
  if (!given) {
    const recognised =
      askedNames.length > 0 ? askedNames.some((column) => findNamed(columns, column) >= 0) : looksLikeHeader(columns);
    const headless = recognised ? undefined : headlessColumns(head);
    if (headless) return nameHeadless(headless, asked);
    const twice = columns.find((column, index) => columns.indexOf(column) !== index);
    if (twice !== undefined) {
      throw new UserError(
        `${shown(name)} has two columns called ${shown(twice)}.`,
        'Rename one of them in the first row of the file.',
      );
    }
  }
  const rows = given ? head : head.slice(1);
  for (const column of askedNames) {
    if (findNamed(columns, column) < 0) refuseMissing(name, column, columns, given === undefined);
  }
  const except = (index: number) => columns.map((column, i) => (i === index ? '' : column));
  let text = asked.text === undefined ? -1 : findNamed(columns, asked.text);
  let label = asked.label === undefined ? findLabel(except(text)) : findNamed(columns, asked.label);
  if (text < 0) text = findText(except(label));
  if (text < 0) text = findTextByContents(rows, columns.length, label);
  if (label < 0) label = findLabelByContents(rows, columns.length, text);
  if (label < 0 && text >= 0) label = findNumbersByContents(rows, columns, text);
  if (text < 0) return refuseUnclear(name, 'text', rows, columns);
  if (label < 0) return refuseUnclear(name, 'label', rows, columns);
  if (text === label) {
    throw new UserError(
      `The text and the label cannot both be the column ${shown(columns[text] ?? '')}.`,
      `Choose two of: ${columns.map(shown).join(', ')}.`,
    );
  }
  return { columns, text, label, header: given === undefined, warnings: [] };
}
