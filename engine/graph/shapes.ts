// Shape rules, one per op: the type and shape of the outputs from those of the inputs, or an error that names both.
import type { Convolution, Each, Op, OpAttributes, OpInputs, OpOutputs, Pair, Pooling, Value } from './ops.ts';
import { type DataType, describeShape, elementCount, type Shape, sameShape } from './tensor.ts';

export interface ValueType {
  readonly type: DataType;
  readonly shape: Shape;
}

export type ShapeRule<O extends Op> = (
  inputs: OpInputs[O],
  attributes: OpAttributes[O],
) => Each<OpOutputs[O], ValueType>;

/** NumPy's broadcasting: sizes are equal or 1, counted from the last axis. */
function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new Error(`shapes ${describeShape(a)} and ${describeShape(b)} do not broadcast`);
    }
    return left === 1 ? right : left;
  });
}

function reducedShape(shape: Shape, reduction: OpAttributes['ReduceSum']): Shape {
  for (const axis of reduction.axes) checkAxis(axis, shape);
  return reduction.keepDims
    ? shape.map((size, axis) => (reduction.axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !reduction.axes.includes(axis));
}

function checkAxis(axis: number, shape: Shape): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    throw new Error(`axis ${axis} is not an axis of ${describeShape(shape)}`);
  }
}

function withSize(shape: Shape, axis: number, size: (old: number) => number): Shape {
  checkAxis(axis, shape);
  return shape.map((old, at) => (at === axis ? size(old) : old));
}

function imageShape({ shape }: Value): readonly [number, number, number, number] {
  const [n, c, h, w] = shape;
  if (n === undefined || c === undefined || h === undefined || w === undefined || shape.length !== 4) {
    throw new Error(`${describeShape(shape)} is not [n, channels, height, width]`);
  }
  return [n, c, h, w];
}

/** Places of a window along each of two axes. */
function windowPlaces(
  [height, width]: Pair,
  [kernelHeight, kernelWidth]: Pair,
  { strides, pads: [top, left, bottom, right] }: Pick<Pooling, 'strides' | 'pads'>,
  [rowDilation, columnDilation]: Pair = [1, 1],
): Pair {
  const rows = Math.floor((height + top + bottom - rowDilation * (kernelHeight - 1) - 1) / strides[0]) + 1;
  const columns = Math.floor((width + left + right - columnDilation * (kernelWidth - 1) - 1) / strides[1]) + 1;
  if (rows < 1 || columns < 1) {
    throw new Error(`a window of ${kernelHeight} × ${kernelWidth} does not fit into ${height} × ${width}`);
  }
  return [rows, columns];
}

/** @throws Error when the channels, groups and kernels do not fit. @returns kernels, channels of one group, size. */
function kernelShape(w: Value, { groups }: Convolution): readonly [number, number, Pair] {
  const [kernels, channels, height, width] = imageShape(w);
  if (kernels % groups !== 0) throw new Error(`${kernels} kernels do not make ${groups} groups`);
  return [kernels, channels, [height, width]];
}

const like = ([x]: readonly [Value]): [ValueType] => [{ type: x.type, shape: x.shape }];
const broadcast = ([a, b]: readonly [Value, Value]): [ValueType] => {
  if (a.type !== b.type) throw new Error(`types ${a.type} and ${b.type} differ`);
  return [{ type: a.type, shape: broadcastShapes(a.shape, b.shape) }];
};
const reduce: ShapeRule<'ReduceSum'> = ([x], reduction) => [{ type: x.type, shape: reducedShape(x.shape, reduction) }];

export const shape_rules: { readonly [O in Op]: ShapeRule<O> } = {
  Add: broadcast,
  Sub: broadcast,
  Mul: broadcast,
  Div: broadcast,
  Equal: ([a, b]) => [{ type: 'bool', shape: broadcastShapes(a.shape, b.shape) }],
  Neg: like,
  Exp: like,
  Log: like,
  Erf: like,
  Tanh: like,
  Sqrt: like,
  Sigmoid: like,
  Clip: like,
  Relu: like,
  Gelu: like,
  GeluTanh: like,
  Silu: like,
  Identity: like,
  Detach: like,
  Cast: ([x], { to }) => [{ type: to, shape: x.shape }],
  ReduceSum: reduce,
  ReduceSumSquare: reduce,
  ReduceMax: reduce,
  Softmax: like,
  LayerNormalization: ([x, scale, bias]) => {
    const size = x.shape.at(-1);
    for (const { shape } of [scale, bias]) {
      if (shape.length !== 1 || shape[0] !== size) {
        throw new Error(`scale or bias ${describeShape(shape)} does not fit ${describeShape(x.shape)}`);
      }
    }
    const statistics: ValueType = { type: x.type, shape: [...x.shape.slice(0, -1), 1] };
    return [{ type: x.type, shape: x.shape }, statistics, statistics];
  },
  RmsNormalization: ([x, scale]) => {
    if (scale.shape.length !== 1 || scale.shape[0] !== x.shape.at(-1)) {
      throw new Error(`scale ${describeShape(scale.shape)} does not fit ${describeShape(x.shape)}`);
    }
    return [
      { type: x.type, shape: x.shape },
      { type: x.type, shape: [...x.shape.slice(0, -1), 1] },
    ];
  },
  MatMul: ([a, b]) => {
    const inner = a.shape.at(-1);
    const rows = a.shape.at(-2);
    const columns = b.shape.at(-1);
    if (rows === undefined || columns === undefined || inner === undefined || b.shape.at(-2) !== inner) {
      throw new Error(`matrices ${describeShape(a.shape)} and ${describeShape(b.shape)} do not multiply`);
    }
    return [{ type: a.type, shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns] }];
  },
  MatMulFourBit: ([x, numbers, steps], { out, in: input, blockSize }) => {
    const [rows, columns] = x.shape;
    if (x.shape.length !== 2 || rows === undefined || columns !== input) {
      throw new Error(`${describeShape(x.shape)} does not multiply a weight of [${out}, ${input}]`);
    }
    if (!sameShape(numbers.shape, [out, input]) || !sameShape(steps.shape, [out, input / blockSize])) {
      throw new Error(`${describeShape(numbers.shape)} and ${describeShape(steps.shape)} are not [${out}, ${input}]`);
    }
    return [{ type: x.type, shape: [rows, out] }];
  },
  DequantizeLinear: ([numbers, steps], { out, in: input, blockSize }) => {
    if (!sameShape(numbers.shape, [out, input]) || !sameShape(steps.shape, [out, input / blockSize])) {
      throw new Error(`${describeShape(numbers.shape)} and ${describeShape(steps.shape)} are not [${out}, ${input}]`);
    }
    return [{ type: steps.type, shape: [out, input] }];
  },
  Gemm: ([a, b, c], { transA, transB }) => {
    const [aRows, aColumns] = transA ? a.shape.toReversed() : a.shape;
    const [bRows, bColumns] = transB ? b.shape.toReversed() : b.shape;
    const matrices = a.shape.length === 2 && b.shape.length === 2;
    if (!matrices || aRows === undefined || bColumns === undefined || aColumns !== bRows) {
      throw new Error(
        `Gemm of ${describeShape(a.shape)}${transA ? 'ᵀ' : ''} and ${describeShape(b.shape)}${transB ? 'ᵀ' : ''}`,
      );
    }
    const shape = [aRows, bColumns];
    if (c) broadcastShapes(shape, c.shape);
    return [{ type: a.type, shape }];
  },
  Conv: ([x, w, bias], attributes) => {
    const [n, c, height, width] = imageShape(x);
    const [kernels, channels, kernel] = kernelShape(w, attributes);
    if (channels * attributes.groups !== c || (bias && (bias.shape.length !== 1 || bias.shape[0] !== kernels))) {
      throw new Error(
        `kernels ${describeShape(w.shape)} in ${attributes.groups} groups do not fit ${describeShape(x.shape)}`,
      );
    }
    return [
      { type: x.type, shape: [n, kernels, ...windowPlaces([height, width], kernel, attributes, attributes.dilations)] },
    ];
  },
  ConvTranspose: ([y, w], attributes) => {
    const [n, m, height, width] = imageShape(y);
    const [kernels, channels, kernel] = kernelShape(w, attributes);
    const { strides, pads, dilations, outputPadding, groups } = attributes;
    if (kernels !== m) throw new Error(`kernels ${describeShape(w.shape)} do not fit ${describeShape(y.shape)}`);
    const size = (places: number, axis: 0 | 1) =>
      strides[axis] * (places - 1) +
      dilations[axis] * (kernel[axis] - 1) +
      1 +
      outputPadding[axis] -
      pads[axis] -
      pads[axis === 0 ? 2 : 3];
    return [{ type: y.type, shape: [n, channels * groups, size(height, 0), size(width, 1)] }];
  },
  MaxPool: ([x], pooling) => {
    const [n, c, height, width] = imageShape(x);
    const shape = [n, c, ...windowPlaces([height, width], pooling.kernel, pooling)];
    return [
      { type: x.type, shape },
      { type: 'int64', shape },
    ];
  },
  RotaryEmbedding: ([x, cos, sin]) => {
    const [places, pairs = 0] = cos.shape;
    const [, length, width = 0] = x.shape;
    if (x.shape.length !== 3 || cos.shape.length !== 2 || places !== length || width % (2 * pairs) !== 0) {
      throw new Error(`angles ${describeShape(cos.shape)} do not fit ${describeShape(x.shape)}`);
    }
    if (!sameShape(cos.shape, sin.shape)) throw new Error('cos and sin differ in shape');
    return [{ type: x.type, shape: x.shape }];
  },
  Transpose: ([x], { perm }) => {
    if (perm.length !== x.shape.length || new Set(perm).size !== perm.length) {
      throw new Error(`order [${perm.join(', ')}] does not permute ${describeShape(x.shape)}`);
    }
    return [
      {
        type: x.type,
        shape: perm.map((axis) => {
          checkAxis(axis, x.shape);
          return x.shape[axis] ?? 0;
        }),
      },
    ];
  },
  Reshape: ([x], { shape }) => {
    if (elementCount(shape) !== elementCount(x.shape)) {
      throw new Error(`${describeShape(x.shape)} cannot take the shape ${describeShape(shape)}`);
    }
    return [{ type: x.type, shape }];
  },
  Expand: ([x], { shape }) => [{ type: x.type, shape: broadcastShapes(x.shape, shape) }],
  Concat: (inputs, { axis }) => {
    const [x] = inputs;
    for (const { type, shape } of inputs) {
      if (type !== x.type || !sameShape(shape.toSpliced(axis, 1), x.shape.toSpliced(axis, 1))) {
        throw new Error(`${describeShape(shape)} does not follow ${describeShape(x.shape)} along axis ${axis}`);
      }
    }
    const size = inputs.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
    return [{ type: x.type, shape: withSize(x.shape, axis, () => size) }];
  },
  Split: ([x], { axis, parts }) => {
    const part: ValueType = {
      type: x.type,
      shape: withSize(x.shape, axis, (size) => {
        if (size % parts !== 0)
          throw new Error(`axis ${axis} of ${describeShape(x.shape)} has no ${parts} equal parts`);
        return size / parts;
      }),
    };
    return [part, ...Array.from({ length: parts - 1 }, () => part)];
  },
  Slice: ([x], { axis, start, end, step = 1 }) => [
    {
      type: x.type,
      shape: withSize(x.shape, axis, (size) => {
        if (start < 0 || end > size || start >= end) {
          throw new Error(`slice ${start}…${end} of axis ${axis} leaves ${describeShape(x.shape)}`);
        }
        return Math.ceil((end - start) / step);
      }),
    },
  ],
  Pad: ([x], { axis, before, after }) => [
    { type: x.type, shape: withSize(x.shape, axis, (size) => before + size + after) },
  ],
  Gather: ([table, indices]) => [{ type: table.type, shape: [...indices.shape, ...table.shape.slice(1)] }],
  GatherElements: ([x, indices]) => [{ type: x.type, shape: indices.shape }],
  ScatterElements: ([x]) => [{ type: x.type, shape: x.shape }],
};
