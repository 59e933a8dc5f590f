// Gradients of convolutions, made of convolutions and matrix products; which one is chosen by what was measured.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Convolution, Each, OpInputs, Pair, Value } from '../../graph/ops.ts';
import type { RuleContext } from '../rules.ts';
import { padRows, pick, spreadOut } from './windows.ts';

type Size = readonly [number, number, number, number];

function sizeOf({ shape: [a = 1, b = 1, c = 1, d = 1] }: Value): Size {
  return [a, b, c, d];
}

const isPointwise = (w: Value, { groups, pads }: Convolution) =>
  groups === 1 && w.shape[2] === 1 && w.shape[3] === 1 && pads.every((pad) => pad === 0);

/** y = x ∗ w + b: dx = dy ∗ᵀ w, dw = x ∗ dy, db = Σ dy over images and places. */
export function convolutionGradient(context: RuleContext<'Conv'>): Each<OpInputs['Conv'], Value> {
  const { g, inputs, attributes, dy } = context;
  const [x, w, bias] = inputs;
  const dx = inputGradient(g, x, w, dy, attributes);
  const dw = kernelGradient(g, x, w, dy, attributes);
  return bias ? [dx, dw, g.op('ReduceSum', [dy], { axes: [0, 2, 3], keepDims: false })] : [dx, dw];
}

/** x = y ∗ᵀ w is linear in both, and the transpose of a convolution: dy = dx ∗ w, dw = dx ∗ y. */
export function transposedGradient(context: RuleContext<'ConvTranspose'>): readonly [Value, Value] {
  const { g, inputs, attributes, dy: dx } = context;
  const [y, w] = inputs;
  const { outputPadding: _, ...convolution } = attributes;
  const back = g.op('Conv', [dx, w], convolution);
  const [, , rows, columns] = sizeOf(y);
  const dy = pick(g, pick(g, back, 2, 0, 1, rows), 3, 0, 1, columns);
  return [dy, kernelGradient(g, dx, w, y, convolution)];
}

function inputGradient(g: GraphBuilder, x: Value, w: Value, dy: Value, convolution: Convolution): Value {
  if (isPointwise(w, convolution)) return pointwiseInputGradient(g, x, w, dy, convolution);
  const { strides, pads, dilations } = convolution;
  const missing = (axis: 0 | 1) => {
    const reach = dilations[axis] * ((w.shape[axis + 2] ?? 1) - 1);
    const reached = strides[axis] * ((dy.shape[axis + 2] ?? 1) - 1) + reach + 1 - pads[axis] - pads[axis === 0 ? 2 : 3];
    return { reach, rest: (x.shape[axis + 2] ?? 0) - reached };
  };
  const [rows, columns] = [missing(0), missing(1)];
  const [top, left] = [rows.reach - pads[0], columns.reach - pads[1]];
  const [bottom, right] = [rows.reach - pads[2] + rows.rest, columns.reach - pads[3] + columns.rest];
  const isPadded = [top, left, bottom, right].every((pad) => pad >= 0);
  if (strides[0] === 1 && strides[1] === 1 && isPadded && turningPays(w, dy)) {
    return g.op('Conv', [dy, turnKernels(g, w, convolution)], { ...convolution, pads: [top, left, bottom, right] });
  }
  return g.op('ConvTranspose', [dy, w], { ...convolution, outputPadding: [rows.rest, columns.rest] });
}

/**
 * Measured on two cores, 16 images, ms of ConvTranspose against Conv with turned kernels: 64 channels at 56² 38 and 22,
 * 128 at 28² 27 and 19, 256 at 14² 32 and 26, but 512 at 7² 36 and 59; depthwise 96 at 56² 36 and 9. Turning moves
 * every weight twice, so it pays unless there are many weights and few places.
 */
function turningPays(w: Value, dy: Value): boolean {
  const [m, c] = sizeOf(w);
  const [n, , rows, columns] = sizeOf(dy);
  return m * c < 64 * n * rows * columns;
}

/** [m, c/groups, kh, kw] → [c, m/groups, kh, kw], each kernel turned by 180°. */
function turnKernels(g: GraphBuilder, w: Value, { groups }: Convolution): Value {
  const [m, c, rows, columns] = sizeOf(w);
  const count = rows * columns;
  const grouped = g.op('Reshape', [w], { shape: [groups, m / groups, c, count] });
  const places = g.op('Transpose', [grouped], { perm: [3, 0, 2, 1] });
  const backwards = Int32Array.from({ length: count }, (_, place) => count - 1 - place);
  const turned = g.op('Gather', [places, g.constant({ type: 'int32', shape: [count], data: backwards })]);
  const kernels = g.op('Transpose', [turned], { perm: [1, 2, 3, 0] });
  return g.op('Reshape', [kernels], { shape: [groups * c, m / groups, rows, columns] });
}

/** One kernel place: wᵀ [c, m] · dy [n, m, places]. */
function pointwiseInputGradient(g: GraphBuilder, x: Value, w: Value, dy: Value, { strides }: Convolution): Value {
  const [n, m, rows, columns] = sizeOf(dy);
  const [, c, height, width] = sizeOf(x);
  const matrix = g.op('Transpose', [g.op('Reshape', [w], { shape: [m, c] })], { perm: [1, 0] });
  const product = g.op('MatMul', [matrix, g.op('Reshape', [dy], { shape: [n, m, rows * columns] })]);
  const places = g.op('Reshape', [product], { shape: [n, c, rows, columns] });
  return spreadOut(g, spreadOut(g, places, 2, strides[0], height), 3, strides[1], width);
}

function kernelGradient(g: GraphBuilder, x: Value, w: Value, dy: Value, convolution: Convolution): Value {
  if (isPointwise(w, convolution)) return pointwiseKernelGradient(g, x, w, dy, convolution);
  return convolution.groups === 1 && (w.shape[1] ?? 0) >= fewestChannels
    ? kernelGradientByPlaces(g, x, w, dy, convolution)
    : kernelGradientByConvolution(g, x, w, dy, convolution);
}

/**
 * Measured on two cores, 16 images, ms by places and by convolution: 3 × 3, 64 channels at 56² 51 and 84, 128 at 28² 31
 * and 57, 256 at 14² 22 and 59, 512 at 7² 25 and 51; with stride 2, 128 at 56² 50 and 66, 512 at 14² 23 and 64. A product
 * over few channels is slow: the 7 × 7 stem over 3 takes 192 and 48. Depthwise 96 at 56²: 60 and 32.
 */
const fewestChannels = 16;

/** dy · xᵀ, summed over images: image by image where the kernels are small, else with all places side by side. */
function pointwiseKernelGradient(g: GraphBuilder, x: Value, w: Value, dy: Value, { strides }: Convolution): Value {
  const [n, m, rows, columns] = sizeOf(dy);
  const [, c] = sizeOf(x);
  const seen = pick(g, pick(g, x, 2, 0, strides[0], rows), 3, 0, strides[1], columns);
  const places = rows * columns;
  const left = g.op('Reshape', [dy], { shape: [n, m, places] });
  const right = g.op('Reshape', [seen], { shape: [n, c, places] });
  if (m * c < places * (m + c)) {
    const each = g.op('MatMul', [left, g.op('Transpose', [right], { perm: [0, 2, 1] })]);
    return g.op('Reshape', [g.op('ReduceSum', [each], { axes: [0], keepDims: false })], { shape: w.shape });
  }
  const rowsOf = g.op('Reshape', [g.op('Transpose', [left], { perm: [1, 0, 2] })], { shape: [m, n * places] });
  const columnsOf = g.op('Reshape', [g.op('Transpose', [right], { perm: [0, 2, 1] })], { shape: [n * places, c] });
  return g.op('Reshape', [g.op('MatMul', [rowsOf, columnsOf])], { shape: w.shape });
}

/** For each place of the kernel: dy [m, n·places] · the part of x it saw [n·places, c]. Without groups. */
function kernelGradientByPlaces(
  g: GraphBuilder,
  x: Value,
  w: Value,
  dy: Value,
  { strides, pads, dilations }: Convolution,
): Value {
  const [n, m, rows, columns] = sizeOf(dy);
  const [, c, kernelRows, kernelColumns] = sizeOf(w);
  const places = n * rows * columns;
  const left = g.op('Reshape', [g.op('Transpose', [dy], { perm: [1, 0, 2, 3] })], { shape: [m, places] });
  const channelsLast = padRows(g, g.op('Transpose', [x], { perm: [0, 2, 3, 1] }), 1, pads);
  const at = (row: number, column: number) => {
    const seen = pick(
      g,
      pick(g, channelsLast, 1, row * dilations[0], strides[0], rows),
      2,
      column * dilations[1],
      strides[1],
      columns,
    );
    return g.op('MatMul', [left, g.op('Reshape', [seen], { shape: [places, c] })]);
  };
  const part = (place: number) =>
    g.op('Reshape', [at(Math.floor(place / kernelColumns), place % kernelColumns)], { shape: [1, m, c] });
  const rest = Array.from({ length: kernelRows * kernelColumns - 1 }, (_, place) => part(place + 1));
  const whole = g.op('Concat', [part(0), ...rest], { axis: 0 });
  return g.op('Reshape', [g.op('Transpose', [whole], { perm: [1, 2, 0] })], { shape: w.shape });
}

/**
 * x as c images of n channels, dy as m kernels of n channels: their convolution, with strides and dilations changing
 * places, is dw. With groups, the c/groups images hold the groups' channels one after the other.
 */
function kernelGradientByConvolution(
  g: GraphBuilder,
  x: Value,
  w: Value,
  dy: Value,
  { strides, pads, dilations, groups }: Convolution,
): Value {
  const [n, c, height, width] = sizeOf(x);
  const [, perGroup, kernelRows, kernelColumns] = sizeOf(w);
  const grouped = g.op('Reshape', [x], { shape: [n, groups, perGroup, height, width] });
  const images = g.op('Reshape', [g.op('Transpose', [grouped], { perm: [2, 1, 0, 3, 4] })], {
    shape: [perGroup, (c / perGroup) * n, height, width],
  });
  const kernels = g.op('Transpose', [dy], { perm: [1, 0, 2, 3] });
  const convolved = g.op('Conv', [images, kernels], { strides: dilations, pads, dilations: strides, groups });
  // Rows and columns that no window reached leave places too many.
  const kernel: Pair = [kernelRows, kernelColumns];
  const cut = pick(g, pick(g, convolved, 2, 0, 1, kernel[0]), 3, 0, 1, kernel[1]);
  return g.op('Transpose', [cut], { perm: [1, 0, 2, 3] });
}
