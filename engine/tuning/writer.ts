// Lets a causal language model go on writing, one token at a time: keys and values of what it has read are kept, so each step
// reads one token. Graphs have fixed shapes, so what is kept lies in a buffer whose unused places no token sees.
import { bucketLength } from '../data/batches.ts';
import { UserError } from '../errors.ts';
import { createGraph } from '../graph/graph.ts';
import { createSession, type Session, type SessionOptions } from '../graph/session.ts';
import type { Tensor } from '../graph/tensor.ts';
import { createLayers } from '../models/layers.ts';
import type { Decoding } from '../models/model.ts';
import { createRandom } from '../random.ts';
import { type Parameters, weightFeeds, weightValues } from './parameters.ts';
import { chooseToken, type Sampling } from './sampling.ts';

export interface Writing extends Sampling {
  readonly maxTokens: number;
  /** Tokens that end the text; they are not part of it. */
  readonly stopIds: readonly number[];
  /** The same seed draws the same text. */
  readonly seed: number;
}

export interface Writer {
  /** The tokens that follow the prompt, as they are made. @throws UserError when the prompt leaves no room. */
  write(prompt: readonly number[], writing: Writing): AsyncGenerator<number, void>;
  close(): Promise<void>;
}

/** What one text's tokens have left: keys and values of each layer, [keyHeads, capacity, depth], `used` of capacity. */
interface Kept {
  readonly capacity: number;
  used: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

type Weights = Pick<Parameters, 'model' | 'lora' | 'trainable' | 'frozen'>;

/** As padding's: e^−10,000 is 0 in any float. */
const unseen = -10_000;
const smallestCapacity = 64;

/** @throws UserError when the model is no causal language model. */
export function createWriter(weights: Weights, sessionOptions: SessionOptions): Writer {
  const { model } = weights;
  if (model.modality !== 'text' || !model.decoding) {
    throw new UserError(
      `${model.modelType} cannot go on writing.`,
      'Text is written by decoders such as gpt2, llama, mistral, qwen2 or qwen3.',
    );
  }
  const { decoding, maxLength } = model;
  const layerIndices = Array.from({ length: decoding.layers }, (_, layer) => layer);
  const heldWeights = weightFeeds(weights.trainable);
  const sessions = new Map<string, Promise<Session>>();

  /** A graph of `length` new tokens after `past` places; it answers one token's logits, and all new keys and values. */
  async function compile(length: number, past: number): Promise<Session> {
    const g = createGraph(sessionOptions.device);
    const layers = createLayers(g, { weight: weightValues(g, weights), lora: weights.lora });
    const shape = [1, decoding.keyHeads, past, decoding.depth];
    const pastOf = (layer: number) => ({
      key: g.input(`key${layer}`, 'float32', shape),
      value: g.input(`value${layer}`, 'float32', shape),
    });
    const bias = (name: string) => g.input(name, 'float32', [1, 1, length, past + length]);
    const { logits, added } = decoding.build(layers, {
      inputIds: g.input('inputIds', 'int32', [1, length]),
      positions: g.input('positions', 'int32', [1, length]),
      positionLimit: Math.min(maxLength, past + length),
      attentionBias: bias('attentionBias'),
      ...(decoding.slidingWindow === undefined ? {} : { slidingBias: bias('slidingBias') }),
      scored: g.input('scored', 'int32', [1]),
      past: past === 0 ? [] : layerIndices.map(pastOf),
    });
    g.output('logits', logits);
    added.forEach(({ key, value }, layer) => {
      g.output(`new key${layer}`, key);
      g.output(`new value${layer}`, value);
    });
    return createSession(g.graph, sessionOptions);
  }

  function obtain(length: number, past: number): Promise<Session> {
    const name = `${length} after ${past}`;
    const known = sessions.get(name) ?? compile(length, past);
    sessions.set(name, known);
    return known;
  }

  /** Reads tokens after those kept, keeps theirs too. @returns the logits of the token after the last. */
  async function read(ids: readonly number[], kept: Kept): Promise<Float32Array> {
    const past = kept.used === 0 ? 0 : kept.capacity;
    const length = ids.length === 1 ? 1 : bucketLength(ids.length, maxLength);
    const session = await obtain(length, past);
    const int32 = (numbers: ArrayLike<number>, shape: readonly number[]): Tensor => ({
      type: 'int32',
      shape,
      data: Int32Array.from(numbers),
    });
    const padded = Array.from({ length }, (_, at) => ids[at] ?? ids[0] ?? 0);
    // Padding takes the place of the last token: any will do, for no token sees it.
    const places = padded.map((_, at) => kept.used + Math.min(at, ids.length - 1));
    const bias = (window?: number) => biasOf(length, past, kept.used, window);
    const shape = [1, decoding.keyHeads, past, decoding.depth];
    const answers = await session.run({
      ...heldWeights,
      inputIds: int32(padded, [1, length]),
      positions: int32(places, [1, length]),
      attentionBias: bias(),
      ...(decoding.slidingWindow === undefined ? {} : { slidingBias: bias(decoding.slidingWindow) }),
      scored: int32([ids.length - 1], [1]),
      ...(past === 0
        ? {}
        : Object.fromEntries(
            layerIndices.flatMap((layer) => [
              [`key${layer}`, { type: 'float32', shape, data: kept.keys[layer] ?? new Float32Array() }],
              [`value${layer}`, { type: 'float32', shape, data: kept.values[layer] ?? new Float32Array() }],
            ]),
          )),
    });
    for (const layer of layerIndices) {
      keep(kept.keys[layer], floats(answers, `new key${layer}`), ids.length, length, kept, decoding);
      keep(kept.values[layer], floats(answers, `new value${layer}`), ids.length, length, kept, decoding);
    }
    kept.used += ids.length;
    const logits = floats(answers, 'logits');
    if (logits.every(Number.isFinite)) return logits;
    throw new UserError('The model answers with numbers that are not finite.', 'Its weights are damaged.');
  }

  return {
    async *write(prompt, { maxTokens, stopIds, seed, ...sampling }) {
      if (prompt.length === 0 || prompt.length >= maxLength) {
        throw new UserError(
          `The prompt has ${prompt.length} tokens; this model reads 1 to ${maxLength - 1} and needs room to write.`,
          'Give a prompt that is neither empty nor as long as that.',
        );
      }
      const random = createRandom(seed);
      const stops = new Set(stopIds);
      let kept = makeRoom(prompt.length, undefined, maxLength, decoding);
      let next: readonly number[] = prompt;
      for (let count = 0; count < maxTokens; count++) {
        if (kept.used + next.length > maxLength) return;
        kept = makeRoom(kept.used + next.length, kept, maxLength, decoding);
        const token = chooseToken(await read(next, kept), sampling, random);
        if (stops.has(token)) return;
        yield token;
        next = [token];
      }
    },
    async close() {
      const all = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const one of all) if (one.status === 'fulfilled') await one.value.close();
    },
  };
}

/** The same tokens kept, with room for `count`: capacities double, so that few graphs serve any length. */
function makeRoom(
  count: number,
  kept: Kept | undefined,
  maxLength: number,
  { layers, keyHeads, depth }: Decoding,
): Kept {
  if (kept && kept.capacity >= count) return kept;
  let capacity = smallestCapacity;
  while (capacity < count) capacity *= 2;
  capacity = Math.min(capacity, maxLength);
  const widen = (layer: number, old: readonly Float32Array[] | undefined) => {
    const wide = new Float32Array(keyHeads * capacity * depth);
    const narrow = old?.[layer];
    for (let head = 0; kept && narrow && head < keyHeads; head++) {
      const from = head * kept.capacity * depth;
      wide.set(narrow.subarray(from, from + kept.used * depth), head * capacity * depth);
    }
    return wide;
  };
  return {
    capacity,
    used: kept?.used ?? 0,
    keys: Array.from({ length: layers }, (_, layer) => widen(layer, kept?.keys)),
    values: Array.from({ length: layers }, (_, layer) => widen(layer, kept?.values)),
  };
}

/** Copies the first `count` of `length` new tokens [keyHeads, length, depth] behind those kept. */
function keep(
  held: Float32Array | undefined,
  fresh: Float32Array,
  count: number,
  length: number,
  { capacity, used }: Kept,
  { keyHeads, depth }: Decoding,
): void {
  for (let head = 0; head < keyHeads; head++) {
    const from = head * length * depth;
    held?.set(fresh.subarray(from, from + count * depth), (head * capacity + used) * depth);
  }
}

/** What each of `length` new tokens sees of `past` places, `used` of them filled, and of the new ones up to itself. */
function biasOf(length: number, past: number, used: number, window = Number.POSITIVE_INFINITY): Tensor {
  const width = past + length;
  const data = new Float32Array(length * width).fill(unseen);
  for (let at = 0; at < length; at++) {
    const first = Math.max(0, used + at - window + 1);
    for (let place = first; place < used; place++) data[at * width + place] = 0;
    for (let place = Math.max(0, first - used); place <= at; place++) data[at * width + past + place] = 0;
  }
  return { type: 'float32', shape: [1, 1, length, width], data };
}

function floats(answers: { readonly [name: string]: Tensor }, name: string): Float32Array {
  const data = answers[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the session answered no ${name}`);
  return data;
}
