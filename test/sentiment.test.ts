// The honest figure: a fresh small encoder on real film reviews, measured on sentences it never saw.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { train } from '../engine/tuning/train.ts';
import { only } from './support/kinds.ts';

const reviews = '../shared/data/sst2';
const there = existsSync(join(reviews, 'train.tsv'));

test.skipIf(!there)(
  `one epoch on SST-2 beats the majority class by 20 points on the test split${there ? '' : ` (skipped: no ${reviews})`}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'finetutor-sentiment-'));
    try {
      const spec = runSpecSchema.parse({
        task: 'text-classification',
        data: { train: join(reviews, 'train.tsv'), eval: 0.05 },
        hyper: { epochs: 1 },
        out: folder,
      });
      const options = { signal: new AbortController().signal, resume: false, now: () => performance.now() };
      for await (const event of train(spec, options)) expect(event.type).not.toBe('error');
      const rows = (await readFile(join(reviews, 'test.tsv'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.split('\t'));
      const classifier = await loadPredictor(folder, { device: 'cpu' });
      const predictions = await classifier.predict(rows.map(([text]) => text ?? ''));
      await classifier.close();
      const share = (count: number) => count / rows.length;
      const positive = share(rows.filter(([, label]) => label === '1').length);
      const accuracy = share(
        predictions.filter((one, index) => only('classification', one).label === rows[index]?.[1]).length,
      );
      expect(rows.length).toBeGreaterThan(1800);
      expect(accuracy - Math.max(positive, 1 - positive)).toBeGreaterThan(0.2);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  240_000,
);
