// Adafactor (Shazeer and Stern 2018): second moments kept as a row and a column instead of a matrix, and no first ones.
// As Transformers' Adafactor with a learning rate of its own: scale_parameter and relative_step off.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Value } from '../../graph/ops.ts';
import { elementCount, type FloatTensor } from '../../graph/tensor.ts';
import { decays, gradientFor, type Optimizer, type Trainable } from './optimizer.ts';
import type { UpdateRule } from './update-rule.ts';

export interface AdafactorOptions {
  readonly weightDecay: number;
}

/** Added to squared gradients, so that none is zero. */
const epsilon = 1e-30;
/** β₂ at step t is 1 − t^decay. */
const decayExponent = -0.8;
/** The root mean square an update may have before it is scaled down. */
const clipThreshold = 1;

/** A weight as matrices: all axes but the last two are a stack of them. */
function matricesOf({ shape }: Pick<FloatTensor, 'shape'>) {
  const rows = shape.at(-2) ?? 1;
  const columns = shape.at(-1) ?? 1;
  const stacked = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { rows, columns, stacked };
}

const zeros = (length: number): FloatTensor => ({ shape: [length], data: new Float32Array(length) });

export function createAdafactor(trainable: Trainable, { weightDecay }: AdafactorOptions): Optimizer {
  const state = new Map<string, FloatTensor>();
  for (const [name, tensor] of trainable) {
    if (tensor.shape.length < 2) state.set(`second.${name}`, zeros(tensor.data.length));
    else {
      const { rows, columns, stacked } = matricesOf(tensor);
      state.set(`row.${name}`, zeros(stacked * rows));
      state.set(`column.${name}`, zeros(stacked * columns));
    }
  }
  const stateOf = (name: string): Float32Array => {
    const data = state.get(name)?.data;
    if (!data) throw new Error(`no state ${name}`);
    return data;
  };
  return {
    state,
    step(gradients, { step, learningRate, gradientScale }) {
      const keep = 1 - step ** decayExponent;
      for (const [name, tensor] of trainable) {
        const { data: weights } = tensor;
        const gradient = gradientFor(gradients, name, weights);
        const scaleAt =
          tensor.shape.length < 2
            ? followSquares(stateOf(`second.${name}`), gradient, gradientScale, keep)
            : followMatrices(tensor, stateOf(`row.${name}`), stateOf(`column.${name}`), gradient, gradientScale, keep);
        let squares = 0;
        for (let i = 0; i < weights.length; i++) squares += ((gradient[i] ?? 0) * gradientScale * scaleAt(i)) ** 2;
        const size = Math.sqrt(squares / weights.length);
        const rate = learningRate / Math.max(1, size / clipThreshold);
        const shrink = decays(tensor) ? 1 - weightDecay * learningRate : 1;
        for (let i = 0; i < weights.length; i++) {
          weights[i] = (weights[i] ?? 0) * shrink - rate * (gradient[i] ?? 0) * gradientScale * scaleAt(i);
        }
      }
    },
  };
}

/** @returns 1/√v at each place. */
function followSquares(second: Float32Array, gradient: Float32Array, scale: number, keep: number) {
  for (let i = 0; i < second.length; i++) {
    second[i] = keep * (second[i] ?? 0) + (1 - keep) * (((gradient[i] ?? 0) * scale) ** 2 + epsilon);
  }
  return (i: number) => 1 / Math.sqrt(second[i] ?? 0);
}

/** @returns 1/√(row · column / mean of the rows) at each place. */
function followMatrices(
  tensor: FloatTensor,
  row: Float32Array,
  column: Float32Array,
  gradient: Float32Array,
  scale: number,
  keep: number,
) {
  const { rows, columns, stacked } = matricesOf(tensor);
  const rowScale = new Float64Array(row.length);
  const columnScale = new Float64Array(column.length);
  for (let matrix = 0; matrix < stacked; matrix++) {
    const rowSums = new Float64Array(rows);
    const columnSums = new Float64Array(columns);
    for (let r = 0; r < rows; r++) {
      const from = (matrix * rows + r) * columns;
      let sum = 0;
      for (let c = 0; c < columns; c++) {
        const square = ((gradient[from + c] ?? 0) * scale) ** 2 + epsilon;
        sum += square;
        columnSums[c] = (columnSums[c] ?? 0) + square;
      }
      rowSums[r] = sum;
    }
    let mean = 0;
    for (let r = 0; r < rows; r++) {
      const at = matrix * rows + r;
      row[at] = keep * (row[at] ?? 0) + (1 - keep) * ((rowSums[r] ?? 0) / columns);
      mean += (row[at] ?? 0) / rows;
    }
    for (let r = 0; r < rows; r++) {
      const at = matrix * rows + r;
      rowScale[at] = 1 / Math.sqrt((row[at] ?? 0) / mean);
    }
    for (let c = 0; c < columns; c++) {
      const at = matrix * columns + c;
      column[at] = keep * (column[at] ?? 0) + (1 - keep) * ((columnSums[c] ?? 0) / rows);
      columnScale[at] = 1 / Math.sqrt(column[at] ?? 0);
    }
  }
  return (i: number) => {
    const line = Math.floor(i / columns);
    const matrix = Math.floor(line / rows);
    return (rowScale[line] ?? 0) * (columnScale[matrix * columns + (i % columns)] ?? 0);
  };
}

export function adafactorRule({ weightDecay }: AdafactorOptions): UpdateRule {
  return {
    scalars: ({ step, learningRate }) => ({
      keep: 1 - step ** decayExponent,
      take: step ** decayExponent,
      learningRate,
      shrink: 1 - weightDecay * learningRate,
    }),
    build(g, { weight, gradient, state, scalar, decays: shrinks }) {
      const square = g.op('Add', [g.op('Mul', [gradient, gradient]), g.scalar(epsilon)]);
      const follow = (old: Value, now: Value) =>
        g.op('Add', [g.op('Mul', [old, scalar('keep')]), g.op('Mul', [now, scalar('take')])]);
      const { update, next } = shrinks
        ? divideByMatrices(g, gradient, square, state, follow)
        : divideBySquares(g, gradient, square, state, follow);
      const axes = update.shape.map((_, axis) => axis);
      const meanSquare = g.op('Mul', [
        g.op('ReduceSumSquare', [update], { axes, keepDims: false }),
        g.scalar(1 / elementCount(update.shape)),
      ]);
      const size = g.op('Mul', [g.op('Sqrt', [meanSquare]), g.scalar(1 / clipThreshold)]);
      const rate = g.op('Div', [scalar('learningRate'), g.op('Clip', [size], { min: 1, max: 3e38 })]);
      const kept = shrinks ? g.op('Mul', [weight, scalar('shrink')]) : weight;
      return { weight: g.op('Sub', [kept, g.op('Mul', [update, rate])]), state: next };
    },
  };
}

type Follow = (old: Value, now: Value) => Value;

function divideBySquares(
  g: GraphBuilder,
  gradient: Value,
  square: Value,
  state: (prefix: string) => Value,
  follow: Follow,
) {
  const second = follow(state('second'), square);
  return { update: g.op('Div', [gradient, g.op('Sqrt', [second])]), next: { second } };
}

function divideByMatrices(
  g: GraphBuilder,
  gradient: Value,
  square: Value,
  state: (prefix: string) => Value,
  follow: Follow,
) {
  const { rows, columns, stacked } = matricesOf(gradient);
  const stack = (value: Value) => g.op('Reshape', [value], { shape: [stacked, rows, columns] });
  const meanOver = (axis: 1 | 2, count: number) => {
    const sum = g.op('ReduceSum', [stack(square)], { axes: [axis], keepDims: false });
    const shape = [stacked * (axis === 1 ? columns : rows)];
    return g.op('Mul', [g.op('Reshape', [sum], { shape }), g.scalar(1 / count)]);
  };
  const row = follow(state('row'), meanOver(2, columns));
  const column = follow(state('column'), meanOver(1, rows));
  const byRow = g.op('Reshape', [row], { shape: [stacked, rows, 1] });
  const byColumn = g.op('Reshape', [column], { shape: [stacked, 1, columns] });
  const mean = g.op('Mul', [g.op('ReduceSum', [byRow], { axes: [1], keepDims: true }), g.scalar(1 / rows)]);
  // 1/√(row / mean) · 1/√column, each of its own: their product may be smaller than a float can say.
  const scaled = g.op('Div', [stack(gradient), g.op('Sqrt', [g.op('Div', [byRow, mean])])]);
  const update = g.op('Div', [scaled, g.op('Sqrt', [byColumn])]);
  return { update: g.op('Reshape', [update], { shape: gradient.shape }), next: { row, column } };
}
