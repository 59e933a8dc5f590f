// What is read from a dataset file, in every format, and what is said about a file that cannot be used.
import { createReadStream, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExamples } from '../engine/data/examples.ts';
import { inspectDataset } from '../engine/data/inspect.ts';
import { maxDatasetBytes } from '../engine/data/text-file.ts';
import { UserError } from '../engine/errors.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-intake-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function file(content: string | Uint8Array, name = 'data.csv'): Promise<{ path: string; name: string }> {
  const path = join(folder, String(files++));
  await writeFile(path, content);
  return { path, name };
}

const columns = { text: 'text', label: 'label' };
const read = async (content: string | Uint8Array, name?: string) =>
  readExamples((await file(content, name)).path, columns);

/** The message and hint of the UserError it must be refused with. */
async function refusal(content: string | Uint8Array, name = 'data.csv', asked: { text?: string; label?: string } = {}) {
  const { path } = await file(content, name);
  const error: unknown = await inspectDataset(path, name, asked).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return error instanceof UserError ? `${error.message} | ${error.hint}` : '';
}

/** Twelve rows, two labels. */
const rows = Array.from({ length: 12 }, (_, i) => ({
  text: `sentence number ${i}, with a comma`,
  label: i % 3 === 0 ? 'good' : 'bad',
}));
const csv = (separator = ',', newline = '\n') =>
  [['text', 'label'].join(separator), ...rows.map((row) => `"${row.text}"${separator}${row.label}`)].join(newline);
const tsv = `text\tlabel\n${rows.map((row) => `${row.text}\t${row.label}`).join('\n')}\n`;
const jsonl = rows.map((row) => JSON.stringify(row)).join('\n');

describe('reading a dataset', () => {
  it.each([
    ['CSV', csv(), 'data.csv', 'csv'],
    ['CSV with CRLF', csv(',', '\r\n'), 'data.csv', 'csv'],
    ['CSV with semicolons', csv(';'), 'data.csv', 'csv'],
    ['CSV with a byte order mark', `\ufeff${csv()}`, 'data.csv', 'csv'],
    ['CSV with blank lines', csv(',', '\n\n'), 'data.csv', 'csv'],
    ['TSV', tsv, 'data.tsv', 'tsv'],
    ['TSV with CRLF and a byte order mark', `\ufeff${tsv.replaceAll('\n', '\r\n')}`, 'data.tsv', 'tsv'],
    ['TSV called .csv', tsv, 'data.csv', 'tsv'],
    ['CSV called .txt', csv(), 'data.txt', 'csv'],
    ['JSON lines', jsonl, 'data.jsonl', 'jsonl'],
    ['JSON lines with CRLF, called .csv', jsonl.replaceAll('\n', '\r\n'), 'data.csv', 'jsonl'],
    ['JSON', JSON.stringify(rows, null, 2), 'data.json', 'json'],
    ['JSON called .txt', JSON.stringify(rows), 'data.txt', 'json'],
  ])('reads the same examples from %s', async (_, content, name, format) => {
    const { examples, report } = await read(content, name);
    expect(examples).toEqual(rows);
    expect(report).toMatchObject({
      format,
      columns: ['text', 'label'],
      rows: 12,
      labels: [
        { label: 'bad', count: 8 },
        { label: 'good', count: 4 },
      ],
      skippedCount: 0,
    });
  });

  it('keeps unbalanced quotation marks in a TSV and doubled ones in a CSV', async () => {
    const fromTsv = await read(`text\tlabel\n"so he said\tyes\n${tsv.split('\n').slice(1).join('\n')}`, 'data.tsv');
    expect(fromTsv.examples[0]).toEqual({ text: '"so he said', label: 'yes' });
    const fromCsv = await read(
      `text,label\n"she said ""no"",\nthen left",bad\n${csv().split('\n').slice(1).join('\n')}`,
    );
    expect(fromCsv.examples[0]).toEqual({ text: 'she said "no",\nthen left', label: 'bad' });
  });

  it('takes numbers and booleans in JSON as labels', async () => {
    const { report } = await read(
      rows.map(({ text }, i) => JSON.stringify({ text, label: i % 2 === 0 })).join('\n'),
      'a.jsonl',
    );
    expect(report.labels).toEqual([
      { label: 'false', count: 6 },
      { label: 'true', count: 6 },
    ]);
    const numbers = await read(JSON.stringify(rows.map(({ text }, i) => ({ text, label: i % 2 }))), 'a.json');
    expect(numbers.report.labels.map(({ label }) => label)).toEqual(['0', '1']);
  });

  it('reads a file without a header, says so, and lets the person name its columns', async () => {
    const body = rows.map((row, i) => `${row.text}\t${i % 2}`).join('\n');
    const { examples, report } = await read(body, 'train.tsv');
    expect(examples).toHaveLength(12);
    expect(examples[0]).toEqual({ text: 'sentence number 0, with a comma', label: '0' });
    expect(report.warnings[0]).toContain('no header row');
    const { path } = await file(body, 'train.tsv');
    for (const asked of [
      { text: 'column 1', label: 'column 2' },
      { text: '1', label: '2' },
      { text: 'sentence', label: 'sentiment' },
    ]) {
      expect((await readExamples(path, asked)).examples).toEqual(examples);
    }
    expect((await inspectDataset(path, 'train.tsv')).rows).toBe(12);
    const reversed = await inspectDataset(
      (await file(rows.map((row) => `${row.label}\t${row.text}`).join('\n'))).path,
      'x',
    );
    expect(reversed).toMatchObject({ columns: ['label', 'text'], textColumn: 'text', rows: 12 });
  });

  it('leaves out rows without a text or a label and lists them by line', async () => {
    const { examples, report } = await read(`text,label\n,good\n  ,\nfine,\n${csv().split('\n').slice(1).join('\n')}`);
    expect(examples).toHaveLength(12);
    expect(report.skipped).toEqual([
      { line: 2, reason: 'no text' },
      { line: 3, reason: 'no text and no label' },
      { line: 4, reason: 'no label' },
    ]);
    expect(report.warnings.join()).toContain('3 rows were left out');
  });

  it('gives line numbers that count lines inside quotes', async () => {
    const { report } = await read(`text,label\n"one\ntwo\nthree",bad\n,bad\n${csv().split('\n').slice(1).join('\n')}`);
    expect(report.skipped).toEqual([{ line: 5, reason: 'no text' }]);
  });

  it('warns of imbalance, rare labels, repeated and contradicting texts, and long ones', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `text ${i},common`);
    const { report } = await read(
      ['text,label', ...many, 'text 3,rare', 'TEXT  4,common', `${'long '.repeat(80)},rare`].join('\n'),
    );
    expect(report.duplicates).toBe(2);
    const warnings = report.warnings.join('\n');
    expect(warnings).toContain('95.3 % of the rows are “common”');
    expect(warnings).toContain('Fewer than 5 examples of “rare” (2)');
    expect(warnings).toContain('2 rows repeat');
    expect(warnings).toContain('1 text occurs with different labels');
    expect(warnings).toContain('1 text is longer than 64 tokens');
    expect(report.textLength?.max).toBe(399);
  });

  it('accepts a small, one-sided file for evaluation', async () => {
    const { path } = await file('text,label\nonly one,good\n');
    expect((await readExamples(path, columns, { purpose: 'evaluation' })).examples).toHaveLength(1);
  });
});

describe('finding the columns', () => {
  it.each([
    ['id,review,sentiment', 'review', 'sentiment'],
    ['headline,is_sarcastic,url', 'headline', 'is_sarcastic'],
    ['Label,Tweet Text,date', 'Tweet Text', 'Label'],
    ['comment_id,comment,airline_sentiment', 'comment', 'airline_sentiment'],
  ])('by their names in %s', async (header, textColumn, labelColumn) => {
    const names = header.split(',');
    const cell = (name: string, i: number) =>
      name === textColumn ? `words of row ${i}` : name === labelColumn ? String(i % 2) : `other ${i}`;
    const body = rows.map((_, i) => names.map((name) => cell(name, i)).join(','));
    const { path } = await file([header, ...body].join('\n'));
    expect(await inspectDataset(path, 'data.csv')).toMatchObject({ textColumn, labelColumn });
  });

  it('by the name asked for, in any case', async () => {
    const { path } = await file(csv().replace('text,label', 'Text,LABEL'));
    expect((await readExamples(path, columns)).report).toMatchObject({
      textColumn: 'Text',
      labelColumn: 'LABEL',
      rows: 12,
    });
  });

  it('by what they hold when the names say nothing', async () => {
    const body = rows.map((row, i) => `${i},${row.label},"${row.text}",${i * 7}`);
    const { path } = await file(['a,b,c,d', ...body].join('\n'));
    expect(await inspectDataset(path, 'data.csv')).toMatchObject({ textColumn: 'c', labelColumn: 'b' });
    expect(await inspectDataset(path, 'data.csv', { text: 'c' })).toMatchObject({ textColumn: 'c', labelColumn: 'b' });
  });
});

describe('refusing a dataset, saying what is wrong, where and what to do', () => {
  it.each([
    ['an empty file', '', /is empty: it has 0 bytes/],
    ['blank lines only', '\n \n\n', /only blank lines/],
    ['a header only', 'text,label\n', /has a header \(“text”, “label”\) but no rows/],
    ['one row', 'text,label\ngood film,positive\n', /has 1 row .* at least 10/],
    ['too few rows', `${csv().split('\n').slice(0, 6).join('\n')}\n`, /has 5 rows .* at least 10/],
    ['one class', csv().replaceAll('good', 'bad'), /All 12 rows .* same label, “bad”/],
    [
      'numbers as labels',
      `text,label\n${rows.map((r, i) => `"${r.text}",${i * 1.5}`).join('\n')}`,
      /12 different values in 12 rows.*regression/,
    ],
    [
      'free text as labels',
      `text,label\n${rows.map((r, i) => `"${r.text}",x${i}`).join('\n')}`,
      /12 different values in 12 rows.*free text/,
    ],
    [
      'over 100 labels',
      `text,label\n${Array.from({ length: 303 }, (_, i) => `text ${i},c${i % 101}`).join('\n')}`,
      /101 different values in 303 rows/,
    ],
    [
      'a row with too many cells',
      `${csv()}\nso good, so fine,good`,
      /Line 14 of “data.csv” has 3 cells where the first row has 2.*double quotes/,
    ],
    ['a row with too few cells', `${csv()}\nlonely`, /Line 14 of “data.csv” has 1 cell where/],
    ['a quotation mark never closed', `${csv()}\n"open,good\nmore,bad\n`, /quotation mark.*never closed/],
    ['two columns of one name', 'text,text,label\na,b,c\n', /two columns called “text”/],
    ['rows that are all blank in one column', 'text,label\na,\nb,\n', /None of the 2 rows .*line 2: no label/],
    [
      'a single column',
      `text\n${rows.map((_, i) => `row ${i}`).join('\n')}`,
      /not clear which column.*text and label, separated by commas or tabs/,
    ],
  ])('%s', async (_, content, message) => {
    expect(await refusal(content)).toMatch(message);
  });

  it('a column that is not there, naming those that are and the nearest', async () => {
    const content = csv().replace('text,label', 'sentence,lable');
    const said = await refusal(content, 'data.csv', { text: 'sentence', label: 'label' });
    expect(said).toMatch(/no column “label”. Its columns are “sentence”, “lable”/);
    expect(said).toContain('Did you mean “lable”?');
  });

  it('a malformed line of JSON, by its number', async () => {
    expect(await refusal(`${jsonl}\n{"text": "broken", label}\n`, 'a.jsonl')).toMatch(
      /Line 13 of “a.jsonl” is not valid JSON/,
    );
    expect(await refusal(`${jsonl}\n[1, 2]\n`, 'a.jsonl')).toMatch(/Line 13 of “a.jsonl” is not an object/);
    expect(await refusal('{\n  "text": "a"\n}\n', 'a.jsonl')).toMatch(
      /Line 1 .* not valid JSON.*one object on one line/,
    );
    expect(await refusal('[\n{"text": "a", "label": "b"},\n{"text": oops}\n]', 'a.json')).toMatch(
      /breaks in item 2, which begins at line 3: “{"text": oops}”/,
    );
    expect(await refusal('[{"text": "a"}, 7]', 'a.json')).toMatch(/Item 2 of “a.json” is not an object: “7”/);
  });

  it.each([
    ['a PNG picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['a ZIP archive', Buffer.from('504b03040a0000000000', 'hex')],
    ['an Excel workbook', Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.from('....xl/workbook.xml')])],
    ['a pickled PyTorch file', Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.from('archive/data.pkl')])],
    ['a pickled Python object', Buffer.from('80049512000000000000008c05', 'hex')],
    ['a PDF document', Buffer.from('%PDF-1.7\n%âãÏÓ')],
    ['a gzip archive', Buffer.from('1f8b0800000000000003', 'hex')],
    ['a Parquet file', Buffer.from('PAR1\x15\x04\x15')],
    ['an SQLite database', Buffer.from('SQLite format 3\0....')],
    ['UTF-16 text', Buffer.from('\ufefftext,label\n', 'utf16le')],
  ])('%s with a .csv name', async (kind, bytes) => {
    expect(await refusal(bytes)).toContain(`it is really ${kind}`);
  });

  it('a real gzip stream and a pickle by its name', async () => {
    const gzip = createGzip();
    gzip.end(csv());
    const chunks: Buffer[] = [];
    for await (const chunk of gzip) chunks.push(chunk);
    expect(await refusal(Buffer.concat(chunks))).toContain('gunzip');
    expect(await refusal("(lp0\nS'x'\np1\na.", 'rows.pkl')).toContain('can run code');
  });

  it('bytes with a NUL, saying where', async () => {
    expect(await refusal(Buffer.from(`${csv()}\0`))).toContain(`NUL byte at offset ${csv().length}`);
  });

  it('broken UTF-8, with the byte, its offset and its line', async () => {
    const latin1 = Buffer.from(`${csv()}\n"un caf\xe9, merci",good\n`, 'latin1');
    const offset = latin1.indexOf(0xe9);
    expect(await refusal(latin1)).toContain(`byte 0xE9 at offset ${offset}, line 14`);
    const cutOff = Buffer.from(`${csv()}\n"naïve`).subarray(0, -3);
    expect(await refusal(cutOff)).toContain(`byte 0xC3 at offset ${cutOff.length - 1}, line 14`);
  });

  it('broken UTF-8 deep in a big file, also where pieces of the file meet', async () => {
    for (const at of [65_535, 65_536, 400_001]) {
      const bytes = Buffer.from(`text,label\n${'é,x\n'.repeat(150_000)}`);
      bytes[at] = 0xff;
      // Oracle: the runtime's own decoder puts a replacement character where the first broken sequence begins.
      const good = bytes.toString('utf8').split('\ufffd')[0] ?? '';
      const offset = Buffer.byteLength(good);
      const line = good.split('\n').length;
      expect(await refusal(bytes)).toContain(
        `at offset ${offset.toLocaleString('en-US')}, line ${line.toLocaleString('en-US')}`,
      );
    }
  });

  it('a file over the limit, without reading it', async () => {
    const { path } = await file('text,label\n');
    truncateSync(path, 300 * 2 ** 20);
    const started = performance.now();
    await expect(inspectDataset(path, 'huge.csv')).rejects.toThrow('“huge.csv” has 300 MB; the limit is 50 MB.');
    expect(performance.now() - started).toBeLessThan(1000);
    expect(maxDatasetBytes).toBe(50 * 2 ** 20);
  });

  it('a line without an end in seconds, not minutes', async () => {
    const started = performance.now();
    expect(await refusal(`{"text": "${'x'.repeat(6e6)}`, 'a.jsonl')).toContain('Line 1 of “a.jsonl” is not valid JSON');
    expect(await refusal(`text,label\n"${'x'.repeat(6e6)}`)).toContain('near line');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('closes the file, wherever it stopped reading', async () => {
    const long = ['{"a":1}\n', 'a,b\n', 'text,label\n'].map((line) => line.repeat(100_000));
    const opened = () => readdirSync('/proc/self/fd').length;
    for (const content of long) await refusal(content, 'a', columns);
    const before = opened();
    for (let round = 0; round < 5; round++) for (const content of long) await refusal(content, 'a', columns);
    await expect.poll(opened).toBeLessThanOrEqual(before);
  });

  it('keeps hostile names and values short and on one line in what it says', async () => {
    const said = await refusal('a\n', `${'x'.repeat(300)}\n@everyone.csv`);
    expect(said.length).toBeLessThan(400);
    expect(said).not.toContain('\n');
  });
});

const sst2 = '../shared/data/sst2/train.tsv';
describe.skipIf(!existsSync(sst2))(
  `real files${existsSync(sst2) ? '' : ' (skipped: ../shared/data is absent)'}`,
  () => {
    it('reads SST-2, which has no header, as its lines say', async () => {
      const { examples } = await readExamples(sst2, columns);
      const lines = readFileSync(sst2, 'utf8').trimEnd().split('\n');
      expect(examples.map(({ text, label }) => `${text}\t${label}`)).toEqual(lines.map((line) => line.trim()));
    });

    it('reads the sarcasm headlines, guessing their columns', async () => {
      const path = '../shared/data/sarcasm_headlines/headlines.jsonl';
      const report = await inspectDataset(path, 'headlines.jsonl');
      let lines = 0;
      let sarcastic = 0;
      let text = '';
      for await (const chunk of createReadStream(path, 'utf8')) text += chunk;
      for (const line of text.trimEnd().split('\n')) {
        lines++;
        if (JSON.parse(line).is_sarcastic === 1) sarcastic++;
      }
      expect(report).toMatchObject({ textColumn: 'headline', labelColumn: 'is_sarcastic', rows: lines });
      expect(report.labels).toContainEqual({ label: '1', count: sarcastic });
    });
  },
);
