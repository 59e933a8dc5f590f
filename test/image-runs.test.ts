// Training on pictures: a head on kept features, all weights, adapters; interrupted and gone on with; used afterwards.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createModel } from '../engine/models/families.ts';
import { writeJson } from '../engine/models/files.ts';
import { loadImageBase } from '../engine/models/image-base.ts';
import { drawInitial } from '../engine/models/model.ts';
import { openSafetensors, readFloats, writeSafetensors } from '../engine/models/safetensors.ts';
import { createRandom } from '../engine/random.ts';
import type { RunEvent } from '../engine/runs/events.ts';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { computeFeatures } from '../engine/tuning/features.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { prepareParameters } from '../engine/tuning/parameters.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { train } from '../engine/tuning/train.ts';

let folder = '';
const at = (name: string) => join(folder, name);

/** Reddish or bluish noise: what a tiny network can learn. */
async function drawPicture(isRed: boolean, seed: number): Promise<Buffer> {
  const random = createRandom(seed);
  const data = Buffer.from(
    Array.from({ length: 24 * 24 }, () => [
      random.below(isRed ? 255 : 120),
      random.below(120),
      random.below(isRed ? 120 : 255),
    ]).flat(),
  );
  return sharp(data, { raw: { width: 24, height: 24, channels: 3 } })
    .png()
    .toBuffer();
}

const configs = {
  resnet: {
    model_type: 'resnet',
    embedding_size: 8,
    hidden_sizes: [8, 16],
    depths: [1, 1],
    layer_type: 'basic',
    image_size: 24,
  },
  vit: {
    model_type: 'vit',
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 32,
    image_size: 24,
    patch_size: 8,
  },
};

async function writeModel(name: keyof typeof configs): Promise<void> {
  const random = createRandom(3);
  const weights = new Map<string, FloatTensor>();
  for (const [weight, spec] of createModel(configs[name], name).parameters({ kind: 'embedding' })) {
    // Larger than at the start of a pretraining, so that the features of pictures differ.
    const { shape, data } = drawInitial(spec, random);
    const factor = name === 'vit' ? 8 : 3;
    weights.set(weight, { shape, data: typeof spec.initial === 'object' ? data.map((x) => x * factor) : data });
  }
  await mkdir(at(name));
  await writeSafetensors(at(`${name}/model.safetensors`), weights);
  await writeJson(at(`${name}/config.json`), configs[name]);
  await writeJson(at(`${name}/preprocessor_config.json`), { size: { height: 24, width: 24 } });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-image-runs-'));
  for (const [label, isRed] of [
    ['blue', false],
    ['red', true],
  ] as const) {
    await mkdir(at(`pictures/${label}`), { recursive: true });
    for (let index = 0; index < 20; index++) {
      await writeFile(at(`pictures/${label}/${index}.png`), await drawPicture(isRed, index + (isRed ? 100 : 0)));
    }
  }
  await writeModel('resnet');
  await writeModel('vit');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Changes = { readonly method?: string; readonly hyper?: { readonly [name: string]: unknown } };

const specOf = (model: string, out: string, { method = 'head', hyper = {} }: Changes = {}) =>
  runSpecSchema.parse({
    task: 'image-classification',
    model: at(model),
    method,
    data: { train: at('pictures'), eval: 0.25 },
    hyper: { batchSize: 8, ...hyper },
    out: at(out),
  });

async function run(spec: ReturnType<typeof specOf>, { stopAt = Number.POSITIVE_INFINITY, resume = false } = {}) {
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const options = { signal: stop.signal, resume, now: () => performance.now() };
  for await (const event of train(spec, { ...options, checkpointEverySteps: 4 })) {
    events.push(event);
    if (event.type === 'eval' && event.step >= stopAt) stop.abort();
  }
  const done = events.find((event) => event.type === 'done');
  const metrics = done?.metrics;
  return { events, accuracy: metrics?.kind === 'classification' ? metrics.accuracy : Number.NaN };
}

async function readWeights(out: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(at(`${out}/model.safetensors`));
  const weights = new Map<string, Float32Array>();
  for (const [name, { dtype }] of file.tensors)
    if (dtype === 'F32') weights.set(name, (await readFloats(file, name)).data);
  return weights;
}

const moved = (before: Map<string, Float32Array>, after: Map<string, Float32Array>) =>
  [...after]
    .filter(([name, data]) => !data.every((value, index) => value === before.get(name)?.[index]))
    .map(([name]) => name);

test('a head learns on kept features, the body stays as it was, and the artifact answers pictures', async () => {
  const spec = specOf('resnet', 'head', { hyper: { epochs: 20, learningRate: 0.02 } });
  const { events, accuracy } = await run(spec);
  expect(accuracy).toBeGreaterThan(0.85);
  expect(events.find((event) => event.type === 'start')).toMatchObject({
    labels: ['blue', 'red'],
    trainableParameters: 34,
  });
  expect(moved(await readWeights('resnet'), await readWeights('head')).sort()).toEqual([
    'classifier.1.bias',
    'classifier.1.weight',
  ]);
  const config: unknown = JSON.parse(await readFile(at('head/config.json'), 'utf8'));
  expect(config).toMatchObject({ architectures: ['ResNetForImageClassification'], id2label: { 0: 'blue', 1: 'red' } });

  const predictor = await loadPredictor(spec.out, { device: 'cpu' });
  const asUrl = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`;
  const answers = await predictor.predict([asUrl(await drawPicture(true, 900)), asUrl(await drawPicture(false, 901))]);
  expect(answers).toMatchObject([{ label: 'red' }, { label: 'blue' }]);
  await expect(predictor.predict(['/etc/passwd'])).rejects.toThrow('That is no picture');
  await predictor.close();
});

test('all weights move in a full training, running statistics and frozen parts do not; a head may learn before', async () => {
  const hyper = {
    epochs: 10,
    headEpochs: 40,
    freeze: ['resnet.embedder', 'resnet.encoder.stages.0'],
    learningRate: 5e-3,
  };
  const { accuracy } = await run(specOf('resnet', 'full', { method: 'full', hyper }));
  expect(accuracy).toBeGreaterThan(0.85);
  const names = moved(await readWeights('resnet'), await readWeights('full'));
  expect(names).toContain('resnet.encoder.stages.1.layers.0.layer.0.convolution.weight');
  expect(names.filter((name) => /running|embedder|stages\.0/.test(name))).toEqual([]);
  const unknown = specOf('resnet', 'unknown', { method: 'full', hyper: { freeze: ['bert'] } });
  await expect(run(unknown)).rejects.toThrow('freeze names "bert", which is no part of this model');
});

test('a run that was stopped goes on to the very same weights', async () => {
  const changes = { method: 'full', hyper: { epochs: 3, headEpochs: 2, learningRate: 1e-3 } };
  await run(specOf('resnet', 'whole', changes));
  const halves = specOf('resnet', 'halves', changes);
  const { events } = await run(halves, { stopAt: 5 });
  expect(events.at(-1)?.type).toBe('stopped');
  await run(halves, { resume: true });
  expect(moved(await readWeights('whole'), await readWeights('halves'))).toEqual([]);
});

test('LoRA adapts ViT’s attention; a network of convolutions has nothing for it', async () => {
  const { accuracy } = await run(specOf('vit', 'lora', { method: 'lora', hyper: { epochs: 8, learningRate: 5e-3 } }));
  expect(accuracy).toBeGreaterThan(0.85);
  const adapter: unknown = JSON.parse(await readFile(at('lora/adapter_config.json'), 'utf8'));
  expect(adapter).toMatchObject({
    target_modules: ['query', 'q_proj', 'value', 'v_proj'],
    modules_to_save: ['classifier'],
  });
  const predictor = await loadPredictor(at('lora'), { device: 'cpu' });
  const picture = `data:image/png;base64,${(await drawPicture(true, 900)).toString('base64')}`;
  expect(await predictor.predict([picture])).toMatchObject([{ label: 'red' }]);
  await predictor.close();
  await expect(run(specOf('resnet', 'no-lora', { method: 'lora' }))).rejects.toThrow('no linear layers for LoRA');
});

test('an epoch of the head on kept features is at least 20 times as fast as through the body', async () => {
  const config = { ...configs.resnet, hidden_sizes: [32, 64], embedding_size: 32, image_size: 96 };
  const model = createModel(config, 'config.json');
  if (model.modality !== 'image') throw new Error('a model of images');
  const head = { kind: 'classification', labels: 2 } as const;
  const hyper = { seed: 1, loraRank: 8, loraAlpha: 16 };
  const parameters = await prepareParameters({ fresh: false, weights: new Map(), model }, head, {
    method: 'head',
    hyper,
  });
  const rows = 16;
  const pixels = Float32Array.from({ length: rows * 3 * 96 * 96 }, (_, index) => Math.sin(index));
  const pixelValues = { type: 'float32', shape: [rows, 3, 96, 96], data: pixels } as const;
  const features = await computeFeatures(
    parameters,
    { count: rows, load: async () => ({ pixelValues }) },
    { device: 'cpu' },
  );
  const network = createNetwork(
    parameters,
    { loss: (g, answer) => g.op('ReduceSum', [answer], { axes: [0, 1], keepDims: false }) },
    { device: 'cpu' },
  );
  const kept = { features: { type: 'float32', shape: [rows, 64], data: features } } as const;
  const timed = async (inputs: typeof kept | { pixelValues: typeof pixelValues }) => {
    const times: number[] = [];
    for (let step = 0; step < 6; step++) {
      const start = performance.now();
      await network.computeGradients({ inputs, targets: {}, weight: 1 }, undefined);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[2] ?? Number.NaN;
  };
  const through = await network.computeGradients({ inputs: { pixelValues }, targets: {}, weight: 1 }, undefined);
  const cached = await network.computeGradients({ inputs: kept, targets: {}, weight: 1 }, undefined);
  expect(cached.loss).toBeCloseTo(through.loss, 3);
  expect((await timed({ pixelValues })) / (await timed(kept))).toBeGreaterThan(20);
  await network.close();
});

test('a model of text is refused, and so is a folder that is no model', async () => {
  await mkdir(at('text'));
  await writeJson(at('text/config.json'), {
    model_type: 'distilbert',
    vocab_size: 9,
    dim: 4,
    hidden_dim: 8,
    n_layers: 1,
    n_heads: 1,
    max_position_embeddings: 8,
  });
  await expect(run(specOf('text', 'x'))).rejects.toThrow('is a model of text, not of images');
  await expect(run(specOf('nowhere', 'x'))).rejects.toThrow('There is no model folder');
  expect((await loadImageBase(at('resnet'))).model.hiddenSize).toBe(16);
});
