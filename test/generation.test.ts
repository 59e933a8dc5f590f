// Writing token by token: with kept keys and values as without, the same text for the same seed, and the published draws.
import { describe, expect, test } from 'vitest';
import { createGraph } from '../engine/graph/graph.ts';
import { createSession } from '../engine/graph/session.ts';
import type { Tensor } from '../engine/graph/tensor.ts';
import { createLayers } from '../engine/models/layers.ts';
import type { TextModel } from '../engine/models/model.ts';
import { createRandom } from '../engine/random.ts';
import { generate } from '../engine/tuning/generate.ts';
import { tokenObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { chooseToken } from '../engine/tuning/sampling.ts';
import { createWriter, type Writer, type Writing } from '../engine/tuning/writer.ts';
import { modelOf, relativeError, seededWeights } from './support/oracle.ts';

const llama = {
  vocab_size: 40,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 90,
  rope_theta: 100,
};
const configs: { readonly [name: string]: { readonly [key: string]: unknown } } = {
  gpt2: { model_type: 'gpt2', vocab_size: 40, n_positions: 90, n_embd: 16, n_layer: 2, n_head: 2 },
  llama: { ...llama, model_type: 'llama' },
  'mistral, which sees six places': { ...llama, model_type: 'mistral', sliding_window: 6 },
  'qwen2 with a window in its second layer': {
    ...llama,
    model_type: 'qwen2',
    use_sliding_window: true,
    sliding_window: 6,
    max_window_layers: 1,
  },
  qwen3: { ...llama, model_type: 'qwen3', head_dim: 6, tie_word_embeddings: true },
};
const head = { kind: 'causal-lm' } as const;

function parametersOf(model: TextModel) {
  const trainable = seededWeights(model, head);
  return { model, head, lora: undefined, trainable, frozen: new Map(), modulesToSave: [], count: 0 };
}

async function collect(writer: Writer, prompt: readonly number[], writing: Partial<Writing> = {}): Promise<number[]> {
  const written: number[] = [];
  const asked = { temperature: 0, maxTokens: 20, stopIds: [], seed: 1, ...writing };
  for await (const token of writer.write(prompt, asked)) written.push(token);
  return written;
}

describe('with kept keys and values', () => {
  for (const [name, config] of Object.entries(configs)) {
    test(`${name} writes the tokens it writes without, past the first buffer's end`, async () => {
      const parameters = parametersOf(modelOf({ config, name }));
      const network = createNetwork(parameters, tokenObjective(0), { device: 'cpu', threads: 1 });
      const writer = createWriter(parameters, { device: 'cpu', threads: 1 });
      const prompts = [[5], [7, 9, 11, 3, 8, 2, 30, 21, 4]];
      const shape = { padId: 0, maxLength: 90, newTokens: 70, endId: undefined };
      const naive = await generate(network, prompts, shape);
      for (const [at, prompt] of prompts.entries()) {
        const written = await collect(writer, prompt, { maxTokens: 70 });
        expect(written).toHaveLength(70);
        expect(new Set(written).size).toBeGreaterThan(2);
        expect(written).toEqual(naive[at]);
      }
      await network.close();
      await writer.close();
    });

    test(`${name}: rows of a batch answer alike in one piece and in two`, async () => {
      const model = modelOf({ config, name });
      const whole = [
        [3, 17, 9, 22, 6, 30, 12, 5],
        [8, 2, 39, 14, 25, 7, 1, 33],
      ];
      const all = await readCached(model, whole, 0, []);
      const first = await readCached(
        model,
        whole.map((row) => row.slice(0, 5)),
        0,
        [],
      );
      const second = await readCached(
        model,
        whole.map((row) => row.slice(5)),
        5,
        first.presents,
      );
      const vocabulary = model.vocabularySize;
      const rows = whole.map((_, row) => all.logits.subarray((row * 8 + 5) * vocabulary, (row + 1) * 8 * vocabulary));
      const later = Float32Array.from(rows.flatMap((row) => Array.from(row)));
      expect(relativeError(second.logits, later)).toBeLessThan(1e-5);
      second.presents.forEach((present, at) => {
        expect(relativeError(present.data, all.presents[at]?.data ?? [])).toBeLessThan(1e-5);
      });
    });
  }
});

/** One piece of each row, after `past` places of which the keys and values are given, key and value of each layer in turn. */
async function readCached(
  model: TextModel,
  pieces: readonly (readonly number[])[],
  past: number,
  kept: readonly (Tensor & { readonly data: Float32Array })[],
) {
  const { decoding } = model;
  if (!decoding) throw new Error('no decoder');
  const [rows, length] = [pieces.length, pieces[0]?.length ?? 0];
  const g = createGraph();
  const feeds: { [name: string]: Tensor } = {};
  const feed = (name: string, tensor: Tensor) => {
    feeds[name] = tensor;
    return g.input(name, tensor.type, tensor.shape);
  };
  const weights = seededWeights(model, head);
  const values = new Map(Array.from(weights, ([name, tensor]) => [name, feed(name, { type: 'float32', ...tensor })]));
  const layers = createLayers(g, {
    weight: (name) => values.get(name) ?? g.scalar(Number.NaN),
  });
  const ints = (shape: readonly number[], numbers: readonly number[]): Tensor => ({
    type: 'int32',
    shape,
    data: Int32Array.from(numbers),
  });
  const bias = (window: number): Tensor => {
    const shape = [rows, 1, length, past + length];
    const data = Float32Array.from({ length: rows * length * (past + length) }, (_, at) => {
      const back = past + (Math.floor(at / (past + length)) % length) - (at % (past + length));
      return back >= 0 && back < window ? 0 : -10_000;
    });
    return { type: 'float32', shape, data };
  };
  const places = pieces.flatMap((row) => row.map((_, at) => past + at));
  const { logits, presents } = decoding.build(layers, {
    inputIds: feed('inputIds', ints([rows, length], pieces.flat())),
    positions: feed('positions', ints([rows, length], places)),
    positionLimit: past + length,
    attentionBias: feed('attentionBias', bias(1000)),
    ...(decoding.slidingWindow ? { slidingBias: feed('slidingBias', bias(decoding.slidingWindow)) } : {}),
    past: Array.from({ length: kept.length / 2 }, (_, layer) => {
      const [key, value] = [kept[2 * layer], kept[2 * layer + 1]];
      if (!key || !value) throw new Error('a layer keeps keys and values');
      return { key: feed(`key${layer}`, key), value: feed(`value${layer}`, value) };
    }),
  });
  const outputs = [logits, ...presents.flatMap(({ key, value }) => [key, value])];
  outputs.forEach((value, at) => {
    g.output(`out${at}`, value);
  });
  const session = await createSession(g.graph, { device: 'cpu', threads: 1 });
  const answers = await session.run(feeds);
  await session.close();
  const [first, ...others] = outputs.map(({ shape }, at) => {
    const data = answers[`out${at}`]?.data;
    if (!(data instanceof Float32Array)) throw new Error('no answer');
    return { type: 'float32', shape, data } as const;
  });
  return { logits: first?.data ?? new Float32Array(), presents: others };
}

test('a text ends before a stop token, at the number of tokens asked for, and where the model can read no further', async () => {
  const writer = createWriter(parametersOf(modelOf({ config: configs.llama ?? {}, name: 'llama' })), {
    device: 'cpu',
    threads: 1,
  });
  const free = await collect(writer, [5, 6]);
  expect(free).toHaveLength(20);
  const stop = free[7] ?? -1;
  expect(await collect(writer, [5, 6], { stopIds: [1000, stop] })).toEqual(free.slice(0, free.indexOf(stop)));
  expect(await collect(writer, [5, 6], { maxTokens: 3 })).toEqual(free.slice(0, 3));
  const long = Array.from({ length: 85 }, (_, at) => at % 40);
  expect(await collect(writer, long, { maxTokens: 50 })).toHaveLength(6);
  await expect(collect(writer, [...long, 1, 2, 3, 4, 5])).rejects.toThrow(
    'The prompt has 90 tokens; this model reads 1 to 89',
  );
  await expect(collect(writer, [])).rejects.toThrow('The prompt has 0 tokens');
  await writer.close();
});

test('the same seed draws the same text, another seed another', async () => {
  const writer = createWriter(parametersOf(modelOf({ config: configs.qwen3 ?? {}, name: 'qwen3' })), {
    device: 'cpu',
    threads: 1,
  });
  const bold = { temperature: 2, topK: 30, topP: 0.95 };
  const first = await collect(writer, [5, 6], { ...bold, seed: 4 });
  expect(await collect(writer, [5, 6], { ...bold, seed: 4 })).toEqual(first);
  expect(await collect(writer, [5, 6], { ...bold, seed: 5 })).not.toEqual(first);
  await writer.close();
});

test('an encoder writes nothing, and says what does', () => {
  const config = { model_type: 'bert', vocab_size: 9, hidden_size: 4, num_hidden_layers: 1, num_attention_heads: 1 };
  const model = modelOf({ config: { ...config, intermediate_size: 4, max_position_embeddings: 8 }, name: 'bert' });
  expect(() => createWriter(parametersOf(model), { device: 'cpu' })).toThrow('bert cannot go on writing.');
});

describe('drawing a token', () => {
  const logits = Float32Array.from([1, 3, 2, 0, 3]);
  const draw = (sampling: Parameters<typeof chooseToken>[1], count = 20_000) => {
    const random = createRandom(3);
    const counts = [0, 0, 0, 0, 0];
    for (let at = 0; at < count; at++) {
      const token = chooseToken(logits, sampling, random);
      counts[token] = (counts[token] ?? 0) + 1 / count;
    }
    return counts;
  };
  /** Softmax of the logits over a temperature, of those kept. */
  const truth = (temperature: number, kept: readonly number[]) => {
    const powers = Array.from(logits, (logit, token) => (kept.includes(token) ? Math.exp(logit / temperature) : 0));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  };
  const everyToken = [0, 1, 2, 3, 4];

  test('without temperature the likeliest is taken, the first of equals', () => {
    expect(draw({ temperature: 0 }, 10)[1]).toBeCloseTo(1);
  });
  test('frequencies are the softmax of the logits over the temperature', () => {
    for (const temperature of [0.5, 1, 3]) {
      const counts = draw({ temperature });
      truth(temperature, everyToken).forEach((share, token) => {
        expect(counts[token]).toBeCloseTo(share, 1.7);
      });
    }
  });
  test('top-k keeps the k likeliest, top-p the fewest that reach the share', () => {
    const near = (counts: readonly number[], shares: readonly number[]) =>
      shares.forEach((share, token) => {
        if (share === 0) expect(counts[token]).toBe(0);
        else expect(counts[token]).toBeCloseTo(share, 1.7);
      });
    near(draw({ temperature: 1, topK: 3 }), truth(1, [1, 2, 4]));
    near(draw({ temperature: 1, topK: 1 }), truth(1, [1]));
    // 3 and 3 hold 0.39 each of the whole, 2 holds 0.14.
    near(draw({ temperature: 1, topP: 0.7 }), truth(1, [1, 4]));
    near(draw({ temperature: 1, topP: 0.8 }), truth(1, [1, 2, 4]));
    near(draw({ temperature: 1, topP: 0.3 }), truth(1, [1]));
    near(draw({ temperature: 1, topK: 4, topP: 0.999 }), truth(1, [0, 1, 2, 4]));
  });
});
