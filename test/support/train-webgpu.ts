// Run as a process of its own, with a Vulkan driver in its environment: a few steps of the same small model on the CPU and on
// WebGPU, nothing falling back, with each optimizer; what crossed to the device and back; or why there is no adapter.
import { createBert } from '../../engine/models/bert.ts';
import { drawInitial } from '../../engine/models/model.ts';
import { createRandom } from '../../engine/random.ts';
import { hyperSchema } from '../../engine/runs/spec.ts';
import { openLearner } from '../../engine/tuning/learner.ts';
import { classObjective } from '../../engine/tuning/losses.ts';
import { createOptimizer } from '../../engine/tuning/optimizers/index.ts';
import type { Optimizer } from '../../engine/tuning/optimizers/optimizer.ts';
import { textInputs } from '../../engine/tuning/tasks/text-batches.ts';
import { missingAdapter } from './webgpu-adapter.ts';

const head = { kind: 'classification', labels: 3 } as const;
const steps = 4;
const config = (dropout: number) => ({
  model_type: 'bert',
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 16,
  hidden_dropout_prob: dropout,
  attention_probs_dropout_prob: dropout,
});

function makeBatch() {
  const texts = [
    [1, 5, 7, 2],
    [1, 9, 2],
  ];
  const { inputs } = textInputs(texts, 2, { padId: 0, maxLength: 8 });
  const targets = { targets: { type: 'float32', shape: [2, 3], data: Float32Array.of(1, 0, 0, 0, 0, 1) } } as const;
  return { inputs, targets, weight: 2 };
}

interface Case {
  readonly optimizer: 'adamw' | 'sgd' | 'adafactor';
  readonly dropout: number;
  readonly accumulate: number;
  /** After this step everything is read back, and another learner goes on from it. */
  readonly pausedAfter?: number;
}

async function trainOn(device: 'cpu' | 'webgpu', { optimizer, dropout, accumulate, pausedAfter }: Case) {
  const model = createBert(config(dropout), 'the test');
  const random = createRandom(5);
  const trainable = new Map(Array.from(model.parameters(head), ([name, spec]) => [name, drawInitial(spec, random)]));
  const parameters = { model, head, lora: undefined, trainable, frozen: new Map(), modulesToSave: [], count: 0 };
  const hyper = hyperSchema.parse({ optimizer, momentum: 0.9, weightDecay: 0.01 });
  const state: Optimizer = createOptimizer(trainable, hyper);
  const run = { parameters, device, spec: { hyper }, encoded: { objective: classObjective, lengths: [1] } };
  const traffic = { toDeviceBytes: 0, fromDeviceBytes: 0 };
  const watched = { traffic, onlyOnDevice: device === 'webgpu' };
  const learningRate = optimizer === 'sgd' ? 0.05 : 0.003;
  const losses: number[] = [];
  const crossed: { toDeviceBytes: number; fromDeviceBytes: number }[] = [];
  let opened = await openLearner(run, state, watched);
  for (let step = 1; step <= steps; step++) {
    const before = { ...traffic };
    let loss = 0;
    for (let part = 0; part < accumulate; part++) {
      loss += (await opened.learner.gather(makeBatch(), step * accumulate + part)).loss;
    }
    const gradientScale = Math.min(1, 0.5 / opened.learner.norm());
    await opened.learner.step({ step, learningRate, gradientScale });
    losses.push(loss);
    crossed.push({
      toDeviceBytes: traffic.toDeviceBytes - before.toDeviceBytes,
      fromDeviceBytes: traffic.fromDeviceBytes - before.fromDeviceBytes,
    });
    if (step !== pausedAfter) continue;
    await opened.learner.pull('everything');
    await opened.learner.close();
    await opened.network.close();
    opened = await openLearner(run, state, watched);
  }
  const { answer = new Float32Array() } = await opened.network.measure(makeBatch());
  await opened.learner.pull('everything');
  await opened.learner.close();
  await opened.network.close();
  return { losses, crossed, answer, tensors: new Map([...trainable, ...state.state]) };
}

function furthest(a: Float32Array, b: Float32Array): number {
  const scale = Math.max(...a.map(Math.abs));
  return scale === 0 ? 0 : Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN)))) / scale;
}

/** Attention does not change when all keys move alike: the gradient of their bias is rounding, and its update chance. */
const isChance = (name: string) => name.endsWith('.key.bias');

type Trained = Awaited<ReturnType<typeof trainOn>>;

async function compare(one: Case, webgpu: Trained) {
  const cpu = await trainOn('cpu', one);
  const apart = Array.from(cpu.tensors, ([name, { data }]) =>
    isChance(name) ? 0 : furthest(data, webgpu.tensors.get(name)?.data ?? new Float32Array()),
  );
  return {
    losses: { cpu: cpu.losses, webgpu: webgpu.losses },
    furthest: Math.max(...apart),
    answers: furthest(cpu.answer, webgpu.answer),
    crossed: webgpu.crossed,
  };
}

const isSame = (a: Trained, b: Trained) =>
  Array.from(a.tensors).every(([name, { data }]) => {
    const other = b.tensors.get(name)?.data;
    return data.every((value, at) => value === other?.[at]);
  });

const kinds = {
  adamw: { optimizer: 'adamw', dropout: 0.1, accumulate: 1 },
  sgd: { optimizer: 'sgd', dropout: 0, accumulate: 1 },
  adafactor: { optimizer: 'adafactor', dropout: 0, accumulate: 2 },
} as const;

async function compareAll() {
  const { inputs, targets } = makeBatch();
  const adamw = await trainOn('webgpu', kinds.adamw);
  return {
    batchBytes: Object.values({ ...inputs, ...targets }).reduce((sum, { data }) => sum + data.byteLength, 0),
    adamw: await compare(kinds.adamw, adamw),
    sgd: await compare(kinds.sgd, await trainOn('webgpu', kinds.sgd)),
    adafactor: await compare(kinds.adafactor, await trainOn('webgpu', kinds.adafactor)),
    resumesExactly: isSame(adamw, await trainOn('webgpu', { ...kinds.adamw, pausedAfter: 2 })),
  };
}

const unavailable = await missingAdapter();
const answer = unavailable === undefined ? await compareAll() : { unavailable };
process.stdout.write(JSON.stringify(answer));
// The WebGPU device keeps the process alive.
process.exit(0);
