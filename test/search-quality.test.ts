// How well the shipped guide is found: half of the known questions calibrated the search, this reports on the other half.
import { expect, test } from 'vitest';
import { createSearch, loadGuide } from '../knowledge/index.ts';
import { answerable, calibrationHalf, reportHalf, unanswerable } from './support/questions.ts';

const search = await createSearch({ guide: await loadGuide() });

async function measure(covered: typeof answerable, uncovered: typeof unanswerable) {
  const found = await Promise.all(
    covered.map(async ({ question, chapters }) => {
      const result = await search.search(question, 5);
      const ranks = result.hits.map(({ passage }) => chapters.includes(passage.chapterId));
      return { first: ranks[0] === true, five: ranks.includes(true), refused: !result.covered };
    }),
  );
  const refused = await Promise.all(uncovered.map(async (question) => !(await search.search(question, 5)).covered));
  const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / flags.length;
  return {
    recallAt1: share(found.map(({ first }) => first)),
    recallAt5: share(found.map(({ five }) => five)),
    falseRefusals: share(found.map((entry) => entry.refused)),
    refused: share(refused),
  };
}

test('the known questions are many, distinct, and split in two without overlap', () => {
  expect(answerable.length).toBeGreaterThanOrEqual(120);
  expect(unanswerable.length).toBeGreaterThanOrEqual(50);
  const all = [...answerable.map(({ question }) => question), ...unanswerable].map((question) =>
    question.toLowerCase(),
  );
  expect(new Set(all)).toHaveLength(all.length);
  expect(calibrationHalf(answerable).some((entry) => reportHalf(answerable).includes(entry))).toBe(false);
});

test('on questions kept out of the calibration the right chapter is found and the rest is refused', async () => {
  const { recallAt1, recallAt5, falseRefusals, refused } = await measure(
    reportHalf(answerable),
    reportHalf(unanswerable),
  );
  expect(recallAt5).toBeGreaterThanOrEqual(0.96);
  expect(recallAt1).toBeGreaterThanOrEqual(0.9);
  expect(falseRefusals).toBeLessThanOrEqual(0.05);
  expect(refused).toBeGreaterThanOrEqual(0.88);
});

test.each([
  "what's the capital of France",
  'how do I cook rice',
  'best pizza in Rome',
  'who won the world cup',
  'write me a poem',
  'how does PageRank work',
  'which medicine helps against a cold',
  'how much is a new graphics card in euros',
])('"%s" is refused', async (question) => {
  expect((await search.search(question, 5)).covered).toBe(false);
});

test.each([
  ['my val loss goes up but train loss keeps going down', 'overfitting-underfitting'],
  ['model memorizes training set', 'overfitting-underfitting'],
  ['99% accuracy but catches no fraud', 'evaluation-metrics'],
  ['wat is overfiting', 'overfitting-underfitting'],
  ['LR for finetuning', 'fine-tuning'],
  ['qlora', 'peft'],
])('"%s" is answered from %s', async (question, chapter) => {
  const { hits, covered } = await search.search(question, 5);
  expect(covered).toBe(true);
  expect(hits[0]?.passage.chapterId).toBe(chapter);
});
