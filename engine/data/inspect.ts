// Says what is in a file that somebody brings, whatever it is for: finds out the task, reads it as that task does, and reports.
import { open, stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import type { TaskName } from '../runs/spec.ts';
import type { AskedColumns } from './columns.ts';
import { prompt_keys, readDocuments, response_keys } from './documents.ts';
import { checkTrainable, readDataset } from './examples.ts';
import { holdsCaptions, readCaptions } from './images/captions.ts';
import { readPictures } from './images/intake.ts';
import { openPictures, type PictureSource } from './images/source.ts';
import type { DatasetReport } from './report.ts';
import { headRows, openRecords, openTable, peek } from './table.ts';
import { readTagged } from './tagged.ts';
import { count, readText, shown } from './text-file.ts';

/** What somebody says of their file; what they don't is found out. */
export interface AskedInspection extends AskedColumns {
  readonly task?: TaskName;
}

/**
 * @param name the sender's name of the file, shown and asked for its ending only.
 * @throws UserError for a file that cannot be trained on, saying what is wrong with it, where, and what to do.
 */
export async function inspectDataset(path: string, name: string, asked: AskedInspection = {}): Promise<DatasetReport> {
  return inspections[asked.task ?? (await detectTask(path, name, asked))](path, name, asked);
}

type Inspect = (path: string, name: string, asked: AskedInspection) => Promise<DatasetReport>;

const inspections: { readonly [T in TaskName]: Inspect } = {
  'text-classification': inspectTable,
  regression: inspectTable,
  'token-classification': inspectTags,
  'causal-lm': inspectTexts,
  'masked-lm': inspectTexts,
  'image-classification': inspectPictures,
  'image-text': inspectCaptions,
};

const token_keys = ['tokens', 'words'] as const;
const tag_keys = ['tags', 'ner_tags', 'pos_tags', 'labels'] as const;
const isPlainText = (name: string) => /\.(txt|md|text)$/i.test(name);

async function detectTask(path: string, name: string, asked: AskedColumns): Promise<TaskName> {
  const pictures = await picturesIn(path, name);
  if (pictures) return pictures;
  const records = await openRecords(path, name);
  if (records) {
    const first = await records.next();
    await records.return();
    if (first.done) return 'text-classification';
    const fields = Object.entries(first.value.fields);
    // Of a table with one column the label is missing; a JSON row of a text alone is meant so.
    const isTextAlone = fields.length === 1 && typeof Reflect.get(first.value.fields, 'text') === 'string';
    return isTextAlone ? 'causal-lm' : taskOfFields(fields, asked);
  }
  const text = readText(path, name);
  const [pieces] = await peek(text, 1);
  await text.return();
  const head = (pieces[0] ?? '').slice(0, 1 << 16);
  if (looksLikeConll(head)) return 'token-classification';
  if (isPlainText(name) && !(await isTable(path, name))) return 'causal-lm';
  const [header = ''] = head.split(/\r?\n/);
  return taskOfFields(
    header.split(/[,;\t]/).map((cell): [string, unknown] => [cell.replaceAll('"', '').trim(), 'text']),
    asked,
  );
}

/** By the fields of a first row: tagged words, chats, pairs of a prompt and its answer, else texts with labels. */
function taskOfFields(fields: readonly (readonly [string, unknown])[], asked: AskedColumns): TaskName {
  const has = (names: readonly string[], is: (value: unknown) => boolean) =>
    fields.some(([key, value]) => names.includes(key) && is(value));
  const isText = (value: unknown) => typeof value === 'string';
  if (has(token_keys, Array.isArray) && fields.filter(([, value]) => Array.isArray(value)).length > 1)
    return 'token-classification';
  if (has(['messages', 'conversations'], Array.isArray)) return 'causal-lm';
  if (asked.label !== undefined || has(['label', 'labels'], () => true)) return 'text-classification';
  return has(prompt_keys, isText) && has(response_keys, isText) ? 'causal-lm' : 'text-classification';
}

/** Office files and pickles are zips too: what they are is said by whoever reads tables. */
async function picturesIn(path: string, name: string): Promise<TaskName | undefined> {
  const found = await stat(path);
  if (found.isDirectory()) return taskOfPictures(await openPictures(path));
  const file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0).finally(() => file.close());
  const head = buffer.toString('latin1', 0, bytesRead);
  if (!head.startsWith('PK\x03\x04') || /data\.pkl|\[Content_Types\]\.xml|xl\//.test(head)) return undefined;
  try {
    const pictures = await openPictures(path);
    const task = await taskOfPictures(pictures);
    return pictures.files.length > 0 ? task : undefined;
  } catch (error) {
    if (error instanceof UserError && !/\.zip$/i.test(name)) return undefined;
    throw error;
  }
}

/** With a table of captions they are pairs, else pictures of classes. */
async function taskOfPictures(pictures: PictureSource): Promise<TaskName> {
  try {
    return (await holdsCaptions(pictures)) ? 'image-text' : 'image-classification';
  } finally {
    pictures.close();
  }
}

/** A word and its tag a line, in most lines of the beginning. */
function looksLikeConll(head: string): boolean {
  const lines = head
    .split(/\r?\n/)
    .slice(0, 200)
    .filter((line) => line.trim() !== '' && !line.startsWith('-DOCSTART-'));
  const tagged = lines.filter((line) => /^\S+(\s+\S+)*\s+(O|[BIESLU]-\S+)\s*$/.test(line));
  return tagged.length >= 3 && tagged.length >= 0.8 * lines.length;
}

/** Whether a file that is called a text holds rows of cells after all: several columns, the same in each of the first rows. */
async function isTable(path: string, name: string): Promise<boolean> {
  const table = await openTable(path, name);
  try {
    const [head] = await peek(table.rows, 20);
    const [first] = head;
    return (
      head.length > 1 &&
      first !== undefined &&
      first.cells.length > 1 &&
      first.cells.every((cell) => /^\s*\p{L}[\p{L}\p{N} _-]{0,30}$/u.test(cell ?? ''))
    );
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  } finally {
    await table.rows.return();
  }
}

const fewestClassesOfNumbers = 12;

async function inspectTable(path: string, name: string, asked: AskedInspection): Promise<DatasetReport> {
  const { examples, report } = await readDataset(path, name, asked, 'evaluation');
  const values = examples.map(({ label }) => Number(label));
  const numeric = values.every(Number.isFinite);
  const { rows, labels, labelColumn } = report;
  const many =
    labels.length > fewestClassesOfNumbers &&
    (labels.length > rows / 10 || values.some((value) => !Number.isInteger(value)));
  if (asked.task === 'regression' && !numeric) {
    const wrong = examples.find(({ label }) => !Number.isFinite(Number(label)));
    throw new UserError(
      `The column ${shown(labelColumn)} of ${shown(name)} holds what is no number, such as ${shown(wrong?.label ?? '')}.`,
      'Name the column of the numbers, or classify texts instead.',
    );
  }
  if (asked.task === 'regression' || (asked.task === undefined && numeric && many)) {
    if (labels.length < 2 || rows < 10) checkTrainable(name, rows, labels, labelColumn);
    const sorted = values.toSorted((a, b) => a - b);
    return {
      ...report,
      tasks: ['regression'],
      labels: [],
      numbers: {
        min: sorted[0] ?? 0,
        max: sorted.at(-1) ?? 0,
        mean: values.reduce((sum, value) => sum + value, 0) / rows,
      },
      // What is said of labels says nothing of numbers.
      warnings: report.warnings.filter((warning) => !/^(Imbalanced|Fewer than)/.test(warning)),
    };
  }
  checkTrainable(name, rows, labels, labelColumn);
  return numeric ? { ...report, tasks: ['text-classification', 'regression'] } : report;
}

async function inspectTags(path: string, name: string, asked: AskedInspection): Promise<DatasetReport> {
  const records = await openRecords(path, name);
  const [head] = records ? await peek(records, headRows) : [[]];
  await records?.return();
  const columns = [...new Set(head.flatMap(({ fields }) => Object.keys(fields)))];
  const tokens = asked.text ?? token_keys.find((key) => columns.includes(key)) ?? 'tokens';
  const tags = asked.label ?? tag_keys.find((key) => columns.includes(key)) ?? 'tags';
  const { items, warnings } = await readTagged(path, { tokens, tags }, 'training', name);
  const counts = new Map<string, number>();
  for (const tag of items.flatMap((sentence) => sentence.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return {
    ...noTable,
    tasks: ['token-classification'],
    format: records ? 'jsonl' : 'conll',
    columns,
    textColumn: tokens,
    labelColumn: tags,
    rows: items.length,
    labels: Array.from(counts, ([label, times]) => ({ label, count: times })).sort((a, b) => b.count - a.count),
    textLength: lengthsOf(items.map(({ words }) => words.length)),
    warnings,
    samples: items.slice(0, 5).map(({ words, tags }) => ({ text: words.join(' '), label: tags.join(' ') })),
  };
}

const fewestTexts = 2;
const enoughTexts = 50;

async function inspectTexts(path: string, name: string, { task }: AskedInspection): Promise<DatasetReport> {
  const { items, warnings } = await readDocuments(path, 'auto', name);
  const chats = items.filter(({ kind }) => kind === 'chat').length;
  if (items.length < fewestTexts) {
    throw new UserError(
      `${shown(name)} holds one text only: none would be left to measure on.`,
      'Put blank lines between texts, or add more.',
    );
  }
  if (task === 'masked-lm' && chats > 0) {
    throw new UserError(`${shown(name)} holds chats, which teach a model to answer.`, 'Use the task causal-lm for it.');
  }
  const texts = items.map((item) =>
    item.kind === 'text'
      ? { text: item.text, label: '' }
      : {
          text: item.messages.find(({ role }) => role === 'user')?.content ?? '',
          label: item.messages.findLast(({ role }) => role === 'assistant')?.content ?? '',
        },
  );
  const repeated = items.length - new Set(items.map((item) => JSON.stringify(item))).size;
  return {
    ...noTable,
    tasks: chats > 0 ? ['causal-lm'] : task === 'masked-lm' ? ['masked-lm', 'causal-lm'] : ['causal-lm', 'masked-lm'],
    format: isPlainText(name) ? 'text' : 'jsonl',
    textColumn: chats > 0 ? '' : 'text',
    rows: items.length,
    duplicates: repeated,
    textLength: lengthsOf(texts.map(({ text, label }) => text.length + label.length)),
    warnings: [
      ...warnings,
      ...(chats > 0 && chats < items.length
        ? [`${count(items.length - chats)} of the rows are plain texts, not chats: both are learnt.`]
        : []),
      ...(items.length < enoughTexts ? [`${count(items.length)} are few: a model learns their words by heart.`] : []),
      ...(repeated > 0 ? [`${count(repeated)} stand there more than once.`] : []),
    ],
    samples: texts.slice(0, 5),
  };
}

async function inspectPictures(path: string, name: string): Promise<DatasetReport> {
  const set = await readPictures(path, name);
  set.close();
  return {
    ...noTable,
    tasks: ['image-classification'],
    format: 'pictures',
    encoding: 'binary',
    rows: set.pictures.length,
    labels: set.labels.map((label) => ({
      label,
      count: set.pictures.filter((picture) => picture.label === label).length,
    })),
    warnings: set.warnings,
  };
}

async function inspectCaptions(path: string, name: string, asked: AskedInspection): Promise<DatasetReport> {
  const set = await readCaptions(path, { image: asked.label, caption: asked.text }, name);
  set.close();
  return {
    ...noTable,
    tasks: ['image-text'],
    format: 'pictures',
    encoding: 'binary',
    columns: [set.imageColumn, set.captionColumn],
    textColumn: set.captionColumn,
    labelColumn: set.imageColumn,
    rows: set.pairs.length,
    textLength: lengthsOf(set.pairs.map(({ caption }) => caption.length)),
    warnings: set.warnings,
    samples: set.pairs.slice(0, 5).map(({ name: picture, caption }) => ({ text: caption, label: picture })),
  };
}

const noTable = {
  encoding: 'utf-8',
  columns: [],
  textColumn: '',
  labelColumn: '',
  labels: [],
  duplicates: 0,
  skipped: [],
  skippedCount: 0,
  samples: [],
} as const;

function lengthsOf(lengths: readonly number[]): { median: number; p95: number; max: number } {
  const sorted = lengths.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p95: at(0.95), max: at(1) };
}
