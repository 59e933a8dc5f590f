// Reads a labelled text dataset and reports on it; a file that cannot be trained on is refused, saying why and where.
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { hyperSchema } from '../runs/spec.ts';
import { type AskedColumns, chooseColumns } from './columns.ts';
import type { DatasetReport } from './report.ts';
import { headRows, openTable, peek, type Table } from './table.ts';
import { createTally } from './tally.ts';
import { count, shown } from './text-file.ts';

export interface Example {
  readonly text: string;
  readonly label: string;
}

export interface ReadDataset {
  readonly examples: Example[];
  readonly report: DatasetReport;
}

/** Training needs several rows and two labels; an evaluation file may be smaller and one-sided. */
export type DatasetPurpose = 'training' | 'evaluation';

const minTrainingRows = 10;
const maxLabels = 100;
const usualMaxLength = hyperSchema.parse({}).maxLength;

export function checkTrainable(name: string, rows: number, labels: DatasetReport['labels'], labelColumn: string) {
  if (rows < minTrainingRows) {
    throw new UserError(
      `${shown(name)} has ${rows} ${rows === 1 ? 'row' : 'rows'} with a text and a label; training needs at least ${minTrainingRows}.`,
      'Add more examples of every label: 50 for each is a good start.',
    );
  }
  const [first] = labels;
  if (labels.length === 1 && first) {
    throw new UserError(
      `All ${count(rows)} rows of ${shown(name)} have the same label, ${shown(first.label)}: there is nothing to tell apart.`,
      `Add rows with another label, or name another label column than ${shown(labelColumn)}.`,
    );
  }
  if (labels.length > maxLabels || labels.length > rows / 2) {
    const numbers = labels.every(({ label }) => Number.isFinite(Number(label)));
    throw new UserError(
      `The label column ${shown(labelColumn)} has ${count(labels.length)} different values in ${count(rows)} rows, such as ${labels
        .slice(0, 3)
        .map(({ label }) => shown(label))
        .join(', ')}: that looks like ${numbers ? 'numbers to predict (regression)' : 'free text'}, not classes.`,
      numbers
        ? 'Predict them as numbers (the task regression), turn them into a few classes, or name another label column.'
        : `Name another label column; one with at most ${maxLabels} labels, each on several rows.`,
    );
  }
}

/** As `readExamples`, with the columns guessed where they are not named. `name` is the sender's name of the file. */
export async function readDataset(
  path: string,
  name: string,
  asked: AskedColumns,
  purpose: DatasetPurpose,
  maxLength = usualMaxLength,
): Promise<ReadDataset> {
  const table = await openTable(path, name);
  try {
    return await readTable(table, name, asked, purpose, maxLength);
  } finally {
    // However far it was read: the file is closed.
    await table.rows.return();
  }
}

async function readTable(
  table: Table,
  name: string,
  asked: AskedColumns,
  purpose: DatasetPurpose,
  maxLength: number,
): Promise<ReadDataset> {
  const [head, rows] = await peek(table.rows, headRows);
  if (head.length === 0) {
    throw new UserError(`${shown(name)} holds no rows.`, 'Send a file with one example a row: a text and its label.');
  }
  const chosen = chooseColumns(name, head, table.columns, asked);
  const textColumn = chosen.columns[chosen.text] ?? '';
  const labelColumn = chosen.columns[chosen.label] ?? '';
  const examples: Example[] = [];
  const tally = createTally(maxLength);
  let header = chosen.header;
  for await (const { line, cells } of rows) {
    if (header) {
      header = false;
      continue;
    }
    const text = cells[chosen.text]?.trim() ?? '';
    const label = cells[chosen.label]?.trim() ?? '';
    if (text === '' || label === '') {
      tally.skip(line, text !== '' ? 'no label' : label !== '' ? 'no text' : 'no text and no label');
      continue;
    }
    const example = { text, label };
    examples.push(example);
    tally.add(example);
  }
  const counted = tally.finish();
  if (examples.length === 0) {
    const [skip] = counted.skipped;
    throw new UserError(
      skip
        ? `None of the ${count(counted.skippedCount)} rows of ${shown(name)} has both a text and a label (line ${skip.line}: ${skip.reason}).`
        : `${shown(name)} has a header (${chosen.columns.map(shown).join(', ')}) but no rows below it.`,
      skip
        ? `Look at the columns ${shown(textColumn)} and ${shown(labelColumn)}, or name other ones.`
        : 'Add one example a row: a text and its label.',
    );
  }
  if (purpose === 'training') checkTrainable(name, examples.length, counted.labels, labelColumn);
  return {
    examples,
    report: {
      tasks: ['text-classification'],
      format: table.format,
      encoding: 'utf-8',
      columns: chosen.columns,
      textColumn,
      labelColumn,
      ...counted,
      warnings: [...chosen.warnings, ...counted.warnings],
    },
  };
}

/**
 * All examples of a CSV, TSV, JSON-lines or JSON file, in file order, with what there is to say about them.
 * Rows without a text or a label are left out and reported. `maxLength` (tokens) only decides a warning.
 * @throws UserError for a file that cannot be used: unreadable, no such column, too few rows or labels, too many labels.
 */
export async function readExamples(
  path: string,
  columns: { readonly text: string; readonly label: string },
  { purpose = 'training', maxLength = usualMaxLength }: { purpose?: DatasetPurpose; maxLength?: number } = {},
): Promise<ReadDataset> {
  return readDataset(path, basename(path), columns, purpose, maxLength);
}
