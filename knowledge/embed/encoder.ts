// The shipped embedder's network, run in plain TypeScript: word vectors, one layer of self-attention, attentive pooling.
// Whatever depends on a word alone is kept for the next text, so a question takes a fraction of a millisecond.
import { featuresOf, readWords } from './features.ts';

export interface EncoderShape {
  readonly rows: number;
  readonly dimensions: number;
  readonly heads: number;
  /** Of a query or key. */
  readonly headSize: number;
  /** Farther words count as being this far apart. */
  readonly reach: number;
}

/** All matrices row-major. With d dimensions, h heads of size s, and the reach r. */
export interface EncoderWeights {
  /** [rows, d], each row times its scale. */
  readonly table: Int8Array;
  readonly tableScale: Float32Array;
  /** [h·s, d] */
  readonly query: Float32Array;
  /** [h·s, d] */
  readonly key: Float32Array;
  /** [d, d]: head i makes the i-th part of the dimensions. */
  readonly value: Float32Array;
  /** [2r + 1, h]: added to the score of a word so many places before or after. */
  readonly distance: Float32Array;
  /** [d]: how much a word itself, and [d]: how much what it attends to, says that it matters. */
  readonly gate: Float32Array;
  readonly contextGate: Float32Array;
  /** [d, d] */
  readonly output: Float32Array;
}

export interface Encoding {
  /** Of length 1; zeros for a text without a word. */
  readonly vector: Float32Array;
  readonly words: readonly string[];
  /** Of each head, for each word, how it shares its attention among all words: rows sum to 1. */
  readonly attention: readonly (readonly Float32Array[])[];
  /** How much each word counts in the whole; sums to 1. */
  readonly pooling: Float32Array;
}

interface WordState {
  readonly x: Float32Array;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly gate: number;
}

const wordsKept = 40_000;

export function createEncoder(shape: EncoderShape, weights: EncoderWeights): (text: string) => Encoding {
  const { dimensions, heads, headSize, reach } = shape;
  const part = dimensions / heads;
  if (part % 4 !== 0)
    throw new Error(`each of ${heads} heads has ${part} of ${dimensions} dimensions: no multiple of 4`);
  const sharpness = 1 / Math.sqrt(headSize);
  const states = new Map<string, WordState>();

  function stateOf(word: string): WordState {
    const known = states.get(word);
    if (known) return known;
    const x = wordVector(word, shape, weights);
    const state = {
      x,
      query: multiply(weights.query, x),
      key: multiply(weights.key, x),
      value: multiply(weights.value, x),
      gate: dot(weights.gate, x),
    };
    if (states.size >= wordsKept) states.clear();
    states.set(word, state);
    return state;
  }

  /** How the word at `at` shares its attention, by one head. @param queries, keys [words, h·s] */
  function attend(queries: Float32Array, keys: Float32Array, count: number, at: number, head: number): Float32Array {
    const shares = new Float32Array(count);
    const width = heads * headSize;
    const query = at * width + head * headSize;
    for (let other = 0; other < count; other++) {
      const key = other * width + head * headSize;
      let score = 0;
      for (let i = 0; i < headSize; i++) score += (queries[query + i] ?? 0) * (keys[key + i] ?? 0);
      const distance = Math.max(-reach, Math.min(reach, other - at)) + reach;
      shares[other] = score * sharpness + (weights.distance[distance * heads + head] ?? 0);
    }
    return softmax(shares);
  }

  /** What each word gathers from the others. @param values [words, d] @returns [words, d] */
  function gather(values: Float32Array, count: number, attention: readonly (readonly Float32Array[])[]): Float32Array {
    const contexts = new Float32Array(values.length);
    for (const [head, rows] of attention.entries()) {
      for (const [at, shares] of rows.entries()) {
        const to = at * dimensions + head * part;
        // Four sums at a time, each in a register: this loop is what reading a text takes.
        for (let i = 0; i < part; i += 4) {
          let a = 0;
          let b = 0;
          let c = 0;
          let d = 0;
          for (let other = 0; other < count; other++) {
            const share = shares[other] ?? 0;
            const from = other * dimensions + head * part + i;
            a += share * (values[from] ?? 0);
            b += share * (values[from + 1] ?? 0);
            c += share * (values[from + 2] ?? 0);
            d += share * (values[from + 3] ?? 0);
          }
          contexts[to + i] = a;
          contexts[to + i + 1] = b;
          contexts[to + i + 2] = c;
          contexts[to + i + 3] = d;
        }
      }
    }
    return contexts;
  }

  return (text) => {
    const words = readWords(text);
    const known = words.map(stateOf);
    const count = known.length;
    const queries = join(known.map(({ query }) => query));
    const keys = join(known.map(({ key }) => key));
    const attention = Array.from({ length: heads }, (_, head) =>
      known.map((_, at) => attend(queries, keys, count, at, head)),
    );
    const contexts = gather(join(known.map(({ value }) => value)), count, attention);
    const contextAt = (at: number) => contexts.subarray(at * dimensions, (at + 1) * dimensions);
    const pooling = softmax(
      Float32Array.from(known.map(({ gate }, at) => gate + dot(weights.contextGate, contextAt(at)))),
    );
    const pooled = new Float32Array(dimensions);
    for (const [at, { x }] of known.entries()) {
      const share = pooling[at] ?? 0;
      const from = at * dimensions;
      for (let i = 0; i < dimensions; i++)
        pooled[i] = (pooled[i] ?? 0) + share * ((x[i] ?? 0) + (contexts[from + i] ?? 0));
    }
    const turned = multiply(weights.output, pooled);
    for (let i = 0; i < dimensions; i++) pooled[i] = (pooled[i] ?? 0) + Math.tanh(turned[i] ?? 0);
    return { vector: normalise(pooled), words, attention, pooling };
  };
}

function join(rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.length * (rows[0]?.length ?? 0));
  for (const [at, row] of rows.entries()) joined.set(row, at * row.length);
  return joined;
}

function wordVector(word: string, { rows, dimensions }: EncoderShape, weights: EncoderWeights): Float32Array {
  const x = new Float32Array(dimensions);
  for (const { row, weight } of featuresOf(word, rows)) {
    const scale = weight * (weights.tableScale[row] ?? 0);
    const from = row * dimensions;
    for (let i = 0; i < dimensions; i++) x[i] = (x[i] ?? 0) + scale * (weights.table[from + i] ?? 0);
  }
  return x;
}

/** Of a matrix with as many columns as x has numbers. */
function multiply(matrix: Float32Array, x: Float32Array): Float32Array {
  const y = new Float32Array(matrix.length / x.length);
  for (let row = 0; row < y.length; row++) {
    const from = row * x.length;
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (matrix[from + i] ?? 0) * (x[i] ?? 0);
    y[row] = sum;
  }
  return y;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** In place. */
function softmax(scores: Float32Array): Float32Array {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) highest = Math.max(highest, scores[i] ?? highest);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const power = Math.exp((scores[i] ?? 0) - highest);
    scores[i] = power;
    sum += power;
  }
  for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] ?? 0) / sum;
  return scores;
}

function normalise(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}
