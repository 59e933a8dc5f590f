// Picking every step-th place along an axis and putting it back: what windows with strides are made of.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Value } from '../../graph/ops.ts';

/**
 * Zeros before and after, along an axis. On WebGPU they are joined on: a Pad beside a convolution makes onnxruntime
 * reorder its sizes on the processor.
 */
function zerosAround(g: GraphBuilder, x: Value, axis: number, before: number, after: number): Value {
  if (before + after === 0) return x;
  if (g.device !== 'webgpu') return g.op('Pad', [x], { axis, before, after });
  const zeros = (count: number) =>
    count === 0 ? [] : [g.op('Expand', [g.scalar(0)], { shape: x.shape.with(axis, count) })];
  const [first = x, ...rest] = [...zeros(before), x, ...zeros(after)];
  return g.op('Concat', [first, ...rest], { axis });
}

/** Zeros between the places of an axis: a, b → a, 0, 0, b, 0, 0 for step 3, cut or filled to `length`. */
export function spreadOut(g: GraphBuilder, x: Value, axis: number, step: number, length: number): Value {
  const places = x.shape[axis] ?? 0;
  const spread = step === 1 ? x : interleave(g, x, axis, step);
  return places * step > length
    ? g.op('Slice', [spread], { axis, start: 0, end: length })
    : zerosAround(g, spread, axis, 0, length - places * step);
}

function interleave(g: GraphBuilder, x: Value, axis: number, step: number): Value {
  const split = g.op('Reshape', [x], { shape: x.shape.toSpliced(axis + 1, 0, 1) });
  const shape = x.shape.with(axis, (x.shape[axis] ?? 0) * step);
  return g.op('Reshape', [zerosAround(g, split, axis + 1, 0, step - 1)], { shape });
}

/** Zeros at the top, left, bottom and right; `first` is the axis of the rows, the next that of the columns. */
export function padRows(
  g: GraphBuilder,
  x: Value,
  first: number,
  [top, left, bottom, right]: readonly [number, number, number, number],
): Value {
  return zerosAround(g, zerosAround(g, x, first, top, bottom), first + 1, left, right);
}

/** `count` places of an axis, from `start` on, each `step` after the last. */
export function pick(g: GraphBuilder, x: Value, axis: number, start: number, step: number, count: number): Value {
  const end = start + step * (count - 1) + 1;
  if (start === 0 && step === 1 && end === x.shape[axis]) return x;
  return g.op('Slice', [x], { axis, start, end, step });
}
