// What a file is for is found out from what it holds, and said; a file for no task is refused at the door.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatasets } from '../engine/data/datasets.ts';
import { readDocuments } from '../engine/data/documents.ts';
import { inspectDataset } from '../engine/data/inspect.ts';
import { UserError } from '../engine/errors.ts';
import { createConversations } from '../engine/store/conversations.ts';
import { describeOnEveryDatabase } from './support/databases.ts';
import { drawToyPicture, zipToyPictures } from './support/toy-models.ts';
import { writeZip } from './support/zip.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'finetutor-dataset-tasks-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Under another name than the sender's, as uploads are. */
async function inspect(name: string, content: string | Uint8Array, asked: Parameters<typeof inspectDataset>[2] = {}) {
  const path = join(home, 'upload');
  await writeFile(path, content);
  return inspectDataset(path, name, asked);
}
const many = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));
const jsonLines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const tagged = many(8, (n) => ({ tokens: ['Ada', 'met', `Bob${n}`], tags: ['B-PER', 'O', 'B-PER'] }));

describe('what a file is for', () => {
  it.each<[string, string, string, object]>([
    [
      'texts with labels',
      'a.csv',
      `text,label\n${many(20, (n) => `film ${n},${n % 2 ? 'good' : 'bad'}`).join('\n')}`,
      { tasks: ['text-classification'] },
    ],
    [
      'stars, which are labels or numbers',
      'a.csv',
      `review,stars\n${many(40, (n) => `film ${n},${1 + (n % 5)}`).join('\n')}`,
      { tasks: ['text-classification', 'regression'] },
    ],
    [
      'numbers',
      'a.csv',
      `text,price\n${many(40, (n) => `house ${n},${n * 1.5}`).join('\n')}`,
      { tasks: ['regression'], labelColumn: 'price', labels: [], numbers: { min: 0, max: 58.5, mean: 29.25 } },
    ],
    [
      'tagged words',
      'a.jsonl',
      jsonLines(tagged),
      {
        tasks: ['token-classification'],
        rows: 8,
        textColumn: 'tokens',
        labelColumn: 'tags',
        labels: [
          { label: 'B-PER', count: 16 },
          { label: 'O', count: 8 },
        ],
      },
    ],
    [
      'tagged words as CoNLL',
      'train.txt',
      many(6, (n) => `Ada B-PER\nmet O\nBob${n} B-PER\n`).join('\n'),
      { tasks: ['token-classification'], format: 'conll', rows: 6 },
    ],
    [
      'chats',
      'a.jsonl',
      jsonLines(
        many(4, (n) => ({
          messages: [
            { role: 'user', content: `Hi ${n}` },
            { role: 'assistant', content: 'Hello' },
          ],
        })),
      ),
      { tasks: ['causal-lm'], rows: 4, samples: expect.arrayContaining([{ text: 'Hi 0', label: 'Hello' }]) },
    ],
    [
      'instructions',
      'a.json',
      JSON.stringify(many(4, (n) => ({ instruction: `Add ${n}`, input: '', output: '1' }))),
      { tasks: ['causal-lm'], rows: 4 },
    ],
    [
      'a table of questions and answers',
      'faq.csv',
      `question,answer\n${many(4, (n) => `why ${n},because`).join('\n')}`,
      { tasks: ['causal-lm'], rows: 4 },
    ],
    [
      'questions with labels',
      'faq.csv',
      `question,label\n${many(20, (n) => `why ${n},${n % 2 ? 'a' : 'b'}`).join('\n')}`,
      { tasks: ['text-classification'], rows: 20 },
    ],
    [
      'plain text',
      'book.md',
      many(60, (n) => `Paragraph ${n}, with a comma.`).join('\n\n'),
      { tasks: ['causal-lm', 'masked-lm'], rows: 60, warnings: [] },
    ],
    [
      'a table that is called a text',
      'data.txt',
      `text\tlabel\n${many(20, (n) => `film ${n}\t${n % 2 ? 'good' : 'bad'}`).join('\n')}`,
      { tasks: ['text-classification'], format: 'tsv' },
    ],
  ])('%s', async (_, name, content, found) => {
    expect(await inspect(name, content)).toMatchObject(found);
  });

  it('a zip or a folder of pictures, each class with its count', async () => {
    const found = {
      tasks: ['image-classification'],
      rows: 12,
      labels: [
        { label: 'blue', count: 6 },
        { label: 'red', count: 6 },
      ],
    };
    expect(await inspect('toys.zip', await zipToyPictures(6))).toMatchObject(found);
    for (const colour of ['blue', 'red'] as const) {
      await mkdir(join(home, 'toys', colour), { recursive: true });
      for (let n = 0; n < 6; n++)
        await writeFile(join(home, 'toys', colour, `${n}.png`), await drawToyPicture(colour, n));
    }
    expect(await inspectDataset(join(home, 'toys'), 'toys')).toMatchObject(found);
  });

  it('is what somebody says, where the data can teach it', async () => {
    const stars = `review,stars\n${many(40, (n) => `film ${n},${1 + (n % 5)}`).join('\n')}`;
    expect(await inspect('a.csv', stars, { task: 'regression' })).toMatchObject({
      tasks: ['regression'],
      numbers: { min: 1, max: 5 },
    });
    const words = `text,label\n${many(20, (n) => `film ${n},${n % 2 ? 'good' : 'bad'}`).join('\n')}`;
    await expect(inspect('a.csv', words, { task: 'regression' })).rejects.toThrow(/no number, such as “bad”/);
    await expect(inspect('a.csv', words, { task: 'token-classification' })).rejects.toThrow(UserError);
    await expect(inspect('a.csv', words, { task: 'image-classification' })).rejects.toThrow('is not a zip file');
  });
});

it.each<[string, string, string | (() => Promise<Uint8Array>), RegExp]>([
  [
    'words and tags that do not pair',
    'ner.jsonl',
    jsonLines([...tagged, { tokens: ['a', 'b'], tags: ['O'] }]),
    /Line 9 of “ner.jsonl” has 2 words and 1 tags/,
  ],
  [
    'a message nobody said',
    'chat.jsonl',
    jsonLines(many(4, () => ({ messages: [{ role: 'judge', content: 'x' }] }))),
    /Line 1 of “chat.jsonl”/,
  ],
  ['one text alone', 'a.txt', 'All in one paragraph.', /holds one text only/],
  [
    'one class of pictures',
    'one.zip',
    async () => writeZip([{ name: 'cats/1.png', data: await drawToyPicture('red', 1) }]),
    /“?one.zip”? has one class folder only/,
  ],
  [
    'a zip that is cut off',
    'cut.zip',
    async () => (await zipToyPictures(6)).subarray(0, 500),
    /is not a zip file that can be read/,
  ],
  [
    'a zip without pictures',
    'data.zip',
    async () => writeZip([{ name: 'a.csv', data: Buffer.from('text,label\n') }]),
    /ZIP archive/,
  ],
])('%s is refused: what, where, and what to do', async (_, name, content, message) => {
  await expect(inspect(name, typeof content === 'string' ? content : await content())).rejects.toThrow(message);
});

describeOnEveryDatabase('kept datasets of every kind', (open) => {
  it('are found again with what was found in them, and are read by the task they are for', async () => {
    const { store, dataDir } = await open();
    await createConversations({ db: store.db, now: () => new Date() }).openWorkspace('w', 'Study group');
    const datasets = createDatasets({ db: store.db, dataDir });
    const add = async (name: string, content: string | Uint8Array) => {
      await writeFile(join(dataDir, 'upload'), content);
      return datasets.add({ workspaceId: 'w', personId: 'ada', path: join(dataDir, 'upload'), name });
    };
    const added = [
      await add('toys.zip', await zipToyPictures(6)),
      await add('book.txt', many(5, (n) => `Paragraph ${n}.`).join('\n\n')),
      await add('ner.jsonl', jsonLines(tagged)),
    ];
    for (const dataset of added) expect(await datasets.get('w', dataset.id)).toEqual(dataset);
    expect((await datasets.list('w')).map(({ task }) => task).sort()).toEqual([
      'causal-lm',
      'image-classification',
      'token-classification',
    ]);
    const book = added[1]?.path ?? '';
    expect((await readDocuments(book, 'auto')).items).toHaveLength(5);
  });
});
