// Reads a labelled text dataset and reports on it; a file that cannot be trained on is refused, saying why and where.
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { hyperSchema } from '../runs/spec.ts';
import { type AskedColumns, chooseColumns } from './columns.ts';
import { normalizeText } from './normalize.ts';
import type { DatasetReport } from './report.ts';
import { headRows, openTable, peek } from './table.ts';
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
const reportedSkips = 20;
const usualMaxLength = hyperSchema.parse({}).maxLength;

const collator = new Intl.Collator('en', { numeric: true });

function countLabels(examples: readonly Example[]): DatasetReport['labels'] {
  const counts = new Map<string, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .map(([label, n]) => ({ label, count: n }))
    .sort((a, b) => collator.compare(a.label, b.label) || (a.label < b.label ? -1 : 1));
}

/** Words and punctuation marks: a lower bound of what a BERT-style tokenizer makes of a text. */
const countWords = (text: string) => text.match(/[^\s\p{P}]+|\p{P}/gu)?.length ?? 0;

function quantile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;
}

function checkTrainable(
  name: string,
  examples: readonly Example[],
  labels: DatasetReport['labels'],
  labelColumn: string,
) {
  const rows = examples.length;
  if (rows === 1) {
    throw new UserError(
      `${shown(name)} has 1 row with a text and a label; training needs at least ${minTrainingRows}.`,
      'Add more examples of every label: 50 for each is a good start.',
    );
  }
  if (rows < minTrainingRows) {
    throw new UserError(
      `${shown(name)} has ${rows} rows with a text and a label; training needs at least ${minTrainingRows}.`,
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
        ? 'Turn the numbers into a few classes, such as low, middle and high, or name another label column.'
        : `Name another label column; one with at most ${maxLabels} labels, each on several rows.`,
    );
  }
}

/** Rows beyond the first of each text, and texts that carry different labels. */
function findDuplicates(examples: readonly Example[]): { duplicates: number; contradictions: number } {
  const labelsOfText = new Map<string, Set<string>>();
  let duplicates = 0;
  for (const { text, label } of examples) {
    const key = normalizeText(text);
    const labels = labelsOfText.get(key);
    if (labels) {
      duplicates++;
      labels.add(label);
    } else labelsOfText.set(key, new Set([label]));
  }
  const contradictions = [...labelsOfText.values()].filter((labels) => labels.size > 1).length;
  return { duplicates, contradictions };
}

const were = (n: number, one: string, many: string) => `${count(n)} ${n === 1 ? one : many}`;

function warn(
  examples: readonly Example[],
  labels: DatasetReport['labels'],
  duplicates: number,
  contradictions: number,
  skippedCount: number,
  maxLength: number,
): string[] {
  const warnings: string[] = [];
  const rows = examples.length;
  const largest = labels.reduce((a, b) => (b.count > a.count ? b : a), { label: '', count: 0 });
  if (largest.count > 0.8 * rows && labels.length > 1) {
    const percent = ((100 * largest.count) / rows).toFixed(1);
    warnings.push(
      `Imbalanced: ${percent} % of the rows are ${shown(largest.label)}, so always answering that already scores ${percent} % accuracy. Watch macro F1.`,
    );
  }
  const few = labels.filter((label) => label.count < 5);
  if (few.length > 0) {
    const named = few.slice(0, 5).map((label) => `${shown(label.label)} (${label.count})`);
    warnings.push(
      `Fewer than 5 examples of ${named.join(', ')}${few.length > 5 ? ` and ${few.length - 5} more labels` : ''}: too few to learn from or to measure.`,
    );
  }
  if (duplicates > 0) {
    warnings.push(
      `${were(duplicates, 'row repeats', 'rows repeat')} the text of an earlier row; equal texts are kept on one side of the split.`,
    );
  }
  if (contradictions > 0) {
    warnings.push(
      `${were(contradictions, 'text occurs', 'texts occur')} with different labels; check which one is right.`,
    );
  }
  const long = examples.filter(({ text }) => countWords(text) > maxLength - 2).length;
  if (long > 0) {
    warnings.push(
      `${were(long, 'text is', 'texts are')} longer than ${maxLength} tokens and will be cut there; raise the maximum length to read more.`,
    );
  }
  if (skippedCount > 0) {
    warnings.push(`${were(skippedCount, 'row was', 'rows were')} left out for want of a text or a label.`);
  }
  return warnings;
}

/** Up to five examples, going round the labels so that each is shown. */
function pickSamples(examples: readonly Example[], labels: DatasetReport['labels']): Example[] {
  const byLabel = labels
    .slice(0, 5)
    .map(({ label }) => examples.filter((example) => example.label === label).slice(0, 5));
  return [0, 1, 2, 3, 4].flatMap((round) => byLabel.flatMap((group) => group[round] ?? [])).slice(0, 5);
}

async function readDataset(
  path: string,
  name: string,
  asked: AskedColumns,
  purpose: DatasetPurpose,
  maxLength: number,
): Promise<ReadDataset> {
  const table = await openTable(path, name);
  const [head, rows] = await peek(table.rows, headRows);
  if (head.length === 0) {
    throw new UserError(`${shown(name)} holds no rows.`, 'Send a file with one example a row: a text and its label.');
  }
  const chosen = chooseColumns(name, head, table.columns, asked);
  const textColumn = chosen.columns[chosen.text] ?? '';
  const labelColumn = chosen.columns[chosen.label] ?? '';
  const examples: Example[] = [];
  const skipped: { line: number; reason: string }[] = [];
  let skippedCount = 0;
  let first = chosen.header;
  for await (const { line, cells } of rows) {
    if (first) {
      first = false;
      continue;
    }
    const text = cells[chosen.text]?.trim() ?? '';
    const label = cells[chosen.label]?.trim() ?? '';
    if (text !== '' && label !== '') {
      examples.push({ text, label });
      continue;
    }
    skippedCount++;
    const missing = text === '' ? (label === '' ? 'no text and no label' : 'no text') : 'no label';
    if (skipped.length < reportedSkips) skipped.push({ line, reason: missing });
  }
  if (examples.length === 0) {
    const [skip] = skipped;
    throw new UserError(
      skip
        ? `None of the ${count(skippedCount)} rows of ${shown(name)} has both a text and a label (line ${skip.line}: ${skip.reason}).`
        : `${shown(name)} has a header (${chosen.columns.map(shown).join(', ')}) but no rows below it.`,
      skip
        ? `Look at the columns ${shown(textColumn)} and ${shown(labelColumn)}, or name other ones.`
        : 'Add one example a row: a text and its label.',
    );
  }
  const labels = countLabels(examples);
  if (purpose === 'training') checkTrainable(name, examples, labels, labelColumn);
  const lengths = examples.map(({ text }) => text.length).sort((a, b) => a - b);
  const { duplicates, contradictions } = findDuplicates(examples);
  return {
    examples,
    report: {
      format: table.format,
      encoding: 'utf-8',
      columns: chosen.columns,
      textColumn,
      labelColumn,
      rows: examples.length,
      labels,
      duplicates,
      skipped,
      skippedCount,
      textLength: { median: quantile(lengths, 0.5), p95: quantile(lengths, 0.95), max: lengths.at(-1) ?? 0 },
      warnings: [...chosen.warnings, ...warn(examples, labels, duplicates, contradictions, skippedCount, maxLength)],
      samples: pickSamples(examples, labels),
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

/**
 * The same checks, with the columns guessed where they are not named. `name` is the sender's name of the file.
 * @throws UserError as `readExamples` does.
 */
export async function inspectDataset(path: string, name: string, columns: AskedColumns = {}): Promise<DatasetReport> {
  const { report } = await readDataset(path, name, columns, 'training', usualMaxLength);
  return report;
}
