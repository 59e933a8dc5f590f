// Our BERT against an independent one in PyTorch (test/oracle/bert.py wrote the fixture): forward, every gradient, training.
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createBert } from '../engine/models/bert.ts';
import { classObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { adamw_defaults, clippingScale, createMoments, globalNorm, stepAdamW } from '../engine/tuning/optimizer.ts';
import { learningRateAt } from '../engine/tuning/schedule.ts';
import { answerTexts, textInputs } from '../engine/tuning/tasks/text-batches.ts';
import fixtureJson from './oracle/fixtures/bert.json' with { type: 'json' };

const numbers = z.array(z.number());
const named = z.record(z.string(), numbers);
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
    training: z.object({
      steps: z.number(),
      warmup: z.number(),
      peak: z.number(),
      weightDecay: z.number(),
      clip: z.number(),
      losses: numbers,
      norms: numbers,
      weights: named,
    }),
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

function prepareBatch(at: number) {
  const { texts, labels } = fixture.batches[at] ?? { texts: [], labels: [] };
  const { inputs } = textInputs(texts, rows, { padId: 0, maxLength });
  const targets = new Float32Array(rows * fixture.labels);
  labels.forEach((label, row) => {
    targets[row * fixture.labels + label] = 1 / labels.length;
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

test('fifty steps of AdamW with warmup, decay and clipping follow PyTorch to 1e-4', async () => {
  const { trainable, classifier } = createModel();
  const moments = createMoments(trainable);
  const { training } = fixture;
  const schedule = {
    kind: 'linear',
    peak: training.peak,
    warmupSteps: training.warmup,
    totalSteps: training.steps,
  } as const;
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 1; step <= training.steps; step++) {
    const { batch } = prepareBatch((step - 1) % fixture.batches.length);
    const { loss, gradients } = await classifier.computeGradients(batch, undefined);
    const norm = globalNorm(gradients.values());
    const settings = {
      step,
      learningRate: learningRateAt(step, schedule),
      gradientScale: clippingScale(norm, training.clip),
    };
    stepAdamW(trainable, gradients, moments, settings, { ...adamw_defaults, weightDecay: training.weightDecay });
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
