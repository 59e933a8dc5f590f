// Pictures and their captions: read from a zip, both towers trained on the pairs, used and taken elsewhere afterwards.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectDataset } from '../engine/data/inspect.ts';
import { learnWordPiece } from '../engine/data/vocabulary.ts';
import { exportArtifact } from '../engine/export/artifact.ts';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createModel } from '../engine/models/families.ts';
import { writeJson } from '../engine/models/files.ts';
import { loadAnyBase } from '../engine/models/image-base.ts';
import { drawInitial } from '../engine/models/model.ts';
import { openSafetensors, readFloats, writeSafetensors } from '../engine/models/safetensors.ts';
import { createRandom } from '../engine/random.ts';
import type { RunEvent } from '../engine/runs/events.ts';
import { parseRunSpec } from '../engine/runs/parse-spec.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { train } from '../engine/tuning/train.ts';
import { writeZip } from './support/zip.ts';

let folder = '';
const at = (name: string) => join(folder, name);

const colours = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255], white: [255, 255, 255] } as const;
type Colour = keyof typeof colours;
const names = Object.keys(colours) as Colour[];
const captionOf = (top: Colour, bottom: Colour) => `${top} sky over ${bottom} land`;

/** One colour above another, a little disturbed. */
function drawPicture(top: Colour, bottom: Colour, seed: number): Promise<Buffer> {
  const random = createRandom(seed);
  const side = 24;
  const data = Buffer.alloc(side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const colour = colours[pixel < (side * side) / 2 ? top : bottom];
    colour.forEach((value, channel) => {
      data[pixel * 3 + channel] = Math.min(255, Math.max(0, value + random.below(80) - 40));
    });
  }
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

const all = names.flatMap((top) => names.map((bottom) => [top, bottom] as const));

/** Each of the sixteen captions with `each` pictures. */
async function zipPairs(each: number): Promise<Buffer> {
  const rows: string[] = [];
  const entries = all.flatMap(([top, bottom], which) =>
    Array.from({ length: each }, async (_, n) => {
      const name = `images/${top}-${bottom}-${n}.png`;
      rows.push(`${name},${captionOf(top, bottom)}`);
      return { name, data: await drawPicture(top, bottom, 100 * which + n) };
    }),
  );
  const pictures = await Promise.all(entries);
  return writeZip([{ name: 'captions.csv', data: Buffer.from(`image,caption\n${rows.join('\n')}\n`) }, ...pictures]);
}

async function writeToyClip(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const { tokenizer, config } = learnWordPiece(
    all.map(([top, bottom]) => captionOf(top, bottom)),
    { vocabularySize: 200 },
  );
  const size = { hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2 };
  const clip = {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: 16,
    text_config: { ...size, vocab_size: 200, max_position_embeddings: 24, model_type: 'clip_text_model' },
    vision_config: { ...size, image_size: 24, patch_size: 8, model_type: 'clip_vision_model' },
  };
  const model = createModel(clip, path);
  if (model.modality !== 'image' || !model.withTexts) throw new Error('CLIP has two towers');
  const random = createRandom(3);
  const weights = new Map<string, FloatTensor>();
  for (const [name, spec] of model.withTexts.parameters({ kind: 'contrast' })) {
    const { shape, data } = drawInitial(spec, random);
    const isDrawn = typeof spec.initial === 'object' && 'normal' in spec.initial;
    weights.set(name, { shape, data: isDrawn ? data.map((value) => value * 5) : data });
  }
  await writeSafetensors(join(path, 'model.safetensors'), weights);
  await writeJson(join(path, 'config.json'), clip);
  await writeJson(join(path, 'tokenizer.json'), tokenizer);
  await writeJson(join(path, 'tokenizer_config.json'), config);
  await writeJson(join(path, 'preprocessor_config.json'), {
    image_processor_type: 'CLIPFeatureExtractor',
    do_resize: true,
    size: { height: 24, width: 24 },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-image-text-'));
  await writeFile(at('pairs.zip'), await zipPairs(6));
  await writeToyClip(at('clip'));
  env.localModelPath = folder;
  env.allowRemoteModels = false;
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const specOf = (out: string, { method = 'full', hyper = {} }: { method?: string; hyper?: object } = {}) =>
  parseRunSpec({
    task: 'image-text',
    model: at('clip'),
    method,
    data: { train: at('pairs.zip'), eval: 0.25 },
    hyper: { batchSize: 16, epochs: 12, learningRate: 2e-3, ...hyper },
    out: at(out),
  });

async function run(spec: ReturnType<typeof specOf>, { stopAt = Number.POSITIVE_INFINITY, resume = false } = {}) {
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const options = { signal: stop.signal, resume, now: () => performance.now(), checkpointEverySteps: 3 };
  for await (const event of train(spec, options)) {
    events.push(event);
    if (event.type === 'eval' && event.step >= stopAt) stop.abort();
  }
  return events;
}

async function readWeights(path: string): Promise<Map<string, Float32Array>> {
  const file = await openSafetensors(at(path));
  const weights = new Map<string, Float32Array>();
  for (const name of file.tensors.keys()) weights.set(name, (await readFloats(file, name)).data);
  return weights;
}

const asUrl = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`;

test('a zip of pictures and captions is known by its table, and trains both towers far beyond chance', async () => {
  expect(await inspectDataset(at('pairs.zip'), 'pairs.zip')).toMatchObject({
    tasks: ['image-text'],
    textColumn: 'caption',
    labelColumn: 'image',
    rows: 96,
    warnings: [],
    samples: [{ text: 'red sky over red land' }, {}, {}, {}, {}],
  });
  const spec = specOf('trained');
  const events = await run(spec);
  const done = events.find((event) => event.type === 'done');
  const metrics = done?.metrics;
  if (metrics?.kind !== 'retrieval') throw new Error('no retrieval was measured');
  expect(metrics).toMatchObject({ examples: 24, images: 24 });
  expect(metrics.imageToText.chanceAt1).toBeLessThan(0.1);
  expect(metrics.imageToText.recallAt1).toBeGreaterThan(0.7);
  expect(metrics.textToImage.recallAt1).toBeGreaterThan(0.7);
  expect(metrics.loss).toBeLessThan(metrics.chanceLoss / 2);
  expect(done?.samples[0]).toMatchObject({ text: expect.stringMatching(/\.png$/), predicted: expect.any(String) });

  const before = await readWeights('clip/model.safetensors');
  const after = await readWeights('trained/model.safetensors');
  const still = [...before].filter(([name, data]) => data.every((value, i) => value === after.get(name)?.[i]));
  expect(still.map(([name]) => name)).toEqual([]);
  expect(JSON.parse(await readFile(at('trained/config.json'), 'utf8'))).toMatchObject({ architectures: ['CLIPModel'] });
  expect((await loadAnyBase(at('trained'))).model.modality).toBe('image-text');
  expect(await readFile(at('trained/README.md'), 'utf8')).toContain('the picture of a caption');

  const predictor = await loadPredictor(spec.out, { device: 'cpu' });
  const captions = all.map(([top, bottom]) => captionOf(top, bottom));
  const picture = asUrl(await drawPicture('green', 'white', 999));
  const others = [picture, asUrl(await drawPicture('blue', 'red', 998)), asUrl(await drawPicture('red', 'blue', 997))];
  const images = others.map((image, index) => ({ name: `${index}.png`, image }));
  const [fits, shows] = await predictor.predict([
    JSON.stringify({ image: picture, captions }),
    JSON.stringify({ caption: captionOf('red', 'blue'), images }),
  ]);
  expect(fits).toMatchObject({ kind: 'classification', label: captionOf('green', 'white') });
  expect(shows).toMatchObject({ kind: 'classification', label: '2.png' });
  if (fits?.kind !== 'classification') throw new Error('no scores');
  expect(Object.values(fits.scores).reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
  for (const wrong of ['a text', '{}', JSON.stringify({ image: '/etc/passwd', captions: ['a'] })]) {
    await expect(predictor.predict([wrong])).rejects.toThrow('That is nothing to compare');
  }
  await predictor.close();
});

test('on the command line a picture chooses a caption, and a caption a picture', async () => {
  await writeFile(at('a.png'), await drawPicture('red', 'white', 31));
  await writeFile(at('b.png'), await drawPicture('blue', 'green', 32));
  const predict = (...args: string[]) =>
    new Promise<string>((resolve) => {
      const env = { PATH: process.env.PATH, DATA_DIR: at('data'), LOG_LEVEL: 'warn' };
      execFile(process.execPath, ['bin/finetutor.js', 'predict', at('trained'), ...args], { env }, (_, out, err) =>
        resolve(out + err),
      );
    });
  const [chosen, found, refused] = await Promise.all([
    predict('--image', at('a.png'), '--caption', captionOf('red', 'white'), '--caption', captionOf('white', 'red')),
    predict('--caption', captionOf('blue', 'green'), '--image', at('a.png'), '--image', at('b.png'), '--json'),
    predict('--image', at('a.png')),
  ]);
  expect(chosen.split('\n')[0]).toBe(captionOf('red', 'white'));
  expect(JSON.parse(found)).toMatchObject({ label: at('b.png') });
  expect(refused).toContain('This model compares pictures with captions; 1 and 0 were given.');
});

test('the trained model goes to Transformers.js, where it tells the same of pictures', async () => {
  const options = { format: 'transformers.js', dtypes: ['fp32', 'q8'] } as const;
  const [exact, rounded] = await exportArtifact(at('trained'), at('web'), options);
  expect(exact?.parity.relativeDifference).toBeLessThan(1e-4);
  expect(rounded?.parity.relativeDifference).toBeLessThan(0.15);
  const picture = await drawPicture('white', 'blue', 500);
  await writeFile(at('picture.png'), picture);
  const captions = [captionOf('white', 'blue'), captionOf('blue', 'white'), captionOf('red', 'red')];
  const classify = await pipeline('zero-shot-image-classification', 'web', { dtype: 'fp32' });
  const theirs = [await classify(at('picture.png'), captions, { hypothesis_template: '{}' })].flat();
  await classify.dispose();
  const predictor = await loadPredictor(at('trained'), { device: 'cpu' });
  const [ours] = await predictor.predict([JSON.stringify({ image: asUrl(picture), captions })]);
  await predictor.close();
  if (ours?.kind !== 'classification') throw new Error('no scores');
  expect(theirs).toHaveLength(3);
  for (const { label, score } of theirs) expect(ours.scores[label]).toBeCloseTo(score, 4);

  await exportArtifact(at('trained'), at('elsewhere'), { format: 'huggingface', dtypes: [] });
  expect([...(await readWeights('elsewhere/model.safetensors')).keys()].sort()).toEqual(
    [...(await readWeights('clip/model.safetensors')).keys()].sort(),
  );
});

test('adapters learn in both towers; stopped and gone on with, the run ends at the very same numbers', async () => {
  const hyper = { epochs: 4, learningRate: 1e-2, evalEverySteps: 4 };
  const whole = specOf('adapters', { method: 'lora', hyper });
  const events = await run(whole);
  const evaluations = events.flatMap((event) => (event.type === 'eval' ? [event.metrics.loss] : []));
  expect(evaluations.at(-1)).toBeLessThan((evaluations[0] ?? 0) * 0.98);
  const parts = specOf('parts', { method: 'lora', hyper });
  expect((await run(parts, { stopAt: 8 })).at(-1)?.type).toBe('stopped');
  await run(parts, { resume: true });
  const adapters = await readWeights('adapters/adapter_model.safetensors');
  expect(await readWeights('parts/adapter_model.safetensors')).toEqual(adapters);
  const towers = new Set([...adapters.keys()].map((name) => /model\.model\.(\w+)\./.exec(name)?.[1]));
  expect(towers).toEqual(new Set(['text_model', 'vision_model']));

  // Without our own record, as an adapter made elsewhere.
  await rm(at('adapters/finetutor.json'));
  const predictor = await loadPredictor(at('adapters'), { device: 'cpu' });
  expect(predictor.task).toBe('image-text');
  const image = asUrl(await drawPicture('red', 'red', 1));
  expect(await predictor.predict([JSON.stringify({ image, captions: ['red sky'] })])).toMatchObject([
    { label: 'red sky', scores: { 'red sky': 1 } },
  ]);
  await predictor.close();
});

test('a table beside class folders that says nothing of pictures leaves them class folders', async () => {
  const entries = ['red', 'blue'].flatMap((colour) =>
    Array.from({ length: 6 }, async (_, n) => ({
      name: `pictures/${colour}/${n}.png`,
      data: await drawPicture(colour === 'red' ? 'red' : 'blue', 'white', n + 40),
    })),
  );
  const pictures = await Promise.all(entries);
  const table = { name: 'sample_submission.csv', data: Buffer.from('id,label\n1,red\n2,blue\n') };
  await writeFile(at('classes.zip'), writeZip([table, ...pictures]));
  expect((await inspectDataset(at('classes.zip'), 'classes.zip')).tasks).toEqual(['image-classification']);
});

test('what cannot be trained on is refused with what is wrong', async () => {
  const picture = await drawPicture('red', 'blue', 1);
  const zip = async (name: string, entries: Parameters<typeof writeZip>[0]) => {
    await writeFile(at(name), writeZip(entries));
    return inspectDataset(at(name), name, { task: 'image-text' });
  };
  const one = { name: 'a.png', data: picture };
  const table = (name: string, text: string) => ({ name, data: Buffer.from(text) });
  await expect(zip('bare.zip', [one])).rejects.toThrow('“bare.zip” holds 1 pictures and no table of captions');
  await expect(zip('two.zip', [one, table('a.csv', 'x'), table('b.csv', 'x')])).rejects.toThrow('holds 2 tables');
  await expect(zip('odd.zip', [one, table('a.csv', 'x,y\n1,2\n')])).rejects.toThrow(
    'It is not clear which column of “a.csv” holds the names of the pictures: “x”, “y”',
  );
  await expect(zip('gone.zip', [one, table('a.csv', 'image,caption\n../../b.png,none\n')])).rejects.toThrow(
    'Line 2: there is no picture “../../b.png”',
  );
  await expect(zip('few.zip', [one, table('metadata.jsonl', '{"file_name":"a.png","text":"a"}')])).rejects.toThrow(
    '1 captions of 1 different pictures; training needs at least 10 captions of 4 pictures',
  );
  expect(() => specOf('small', { hyper: { batchSize: 1 } })).toThrow('batchSize is 1: it must be at least 2');
  expect(() => specOf('small', { method: 'head' })).toThrow('method is "head": it must be one of full, lora');
  const vit = { model_type: 'vit', hidden_size: 16, num_attention_heads: 2, image_size: 24, patch_size: 8 };
  const model = createModel(vit, 'vit');
  await mkdir(at('vit'));
  await writeJson(at('vit/config.json'), vit);
  await writeSafetensors(
    at('vit/model.safetensors'),
    new Map([...model.parameters({ kind: 'embedding' })].map(([name, { shape }]) => [name, zeros(shape)])),
  );
  await expect(run({ ...specOf('vit-out'), model: at('vit') })).rejects.toThrow(
    'is a vit, which does not read pictures and texts together',
  );
});

const zeros = (shape: readonly number[]): FloatTensor => ({
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});
