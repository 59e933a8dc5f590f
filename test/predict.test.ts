// Answers of finished models, by task: texts that are written, pictures that are seen, and what is refused at the door.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yauzl from 'yauzl';
import { createExports } from '../engine/runs/exports.ts';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { createTrainerStarter } from '../engine/runs/trainer-process.ts';
import { writingSchema } from '../engine/runs/writing.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { train } from '../engine/tuning/train.ts';
import { startHubServer } from './support/hub-server.ts';
import { drawToyPicture, writeToyDecoder, writeToyResNet, zipToyPictures } from './support/toy-models.ts';

let home = '';
const at = (name: string) => join(home, name);
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'finetutor-predict-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function cli(args: readonly string[], { input = '', more = {} }: { input?: string; more?: NodeJS.ProcessEnv } = {}) {
  return new Promise<Ended>((resolve) => {
    const env = { PATH: process.env.PATH, DATA_DIR: at('data'), LOG_LEVEL: 'warn', ...more };
    const child = execFile(process.execPath, ['bin/finetutor.js', ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line): { readonly [key: string]: unknown } => JSON.parse(line));

async function write(folder: string, writing: object = {}): Promise<string> {
  const predictor = await loadPredictor(folder, { device: 'cpu' });
  const [answer] = await predictor.predict(['what is'], writingSchema.parse({ maxTokens: 12, ...writing }));
  await predictor.close();
  if (answer?.kind !== 'continuation') throw new Error('no text');
  return answer.text;
}

async function trainOn(spec: object): Promise<void> {
  for await (const _ of train(runSpecSchema.parse(spec), {
    signal: AbortSignal.any([]),
    resume: false,
    now: Date.now,
  }));
}

describe('a model that writes', () => {
  it('writes as many tokens as asked, and the same text for the same seed', async () => {
    const folder = at('gpt2');
    await writeToyDecoder(folder);
    const greedy = await write(folder);
    expect(greedy).not.toBe('');
    expect(await write(folder)).toBe(greedy);
    expect(greedy.startsWith(await write(folder, { maxTokens: 3 }))).toBe(true);
    const drawn = await Promise.all([1, 1, 2, 3].map((seed) => write(folder, { temperature: 1.5, seed })));
    expect(drawn[0]).toBe(drawn[1]);
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });

  it('stops at every token that its files name as an end: one, or several', async () => {
    const all = Array.from({ length: 400 }, (_, id) => id);
    const one = at('one-end');
    await writeToyDecoder(one);
    expect(await write(one)).not.toBe('');
    await writeFile(join(one, 'generation_config.json'), JSON.stringify({ eos_token_id: all }));
    expect(await write(one)).toBe('');
    // Whichever it writes first: one of the numbers alone ends it.
    const firsts = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const folder = at(`end-${n}`);
        await writeToyDecoder(folder, { more: { eos_token_id: all.filter((id) => id % 3 === n - 1) } });
        return write(folder, { maxTokens: 1 });
      }),
    );
    expect(firsts.filter((text) => text === '')).toHaveLength(1);
  });

  it('is not trained when its files lack what scores the next word', async () => {
    await writeToyDecoder(at('headless'), { family: 'llama', head: 'embedding' });
    await writeFile(at('texts.txt'), Array.from({ length: 20 }, (_, n) => `a model that learns ${n}`).join('\n\n'));
    const spec = { task: 'causal-lm', data: { train: at('texts.txt') }, hyper: { epochs: 1 } };
    await expect(trainOn({ ...spec, model: at('headless'), out: at('never') })).rejects.toThrow(
      /has no tensor lm_head\.weight/,
    );
    await writeToyDecoder(at('whole'), { family: 'llama' });
    await trainOn({ ...spec, model: at('whole'), out: at('trained') });
    expect(typeof (await write(at('trained')))).toBe('string');
  });
});

describe('finetutor train and predict', () => {
  it('train fetches a model of the hub, as the settings say where; predict writes', async () => {
    await writeToyDecoder(at('served'), { more: { eos_token_id: 1 } });
    await writeFile(
      at('chat.jsonl'),
      Array.from({ length: 20 }, (_, n) => JSON.stringify({ prompt: `what is ${n}`, response: 'overfitting' })).join(
        '\n',
      ),
    );
    const server = await startHubServer({ id: 'toys/gpt2', folder: at('served') });
    const spec = {
      task: 'causal-lm',
      model: 'toys/gpt2',
      data: { train: at('chat.jsonl') },
      hyper: { epochs: 1 },
      out: at('chatty'),
    };
    await writeFile(at('spec.json'), JSON.stringify(spec));
    const offline = await cli(['train', at('spec.json')], { more: { HF_ENDPOINT: server.url, HF_HUB_OFFLINE: '1' } });
    expect(offline).toMatchObject({ code: 1, out: expect.stringContaining('HF_HUB_OFFLINE') });
    const trained = await cli(['train', at('spec.json')], { more: { HF_ENDPOINT: server.url } });
    await server.close();
    expect(trained).toMatchObject({ code: 0, out: expect.stringContaining('perplexity') });
    const said = await cli(['predict', at('chatty'), 'what is 3', '--json', '--max-tokens', '5'], {
      more: { HF_HUB_OFFLINE: '1' },
    });
    expect(said).toMatchObject({ code: 0 });
    expect(JSON.parse(said.out)).toEqual({ kind: 'continuation', text: expect.any(String) });
    const refused = await cli(['predict', at('chatty'), 'what', '--temperature', 'hot', '--top-p', '2']);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("temperature can't be hot: it must be a number");
    expect(refused.err).toContain("top p can't be 2: it must be at most 1");
  });

  it('predict sees pictures, one or many, and says what is wrong with an input of another kind', async () => {
    await writeToyResNet(at('resnet'));
    await writeFile(at('toys.zip'), await zipToyPictures(12));
    await trainOn({
      task: 'image-classification',
      model: at('resnet'),
      data: { train: at('toys.zip') },
      out: at('sees'),
    });
    await writeFile(at('a.png'), await drawToyPicture('red', 77));
    await writeFile(at('b.png'), 'no picture');
    const one = await cli(['predict', at('sees'), '--image', at('a.png')]);
    expect(one).toMatchObject({ code: 0, out: expect.stringMatching(/^red\n/) });
    const input = [
      { id: 'x', image: at('a.png') },
      { id: 'y', text: 'red' },
      { id: 'z', image: at('b.png') },
      { id: 'q', image: at('none.png') },
    ];
    const many = await cli(['predict', at('sees'), '--jsonl'], {
      input: input.map((line) => JSON.stringify(line)).join('\n'),
    });
    expect(many.code).toBe(1);
    expect(lines(many.out)).toEqual([
      expect.objectContaining({ id: 'x', label: 'red' }),
      { id: 'y', error: expect.stringContaining('needs "image"') },
      { id: 'z', error: expect.stringContaining('picture') },
      { id: 'q', error: expect.stringContaining('There is no picture') },
    ]);
    const words = await cli(['predict', at('sees'), 'red']);
    expect(words).toMatchObject({ code: 1, err: expect.stringContaining('it reads pictures') });
    const both = await cli(['predict', at('sees'), 'red', '--image', at('a.png')]);
    expect(both).toMatchObject({ code: 1, err: expect.stringContaining('It takes one of') });
  });
});

it('an export is one zip that Transformers.js reads, written whole by a process of its own', async () => {
  await writeToyResNet(at('base'));
  await writeFile(at('more.zip'), await zipToyPictures(8));
  await trainOn({ task: 'image-classification', model: at('base'), data: { train: at('more.zip') }, out: at('made') });
  const exports = createExports(createTrainerStarter());
  expect(await exports.find('run-1', at('made'))).toBeUndefined();
  // Asked for twice at once, it is written once.
  const [made, again] = await Promise.all([exports.make('run-1', at('made')), exports.make('run-1', at('made'))]);
  expect(again).toEqual(made);
  expect(await exports.find('run-1', at('made'))).toEqual(made);
  await exports.close();
  expect(made.parts.map(({ name }) => name)).toEqual(['model.onnx', 'model_quantized.onnx']);
  expect(made.parts[0]?.relativeDifference).toBeLessThan(1e-3);
  const names = await new Promise<string[]>((resolve, reject) => {
    yauzl.open(made.path, (error, zip) => {
      if (error) return reject(error);
      const found: string[] = [];
      zip.on('entry', ({ fileName }: yauzl.Entry) => found.push(fileName));
      zip.on('end', () => resolve(found.sort()));
    });
  });
  expect(names).toEqual(['config.json', 'onnx/model.onnx', 'onnx/model_quantized.onnx', 'preprocessor_config.json']);
});
