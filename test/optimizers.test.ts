// One contract for every optimizer: where PyTorch, or Adafactor written out naively, ends after fifty steps, and exact resuming.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import createWabt from 'wabt';
import { z } from 'zod';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createRandom } from '../engine/random.ts';
import { hyperSchema } from '../engine/runs/spec.ts';
import { clippingScale, globalNorm } from '../engine/tuning/clipping.ts';
import { moveWithinReach } from '../engine/tuning/optimizers/adamw-kernel.ts';
import { adamw_wasm } from '../engine/tuning/optimizers/adamw-wasm.ts';
import { createOptimizer } from '../engine/tuning/optimizers/index.ts';
import { learningRateAt } from '../engine/tuning/schedule.ts';
import fixtureJson from './oracle/fixtures/optimizers.json' with { type: 'json' };

const numbers = z.array(z.number());
const named = z.record(z.string(), numbers);
const fixture = z
  .object({
    steps: z.number(),
    learningRate: z.number(),
    weightDecay: z.number(),
    shapes: named,
    start: named,
    gradients: z.array(named),
    ends: z.record(z.string(), named),
    schedules: z.object({
      peak: z.number(),
      warmupSteps: z.number(),
      totalSteps: z.number(),
      rates: z.object({ constant: numbers, linear: numbers, cosine: numbers }),
    }),
  })
  .parse(fixtureJson);

function startWeights(): Map<string, FloatTensor> {
  return new Map(
    Object.entries(fixture.start).map(([name, data]) => [
      name,
      { shape: fixture.shapes[name] ?? [], data: Float32Array.from(data) },
    ]),
  );
}

const gradientsOf = (step: number, times = 1) =>
  new Map(
    Object.entries(fixture.gradients[step - 1] ?? {}).map(([name, data]) => [
      name,
      Float32Array.from(data, (value) => value * times),
    ]),
  );

const kinds = {
  adamw: { optimizer: 'adamw' },
  sgd: { optimizer: 'sgd', momentum: 0 },
  'sgd momentum': { optimizer: 'sgd', momentum: 0.9 },
  'sgd nesterov': { optimizer: 'sgd', momentum: 0.9, nesterov: true },
  adafactor: { optimizer: 'adafactor' },
} as const;
const all = Object.entries(kinds).map(
  ([name, kind]) => [name, hyperSchema.parse({ ...kind, weightDecay: fixture.weightDecay })] as const,
);

function relativeError(ours: ArrayLike<number>, truth: readonly number[]): number {
  const scale = Math.max(...truth.map(Math.abs));
  return Math.max(...truth.map((value, index) => Math.abs((ours[index] ?? Number.NaN) - value))) / scale;
}

test.each(all)('%s ends where the reference ends, without decaying what has one axis', (name, hyper) => {
  const weights = startWeights();
  const optimizer = createOptimizer(weights, hyper);
  // Gradients four times as large, scaled down on the way, as accumulation and clipping do.
  for (let step = 1; step <= fixture.steps; step++) {
    optimizer.step(gradientsOf(step, 4), { step, learningRate: fixture.learningRate, gradientScale: 0.25 });
  }
  for (const [weight, truth] of Object.entries(fixture.ends[name] ?? {}))
    expect(relativeError(weights.get(weight)?.data ?? [], truth), weight).toBeLessThan(1e-5);
  expect(Object.keys(fixture.ends[name] ?? {})).toHaveLength(3);
});

test.each(all)('%s goes on bit for bit from a copy of its state', (_name, hyper) => {
  const whole = startWeights();
  const first = createOptimizer(whole, hyper);
  const settings = (step: number) => ({ step, learningRate: fixture.learningRate, gradientScale: 1 });
  for (let step = 1; step <= 20; step++) first.step(gradientsOf(step), settings(step));
  const resumed = new Map(Array.from(whole, ([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
  const second = createOptimizer(resumed, hyper);
  expect([...second.state.keys()]).toEqual([...first.state.keys()]);
  for (const [name, { data }] of first.state) second.state.get(name)?.data.set(data);
  for (let step = 21; step <= 30; step++) {
    first.step(gradientsOf(step), settings(step));
    second.step(gradientsOf(step), settings(step));
  }
  expect(resumed).toEqual(whole);
});

test('AdamW’s kernel is what its text assembles to', async () => {
  const path = fileURLToPath(new URL('../engine/tuning/optimizers/adamw.wat', import.meta.url));
  const wabt = await createWabt();
  const { buffer } = wabt.parseWat('adamw.wat', readFileSync(path, 'utf8'), { simd: true }).toBinary({});
  expect(adamw_wasm).toBe(Buffer.from(buffer).toString('base64'));
});

test.each([1, 3, 8192, 20_001])('AdamW updates each of %i weights, over the blocks of its kernel', (length) => {
  const random = createRandom(length);
  const draw = () => Float32Array.from({ length }, () => random.normal());
  const [data, gradient, start] = [draw(), draw(), new Float32Array(length)];
  start.set(data);
  const optimizer = createOptimizer(
    new Map([['w', { shape: [1, length], data }]]),
    hyperSchema.parse({ optimizer: 'adamw', weightDecay: 0.1 }),
  );
  const [first, second] = ['first.w', 'second.w'].map((name) => optimizer.state.get(name)?.data);
  optimizer.step(new Map([['w', gradient]]), { step: 1, learningRate: 0.01, gradientScale: 0.5 });
  // At the first step the corrected moments are the scaled gradient and its square: the move is its sign, but for ε.
  const half = gradient.map((g) => 0.5 * g);
  const naive = start.map((w, i) => w - 0.01 * (0.1 * w + (half[i] ?? 0) / (Math.abs(half[i] ?? 0) + 1e-8)));
  expect(relativeError(data, [...naive])).toBeLessThan(1e-6);
  expect(relativeError(first ?? [], [...half.map((g) => 0.1 * g)])).toBeLessThan(1e-6);
  expect(relativeError(second ?? [], [...half.map((g) => 0.001 * g * g)])).toBeLessThan(1e-6);
});

test('AdamW updates weights that lie within its kernel’s reach exactly as others', () => {
  const random = createRandom(3);
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
  const lengths = [5, 20_001, 40_000];
  const apart = new Map<string, FloatTensor>();
  for (const length of lengths) apart.set(`w${length}`, { shape: [1, length], data: draw(length) });
  const within = moveWithinReach(apart, 0);
  expect(within).toEqual(apart);
  const buffers = new Set(Array.from(within.values(), ({ data }) => data.buffer));
  expect(buffers.size).toBe(1);
  const hyper = hyperSchema.parse({ optimizer: 'adamw', weightDecay: 0.1 });
  const optimizers = [apart, within].map((weights) => createOptimizer(weights, hyper));
  const [, , another] = [...optimizers, createOptimizer(within, hyper)];
  for (let step = 1; step <= 3; step++) {
    const gradients = new Map(lengths.map((length) => [`w${length}`, draw(length)]));
    for (const optimizer of optimizers) optimizer.step(gradients, { step, learningRate: 0.01, gradientScale: 0.5 });
  }
  const [first, second] = optimizers;
  const differing = (a: Float32Array | undefined, b: Float32Array | undefined) => a?.findIndex((x, i) => x !== b?.[i]);
  for (const [name, { data }] of within) expect(differing(data, apart.get(name)?.data), name).toBe(-1);
  for (const [name, { data }] of second?.state ?? []) {
    expect(differing(data, first?.state.get(name)?.data), name).toBe(-1);
    expect(buffers.has(data.buffer)).toBe(true);
    // A second optimizer of the same weights has moments of its own.
    expect(another?.state.get(name)?.data.every((moment) => moment === 0)).toBe(true);
  }
});

test('Adafactor keeps a row and a column where AdamW keeps two matrices', () => {
  const weights = new Map([['w', { shape: [300, 200], data: new Float32Array(60_000) }]]);
  const size = (optimizer: 'adamw' | 'adafactor') =>
    [...createOptimizer(weights, hyperSchema.parse({ optimizer })).state.values()].reduce(
      (sum, { data }) => sum + data.length,
      0,
    );
  expect(size('adafactor')).toBe(500);
  expect(size('adamw')).toBe(120_000);
});

test.each(['constant', 'linear', 'cosine'] as const)('the %s schedule is Transformers’ one', (kind) => {
  const { rates, ...shape } = fixture.schedules;
  const ours = rates[kind].map((_, index) => learningRateAt(index + 1, { kind, ...shape }));
  ours.forEach((rate, index) => {
    expect(rate).toBeCloseTo(rates[kind][index] ?? Number.NaN, 12);
  });
  expect(ours).toHaveLength(shape.totalSteps);
});

test('clipping scales all gradients together to the limit, and leaves small ones alone', () => {
  const gradients = [Float32Array.of(3, 0), Float32Array.of(4)];
  expect(globalNorm(gradients)).toBe(5);
  expect(clippingScale(5, 1) * 5).toBeCloseTo(1, 5);
  expect(clippingScale(0.5, 1)).toBe(1);
  expect(globalNorm([Float32Array.of(1, Number.NaN)])).toBeNaN();
});
