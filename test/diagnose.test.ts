// Made-up curves, each of a kind that is known: the diagnosis must name it, with this run's own figures.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { diagnose, type Fit } from '../engine/tutor/diagnose.ts';

const steps = Array.from({ length: 20 }, (_, n) => (n + 1) * 10);
const curve = (loss: (x: number) => number, every = 1) =>
  steps.filter((_, n) => n % every === every - 1).map((step) => ({ step, loss: loss(step / 200) }));
const falling = (x: number) => 0.1 + Math.exp(-4 * x);

it.each<[string, (x: number) => number, (x: number) => number, Fit, RegExp]>([
  [
    'held-out loss that turns',
    falling,
    (x) => 0.5 + (x - 0.4) ** 2,
    'overfits',
    /rises since step 80, from 0\.50 to 0\.86/,
  ],
  ['losses that stay', (x) => 0.7 - 0.01 * x, () => 0.69, 'underfits', /hardly fell/],
  ['a loss that still falls', falling, (x) => 0.9 - 0.6 * x, 'unfinished', /still falling at the end.*more epochs/],
  [
    'losses that level off together',
    (x) => 0.2 + Math.exp(-9 * x),
    (x) => 0.22 + Math.exp(-9 * x),
    'fits',
    /levelled off at 0\.22/,
  ],
  [
    'both rising: divergence is no overfitting',
    (x) => 0.5 + x,
    (x) => 0.5 + (x - 0.4) ** 2,
    'diverges',
    /lower learning rate/,
  ],
])('%s', (_, train, held, fit, words) => {
  const found = diagnose({ train: curve(train), held: curve(held, 2) });
  expect(found).toMatchObject({ fit, words: expect.stringMatching(words) });
  const chapter = readFileSync(new URL(`../knowledge/guide/${found?.chapterId}.md`, import.meta.url), 'utf8');
  expect(chapter).toContain(`{#${found?.sectionId}}`);
});

it('says nothing of too little, or of what is no number', () => {
  expect(diagnose({ train: curve(falling), held: curve(falling, 10) })).toBeUndefined();
  expect(diagnose({ train: curve(() => Number.NaN), held: curve(falling) })).toBeUndefined();
});
