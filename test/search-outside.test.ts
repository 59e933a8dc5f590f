// What the guide does not answer: questions beside the subject that sound like ours, and how the search tells them apart.
import { expect, test } from 'vitest';
import { loadShippedEmbedder } from '../knowledge/embed/shipped.ts';
import { createSearch, loadGuide } from '../knowledge/index.ts';
import { readOutside } from '../knowledge/search/read-outside.ts';
import { createSemanticIndex } from '../knowledge/search/semantic.ts';
import { measureTone, toneOf } from '../knowledge/search/tone.ts';
import { exactUpTo } from '../knowledge/search/vectors/vector-index.ts';
import { readQuestions } from './support/eval-questions.ts';

const guide = await loadGuide();
const search = await createSearch({ guide });
const semantic = await createSemanticIndex({ guide, embedder: await loadShippedEmbedder(), folder: undefined });

// Words of the guide in another sense. None of these stands in the list of questions beside the subject.
test.each([
  'how do I grow more apples after pruning the tree',
  'which transformer do I need for my doorbell',
  'the batch of muffins came out flat',
  'is there a recall on my toaster',
  'how do I toilet train a young dog',
  'who is the CEO of Anthropic these days',
  'current price of an RTX card',
])('"%s" is refused', async (question) => {
  expect((await search.search(question, 3)).covered).toBe(false);
});

test.each([
  ['hwo do i prune a desicion tree', 'algorithms'],
  ['whats a transfromer netwrok', 'neural-networks'],
  ['what are q, k and v', 'neural-networks'],
])('"%s" is answered from %s: typos and single letters do not hide what is asked', async (question, chapter) => {
  const { covered, hits } = await search.search(question, 3);
  expect(covered).toBe(true);
  expect(hits[0]?.passage.chapterId).toBe(chapter);
});

test('a question beside the subject lies nearer to such questions than one of ours does', async () => {
  const beside = await semantic.find(['how do i bake a cake without eggs']);
  const ours = await semantic.find(['how do i choose the learning rate']);
  expect(beside.outside).toBeGreaterThan(ours.outside);
  const share = (votes: ReadonlyMap<string, number>) => [...votes.values()].reduce((sum, vote) => sum + vote, 0);
  expect(share(ours.votes)).toBeCloseTo(1);
  expect(share(beside.votes)).toBeLessThan(share(ours.votes));
});

test('several wordings of one question find what any of them finds, at the nearest', async () => {
  const [typed, mended] = ['graident descnet', 'gradient descent'];
  const both = await semantic.find([typed, mended]);
  const alone = await semantic.find([mended]);
  const nearest = [...alone.sections].sort(([, a], [, b]) => b.wording - a.wording).slice(0, 5);
  for (const [key, { wording }] of nearest) {
    expect(both.sections.get(key)?.wording).toBeGreaterThanOrEqual(wording - 1e-9);
  }
  expect(both.ranking[0]?.id).toBe(alone.ranking[0]?.id);
});

test('a word speaks for the side on which it is commoner, by the logarithm of how much', () => {
  const table = measureTone(['loss is flat', 'the loss rises'], ['the cake is flat', 'bake the cake']);
  // loss: 2 of 6 words against 0 of 7; seven stems in all, each counted half a time more.
  expect(Object.keys(table)).toHaveLength(7);
  expect(table.loss).toBeCloseTo(Math.log((2 + 0.5) / (6 + 3.5) / ((0 + 0.5) / (7 + 3.5))), 2);
  expect(toneOf(['loss'], table)).toBeGreaterThan(0);
  expect(toneOf(['cake'], table)).toBeLessThan(0);
  expect(toneOf(['zebra'], table)).toBe(0);
});

test('the questions beside the subject are many and distinct, and none of them judges the search', async () => {
  const texts = Object.values(await readOutside()).flat();
  expect(texts.length).toBeGreaterThan(800);
  expect(new Set(texts.map((text) => text.toLowerCase())).size).toBe(texts.length);
  const judging = new Set(
    (['dev', 'tune', 'validation', 'test'] as const).flatMap((half) =>
      readQuestions(half).map(({ turns }) => turns.join(' ').toLowerCase()),
    ),
  );
  expect(texts.filter((text) => judging.has(text.toLowerCase())).length).toBe(0);
  expect(semantic.kind === 'exact' && semantic.vectors <= exactUpTo).toBe(true);
});
