// The losses of training against PyTorch's own (test/oracle/losses.py wrote the fixture): value and gradient.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { addGradients } from '../engine/autodiff/gradients.ts';
import { retrievalMetrics } from '../engine/evaluate/retrieval.ts';
import { createGraph, type GraphBuilder } from '../engine/graph/graph.ts';
import type { Value } from '../engine/graph/ops.ts';
import { createSession } from '../engine/graph/session.ts';
import { createRandom } from '../engine/random.ts';
import {
  classObjective,
  classTargets,
  contrastObjective,
  contrastTargets,
  tokenObjective,
} from '../engine/tuning/losses.ts';
import { chooseClassWeights } from '../engine/tuning/tasks/class-weights.ts';
import type { Feeds, Objective } from '../engine/tuning/tasks/task.ts';
import lossesJson from './oracle/fixtures/losses.json' with { type: 'json' };
import { expectClose } from './support/image-oracle.ts';

const numbers = z.array(z.number());
const answers = { loss: z.number(), gradient: numbers };
const fixture = z
  .object({
    seen: numbers,
    classes: z.array(
      z.object({ ...answers, logits: numbers, labels: numbers, weight: numbers.nullable(), smoothing: z.number() }),
    ),
    pairs: z.array(z.object({ ...answers, similarities: numbers, rows: z.number(), pictures: numbers })),
  })
  .parse(lossesJson);

/** The mean loss and its gradient by the answer. */
async function run(
  objective: Objective,
  shape: readonly [number, number],
  answer: readonly number[],
  { targets, weight }: { readonly targets: Feeds; readonly weight: number },
) {
  const g: GraphBuilder = createGraph();
  const given = g.input('answer', 'float32', shape);
  const values: { readonly [name: string]: Value } = Object.fromEntries(
    Object.entries(targets).map(([name, tensor]) => [name, g.input(name, tensor.type, tensor.shape)]),
  );
  const mean = g.op('Mul', [objective.loss(g, given, values), g.scalar(1 / weight)]);
  const [gradient = mean] = addGradients(g, mean, [given]);
  g.output('loss', mean);
  g.output('gradient', gradient);
  const session = await createSession(g.graph, { device: 'cpu' });
  const result = await session.run({
    ...targets,
    answer: { type: 'float32', shape, data: Float32Array.from(answer) },
  });
  await session.close();
  return result;
}

test('class weights and label smoothing give the loss and gradient of PyTorch’s CrossEntropyLoss', async () => {
  expect(fixture.classes).toHaveLength(5);
  for (const { logits, labels, weight, smoothing, loss, gradient } of fixture.classes) {
    const rows = labels.map((label, row) => ({ row, label }));
    // A sixth row is padding.
    const targets = classTargets(rows, labels.length + 1, weight ?? [1, 1, 1, 1], smoothing);
    const result = await run(classObjective, [6, 4], [...logits, 9, -3, 5, 1], targets);
    expectClose(result.loss?.data, [loss], 'loss');
    expectClose(result.gradient?.data, [...gradient, 0, 0, 0, 0], 'gradient');
  }
});

test('balanced weights are those that the fixture was made with', () => {
  const labels = ['a', 'b', 'c', 'd'];
  expectClose(chooseClassWeights('balanced', labels, fixture.seen), fixture.classes.at(-1)?.weight ?? [], 'weights');
});

test('smoothing over a vocabulary gives the loss and gradient of PyTorch’s CrossEntropyLoss', async () => {
  const plain = fixture.classes.filter(({ weight }) => weight === null);
  expect(plain.map(({ smoothing }) => smoothing)).toEqual([0, 0.1]);
  for (const { logits, labels, smoothing, loss, gradient } of plain) {
    const shape = [6, 1];
    const targets: Feeds = {
      targetIds: { type: 'int32', shape, data: Int32Array.from([...labels, 0]) },
      targetWeights: { type: 'float32', shape, data: Float32Array.of(1, 1, 1, 1, 1, 0) },
    };
    const result = await run(tokenObjective(smoothing), [6, 4], [...logits, 9, -3, 5, 1], { targets, weight: 5 });
    expectClose(result.loss?.data, [loss], 'loss');
    expectClose(result.gradient?.data, [...gradient, 0, 0, 0, 0], 'gradient');
  }
});

test('pairs are told apart as by PyTorch’s cross-entropy in both directions, without padding and repeated pictures', async () => {
  expect(fixture.pairs).toHaveLength(3);
  for (const { similarities, rows, pictures, loss, gradient } of fixture.pairs) {
    const targets = contrastTargets(pictures.length, rows, (text, image) => pictures[text] === pictures[image]);
    const result = await run(contrastObjective, [rows, rows], similarities, targets);
    // A single pair has nothing to be told apart from.
    if (pictures.length === 1) expect(result.loss?.data[0]).toBeCloseTo(0, 6);
    else expectClose(result.loss?.data, [loss], 'loss');
    if (pictures.length === 1) expect(Math.max(...(result.gradient?.data ?? [1]).map(Math.abs))).toBeLessThan(1e-6);
    else expectClose(result.gradient?.data, gradient, 'gradient');
  }
});

test('recall is that of sorted lists, and chance that of shuffled ones', () => {
  const random = createRandom(4);
  // Seven captions of four pictures; the last two pictures share a caption.
  const pairs = [0, 0, 1, 1, 2, 3, 2].map((image, text) => ({ text, image }));
  pairs.push({ text: 6, image: 3 });
  const [texts, images] = [7, 4];
  const drawLogits = () => Float32Array.from({ length: texts * images }, () => random.normal() * 2);
  const belong = (text: number, image: number) => pairs.some((pair) => pair.text === text && pair.image === image);
  const sorted = (logits: Float32Array, first: number) => {
    const rank = (count: number, at: (one: number) => number) =>
      Array.from({ length: count }, (_, one) => one)
        .sort((a, b) => at(b) - at(a))
        .slice(0, first);
    const ofImages = Array.from({ length: images }, (_, image) =>
      rank(texts, (text) => logits[text * images + image] ?? 0).some((text) => belong(text, image)),
    );
    const ofTexts = Array.from({ length: texts }, (_, text) =>
      rank(images, (image) => logits[text * images + image] ?? 0).some((image) => belong(text, image)),
    );
    const share = (found: readonly boolean[]) => found.filter(Boolean).length / found.length;
    return { ofImages: share(ofImages), ofTexts: share(ofTexts) };
  };
  const mean = { image1: 0, image5: 0, text1: 0 };
  const rounds = 1000;
  for (let round = 0; round < rounds; round++) {
    const logits = drawLogits();
    const found = retrievalMetrics({ logits, texts, images, pairs });
    const [first, five] = [sorted(logits, 1), sorted(logits, 5)];
    expect(found.imageToText).toMatchObject({ recallAt1: first.ofImages, recallAt5: five.ofImages });
    expect(found.textToImage).toMatchObject({ recallAt1: first.ofTexts, recallAt5: five.ofTexts });
    mean.image1 += first.ofImages / rounds;
    mean.image5 += five.ofImages / rounds;
    mean.text1 += first.ofTexts / rounds;
  }
  const alike = retrievalMetrics({ logits: new Float32Array(texts * images), texts, images, pairs });
  expect(alike.imageToText.chanceAt1).toBeCloseTo(mean.image1, 1);
  expect(alike.imageToText.chanceAt5).toBeCloseTo(mean.image5, 1);
  expect(alike.textToImage.chanceAt1).toBeCloseTo(mean.text1, 1);
  // A model that says the same of all pairs finds nothing, and its loss is that of knowing nothing.
  expect(alike.imageToText.recallAt1).toBe(0);
  expect(alike.loss).toBeCloseTo(alike.chanceLoss, 9);
});
