// Weights in four bits: how far they move, that training on them is training on exactly those numbers, and the file they lie in.
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { openWeights } from '../engine/models/base.ts';
import { createModel } from '../engine/models/families.ts';
import { dequantizeFourBit, four_bit_block_size, quantizeFourBit } from '../engine/models/four-bit.ts';
import { openFourBit } from '../engine/models/four-bit-cache.ts';
import { drawInitial, type Head } from '../engine/models/model.ts';
import { createRandom } from '../engine/random.ts';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { classObjective, tokenObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { type Parameters, prepareParameters } from '../engine/tuning/parameters.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import type { TaskBatch } from '../engine/tuning/tasks/task.ts';
import { train } from '../engine/tuning/train.ts';
import { safetensorsBytes } from './support/tiny-model.ts';
import { writeToyDataset } from './support/toy-dataset.ts';

const home = await mkdtemp(join(tmpdir(), 'finetutor-four-bit-'));
afterAll(() => rm(home, { recursive: true }));

test('a block keeps its extreme exactly and moves every other number by at most a step', () => {
  const random = createRandom(1);
  const data = Float32Array.from({ length: 64 * four_bit_block_size }, () => random.normal());
  const kept = quantizeFourBit(data);
  expect(kept.packed.length).toBe(data.length / 2);
  const back = dequantizeFourBit(kept);
  kept.steps.forEach((step, block) => {
    const from = block * four_bit_block_size;
    const own = data.subarray(from, from + four_bit_block_size);
    const extreme = own.reduce((far, value) => (Math.abs(value) > Math.abs(far) ? value : far), 0);
    expect(Math.abs(step)).toBeCloseTo(Math.abs(extreme) / 8, 6);
    own.forEach((value, at) => {
      const moved = Math.abs((back[from + at] ?? 0) - value);
      expect(moved).toBeLessThanOrEqual(Math.abs(step) * 1.0001);
      // Within reach of the sixteen levels, half a step.
      if (value / step < 7) expect(moved).toBeLessThanOrEqual(Math.abs(step) * 0.5001);
    });
    expect(Array.from(back.subarray(from, from + four_bit_block_size))).toContain(
      Math.fround(Math.fround(extreme / -8) * -8),
    );
  });
  expect(dequantizeFourBit(quantizeFourBit(new Float32Array(32)))).toEqual(new Float32Array(32));
  expect(() => quantizeFourBit(new Float32Array(32).fill(Number.NaN))).toThrow('not finite');
});

const configs = {
  bert: {
    model_type: 'bert',
    vocab_size: 100,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 96,
    max_position_embeddings: 32,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  },
  gpt2: {
    model_type: 'gpt2',
    vocab_size: 100,
    n_positions: 32,
    n_embd: 64,
    n_layer: 2,
    n_head: 4,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
  },
  llama: {
    model_type: 'llama',
    vocab_size: 100,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 96,
    max_position_embeddings: 32,
  },
} as const;
const heads: { readonly [Family in keyof typeof configs]: Head } = {
  bert: { kind: 'classification', labels: 2 },
  gpt2: { kind: 'causal-lm' },
  llama: { kind: 'causal-lm' },
};

function batchFor(head: Head): TaskBatch {
  const random = createRandom(3);
  const rows = 2;
  const length = 9;
  const ids = Int32Array.from({ length: rows * length }, () => random.below(100));
  const inputs = {
    inputIds: { type: 'int32', shape: [rows, length], data: ids },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: new Float32Array(rows * length) },
  } as const;
  if (head.kind === 'classification') {
    const targets = { type: 'float32', shape: [rows, 2], data: Float32Array.of(1, 0, 0, 1) } as const;
    return { inputs, targets: { targets }, weight: rows };
  }
  const shape = [rows * length, 1];
  return {
    inputs,
    targets: {
      targetIds: { type: 'int32', shape, data: Int32Array.from(ids, (_, at) => ids[at + 1] ?? 0) },
      targetWeights: { type: 'float32', shape, data: new Float32Array(ids.length).fill(1) },
    },
    weight: ids.length,
  };
}

for (const family of ['bert', 'gpt2', 'llama'] as const) {
  test(`${family}: loss and gradients of LoRA on four bits are those on the very numbers that the four bits stand for`, async () => {
    const folder = join(home, family);
    const model = createModel(configs[family], family);
    const head = heads[family];
    const random = createRandom(5);
    const drawn = new Map(Array.from(model.parameters(head), ([name, spec]) => [name, drawInitial(spec, random)]));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'model.safetensors'), safetensorsBytes(drawn));
    const base = { source: folder, fresh: false, model, weights: await openWeights(folder, model) };
    const cache = join(folder, 'cache');
    const quantized = await openFourBit(base, cache);
    expect(quantized.fourBit.size).toBeGreaterThanOrEqual(8);

    const hyper = { seed: 1, loraRank: 4, loraAlpha: 8 };
    const parameters = await prepareParameters(quantized, head, { method: 'lora', hyper });
    // B starts at zero, where A has no gradient.
    for (const [name, { data }] of parameters.trainable) {
      if (name.includes('lora_B')) data.set(Float32Array.from(data, (_, at) => Math.sin(at) / 10));
    }
    const unpacked = unpack(parameters, drawn, model.loraTargets);
    const objective = head.kind === 'classification' ? classObjective : tokenObjective(0);
    const results = [];
    for (const one of [parameters, unpacked]) {
      const network = createNetwork(one, objective, { device: 'cpu' });
      results.push(await network.computeGradients(batchFor(head), undefined));
      await network.close();
    }
    const [four, plain] = results;
    if (!four || !plain) throw new Error('no results');
    expect(Math.abs(four.loss - plain.loss) / plain.loss).toBeLessThan(1e-5);
    for (const [name, gradient] of plain.gradients) {
      const scale = Math.max(...gradient.map(Math.abs));
      const other = four.gradients.get(name);
      gradient.forEach((value, at) => {
        expect(Math.abs(value - (other?.[at] ?? Number.NaN)) / scale).toBeLessThan(1e-4);
      });
    }

    // The second time nothing is made again.
    const [file = ''] = await readdir(cache);
    const { mtimeMs } = await stat(join(cache, file));
    await openFourBit(base, cache);
    expect(await readdir(cache)).toEqual([file]);
    expect((await stat(join(cache, file))).mtimeMs).toBe(mtimeMs);
  });
}

/** The same parameters with each four-bit matrix as the float32 numbers it stands for. */
function unpack(
  parameters: Parameters,
  drawn: ReadonlyMap<string, FloatTensor>,
  targets: readonly { readonly name: string; readonly layout: string }[],
): Parameters {
  const turned = targets.some(({ layout }) => layout === 'in-out');
  const frozen = new Map(parameters.frozen);
  for (const [name, weight] of parameters.frozen) {
    const original = drawn.get(name);
    if (!('fourBit' in weight) || !original) continue;
    const [first = 0, second = 0] = original.shape;
    const rows = turned ? transpose(original.data, first, second) : original.data;
    const back = dequantizeFourBit(quantizeFourBit(rows));
    frozen.set(name, { shape: original.shape, data: turned ? transpose(back, second, first) : back });
  }
  return { ...parameters, frozen };
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(data, (_, at) => data[(at % rows) * columns + Math.floor(at / rows)] ?? 0);
}

describe('a run with the method qlora', () => {
  test('trains, and its adapter answers on the base it was made for', async () => {
    const data = join(home, 'toy.csv');
    await writeToyDataset(data, 80);
    const spec = runSpecSchema.parse({
      task: 'text-classification',
      method: 'qlora',
      data: { train: data, eval: 0.2 },
      hyper: { epochs: 1, batchSize: 16, maxLength: 24 },
      out: join(home, 'run'),
    });
    const options = { signal: new AbortController().signal, resume: false, now: () => 0 };
    const seen: string[] = [];
    for await (const event of train(spec, options)) seen.push(event.type);
    expect(seen.at(-1)).toBe('done');
    expect(await readdir(join(home, 'run', 'four-bit'))).toHaveLength(1);
    const predictor = await loadPredictor(spec.out, { device: 'cpu' });
    expect(await predictor.predict(['a lovely film'])).toHaveLength(1);
    await predictor.close();
  });
});
