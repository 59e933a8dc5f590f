// Adafactor (Shazeer and Stern 2018): second moments kept as a row and a column instead of a matrix, and no first ones.
// As Transformers' Adafactor with a learning rate of its own: scale_parameter and relative_step off.
import type { FloatTensor } from '../../graph/tensor.ts';
import { decays, gradientFor, type Optimizer, type Trainable } from './optimizer.ts';

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
function matricesOf({ shape }: FloatTensor) {
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
