// Picking every step-th place along an axis and putting it back: what windows with strides are made of.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Value } from '../../graph/ops.ts';

/** Zeros between the places of an axis: a, b → a, 0, 0, b, 0, 0 for step 3, cut or filled to `length`. */
export function spreadOut(g: GraphBuilder, x: Value, axis: number, step: number, length: number): Value {
  if (step === 1) return x;
  const places = x.shape[axis] ?? 0;
  const split = x.shape.toSpliced(axis + 1, 0, 1);
  const padded = g.op('Pad', [g.op('Reshape', [x], { shape: split })], { axis: axis + 1, before: 0, after: step - 1 });
  const spread = g.op('Reshape', [padded], { shape: x.shape.with(axis, places * step) });
  if (places * step === length) return spread;
  return places * step > length
    ? g.op('Slice', [spread], { axis, start: 0, end: length })
    : g.op('Pad', [spread], { axis, before: 0, after: length - places * step });
}

/** Zeros around the last two axes but one… of an image: `first` is the axis of its rows. */
export function padRows(
  g: GraphBuilder,
  x: Value,
  first: number,
  pads: readonly [number, number, number, number],
): Value {
  const [top, left, bottom, right] = pads;
  const tall = top + bottom === 0 ? x : g.op('Pad', [x], { axis: first, before: top, after: bottom });
  return left + right === 0 ? tall : g.op('Pad', [tall], { axis: first + 1, before: left, after: right });
}

/** `count` places of an axis, from `start` on, each `step` after the last. */
export function pick(g: GraphBuilder, x: Value, axis: number, start: number, step: number, count: number): Value {
  const end = start + step * (count - 1) + 1;
  if (start === 0 && step === 1 && end === x.shape[axis]) return x;
  return g.op('Slice', [x], { axis, start, end, step });
}
