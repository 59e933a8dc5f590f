// What the guide says of things, held against questions: the opposite is corrected, the truth is let be, whatever the words.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createConcepts } from '../engine/tutor/concepts.ts';
import { createCheckFacts } from '../engine/tutor/facts.ts';
import { readInThread } from '../engine/tutor/follow-up.ts';
import { cutBlocks, loadGuide } from '../knowledge/index.ts';
import { readPremises } from './support/premises.ts';

const guide = await loadGuide();
const check = createCheckFacts(guide.facts ?? []);

test.each([
  [
    'why does regularization reduce bias and raise variance?',
    'why does regularization reduce variance and raise bias?',
  ],
  ['a smaller k in k-NN overfits less, right?', 'a smaller k in k-NN overfits more, right?'],
  [
    'an RNN handles all words in parallel unlike a transformer',
    'a transformer handles all words in parallel unlike an RNN',
  ],
  ['precision and recall are the same thing, right?', 'precision and recall are not the same thing, right?'],
  [
    "since decision trees don't work without scaling, how do I scale?",
    "since decision trees don't need scaling, what do they need?",
  ],
  ['which layers does LoRA delete?', 'which layers does LoRA add matrices to?'],
  [
    'soft voting counts votes and hard voting averages probabilities, yes?',
    'hard voting counts votes and soft voting averages probabilities, yes?',
  ],
  ['a forest gets worse the more trees I add, right?', 'more trees never make a forest overfit, right?'],
  [
    'the stacker is fitted on in-sample predictions, right?',
    'the stacker is fitted on out-of-fold predictions, right?',
  ],
  ['rare words are kept whole by BPE', 'rare words are cut into pieces by BPE'],
  ['the KV cache stores the queries, right?', 'the KV cache stores the keys and values, right?'],
  ['oom? so I lower the batch size and the memory depends on the learning rate', 'memory depends on the batch, right?'],
  ['slow starters profit from successive halving', 'slow starters die early in successive halving'],
  ['DDP gives each GPU a slice of the model', 'DDP gives each GPU a slice of the batch'],
  ['a lower cut means fewer false alarms, right?', 'a lower cut means more false alarms, right?'],
  ['I heard lowering the learning rate speeds up training', 'I heard lowering the learning rate slows down training'],
  [
    'as lowering the threshold gives fewer false positives, I lower it',
    'as raising the threshold gives fewer false positives, I raise it',
  ],
  ['k-means is unsupervised, so why does it need labels?', 'k-means is unsupervised, so why does it need no labels?'],
  ['I use dropout, and it is on at inference, right?', 'I use dropout, and it is off at inference, right?'],
  ['cats vs dogs is regression, right?', 'cats vs dogs is classification, right?'],
  [
    'why does inference need more memory compared to training?',
    'why does inference need less memory compared to training?',
  ],
  [
    'the spam filter is deployed, so does it stay good?',
    "as a deployed model doesn't learn by itself, how often should I retrain it?",
  ],
  ['A starts at zero and B is random in LoRA, why?', 'B starts at zero and A is random in LoRA, why?'],
  ['why do we multiply by sqrt(d_k) in attention?', 'why do we divide by sqrt(d_k) in attention?'],
  ['the KV cache speeds up training', 'the KV cache speeds up generation but costs memory'],
  ['DPO loss begins at 0', 'DPO loss begins at 0.693'],
  [
    'merge the adapter into the 4-bit base after QLoRA, right?',
    'merge the adapter into the 16-bit base after QLoRA, right?',
  ],
  ['causal mask hides the past tokens', 'causal mask hides the future tokens'],
  ['a higher alpha weakens the update, right?', 'a higher alpha strengthens the update, right?'],
  ['the label -100 is for the answer tokens', 'the label -100 is for the prompt tokens'],
  ['why is the head trained at 1e-5 and the body at 1e-3?', 'why is the head trained at 1e-3 and the body at 1e-5?'],
  ['so ML is only statistics with another name?', 'ML shares its mathematics with statistics, right?'],
  ['why do we move in the direction of the gradient to lower the loss', 'why do we step against the gradient?'],
  [
    'in federated learning all data is sent to a central server',
    'in federated learning the data stays on the devices, right?',
  ],
  [
    'a shortcut would be noticed in my random test split',
    "a shortcut isn't noticed in a random test split, how do I find it?",
  ],
  [
    'a big lambda lets the weights grow, so larger weights?',
    'a big lambda keeps the weights small, so smaller weights?',
  ],
  ['averaging lowers bias mainly', 'averaging lowers variance mainly, right?'],
  ['pca can unroll a curved swiss roll', "PCA can't unroll curved sheets, right?"],
  ['target encoding cannot leak', 'target encoding leaks easily, how do I avoid it?'],
  ['svm wants the narrowest street between classes', 'an SVM wants the widest street, right?'],
])('"%s" is mistaken, "%s" is not', (wrong, right) => {
  expect(check(wrong).mistaken).toBeDefined();
  expect(check(right).mistaken).toBeUndefined();
});

test('who asks what something is, how to do it, or which of two, has claimed nothing', () => {
  for (const question of [
    'what is a false negative?',
    'how do I choose k in k-means?',
    'does boosting reduce bias or variance?',
    'what happens if I tune on the test set?',
    'difference between precision and recall',
    'k-means vs k-NN which is supervised?',
    'how is random forest compared to boosting in speed?',
  ])
    expect(check(question), question).toEqual({ mistaken: undefined, confirmed: false });
});

test('the development premises are corrected, their true counterparts are not', () => {
  const premises = [...readPremises('tune'), ...readPremises('validation')];
  const found = premises.filter(({ wrong }) => check(wrong).mistaken !== undefined);
  const falsely = premises.filter(({ right }) => check(right).mistaken !== undefined);
  expect(found.length / premises.length).toBeGreaterThanOrEqual(0.95);
  expect(falsely.length / premises.length).toBeLessThanOrEqual(0.02);
});

test('hardly a sentence of the guide is taken to say the opposite of the guide', () => {
  const sentences = guide.chapters
    .flatMap(({ sections }) => sections.flatMap(({ markdown }) => cutBlocks(markdown)))
    .filter(({ kind }) => kind === 'paragraph' || kind === 'list')
    .flatMap((block) => block.sentences.map(({ prose }) => prose))
    // What the guide quotes or calls a mistake is wrong on purpose.
    .filter((prose) => prose.length <= 220 && !/folklore|myth|["“”]|misconception|\?$|mistake|wrong/i.test(prose))
    // "Fitting the scaler on all rows." and "Not scaling: …" name pitfalls.
    .filter((prose) => !/^(?:\w+ing|not)\b/i.test(prose))
    // Every fifth, for the time it takes.
    .filter((_, index) => index % 5 === 0);
  const taken = sentences.filter((sentence) => check(sentence).mistaken !== undefined);
  expect(sentences.length).toBeGreaterThan(900);
  expect(taken.length / sentences.length).toBeLessThanOrEqual(0.025);
});

test('a fact that names an unknown wording or section is reported with its line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facts-'));
  await writeFile(
    join(folder, 'facts.yaml'),
    `words: { some: 'x' }
quantities: { noise: 'noise' }
different: []
facts:
  - of: a thing
    names: 'thing'
    at: nowhere#at-all
    points:
      - { false: '<other>', so: 'It is so.' }
`,
  );
  await expect(loadGuide(folder)).rejects.toThrow(/facts\.yaml:5.*no words or quantity "other"[\s\S]*nowhere#at-all/);
});

const concepts = createConcepts(guide);
const after = (before: string, question: string) =>
  readInThread(
    question,
    [
      { role: 'user', text: before },
      { role: 'assistant', text: '…' },
    ],
    concepts,
  );

test('what was meant instead stands in the place of what was understood', () => {
  expect(after('what is precision', 'no, I meant the F1 score').candidates[0]).toMatch(/what is the F1 score/);
});

test('thanks, and then another question: the thread does not colour it', () => {
  const reading = after('explain dropout', 'thanks. where can I train for free?');
  expect(reading.candidates).toEqual(['where can I train for free?']);
  expect(reading.follows).toBeUndefined();
});

test('"the wrong one" and a part of the topic lean on what was spoken of', () => {
  expect(after('what is a chat template', 'what happens if I use the wrong one?').candidates[0]).toMatch(
    /chat template/i,
  );
  expect(after('explain adaboost', 'how are the weights updated?').candidates[0]).toMatch(/adaboost/i);
});
