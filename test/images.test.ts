// Pictures to the numbers a model reads: pixels as Pillow's, and MobileNetV2's features as an independent forward gave them.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodePicture } from '../engine/data/images/decode.ts';
import { createPreprocessor } from '../engine/data/images/preprocess.ts';
import { cropCentre, resizePixels } from '../engine/data/images/resize.ts';
import { createGraph } from '../engine/graph/graph.ts';
import { createSession } from '../engine/graph/session.ts';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { readJsonObject } from '../engine/models/files.ts';
import { createLayers } from '../engine/models/layers.ts';
import { createMobilenetV2 } from '../engine/models/mobilenet-v2.ts';
import { openSafetensors, readFloats } from '../engine/models/safetensors.ts';

const data = '../shared/data';
const folder = join(data, 'mobilenet-v2-0.35-224');
const features = z.object({ pooled_first32: z.array(z.number()), pooled_sum_1280: z.number(), pooled_l2: z.number() });
const oracleSchema = z.object({
  images: z.array(features.extend({ file: z.string(), pixels_sha256: z.string() })),
  synthetic: features.extend({ pixels_sha256: z.string() }),
  probe: z.object({
    train_files: z.array(z.string()),
    test_files: z.array(z.string()),
    ridge: z.object({ test_correct_of_200: z.number(), first10_test_scores: z.array(z.number()) }),
  }),
});
const available = existsSync(join(folder, 'oracle.json')) && existsSync(join(data, 'cats_dogs'));
const withData = (title: string, run: () => Promise<void>) =>
  available ? test(title, run, 60_000) : test.skip(`${title} (skipped: ${folder} is not there)`, () => {});
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function openMobilenet(rows: number) {
  const oracle = oracleSchema.parse(JSON.parse(await readFile(join(folder, 'oracle.json'), 'utf8')));
  const preprocessor = createPreprocessor(
    await readJsonObject(join(folder, 'preprocessor_config.json')),
    'preprocessor',
  );
  const model = createMobilenetV2(await readJsonObject(join(folder, 'config.json')), 'config.json');
  const file = await openSafetensors(join(folder, 'model.safetensors'));
  const weights = new Map<string, FloatTensor>();
  for (const name of model.parameters({ kind: 'embedding' }).keys()) weights.set(name, await readFloats(file, name));
  const g = createGraph();
  const weight = (name: string) => {
    const tensor = weights.get(name);
    if (!tensor) throw new Error(`no ${name}`);
    return g.constant({ type: 'float32', ...tensor });
  };
  const shape = [rows, 3, 224, 224];
  const pixelValues = g.input('pixelValues', 'float32', shape);
  g.output('features', model.buildFeatures(createLayers(g, { weight }), { pixelValues }));
  const session = await createSession(g.graph, { device: 'cpu' });
  return {
    oracle,
    preprocessor,
    stored: file.tensors.size,
    used: weights.size,
    fit: async (name: string) => {
      const path = join(data, 'cats_dogs', name);
      return preprocessor.fit(await decodePicture(await readFile(path), path));
    },
    run: async (pixels: Float32Array) => {
      const answer = await session.run({ pixelValues: { type: 'float32', shape, data: pixels } });
      return Float32Array.from(answer.features?.data ?? []);
    },
    close: session.close,
  };
}

/** Largest difference relative to the largest true value. */
function expectFeatures(ours: Float32Array, truth: z.output<typeof features>): void {
  const scale = Math.max(...truth.pooled_first32);
  truth.pooled_first32.forEach((value, at) => {
    expect(Math.abs((ours[at] ?? Number.NaN) - value) / scale).toBeLessThan(1e-4);
  });
  expect(ours.length).toBe(1280);
  expect(Math.abs(ours.reduce((sum, value) => sum + value, 0) / truth.pooled_sum_1280 - 1)).toBeLessThan(1e-4);
  expect(Math.abs(Math.hypot(...ours) / truth.pooled_l2 - 1)).toBeLessThan(1e-4);
}

withData('MobileNetV2 gives the pooled features of the oracle, from pixels equal to Pillow’s', async () => {
  const mobilenet = await openMobilenet(1);
  expect(mobilenet.used).toBe(mobilenet.stored);
  const pixels = new Float32Array(3 * 224 * 224);
  const drawn = Uint8Array.from({ length: 224 * 224 * 3 }, (_, at) => {
    const place = Math.floor(at / 3);
    return (7 * (place % 224) + 13 * Math.floor(place / 224) + 29 * (at % 3)) % 256;
  });
  expect(sha256(drawn)).toBe(mobilenet.oracle.synthetic.pixels_sha256);
  mobilenet.preprocessor.normalize({ width: 224, height: 224, channels: 3, data: drawn }, pixels, 0);
  expectFeatures(await mobilenet.run(pixels), mobilenet.oracle.synthetic);
  for (const image of mobilenet.oracle.images) {
    const fitted = await mobilenet.fit(image.file);
    expect(sha256(fitted.data), image.file).toBe(image.pixels_sha256);
    mobilenet.preprocessor.normalize(fitted, pixels, 0);
    expectFeatures(await mobilenet.run(pixels), image);
  }
  await mobilenet.close();
});

/** w = (AᵀA + 100·I)⁻¹·Aᵀt, found by conjugate gradients; A [rows, columns]. */
function solveRidge(a: Float64Array, targets: readonly number[], columns: number): Float64Array {
  const rows = targets.length;
  const multiply = (w: Float64Array) => {
    const product = w.map((value) => 100 * value);
    for (let row = 0; row < rows; row++) {
      const line = a.subarray(row * columns, (row + 1) * columns);
      const score = line.reduce((sum, value, at) => sum + value * (w[at] ?? 0), 0);
      line.forEach((value, at) => {
        product[at] = (product[at] ?? 0) + score * value;
      });
    }
    return product;
  };
  const w = new Float64Array(columns);
  const rest = new Float64Array(columns);
  targets.forEach((target, row) => {
    for (let at = 0; at < columns; at++) rest[at] = (rest[at] ?? 0) + target * (a[row * columns + at] ?? 0);
  });
  let direction = rest.slice();
  let norm = rest.reduce((sum, value) => sum + value * value, 0);
  for (let step = 0; step < 400 && norm > 1e-18; step++) {
    const moved = multiply(direction);
    const factor = norm / moved.reduce((sum, value, at) => sum + value * (direction[at] ?? 0), 0);
    for (let at = 0; at < columns; at++) {
      w[at] = (w[at] ?? 0) + factor * (direction[at] ?? 0);
      rest[at] = (rest[at] ?? 0) - factor * (moved[at] ?? 0);
    }
    const next = rest.reduce((sum, value) => sum + value * value, 0);
    direction = direction.map((value, at) => (rest[at] ?? 0) + (next / norm) * value);
    norm = next;
  }
  return w;
}

withData('a linear probe on its features tells 200 unseen cats and dogs apart as well as the oracle’s', async () => {
  const rows = 20;
  const mobilenet = await openMobilenet(rows);
  const { probe } = mobilenet.oracle;
  const files = [...probe.train_files, ...probe.test_files];
  const all = new Float64Array(files.length * 1280);
  const size = 3 * 224 * 224;
  for (let start = 0; start < files.length; start += rows) {
    const pixels = new Float32Array(rows * size);
    const fitted = await Promise.all(files.slice(start, start + rows).map(mobilenet.fit));
    fitted.forEach((picture, at) => {
      mobilenet.preprocessor.normalize(picture, pixels, at * size);
    });
    all.set(await mobilenet.run(pixels), start * 1280);
  }
  await mobilenet.close();
  const train = probe.train_files.length;
  for (let column = 0; column < 1280; column++) {
    const values = Array.from({ length: files.length }, (_, row) => all[row * 1280 + column] ?? 0);
    const mean = values.slice(0, train).reduce((sum, value) => sum + value, 0) / train;
    const deviation = Math.sqrt(values.slice(0, train).reduce((sum, value) => sum + (value - mean) ** 2, 0) / train);
    values.forEach((value, row) => {
      all[row * 1280 + column] = (value - mean) / (deviation + 1e-6);
    });
  }
  const isDog = (file: string) => (file.includes('/dogs/') ? 1 : -1);
  const w = solveRidge(all.subarray(0, train * 1280), probe.train_files.map(isDog), 1280);
  const scores = probe.test_files.map((_, row) =>
    w.reduce((sum, value, at) => sum + value * (all[(train + row) * 1280 + at] ?? 0), 0),
  );
  probe.ridge.first10_test_scores.forEach((score, at) => {
    expect(scores[at]).toBeCloseTo(score, 3);
  });
  const correct = probe.test_files.filter((file, at) => isDog(file) * (scores[at] ?? 0) > 0).length;
  expect(correct).toBe(probe.ridge.test_correct_of_200);
});

test('the picture is read as RGB: grey is spread, transparency dropped, and a camera’s turn undone', async () => {
  const grey = await sharp(Buffer.from([10, 200]), { raw: { width: 2, height: 1, channels: 1 } })
    .png()
    .toBuffer();
  expect(Array.from((await decodePicture(grey, 'grey.png')).data)).toEqual([10, 10, 10, 200, 200, 200]);
  const clear = await sharp(Buffer.from([1, 2, 3, 0]), { raw: { width: 1, height: 1, channels: 4 } })
    .png()
    .toBuffer();
  expect(Array.from((await decodePicture(clear, 'clear.png')).data)).toEqual([1, 2, 3]);
  const wide = sharp(Buffer.alloc(8 * 4 * 3, 90), { raw: { width: 8, height: 4, channels: 3 } });
  const turned = await wide.jpeg().withMetadata({ orientation: 6 }).toBuffer();
  expect(await decodePicture(turned, 'turned.jpg')).toMatchObject({ width: 4, height: 8, channels: 3 });
});

test('what is no whole picture is refused by name', async () => {
  const picture = sharp(Buffer.alloc(64 * 64 * 3, 9), { raw: { width: 64, height: 64, channels: 3 } });
  const whole = await picture.png().toBuffer();
  await expect(decodePicture(whole.subarray(0, 90), 'cut.png')).rejects.toThrow('cut.png is not a picture');
  await expect(decodePicture(Buffer.from('no picture'), 'text.jpg')).rejects.toThrow('text.jpg is not a picture');
});

test('a crop larger than the picture surrounds it with black; a picture of the right size stays itself', () => {
  const small = { width: 1, height: 1, channels: 3, data: Uint8Array.of(7, 8, 9) };
  expect(Array.from(cropCentre(small, 3, 1).data)).toEqual([0, 0, 0, 7, 8, 9, 0, 0, 0]);
  expect(resizePixels(small, 1, 1, 'bicubic').data).toBe(small.data);
  expect(Array.from(resizePixels(small, 2, 2, 'lanczos').data)).toEqual([7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9]);
});

test('sizes follow transformers: one number, a shorter side, a rectangle, crop_pct', () => {
  const picture = { width: 40, height: 20, channels: 3, data: new Uint8Array(40 * 20 * 3).fill(128) };
  const sizeOf = (config: { readonly [key: string]: unknown }) => {
    const { width, height } = createPreprocessor(config, 'p.json').fit(picture);
    return [width, height];
  };
  expect(sizeOf({ size: 8 })).toEqual([8, 8]);
  expect(sizeOf({ size: { height: 4, width: 6 } })).toEqual([6, 4]);
  expect(sizeOf({ size: { shortest_edge: 10 }, do_center_crop: true, crop_size: 8 })).toEqual([8, 8]);
  expect(sizeOf({ size: 12, crop_pct: 0.875, resample: 3 })).toEqual([12, 12]);
  expect(() => sizeOf({ size: { shortest_edge: 10 } })).toThrow('p.json: without a crop');
  expect(() => sizeOf({ resample: 0 })).toThrow('p.json: resample 0 is not supported');
});
