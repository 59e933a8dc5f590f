// Holds a model of images against a fixture of PyTorch's: logits, loss, every gradient, moved statistics.
import { expect } from 'vitest';
import { z } from 'zod';
import { addGradients } from '../../engine/autodiff/gradients.ts';
import { createGraph } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/graph/ops.ts';
import { createSession } from '../../engine/graph/session.ts';
import type { Tensor } from '../../engine/graph/tensor.ts';
import { type BatchStatistics, createLayers, crossEntropy } from '../../engine/models/layers.ts';
import type { ImageModel } from '../../engine/models/model.ts';

const numbers = z.array(z.number());
const weightSchema = z.object({ shape: numbers, data: numbers, gradient: numbers.optional() });
export const weightsSchema = z.record(z.string(), weightSchema);
type Weights = z.output<typeof weightsSchema>;

const caseSchema = z.object({
  config: z.record(z.string(), z.unknown()),
  training: z.boolean(),
  logits: numbers,
  loss: z.number(),
  weights: weightsSchema,
  moved: z.record(z.string(), z.object({ mean: numbers, variance: numbers })),
});

export const image_oracle = z.object({
  pixels: numbers,
  shape: numbers,
  classes: numbers,
  labels: z.number(),
  cases: z.array(caseSchema),
});
type ImageOracle = z.output<typeof image_oracle>;

const tolerance = 1e-4;

/** Largest difference, relative to the largest true value of the tensor. */
export function expectClose(ours: ArrayLike<number> | undefined, truth: readonly number[], name: string): void {
  expect(ours?.length, name).toBe(truth.length);
  const scale = Math.max(...truth.map(Math.abs), 1e-6);
  const error = Math.max(...truth.map((value, index) => Math.abs((ours?.[index] ?? Number.NaN) - value)));
  expect(error / scale, name).toBeLessThan(tolerance);
}

/** Weights as inputs of a graph, and what to feed them. */
export function feedWeights(weights: Weights): {
  readonly feeds: { [name: string]: Tensor };
  readonly shapeOf: (name: string) => readonly number[];
} {
  const feeds = Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [
      name,
      { type: 'float32', shape, data: Float32Array.from(data) } as const,
    ]),
  );
  return { feeds, shapeOf: (name) => weights[name]?.shape ?? [] };
}

/** Every case of a fixture: logits, loss and the gradient of each parameter to 1e-4. */
export async function expectModelAgrees(
  create: (config: { readonly [key: string]: unknown }, source: string) => ImageModel,
  fixture: ImageOracle,
): Promise<void> {
  for (const one of fixture.cases) await expectCaseAgrees(create(one.config, 'config.json'), fixture, one);
}

async function expectCaseAgrees(model: ImageModel, fixture: ImageOracle, one: ImageOracle['cases'][number]) {
  const head = { kind: 'classification', labels: fixture.labels } as const;
  const specs = model.parameters(head);
  const shapes = Object.entries(one.weights).map(([name, { shape }]) => [name, shape]);
  expect(Object.fromEntries(Array.from(specs, ([name, { shape }]) => [name, shape]))).toEqual(
    Object.fromEntries(shapes),
  );
  const trained = Object.keys(one.weights).filter((name) => !specs.get(name)?.isBuffer);
  expect(trained.sort()).toEqual(
    Object.keys(one.weights)
      .filter((name) => one.weights[name]?.gradient)
      .sort(),
  );

  const g = createGraph();
  const values = new Map<string, Value>();
  const weight = (name: string) => {
    const known = values.get(name) ?? g.input(name, 'float32', specs.get(name)?.shape ?? []);
    values.set(name, known);
    return known;
  };
  const statistics: BatchStatistics[] = [];
  const layers = createLayers(g, { weight, ...(one.training ? { statistics } : {}) });
  const logits = model.build(layers, { pixelValues: g.input('pixelValues', 'float32', fixture.shape) }, head);
  const loss = crossEntropy(g, logits, g.input('targets', 'float32', logits.shape));
  g.output('logits', logits);
  g.output('loss', loss);
  addGradients(g, loss, trained.map(weight)).forEach((gradient, at) => {
    g.output(`gradient of ${trained[at]}`, gradient);
  });
  for (const { name, mean, variance } of statistics) {
    g.output(`mean of ${name}`, mean);
    g.output(`variance of ${name}`, variance);
  }
  const rows = fixture.classes.length;
  const targets = new Float32Array(rows * fixture.labels);
  fixture.classes.forEach((label, row) => {
    targets[row * fixture.labels + label] = 1 / rows;
  });
  const session = await createSession(g.graph, { device: 'cpu' });
  const { feeds } = feedWeights(one.weights);
  const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => values.has(name)));
  const answers = await session.run({
    ...used,
    pixelValues: { type: 'float32', shape: fixture.shape, data: Float32Array.from(fixture.pixels) },
    targets: { type: 'float32', shape: logits.shape, data: targets },
  });
  await session.close();
  expectClose(answers.logits?.data, one.logits, 'logits');
  expectClose(answers.loss?.data, [one.loss], 'loss');
  let withoutEffect = 0;
  for (const name of trained) {
    const truth = one.weights[name]?.gradient ?? [];
    const ours = answers[`gradient of ${name}`]?.data;
    // What cannot matter (a shift before a normalisation, a key's bias in a softmax) has no gradient but rounding.
    if (truth.every((value) => Math.abs(value) < 1e-12)) {
      expect(Math.max(...Array.from(ours ?? [Number.NaN], Math.abs)), name).toBeLessThan(1e-5);
      withoutEffect++;
    } else expectClose(ours, truth, name);
  }
  expect(withoutEffect / trained.length).toBeLessThan(0.15);
  expect(statistics.map(({ name }) => name).sort()).toEqual(Object.keys(one.moved).sort());
  for (const [name, { mean, variance }] of Object.entries(one.moved)) {
    const move = (part: 'running_mean' | 'running_var', batch: ArrayLike<number> | undefined) =>
      one.weights[`${name}.${part}`]?.data.map((value, at) => 0.9 * value + 0.1 * (batch?.[at] ?? Number.NaN));
    expectClose(move('running_mean', answers[`mean of ${name}`]?.data), mean, `mean of ${name}`);
    expectClose(move('running_var', answers[`variance of ${name}`]?.data), variance, `variance of ${name}`);
  }
}
