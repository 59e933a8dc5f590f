// Puts encoded texts into batches of a few fixed shapes, so that one compiled graph serves many batches.
import type { Random } from '../random.ts';

export interface Batch {
  readonly rows: number;
  readonly length: number;
  /** How many rows are examples; the rest is padding of weight 0. */
  readonly examples: number;
  /** [rows, length]. */
  readonly inputIds: Int32Array;
  /** [rows, 1, 1, length]: 0 for a token, −10,000 for padding: e^−10,000 is 0 in any float. */
  readonly attentionBias: Float32Array;
}

const padding_bias = -10_000;

/** A sequence length rounded up to one of few: multiples of 8 to 32, of 16 to 64, of 32 to 128, and so on. */
export function bucketLength(length: number, maxLength: number): number {
  let step = 8;
  for (let limit = 32; length > limit; limit *= 2) step *= 2;
  return Math.min(maxLength, Math.ceil(Math.max(length, 1) / step) * step);
}

/** How many lengths the batches of texts of these lengths can have. */
export const countBuckets = (lengths: readonly number[]): number =>
  new Set(lengths.map((length) => bucketLength(length, Number.POSITIVE_INFINITY))).size;

/** How many batches are mixed before they are sorted by length: larger pads less and shuffles less. */
const batchesPerPool = 32;

/**
 * One epoch's batches: every index once, in random order, with texts of similar length together.
 * @returns indices into `lengths`, `batchSize` at a time; only one batch may be shorter.
 */
export function planEpoch(lengths: readonly number[], batchSize: number, random: Random): number[][] {
  const order = random.shuffle(lengths.map((_, index) => index));
  const batches: number[][] = [];
  const pool = batchSize * batchesPerPool;
  for (let start = 0; start < order.length; start += pool) {
    const similar = order.slice(start, start + pool).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0));
    for (let from = 0; from < similar.length; from += batchSize) batches.push(similar.slice(from, from + batchSize));
  }
  return random.shuffle(batches);
}

/** Batches for measuring: by length, longest last. */
export function planEvaluation(lengths: readonly number[], batchSize: number): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0));
  const batches: number[][] = [];
  for (let from = 0; from < order.length; from += batchSize) batches.push(order.slice(from, from + batchSize));
  return batches;
}

/** Pads texts to the bucket of the longest, and the batch to `rows`. */
export function assembleBatch(
  texts: readonly (readonly number[])[],
  { rows, padId, maxLength }: { readonly rows: number; readonly padId: number; readonly maxLength: number },
): Batch {
  const length = bucketLength(Math.max(...texts.map((ids) => ids.length)), maxLength);
  const inputIds = new Int32Array(rows * length).fill(padId);
  const attentionBias = new Float32Array(rows * length).fill(padding_bias);
  texts.forEach((ids, row) => {
    inputIds.set(ids, row * length);
    attentionBias.fill(0, row * length, row * length + ids.length);
  });
  return { rows, length, examples: texts.length, inputIds, attentionBias };
}
