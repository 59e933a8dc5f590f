// Numeric questions: the numbers are read however they are typed, and each result meets a formula written anew here.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scoreCounts } from '../engine/tutor/compute/classification.ts';
import { compute, computeAgain } from '../engine/tutor/compute/compute.ts';
import { convolutionSize } from '../engine/tutor/compute/layers.ts';
import { countLoraParameters } from '../engine/tutor/compute/lora.ts';
import { entropyOf, giniOf, posterior, softmax } from '../engine/tutor/compute/probability.ts';
import { scoreRegression } from '../engine/tutor/compute/regression.ts';
import { learningRateAt } from '../engine/tutor/compute/steps.ts';
import { cosine } from '../engine/tutor/compute/vectors.ts';
import { loadGuide } from '../knowledge/index.ts';

const result = (question: string) => {
  const outcome = compute(question);
  return outcome?.kind === 'computed'
    ? outcome.calculation.result
    : outcome?.kind === 'missing'
      ? outcome.needs
      : undefined;
};

test.each([
  // Counts, typed in many ways: F1 = 80/95.
  ['F1 with tp=40 fp=10 fn=5', '0.8421'],
  ['tp 40 fp 10 fn 5 f1?', '0.8421'],
  ['whats the f1 score for 40 tp, 10 fp and 5 fn', '0.8421'],
  ['40 true positives 10 false positives 5 false negatives, f1', '0.8421'],
  ['compute F1: TP: 40, FP: 10, FN: 5', '0.8421'],
  ['f1 if precision is 0.8 and recall is 0.5', '0.6154'],
  ['f1 for precision 80% and recall 50%', '0.6154'],
  ['precision with TP = 90 and FP = 30', '0.75'],
  ['recall when tp=30 and fn=10', '0.75'],
  ['accuracy for tp=50 tn=30 fp=10 fn=10', '0.8'],
  ['specificity tn=90 fp=10 tp=1 fn=1', '0.9'],
  ['mcc tp=40 fp=10 fn=20 tn=930', '0.7149'],
  ['confusion matrix [[50, 10], [5, 35]] what is the f1', '0.8235'],
  ['accuracy of confusion matrix [[5,1,0],[1,6,1],[0,2,4]]', '0.75'],
  // LoRA: the guide's own table, and sums by hand.
  ['how many lora parameters r=8 on 768x768 in 12 layers q and v', '294,912'],
  ['lora params r=16 4096x4096', '131,072'],
  ['How many trainable parameters does LoRA with rank 16 on q and v of Llama-2-7B have?', '8,388,608'],
  ['lora r=16 all linear layers llama 2 7b number of parameters', '39,976,960'],
  ['LoRA r=16 on q and v, Llama-3.1-8B, how many parameters', '6,815,744'],
  ['number of lora parameters with r=4, d_in=1024, d_out=4096', '20,480'],
  // Batches and steps.
  ['effective batch size with batch size 4, gradient accumulation 8 and 2 GPUs', '64'],
  ['effective batch: per_device_train_batch_size=2, gradient_accumulation_steps=16', '32'],
  ['what is the effective batch for batch 8 and 4 accumulation steps', '32'],
  ['how many steps per epoch for 10,000 examples with batch size 32', '313'],
  ['total steps for 1000 samples, batch size 16, 3 epochs', '189'],
  ['number of training steps: 50000 images, batch 128, 10 epochs, accumulation 2', '1,960'],
  // Memory.
  ['how much memory do the weights of a 7B model take in fp16', '14 GB'],
  ['vram for 13b params in 4-bit', '6.5 GB'],
  ['how much memory for full fine-tuning of a 7B model with AdamW', '112 GB'],
  ['qlora memory for a 7b model', '3.611 GB'],
  ['kv cache for 32 layers, hidden size 4096, 4096 tokens, fp16', '2.147 GB'],
  ['size of bert-base in fp32', '437.9 MB'],
  // Schedules.
  ['learning rate at step 50 with 100 warmup steps and peak 2e-4 linear of 1000 total steps', '1e-4'],
  ['lr at step 550 of 1000, cosine, peak 2e-4, 100 warmup steps', '1e-4'],
  // Probability.
  ['softmax of [2, 1, 0.1]', '0.659, 0.2424, 0.09857'],
  ['softmax of 2, 1, 0 with temperature 2', '0.5065, 0.3072, 0.1863'],
  ['perplexity for a loss of 2', '7.389'],
  ['cross-entropy if the right class has probability 0.25', '1.386'],
  ['bayes: base rate 1%, sensitivity 90%, false positive rate 5%', '15.38 %'],
  ['prevalence 0.1%, sensitivity 99%, specificity 95%: probability of being ill given a positive test?', '1.943 %'],
  ['entropy of 9 yes and 5 no', '0.9403'],
  ['gini impurity of [4, 4]', '0.5'],
  ['information gain parent [9,5] children [6,2] [3,3]', '0.04813'],
  // Regression and distances.
  ['rmse for targets [3, 5, 2] and predictions [2.5, 5, 4]', '1.19'],
  ['mae of y_true=[1,2,3] y_pred=[2,2,5]', '1'],
  ['r2 for actual [1,2,3,4] predicted [1.1,1.9,3.2,3.8]', '0.98'],
  ['euclidean distance between (1,2) and (4,6)', '5'],
  ['manhattan distance [1,2] [4,6]', '7'],
  ['cosine similarity of [1,0] and [1,1]', '0.7071'],
  ['bias and variance of predictions [4, 6, 8] when the true value is 5', '2.667'],
  // Layers, scaling, splits, time.
  ['conv output size input 224 kernel 7 stride 2 padding 3', '112'],
  ['output of a 3x3 conv on 32x32 with stride 1 padding 1', '32'],
  ['how many parameters has a conv with 3x3 kernel, 64 input channels, 128 output channels', '73,856'],
  ['parameters of a dense network 784-128-10', '101,770'],
  ['standardize x=75 mean 60 sd 10', '1.5'],
  ['min-max scale [10, 20, 40]', '0, 0.3333, 1'],
  ['80/10/10 split of 1234 rows', 'train 987, validation 123, test 124'],
  ['how long do 3000 steps take at 2.5 steps/s', '20 min'],
  ['how long for 1000 steps at 300 ms per step', '5 min'],
  ['how many tokens is 1500 words', '2,000'],
  ['FLOPs to train 7B parameters on 1B tokens', '4.20·10^19'],
])('"%s" gives %s', (question, expected) => {
  const shown = result(question);
  expect(shown).toBeTypeOf('string');
  expect(` ${shown}`).toMatch(new RegExp(`[^\\d.]${expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\d])`));
});

test.each([
  ['calculate f1 with tp=40 and fp=10', ['FN (false negatives)']],
  ['what is the accuracy for tp=40 fp=10 fn=5', ['TN (true negatives)']],
  ['how many lora parameters with r=8', ['the size of the matrix (d_in × d_out), or a model such as Llama-2-7B']],
  ['how many steps for 10000 examples', ['the batch size']],
  ['f1 for precision 0.8', ['recall']],
])('"%s" says what is missing', (question, missing) => {
  expect(result(question)).toMatchObject({ missing });
});

test.each([
  'what is F1',
  'why is my accuracy 99% but recall 0',
  'what rank should I use, 8 or 16?',
  'is 3 epochs enough for 1000 examples',
  'my val loss is 2.3 and train loss 0.1',
  'how many epochs should I train for with 500 examples',
  'what does r=16 mean in LoRA',
  'should I use batch size 16 or 32',
  'difference between l1 and l2',
  'explain 5-fold cross validation',
  'can I fine-tune a 7B model on a 24GB GPU?',
])('"%s" is a question for words, not a sum', (question) => {
  expect(compute(question)).toBeUndefined();
});

test('a follow-up changes one number of the sum before it', () => {
  const outcome = computeAgain('lora params r=8 on 4096x4096', 'and with r=16?');
  expect(outcome).toMatchObject({ calculation: { result: expect.stringContaining('131,072') } });
  expect(computeAgain('what is LoRA', 'and with r=16?')).toBeUndefined();
});

test('every sum cites a section that exists', async () => {
  const guide = await loadGuide();
  for (const question of [
    'f1 tp=1 fp=1 fn=1',
    'softmax of [1,2]',
    'kv cache for 2 layers, hidden 8, 4 tokens',
    'how many tokens is 10 words',
    'conv output input 8 kernel 3',
    'z-score x=1 mean 0 sd 1',
    'effective batch 2 accumulation 2 batch',
    'how long do 10 steps take at 1 steps/s',
    'gini of [1,1]',
    'flops 1b params 1b tokens',
    'perplexity loss 1',
    'rmse [1,2] [1,3]',
    'bayes base rate 1% sensitivity 90% fpr 5%',
    'qlora memory 7b',
    'memory to train 7b',
  ]) {
    const outcome = compute(question);
    const key = outcome?.kind === 'computed' ? outcome.calculation.section : outcome?.needs.section;
    const [chapterId = '', sectionId = ''] = (key ?? '').split('#');
    expect(guide.section(chapterId, sectionId)?.id, question).toBe(sectionId);
  }
});

test('the scores from counts are those counted prediction by prediction', () => {
  const count = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(count, count, count, count, (tp, fp, fn, tn) => {
      const pairs = [
        ...Array.from({ length: tp }, () => [1, 1]),
        ...Array.from({ length: fp }, () => [0, 1]),
        ...Array.from({ length: fn }, () => [1, 0]),
        ...Array.from({ length: tn }, () => [0, 0]),
      ] as const;
      const of = (keep: (y: number, p: number) => boolean) => pairs.filter(([y = 0, p = 0]) => keep(y, p)).length;
      const scores = scoreCounts({ tp, fp, fn, tn });
      const precision = of((y, p) => y === 1 && p === 1) / of((_, p) => p === 1);
      const recall = of((y, p) => y === 1 && p === 1) / of((y) => y === 1);
      expect(scores.precision).toBeCloseTo(precision, 12);
      expect(scores.recall).toBeCloseTo(recall, 12);
      expect(scores.f1).toBeCloseTo(1 / ((1 / precision + 1 / recall) / 2), 12);
      expect(scores.accuracy).toBeCloseTo(of((y, p) => y === p) / pairs.length, 12);
      // MCC is Pearson's correlation of the two columns.
      const [ys, ps] = [pairs.map(([y = 0]) => y), pairs.map(([, p = 0]) => p)];
      expect(scores.mcc).toBeCloseTo(pearson(ys, ps), 10);
    }),
    { numRuns: 50 },
  );
});

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((s, x) => s + x, 0) / v.length;
  const [ma, mb] = [mean(a), mean(b)];
  const cov = mean(a.map((x, i) => (x - ma) * ((b[i] ?? 0) - mb)));
  return cov / Math.sqrt(mean(a.map((x) => (x - ma) ** 2)) * mean(b.map((x) => (x - mb) ** 2)));
}

test('softmax, entropy, Gini, posterior and cosine keep their laws', () => {
  const shares = softmax([1000, 1001, 999]);
  expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect((shares[1] ?? 0) / (shares[0] ?? 1)).toBeCloseTo(Math.E, 10);
  expect(entropyOf([1, 1, 1, 1])).toBe(2);
  expect(giniOf([5, 0])).toBe(0);
  // By counting 100,000 people.
  const [ill, well] = [1000, 99_000];
  expect(posterior(0.01, 0.9, 0.05)).toBeCloseTo((ill * 0.9) / (ill * 0.9 + well * 0.05), 12);
  expect(cosine([1, 2, 3], [-2, 1, 0])).toBeCloseTo(0, 12);
  expect(scoreRegression([1, 2, 3], [2, 2, 2]).r2).toBeCloseTo(0, 12);
});

test('a convolution has as many outputs as places where its window fits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 3 }),
      (n, kernel, stride, padding) => {
        fc.pre(n + 2 * padding >= kernel);
        let places = 0;
        for (let start = -padding; start + kernel <= n + padding; start += stride) places += 1;
        expect(convolutionSize(n, kernel, stride, padding)).toBe(places);
      },
    ),
  );
});

test('LoRA counts every entry of A and B; schedules begin at 0, peak after warmup and end at 0', () => {
  const entries = (rank: number, inputs: number, outputs: number) =>
    Array.from({ length: rank }, () => inputs + outputs).reduce((a, b) => a + b, 0);
  expect(countLoraParameters(4, [{ inputs: 7, outputs: 5 }], 3)).toBe(3 * entries(4, 7, 5));
  for (const kind of ['linear', 'cosine'] as const) {
    expect(learningRateAt(kind, 0, 1, 10, 100)).toBe(0);
    expect(learningRateAt(kind, 10, 1, 10, 100)).toBe(1);
    expect(learningRateAt(kind, 55, 1, 10, 100)).toBeCloseTo(0.5, 12);
    expect(learningRateAt(kind, 100, 1, 10, 100)).toBeCloseTo(0, 12);
  }
});
