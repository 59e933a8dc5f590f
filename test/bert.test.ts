// Our BERT against an independent one in PyTorch (test/oracle/bert.py wrote the fixture): forward, every gradient, training.
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createBert } from '../engine/models/bert.ts';
import { clippingScale, globalNorm } from '../engine/tuning/clipping.ts';
import { classObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { adamw_defaults, createAdamW } from '../engine/tuning/optimizers/adamw.ts';
import { learningRateAt } from '../engine/tuning/schedule.ts';
import { answerTexts, textInputs } from '../engine/tuning/tasks/text-batches.ts';
import fixtureJson from './oracle/fixtures/bert.json' with { type: 'json' };

const numbers = z.array(z.number());
const named = z.record(z.string(), numbers);
const trajectory = z.object({
  steps: z.number(),
  warmup: z.number(),
  peak: z.number(),
  weightDecay: z.number(),
  clip: z.number(),
  /** Batches to a step. */
  accumulation: z.number(),
  losses: numbers,
  norms: numbers,
  weights: named,
});
const fixture = z
  .object({
    config: z.record(z.string(), z.unknown()),
    labels: z.number(),
    shapes: named,
    weights: named,
    batches: z.array(z.object({ texts: z.array(numbers), labels: numbers })),
    logits: numbers,
    loss: z.number(),
    gradients: named,
    training: trajectory,
    accumulated: trajectory,
  })
  .parse(fixtureJson);

const rows = 4;
const maxLength = 16;
const tolerance = 1e-4;

function createModel() {
  const trainable = new Map<string, FloatTensor>();
  for (const [name, data] of Object.entries(fixture.weights)) {
    trainable.set(name, { shape: fixture.shapes[name] ?? [], data: Float32Array.from(data) });
  }
  const parameters = {
    model: createBert(fixture.config, 'the fixture'),
    head: { kind: 'classification', labels: fixture.labels } as const,
    lora: undefined,
    trainable,
    frozen: new Map(),
    modulesToSave: [],
    count: 0,
  };
  const classifier = createNetwork(parameters, classObjective, { device: 'cpu' });
  return { trainable, classifier };
}

/** @param examples of the whole step, of which this batch may be a part. */
function prepareBatch(at: number, examples?: number) {
  const { texts, labels } = fixture.batches[at] ?? { texts: [], labels: [] };
  const { inputs } = textInputs(texts, rows, { padId: 0, maxLength });
  const targets = new Float32Array(rows * fixture.labels);
  labels.forEach((label, row) => {
    targets[row * fixture.labels + label] = 1 / (examples ?? labels.length);
  });
  return {
    batch: {
      inputs,
      targets: { targets: { type: 'float32', shape: [rows, fixture.labels], data: targets } },
      weight: 1,
    } as const,
    texts,
  };
}

/** Largest difference, relative to the largest true value of the tensor. */
function relativeError(ours: ArrayLike<number>, truth: readonly number[]): number {
  expect(ours.length).toBe(truth.length);
  const scale = Math.max(...truth.map(Math.abs));
  return Math.max(...truth.map((value, index) => Math.abs((ours[index] ?? Number.NaN) - value))) / scale;
}

/** Softmax does not see a shift of all scores: a key bias has the gradient 0, and only rounding moves it. */
const withoutEffect = (name: string) => name.endsWith('attention.self.key.bias');

test('logits, loss and the gradient of every parameter agree with PyTorch to 1e-4', async () => {
  const { classifier } = createModel();
  const { batch, texts } = prepareBatch(0);
  expect(batch.inputs.inputIds?.shape).toEqual([rows, 8]);
  expect(
    relativeError(await answerTexts(classifier, texts, fixture.labels, { rows, padId: 0, maxLength }), fixture.logits),
  ).toBeLessThan(tolerance);
  const { loss, gradients } = await classifier.computeGradients(batch, undefined);
  expect(relativeError([loss], [fixture.loss])).toBeLessThan(tolerance);
  expect([...gradients.keys()].sort()).toEqual(Object.keys(fixture.gradients).sort());
  for (const [name, truth] of Object.entries(fixture.gradients)) {
    const ours = gradients.get(name) ?? [];
    if (withoutEffect(name)) expect(Math.max(...Array.from(ours, Math.abs)), name).toBeLessThan(1e-6);
    else expect(relativeError(ours, truth), name).toBeLessThan(tolerance);
  }
  await classifier.close();
});

test.each([
  ['', fixture.training],
  [' and accumulation', fixture.accumulated],
])('fifty steps of AdamW with warmup, decay, clipping%s follow PyTorch to 1e-4', async (_, training) => {
  const { trainable, classifier } = createModel();
  const optimizer = createAdamW(trainable, { ...adamw_defaults, weightDecay: training.weightDecay });
  const schedule = {
    kind: 'linear',
    peak: training.peak,
    warmupSteps: training.warmup,
    totalSteps: training.steps,
  } as const;
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 1; step <= training.steps; step++) {
    const chosen = Array.from(
      { length: training.accumulation },
      (_, part) => ((step - 1) * training.accumulation + part) % fixture.batches.length,
    );
    const examples = chosen.reduce((sum, at) => sum + (fixture.batches[at]?.labels.length ?? 0), 0);
    let loss = 0;
    const gradients = new Map<string, Float32Array>();
    for (const at of chosen) {
      const part = await classifier.computeGradients(prepareBatch(at, examples).batch, undefined);
      loss += part.loss;
      for (const [name, gradient] of part.gradients) {
        const sum = gradients.get(name);
        gradients.set(name, sum ? sum.map((value, index) => value + (gradient[index] ?? 0)) : gradient);
      }
    }
    const norm = globalNorm(gradients.values());
    const settings = {
      step,
      learningRate: learningRateAt(step, schedule),
      gradientScale: clippingScale(norm, training.clip),
    };
    optimizer.step(gradients, settings);
    losses.push(loss);
    norms.push(norm);
  }
  expect(Math.max(...norms)).toBeGreaterThan(training.clip);
  expect(relativeError(losses, training.losses)).toBeLessThan(tolerance);
  expect(relativeError(norms, training.norms)).toBeLessThan(tolerance);
  for (const [name, truth] of Object.entries(training.weights)) {
    if (!withoutEffect(name))
      expect(relativeError(trainable.get(name)?.data ?? [], truth), name).toBeLessThan(tolerance);
  }
  await classifier.close();
});
