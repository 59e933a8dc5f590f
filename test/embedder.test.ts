// The embedder: what runs in TypeScript is what was trained on our engine; typos and rewordings lie near; the file is sound.
import { statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { openSafetensors } from '../engine/models/safetensors.ts';
import { createRandom } from '../engine/random.ts';
import { createEncoder } from '../knowledge/embed/encoder.ts';
import { featuresOf, readWords } from '../knowledge/embed/features.ts';
import { loadShippedEmbedder } from '../knowledge/embed/shipped.ts';
import { readEncoder, shippedWeights } from '../knowledge/embed/weights-file.ts';
import { type PairBatch, spreadToRows, sumRows } from '../scripts/embedder/batches.ts';
import { compileTraining, drawWeights, table, temperature } from '../scripts/embedder/network.ts';
import { packWeights, writeEncoder } from '../scripts/embedder/pack.ts';

const shape = { rows: 64, dimensions: 8, heads: 2, headSize: 3, reach: 2 };
const texts = [
  'what is overfitting',
  'a b c d e',
  'dropout',
  'why does it memorise so much',
  'loss goes up',
  'nets drop units',
];
const batch = { pairs: 3, length: 7 };

function draw() {
  const random = createRandom(3);
  const weights = drawWeights(shape, random);
  // Everything takes part: nothing is left at zero.
  for (const { data } of weights.values()) for (let i = 0; i < data.length; i++) data[i] = 0.6 * random.normal();
  return weights;
}

/** The packed table, so that both sides see the same rounded numbers. */
function round(weights: Map<string, FloatTensor>) {
  const packed = packWeights(shape, weights, new Set(Array.from({ length: shape.rows }, (_, row) => row)));
  const data = Float32Array.from(
    packed.table,
    (value, i) => value * (packed.tableScale[Math.floor(i / shape.dimensions)] ?? 0),
  );
  weights.set(table, { shape: [shape.rows, shape.dimensions], data });
  return packed;
}

function placesOf(): PairBatch['places'] {
  return texts.flatMap((text) => {
    const words = readWords(text);
    return Array.from({ length: batch.length }, (_, at) =>
      at < words.length ? featuresOf(words[at] ?? '', shape.rows) : [],
    );
  });
}

test('the network in TypeScript gives the vectors that the training graph gives', async () => {
  const weights = draw();
  const packed = round(weights);
  const rows = weights.get(table);
  if (!rows) throw new Error('no table');
  const matrices = new Map([...weights].filter(([name]) => name !== table));
  const places = placesOf();
  const session = await compileTraining(shape, batch, matrices, 1);
  const padding = Float32Array.from(places, (features) => (features.length === 0 ? -10_000 : 0));
  const answers = await session.run({
    ...Object.fromEntries(
      Array.from(matrices, ([name, { shape, data }]) => [name, { type: 'float32', shape, data } as const]),
    ),
    words: sumRows(places, rows),
    padding: { type: 'float32', shape: [6, 1, 1, batch.length], data: padding },
    targets: { type: 'float32', shape: [3, 3], data: Float32Array.of(1 / 3, 0, 0, 0, 1 / 3, 0, 0, 0, 1 / 3) },
  });
  await session.close();
  const encode = createEncoder(shape, packed);
  const vectors = texts.map((text) => encode(text).vector);
  const score = (a: number, b: number) =>
    Array.from(vectors[a] ?? []).reduce((sum, value, i) => sum + value * (vectors[b]?.[i] ?? 0), 0) / temperature;
  const logSum = (scores: readonly number[]) => Math.log(scores.reduce((sum, value) => sum + Math.exp(value), 0));
  const each = [0, 1, 2].map((i) => {
    const right = score(i, i + 3);
    return (
      logSum([0, 1, 2].map((j) => score(i, j + 3))) - right + logSum([0, 1, 2].map((j) => score(j, i + 3))) - right
    );
  });
  expect(answers.loss?.data[0]).toBeCloseTo(each.reduce((sum, value) => sum + value, 0) / 3, 3);
});

test('the gradient of the table is the transpose of looking it up', () => {
  const random = createRandom(9);
  const places = placesOf();
  const rows = {
    shape: [shape.rows, shape.dimensions],
    data: Float32Array.from({ length: shape.rows * shape.dimensions }, () => random.normal()),
  };
  const gradient = Float32Array.from({ length: places.length * shape.dimensions }, () => random.normal());
  for (const [place, features] of places.entries()) {
    if (features.length === 0) gradient.fill(0, place * shape.dimensions, (place + 1) * shape.dimensions);
  }
  const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  const forward = product(sumRows(places, rows).data, gradient);
  expect(product(spreadToRows(places, gradient, rows), rows.data)).toBeCloseTo(forward, 2);
});

test('a written file is sound safetensors, reads back as it was, and is named by its weights', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'finetutor-embedder-'));
  const path = join(folder, 'small.safetensors');
  const packed = round(draw());
  const { id } = await writeEncoder(path, shape, packed);
  expect((await openSafetensors(path)).tensors.get('table')?.shape).toEqual([shape.rows, shape.dimensions]);
  expect(await readEncoder(path)).toEqual({ id, shape, weights: packed });
  packed.gate[0] = 1;
  expect((await writeEncoder(path, shape, packed)).id).not.toBe(id);
});

test('the shipped file is at most 10 MB, and its attention and pooling are shares', async () => {
  expect(statSync(shippedWeights).size).toBeLessThan(10_000_000);
  const { encode, dimensions } = await loadShippedEmbedder();
  const { vector, words, attention, pooling } = encode('Why does my validation loss go up?');
  expect(words).toEqual(['why', 'does', 'my', 'validation', 'loss', 'go', 'up']);
  expect(vector).toHaveLength(dimensions);
  expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  const sums = [pooling, ...attention.flat()].map((shares) => shares.reduce((sum, share) => sum + share, 0));
  for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
  expect(attention.every((rows) => rows.length === words.length)).toBe(true);
});

test('a text without a word is all zeros, and any length is read', async () => {
  const { encode } = await loadShippedEmbedder();
  expect(encode('?!').vector.every((value) => value === 0)).toBe(true);
  expect(Math.hypot(...encode('loss '.repeat(10_000)).vector)).toBeCloseTo(1, 5);
});

test.each([
  ['wat is overfiting', 'what is overfitting', 'what is a confusion matrix'],
  ['model memorised the training set', 'overfitting', 'learning rate schedule'],
  ['turn colours into numbers', 'one-hot encoding', 'gradient clipping'],
])('"%s" lies nearer to "%s" than to "%s"', async (text, near, far) => {
  const { encode } = await loadShippedEmbedder();
  const cosine = (a: string, b: string) =>
    encode(a).vector.reduce((sum, value, i) => sum + value * (encode(b).vector[i] ?? 0), 0);
  expect(cosine(text, near)).toBeGreaterThan(cosine(text, far));
});
