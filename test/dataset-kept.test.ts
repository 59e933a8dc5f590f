// Datasets people bring are kept once, by content, after every check; the samples are always there.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDatasets } from '../engine/data/datasets.ts';
import { readExamples } from '../engine/data/examples.ts';
import { normalizeText } from '../engine/data/normalize.ts';
import { UserError } from '../engine/errors.ts';
import { createConversations } from '../engine/store/conversations.ts';
import { describeOnEveryDatabase } from './support/databases.ts';

const content = `stars,review\n${Array.from({ length: 30 }, (_, i) => `${i % 2},review number ${i}`).join('\n')}\n`;

describeOnEveryDatabase('datasets', (open) => {
  async function start() {
    const { store, dataDir } = await open();
    const conversations = createConversations({ db: store.db, now: () => new Date() });
    await conversations.openWorkspace('w', 'Study group');
    await conversations.openWorkspace('other', 'Another group');
    const upload = join(dataDir, 'upload');
    await writeFile(upload, content);
    return { datasets: createDatasets({ db: store.db, dataDir }), dataDir, upload };
  }
  const from = { workspaceId: 'w', personId: 'ada' };

  it('keeps a checked file under the hash of its bytes and finds it again', async () => {
    const { datasets, dataDir, upload } = await start();
    const added = await datasets.add({ ...from, path: upload, name: '../../etc/My Reviews.csv' });
    const hash = createHash('sha256').update(content).digest('hex');
    expect(added).toMatchObject({ id: hash, name: 'My Reviews.csv', path: join(dataDir, 'datasets', hash) });
    expect(await readFile(added.path, 'utf8')).toBe(content);
    expect(added.report).toMatchObject({ rows: 30, textColumn: 'review', labelColumn: 'stars' });
    expect(await datasets.get('w', hash)).toEqual(added);
    expect(await datasets.list('w')).toEqual([
      { id: hash, name: 'My Reviews.csv', rows: 30, task: 'text-classification' },
    ]);
    expect((await readExamples(added.path, { text: 'review', label: 'stars' })).examples).toHaveLength(30);
  });

  it('makes one dataset of the same bytes, however often and however fast they come', async () => {
    const { datasets, dataDir, upload } = await start();
    await Promise.all(
      Array.from({ length: 5 }, (_, i) => datasets.add({ ...from, path: upload, name: `copy-${i}.csv` })),
    );
    expect(await datasets.list('w')).toHaveLength(1);
    expect(await readdir(join(dataDir, 'datasets'))).toHaveLength(1);
  });

  it('keeps nothing of a refused file', async () => {
    const { datasets, dataDir, upload } = await start();
    await writeFile(upload, 'text,label\nonly,one\n');
    await expect(datasets.add({ ...from, path: upload, name: 'a.csv' })).rejects.toThrow(UserError);
    await expect(datasets.add({ ...from, path: upload, name: 'a.csv', labelColumn: 'stars' })).rejects.toThrow(
      'no column “stars”',
    );
    expect(existsSync(join(dataDir, 'datasets'))).toBe(false);
    expect(await datasets.list('w')).toEqual([]);
  });

  it('shows a workspace its own datasets only', async () => {
    const { datasets, upload } = await start();
    const { id } = await datasets.add({ ...from, path: upload, name: 'a.csv' });
    await expect(datasets.get('other', id)).rejects.toThrow(UserError);
    expect(await datasets.list('other')).toEqual([]);
    await datasets.add({ workspaceId: 'other', personId: 'bob', path: upload, name: 'b.csv' });
    expect(await datasets.get('w', id)).toMatchObject({ name: 'a.csv' });
    expect(await datasets.get('other', id)).toMatchObject({ name: 'b.csv' });
  });

  it('refuses an id that is not there, a path among them', async () => {
    const { datasets } = await start();
    for (const id of ['sample:nothing', '../upload', 'f'.repeat(64)]) {
      await expect(datasets.get('w', id)).rejects.toThrow('There is no dataset');
    }
  });

  it('reads the samples in any workspace', async () => {
    const { datasets } = await start();
    for (const { id, title } of datasets.samples) {
      expect(await datasets.get('w', id)).toMatchObject({ id, name: title, report: { warnings: [], duplicates: 0 } });
    }
  });
});

describe('the built-in samples', () => {
  const examplesOf = async (file: string) =>
    (await readExamples(`engine/data/samples/${file}`, { text: 'text', label: 'label' })).examples;

  it('have several hundred examples of every label, none twice', async () => {
    const moods = await examplesOf('moods.csv');
    const questions = await examplesOf('questions.csv');
    expect(moods.length).toBeGreaterThanOrEqual(600);
    expect(questions.length).toBeGreaterThanOrEqual(400);
    for (const [examples, labels] of [
      [moods, ['negative', 'positive']],
      [questions, ['compare', 'debug', 'explain', 'finetune', 'quiz']],
    ] as const) {
      expect(new Set(examples.map(({ text }) => normalizeText(text))).size).toBe(examples.length);
      const counts = labels.map((label) => examples.filter((example) => example.label === label).length);
      expect(counts.reduce((a, b) => a + b)).toBe(examples.length);
      expect(Math.max(...counts)).toBeLessThan(1.25 * Math.min(...counts));
    }
  });

  it('cannot be told apart by a single word', async () => {
    const moods = await examplesOf('moods.csv');
    const sentences = moods.map(({ text, label }) => ({
      words: new Set(normalizeText(text).match(/[\p{L}']+/gu)),
      positive: label === 'positive',
    }));
    for (const word of new Set(sentences.flatMap(({ words }) => [...words]))) {
      const right = sentences.filter(({ words, positive }) => words.has(word) === positive).length;
      if (Math.max(right, moods.length - right) >= 0.6 * moods.length) expect.fail(`“${word}” decides ${right}`);
    }
  });
});
