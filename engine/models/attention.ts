// Multi-head attention, softmax(Q·Kᵀ + bias)·V, as few large matrix products; several query heads may share a key head.
import type { GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import type { Layers } from './layers.ts';

/** Keys and values of tokens read before, [rows, keyHeads, places, depth]. */
export interface KeyValue {
  readonly key: Value;
  readonly value: Value;
}

export interface AttentionInputs {
  /** [rows · length, heads · depth], already scaled by 1/√depth. */
  readonly query: Value;
  /** [rows · length, keyHeads · depth], as `value`. */
  readonly key: Value;
  readonly value: Value;
  /** Added to the scores: broadcasts to [rows, heads, length, past + length]. */
  readonly bias: Value;
}

export interface AttentionShape {
  readonly rows: number;
  readonly length: number;
  readonly heads: number;
  /** Fewer than `heads`: each serves a group of queries (Ainslie et al. 2023). */
  readonly keyHeads: number;
  readonly depth: number;
  /** Share of the probabilities dropped in training. */
  readonly dropout: number;
}

/** @returns [rows · length, heads · depth]. */
export function attend(layers: Layers, { query, key, value, bias }: AttentionInputs, shape: AttentionShape): Value {
  const { g } = layers;
  const { rows, length, keyHeads, depth } = shape;
  const split = (x: Value, perm: readonly number[]) =>
    g.op('Transpose', [g.op('Reshape', [x], { shape: [rows, length, keyHeads, depth] })], { perm });
  return attendHeads(layers, query, split(key, [0, 2, 3, 1]), split(value, [0, 2, 1, 3]), bias, shape);
}

/** The same, with keys and values of earlier tokens before the new ones. */
export function attendWithPast(
  layers: Layers,
  { query, key, value, bias }: AttentionInputs,
  past: KeyValue | undefined,
  shape: AttentionShape,
): { readonly context: Value; readonly present: KeyValue; readonly added: KeyValue } {
  const { g } = layers;
  const { rows, length, keyHeads, depth } = shape;
  const split = (x: Value) =>
    g.op('Transpose', [g.op('Reshape', [x], { shape: [rows, length, keyHeads, depth] })], { perm: [0, 2, 1, 3] });
  const added = { key: split(key), value: split(value) };
  const after = (before: Value, next: Value) => g.op('Concat', [before, next], { axis: 2 });
  const present = past ? { key: after(past.key, added.key), value: after(past.value, added.value) } : added;
  const turned = g.op('Transpose', [present.key], { perm: [0, 1, 3, 2] });
  return { context: attendHeads(layers, query, turned, present.value, bias, shape), present, added };
}

/** @param key [rows, keyHeads, depth, keys]. @param value [rows, keyHeads, keys, depth]. */
function attendHeads(
  layers: Layers,
  query: Value,
  key: Value,
  value: Value,
  bias: Value,
  { rows, length, heads, keyHeads, depth, dropout }: AttentionShape,
): Value {
  const { g } = layers;
  const keys = key.shape[3] ?? 0;
  const groups = heads / keyHeads;
  const reshape = (x: Value, ...shape: number[]) => g.op('Reshape', [x], { shape });
  // The queries of a group stand under each other: one product for all of them, and no key is repeated.
  const queries =
    groups === 1
      ? g.op('Transpose', [reshape(query, rows, length, heads, depth)], { perm: [0, 2, 1, 3] })
      : reshape(
          g.op('Transpose', [reshape(query, rows, length, keyHeads, groups, depth)], { perm: [0, 2, 3, 1, 4] }),
          ...[rows, keyHeads, groups * length, depth],
        );
  const products = g.op('MatMul', [queries, key]);
  const scores = groups === 1 ? products : reshape(products, rows, heads, length, keys);
  const probabilities = layers.dropout(g.op('Softmax', [g.op('Add', [scores, bias])]), dropout);
  if (groups === 1) {
    const context = g.op('Transpose', [g.op('MatMul', [probabilities, value])], { perm: [0, 2, 1, 3] });
    return reshape(context, rows * length, heads * depth);
  }
  const context = g.op('MatMul', [reshape(probabilities, rows, keyHeads, groups * length, keys), value]);
  const turned = g.op('Transpose', [reshape(context, rows, keyHeads, groups, length, depth)], {
    perm: [0, 3, 1, 2, 4],
  });
  return reshape(turned, rows * length, heads * depth);
}

/** As the padding's: e^−10,000 is 0 in any float, and sums of two stay within half precision. */
const hidden = -10_000;

/**
 * [1, 1, length, length]: each token sees itself and those before, of which only the nearest `window` (itself included)
 * where one is given.
 */
export function causalBias(g: GraphBuilder, length: number, window = length): Value {
  const data = Float32Array.from({ length: length * length }, (_, at) => {
    const back = Math.floor(at / length) - (at % length);
    return back >= 0 && back < window ? 0 : hidden;
  });
  return g.constant({ type: 'float32', shape: [1, 1, length, length], data });
}
