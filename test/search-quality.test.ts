// A floor under how well the shipped guide is found, on the older questions, which calibrated the search.
// The figures on blind questions come from `npm run eval -- search`.
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
  expect(answerable.length).toBeGreaterThanOrEqual(450);
  expect(unanswerable.length).toBeGreaterThanOrEqual(150);
  const all = [...answerable.map(({ question }) => question), ...unanswerable].map((question) =>
    question.toLowerCase(),
  );
  expect(new Set(all)).toHaveLength(all.length);
  expect(calibrationHalf(answerable).some((entry) => reportHalf(answerable).includes(entry))).toBe(false);
});

test('on the older questions the right chapter is found and the rest, a third of it near misses, is refused', async () => {
  const { recallAt1, recallAt5, falseRefusals, refused } = await measure(
    reportHalf(answerable),
    reportHalf(unanswerable),
  );
  expect(recallAt5).toBeGreaterThanOrEqual(0.95);
  expect(recallAt1).toBeGreaterThanOrEqual(0.85);
  expect(falseRefusals).toBeLessThanOrEqual(0.05);
  expect(refused).toBeGreaterThanOrEqual(0.85);
});

test.each([
  "what's the capital of France",
  'how do I cook rice',
  'best pizza in Rome',
  'who won the world cup',
  'write me a poem',
  'how does PageRank work',
  'which medicine helps against a cold',
  'how much is a new bicycle in euros',
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

test.each([
  ['what is machine learning', 'what-is-machine-learning#definition'],
  ['what is deep learning', 'what-is-machine-learning#ai-ml-deep-learning'],
  ['what is a neural network', 'neural-networks#neuron'],
  ['what is a transformer', 'neural-networks#transformer'],
  ['tell me about attention', 'neural-networks#attention'],
  ['backpropagation explained', 'neural-networks#backpropagation'],
  ['what is an embedding', 'neural-networks#embeddings'],
  ['what is gradient descent', 'how-ml-works#gradient-descent'],
  ['what is a loss function', 'how-ml-works#loss-function'],
  ['explain k-means', 'algorithms#k-means'],
  ['what is a decision tree', 'algorithms#decision-trees'],
  ['what is a random forest', 'algorithms#random-forest'],
  ['define logistic regression', 'algorithms#logistic-regression'],
  ['what is PCA', 'algorithms#pca'],
  ['what is an ensemble', 'ensembles#why-combine'],
  ['what is bagging', 'ensembles#bagging'],
  ['what is supervised learning', 'types-of-ml#supervised-learning'],
  ['what is reinforcement learning', 'types-of-ml#reinforcement-learning'],
  ['what is overfitting', 'overfitting-underfitting#overfitting'],
  ['what is early stopping', 'overfitting-underfitting#early-stopping'],
  ['what is variance', 'bias-variance#variance'],
  ['what is generalization', 'generalization#unseen-data'],
  ['what is the curse of dimensionality', 'curse-of-dimensionality#what-it-is'],
  ['what is feature engineering', 'feature-engineering#what-it-is'],
  ['what is one-hot encoding', 'feature-engineering#one-hot'],
  ['what is imputation', 'data-preparation#missing-values'],
  ['what is a hyperparameter', 'hyperparameters#what-is-a-hyperparameter'],
  ['what is a learning rate', 'hyperparameters#learning-rate'],
  ['what is precision', 'evaluation-metrics#precision-and-recall'],
  ['what is fine-tuning', 'fine-tuning#what-is-fine-tuning'],
  ['what is transfer learning', 'fine-tuning#transfer-learning'],
  ['what is a chat template', 'fine-tuning-data#chat-templates'],
  ['what is LoRA', 'peft#lora'],
  ['what is a reward model', 'rlhf#reward-model'],
  ['what is DPO', 'rlhf#dpo'],
  ['what is GGUF', 'tools#deployment-formats'],
])('"%s" is answered where it is taught: %s', async (question, section) => {
  const { hits, covered } = await search.search(question, 1);
  expect(covered).toBe(true);
  expect(hits.map(({ passage }) => `${passage.chapterId}#${passage.sectionId}`)).toEqual([section]);
});
