// The gradient of a maximum over windows: each window's goes to the place that was largest.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Pooling, Value } from '../../graph/ops.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { RuleContext } from '../rules.ts';
import { padRows, pick, spreadOut } from './windows.ts';

/** y[p] = x[i(p)]: dx[i(p)] += dy[p]. Where no indices are to be had, each place of the window is asked in turn. */
export function maximumGradient(context: RuleContext<'MaxPool'>): readonly [Value] {
  const { g, inputs, outputs, attributes, dy } = context;
  const [x] = inputs;
  const [y, indices] = outputs;
  if (g.device === 'webgpu') return [gradientByPlaces(g, x, y, dy, attributes)];
  const count = elementCount(x.shape);
  const windows = { shape: [elementCount(y.shape)] };
  const zeros = g.op('Expand', [g.scalar(0)], { shape: [count] });
  const flat = [zeros, g.op('Reshape', [indices], windows), g.op('Reshape', [dy], windows)] as const;
  return [g.op('Reshape', [g.op('ScatterElements', flat, { axis: 0 })], { shape: x.shape })];
}

const veryLow = -3e38;

/** Σ over the places of a window: dy where x there equals the maximum, shared among equals. */
function gradientByPlaces(g: GraphBuilder, x: Value, y: Value, dy: Value, pooling: Pooling): Value {
  const { kernel, strides, pads } = pooling;
  const [, , rows = 0, columns = 0] = y.shape;
  const [, , height = 0, width = 0] = x.shape;
  const padded = padLow(g, x, pads);
  const masks = Array.from({ length: kernel[0] * kernel[1] }, (_, place) => {
    const top = Math.floor(place / kernel[1]);
    const left = place % kernel[1];
    const there = pick(g, pick(g, padded, 2, top, strides[0], rows), 3, left, strides[1], columns);
    return { top, left, mask: g.op('Cast', [g.op('Equal', [there, y])], { to: 'float32' }) };
  });
  const count = masks.map(({ mask }) => mask).reduce((sum, mask) => g.op('Add', [sum, mask]));
  const share = g.op('Div', [dy, count]);
  const [, , tall = 0, wide = 0] = padded.shape;
  const whole = masks
    .map(({ top, left, mask }) => {
      const part = g.op('Mul', [mask, share]);
      const spread = spreadOut(g, spreadOut(g, part, 2, strides[0], tall - top), 3, strides[1], wide - left);
      return padRows(g, spread, 2, [top, left, 0, 0]);
    })
    .reduce((sum, part) => g.op('Add', [sum, part]));
  return pick(g, pick(g, whole, 2, pads[0], 1, height), 3, pads[1], 1, width);
}

/** Surrounds an image with a number no maximum is. */
function padLow(g: GraphBuilder, x: Value, pads: Pooling['pads']): Value {
  const padded = padRows(g, x, 2, pads);
  if (padded === x) return x;
  const [, , height = 0, width = 0] = x.shape;
  const [, , tall = 0, wide = 0] = padded.shape;
  const [top, left] = pads;
  const border = Float32Array.from({ length: tall * wide }, (_, at) => {
    const row = Math.floor(at / wide) - top;
    const column = (at % wide) - left;
    return row >= 0 && row < height && column >= 0 && column < width ? 0 : veryLow;
  });
  return g.op('Add', [padded, g.constant({ type: 'float32', shape: [tall, wide], data: border })]);
}
