// Models of images against independent ones in PyTorch (test/oracle wrote the fixtures): forward and every gradient.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { addGradients } from '../engine/autodiff/gradients.ts';
import { createGraph } from '../engine/graph/graph.ts';
import type { Value } from '../engine/graph/ops.ts';
import { createSession } from '../engine/graph/session.ts';
import { createClip } from '../engine/models/clip.ts';
import { createLayers } from '../engine/models/layers.ts';
import { createMobilenetV2 } from '../engine/models/mobilenet-v2.ts';
import { createResnet } from '../engine/models/resnet.ts';
import { createVit } from '../engine/models/vit.ts';
import { contrastObjective, contrastTargets } from '../engine/tuning/losses.ts';
import clipJson from './oracle/fixtures/clip.json' with { type: 'json' };
import mobilenetJson from './oracle/fixtures/mobilenet-v2.json' with { type: 'json' };
import resnetJson from './oracle/fixtures/resnet.json' with { type: 'json' };
import vitJson from './oracle/fixtures/vit.json' with { type: 'json' };
import { expectClose, expectModelAgrees, feedWeights, image_oracle, weightsSchema } from './support/image-oracle.ts';

test('ResNet agrees with PyTorch to 1e-4: basic and bottleneck, statistics frozen and of the batch', async () => {
  const fixture = image_oracle.parse(resnetJson);
  expect(fixture.cases.map(({ training }) => training)).toEqual([false, true, false, true]);
  await expectModelAgrees(createResnet, fixture);
});

test('MobileNetV2 agrees with PyTorch to 1e-4: TensorFlow’s padding and its own, strides turned into dilations', async () => {
  await expectModelAgrees(createMobilenetV2, image_oracle.parse(mobilenetJson));
});

test('ViT agrees with PyTorch to 1e-4: patches that fill the image or not, with and without biases', async () => {
  await expectModelAgrees(createVit, image_oracle.parse(vitJson));
});

test('CLIP as a classifier of images agrees with PyTorch to 1e-4', async () => {
  await expectModelAgrees(createClip, image_oracle.parse(clipJson));
});

const numbers = z.array(z.number());
const contrastSchema = image_oracle.extend({
  contrast: z.object({
    config: z.record(z.string(), z.unknown()),
    inputIds: z.array(numbers),
    lengths: numbers,
    similarities: numbers,
    loss: z.number(),
    weights: weightsSchema,
  }),
});

test('CLIP’s two towers agree with PyTorch to 1e-4: similarities, contrastive loss, every gradient', async () => {
  const { contrast, pixels, shape } = contrastSchema.parse(clipJson);
  const model = createClip(contrast.config, 'config.json').withTexts;
  const specs = model.parameters({ kind: 'contrast' });
  const names = Object.keys(contrast.weights);
  expect([...specs.keys()].sort()).toEqual(names.toSorted());
  const rows = contrast.inputIds.length;
  const length = contrast.inputIds[0]?.length ?? 0;

  const g = createGraph();
  const values = new Map<string, Value>();
  for (const name of names) values.set(name, g.input(name, 'float32', specs.get(name)?.shape ?? []));
  const weight = (name: string) => values.get(name) ?? g.scalar(Number.NaN);
  const layers = createLayers(g, { weight });
  const similarities = model.build(layers, {
    inputIds: g.input('inputIds', 'int32', [rows, length]),
    attentionBias: g.input('attentionBias', 'float32', [rows, 1, 1, length]),
    ends: g.input('ends', 'int32', [rows]),
    pixelValues: g.input('pixelValues', 'float32', shape),
  });
  const { targets, weight: pairs } = contrastTargets(rows, rows, () => false);
  const sum = contrastObjective.loss(g, similarities, {
    pairs: g.input('pairs', 'float32', [rows, rows]),
    pairBias: g.input('pairBias', 'float32', [rows, rows]),
  });
  const loss = g.op('Mul', [sum, g.scalar(1 / pairs)]);
  g.output('similarities', similarities);
  g.output('loss', loss);
  addGradients(g, loss, names.map(weight)).forEach((gradient, at) => {
    g.output(`gradient of ${names[at]}`, gradient);
  });
  const session = await createSession(g.graph, { device: 'cpu' });
  const answers = await session.run({
    ...feedWeights(contrast.weights).feeds,
    ...targets,
    pixelValues: { type: 'float32', shape, data: Float32Array.from(pixels) },
    inputIds: { type: 'int32', shape: [rows, length], data: Int32Array.from(contrast.inputIds.flat()) },
    attentionBias: {
      type: 'float32',
      shape: [rows, 1, 1, length],
      data: Float32Array.from({ length: rows * length }, (_, at) =>
        at % length < (contrast.lengths[Math.floor(at / length)] ?? 0) ? 0 : -10_000,
      ),
    },
    ends: {
      type: 'int32',
      shape: [rows],
      data: Int32Array.from(contrast.lengths, (count, row) => row * length + count - 1),
    },
  });
  await session.close();
  expectClose(answers.similarities?.data, contrast.similarities, 'similarities');
  expectClose(answers.loss?.data, [contrast.loss], 'loss');
  for (const [name, { gradient = [] }] of Object.entries(contrast.weights)) {
    const ours = answers[`gradient of ${name}`]?.data;
    if (gradient.every((value) => Math.abs(value) < 1e-12)) {
      expect(name).toMatch(/k_proj\.bias$/);
      expect(Math.max(...Array.from(ours ?? [Number.NaN], Math.abs)), name).toBeLessThan(1e-5);
    } else expectClose(ours, gradient, name);
  }
});

const sizes = {
  18: { layer_type: 'basic', depths: [2, 2, 2, 2], hidden_sizes: [64, 128, 256, 512] },
  34: { layer_type: 'basic', depths: [3, 4, 6, 3], hidden_sizes: [64, 128, 256, 512] },
  50: { layer_type: 'bottleneck', depths: [3, 4, 6, 3], hidden_sizes: [256, 512, 1024, 2048] },
  101: { layer_type: 'bottleneck', depths: [3, 4, 23, 3], hidden_sizes: [256, 512, 1024, 2048] },
};
/** As torchvision counts them, for 1,000 classes. */
const published = { 18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160 };

for (const depth of [18, 34, 50, 101] as const) {
  test(`ResNet-${depth} has the published number of parameters`, () => {
    const model = createResnet({ model_type: 'resnet', ...sizes[depth] }, 'config.json');
    const specs = model.parameters({ kind: 'classification', labels: 1000 });
    const trained = [...specs.values()].filter(({ isBuffer }) => !isBuffer);
    const count = trained.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    expect(count).toBe(published[depth]);
  });
}

test('CLIP ViT-B/32 has the published number of parameters, both towers', () => {
  const specs = createClip({ model_type: 'clip' }, 'config.json').withTexts.parameters({ kind: 'contrast' });
  const count = [...specs.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  expect(count).toBe(151_277_313);
});
