// False premises are corrected, true statements about the same things are not; each correction stands in the guide.
import { expect, test } from 'vitest';
import { createFindMisconception } from '../engine/tutor/misconceptions.ts';
import { createTutor } from '../engine/tutor/tutor.ts';
import { createSearch, loadGuide } from '../knowledge/index.ts';
import { answerable } from './support/questions.ts';

const guide = await loadGuide();
const misconceptions = guide.misconceptions ?? [];
const find = createFindMisconception(misconceptions);
const tutor = createTutor({ guide, search: await createSearch({ guide }) });

test('there are at least 80 misconceptions, over all teaching chapters, each quoting a whole sentence of its section', () => {
  expect(misconceptions.length).toBeGreaterThanOrEqual(80);
  const chapters = new Set(misconceptions.map(({ chapterId }) => chapterId));
  expect(chapters.size).toBeGreaterThanOrEqual(18);
  for (const { id, chapterId, sectionId, quote } of misconceptions) {
    const text = guide.passages
      .filter((passage) => passage.chapterId === chapterId && passage.sectionId === sectionId)
      .map((passage) => passage.text)
      .join('\n');
    expect(text, id).toContain(quote);
  }
});

// Each pair speaks of the same things: the first takes something false for granted, the second is true.
const pairs: readonly (readonly [string, string])[] = [
  ['why does dropout speed up inference?', 'why is dropout switched off at inference?'],
  [
    'since accuracy is the best metric for imbalanced data, how do I raise it?',
    'why is accuracy not the best metric for imbalanced data?',
  ],
  [
    'Since LoRA trains all the weights, why is it cheap?',
    'Since LoRA does not train all the weights, how does it learn?',
  ],
  ['why does L2 set weights exactly to zero', 'why does L1 set weights exactly to zero'],
  ['As underfitting is cured by more data, how much do I need?', 'why is underfitting not cured by more data?'],
  ['why do I tune hyperparameters on the test set?', 'why should I never tune hyperparameters on the test set?'],
  [
    'how does k-means choose the number of clusters automatically?',
    'how do I choose the number of clusters for k-means?',
  ],
  ['why do decision trees need feature scaling?', "why don't decision trees need feature scaling?"],
  ['why does bagging reduce bias', 'why does bagging reduce variance'],
  [
    'why do boosted trees train in parallel, independently of each other: boosting trains trees in parallel right',
    'why does a random forest train its trees in parallel',
  ],
  ['why does high variance mean underfitting?', 'why does high variance mean overfitting?'],
  ['Why does DPO need a reward model?', 'Why does DPO need no reward model?'],
  ['since QLoRA is faster than LoRA, should I always take it?', 'why is QLoRA slower than LoRA?'],
  ['why is a higher learning rate always better?', 'why is a higher learning rate not always better?'],
  ['why does fine-tuning start from random weights?', 'why does fine-tuning not start from random weights?'],
  ['why is k-NN training slow, it trains for many epochs', 'why is k-NN slow at prediction?'],
  ['why is precision the share of real positives found?', 'why is recall the share of real positives found?'],
  ['why should I augment the test set?', 'why should I augment the training set only, never the test set?'],
  ['why does SMOTE go before the split?', 'why does SMOTE go after the split?'],
  ['why does early stopping monitor the training loss?', 'why does early stopping monitor the validation loss?'],
  ['why does logistic regression predict house prices?', 'why does linear regression predict house prices?'],
  ['why does quantization come without any loss of quality?', 'how much quality does quantization cost?'],
  ['why can random forests never overfit?', 'why do more trees not overfit a random forest?'],
  ['why does RAG update the weights?', 'why does RAG not update the weights?'],
  [
    'since merged LoRA adapters slow down inference because merging adds latency, what now',
    'does a merged adapter add latency, or not',
  ],
  ['why does GRPO need a value network?', 'why does GRPO need no value network?'],
  ['why does unsupervised learning need labels?', 'why does unsupervised learning need no labels?'],
  ['why does F1 count true negatives', 'why does F1 ignore true negatives'],
  [
    'why do distances become more meaningful in high dimensions?',
    'why do distances become meaningless in high dimensions?',
  ],
  ['why is MAE more sensitive to outliers than MSE', 'why is MSE more sensitive to outliers than MAE'],
];

test.each(pairs)('"%s" takes something false for granted, "%s" does not', (claim, truth) => {
  expect(find(claim), claim).toBeDefined();
  expect(find(truth)?.id, truth).toBeUndefined();
});

test('of the known questions, which take nothing for granted, almost none is corrected', () => {
  const corrected = answerable.filter(({ question }) => find(question) !== undefined);
  expect(corrected.length / answerable.length).toBeLessThanOrEqual(0.015);
});

test('a correction comes first, cites its section, and does not echo the claim', async () => {
  const answer = await tutor.ask('why does dropout speed up inference?', []);
  expect(answer.kind).toBe('correction');
  expect(answer.markdown).toMatch(/^\*\*Not quite\.\*\* Dropout works in training only/);
  expect(answer.citations.map(({ sectionId }) => sectionId)).toContain('dropout');
});

test('a false premise in a follow-up is corrected too', async () => {
  const turns = [
    { role: 'user', text: 'what is dropout?' },
    { role: 'assistant', text: 'Dropout …' },
  ] as const;
  const answer = await tutor.ask('so why does it speed up inference?', turns);
  expect(answer.kind).toBe('correction');
  expect(answer.markdown).toMatch(/Dropout works in training only/);
});

test('whoever asks whether it is so is told, without being told off', async () => {
  const answer = await tutor.ask('does F1 use true negatives?', []);
  expect(answer.kind).toBe('correction');
  expect(answer.markdown).toMatch(/^\*\*No\.\*\* /);
  expect(answer.markdown).not.toMatch(/Not quite/);
});

test('"no" is not said to a negated question, where it would be unclear what it denies', async () => {
  const answer = await tutor.ask('does k-means not work without labels?', []);
  expect(answer.kind).toBe('correction');
  expect(answer.markdown).not.toMatch(/^\*\*No/);
});
