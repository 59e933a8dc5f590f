// Smaller variants of an exported model: eight bits (q8) or four (q4) a weight, in the forms that onnxruntime computes with.

import {
  microsoft,
  type OnnxInput,
  type OnnxNode,
  type OnnxParts,
  type OnnxTensor,
  type_codes,
} from '../graph/onnx-bytes.ts';
import { elementCount } from '../graph/tensor.ts';
import { four_bit_block_size, quantizeFourBit } from '../models/four-bit.ts';

export const export_dtypes = ['fp32', 'q8', 'q4'] as const;
export type ExportDtype = (typeof export_dtypes)[number];

interface Replacement {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
}

interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** What becomes of a product x·Wᵀ + b and of a look-up in a table, given the weight; undefined leaves it as it is. */
interface Compression {
  product(matrix: Matrix, x: string, bias: string | undefined, output: string): Replacement | undefined;
  lookUp(table: Matrix, indices: OnnxInput, output: string): Replacement | undefined;
}

const compressions: { readonly [D in ExportDtype]: Compression | undefined } = {
  fp32: undefined,
  q8: { product: eightBitProduct, lookUp: eightBitLookUp },
  q4: { product: fourBitProduct, lookUp: () => undefined },
};

/** @returns the model with its matrices in `dtype`; what has no such form stays float32. */
export function compress(parts: OnnxParts, dtype: ExportDtype): OnnxParts {
  const compression = compressions[dtype];
  if (!compression) return parts;
  const tensors = new Map(parts.tensors.map((tensor) => [tensor.name, tensor]));
  const added = new Map<string, OnnxTensor>();
  const nodes = parts.nodes.flatMap((node) => {
    const replacement = replace(node, tensors, compression);
    if (!replacement) return [node];
    for (const tensor of replacement.tensors) added.set(tensor.name, tensor);
    return replacement.nodes;
  });
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const kept = parts.tensors.filter(({ name }) => read.has(name));
  return { ...parts, nodes, tensors: [...kept, ...added.values()] };
}

function replace(
  { type, inputs, outputs, attributes }: OnnxNode,
  tensors: ReadonlyMap<string, OnnxTensor>,
  compression: Compression,
): Replacement | undefined {
  const [first = '', second = '', third] = inputs;
  const output = outputs[0] ?? '';
  if (type === 'Gemm' && typeof first === 'string' && isZero(attributes.transA)) {
    const matrix = matrixOf(tensors, second, isZero(attributes.transB));
    if (matrix) return compression.product(matrix, first, typeof third === 'string' ? third : undefined, output);
  }
  if (type === 'Gather') {
    const table = matrixOf(tensors, first, false);
    if (table) return compression.lookUp(table, second, output);
  }
  return undefined;
}

const isZero = (attribute: OnnxNode['attributes'][string] | undefined) =>
  attribute === undefined || ('int' in attribute && attribute.int === 0);

/** A float32 weight as [out, in]; `transposed`: it lies as [in, out]. Small ones are not worth it. */
function matrixOf(tensors: ReadonlyMap<string, OnnxTensor>, name: OnnxInput, transposed: boolean): Matrix | undefined {
  const tensor = typeof name === 'string' ? tensors.get(name) : undefined;
  if (tensor?.type !== 'float32' || tensor.shape.length !== 2 || !('inline' in tensor.source)) return undefined;
  const { inline } = tensor.source;
  if (!(inline instanceof Float32Array) || elementCount(tensor.shape) < 1024) return undefined;
  const [rows = 0, columns = 0] = tensor.shape;
  if (!transposed) return { name: tensor.name, rows, columns, data: inline };
  return { name: tensor.name, rows: columns, columns: rows, data: transpose(inline, rows, columns) };
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column] ?? 0;
  }
  return turned;
}

/** The stored number for zero: both operands of the product are unsigned, which no processor saturates. */
const eight_bit_zero = 128;

/** Each row by its own step: n stands for (n − 128)·step, where 127 steps reach the row's largest magnitude. */
function quantizeRows({ rows, columns, data }: Matrix): { numbers: Uint8Array; steps: Float32Array } {
  const numbers = new Uint8Array(data.length);
  const steps = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) largest = Math.max(largest, Math.abs(data[at] ?? 0));
    const step = largest / 127;
    steps[row] = step;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      numbers[at] = step === 0 ? eight_bit_zero : Math.round((data[at] ?? 0) / step) + eight_bit_zero;
    }
  }
  return { numbers, steps };
}

const plain = (type: string, inputs: readonly OnnxInput[], output: string): OnnxNode => ({
  type,
  inputs,
  outputs: [output],
  attributes: {},
});
const toFloat = (input: string, output: string): OnnxNode => ({
  ...plain('Cast', [input], output),
  attributes: { to: { int: type_codes.float32 } },
});
const zeroPoint: OnnxTensor = {
  name: 'eight_bit_zero',
  type: 'uint8',
  shape: [],
  source: { inline: Uint8Array.of(eight_bit_zero) },
};

/** x is brought to eight bits as it comes, the product is taken in whole numbers and scaled back. */
function eightBitProduct(matrix: Matrix, x: string, bias: string | undefined, output: string): Replacement {
  const { name, rows, columns } = matrix;
  const { numbers, steps } = quantizeRows(matrix);
  const turned = new Uint8Array(numbers.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = numbers[row * columns + column] ?? 0;
  }
  const weight = `${name}_turned_q8`;
  const scales = `${name}_steps_q8`;
  const scaled = bias === undefined ? output : `${output}_scaled`;
  return {
    tensors: [
      { name: weight, type: 'uint8', shape: [columns, rows], source: { inline: turned } },
      { name: scales, type: 'float32', shape: [rows], source: { inline: steps } },
      zeroPoint,
    ],
    nodes: [
      {
        type: 'DynamicQuantizeLinear',
        inputs: [x],
        outputs: [`${output}_x`, `${output}_x_step`, `${output}_x_zero`],
        attributes: {},
      },
      plain('MatMulInteger', [`${output}_x`, weight, `${output}_x_zero`, zeroPoint.name], `${output}_whole`),
      toFloat(`${output}_whole`, `${output}_float`),
      plain('Mul', [scales, `${output}_x_step`], `${output}_step`),
      plain('Mul', [`${output}_float`, `${output}_step`], scaled),
      ...(bias === undefined ? [] : [plain('Add', [scaled, bias], output)]),
    ],
  };
}

/** Only the rows that are looked up are widened. */
function eightBitLookUp(table: Matrix, indices: OnnxInput, output: string): Replacement {
  const { name, rows, columns } = table;
  const { numbers, steps } = quantizeRows(table);
  const rowsName = `${name}_rows_q8`;
  const scales = `${name}_row_steps_q8`;
  return {
    tensors: [
      { name: rowsName, type: 'uint8', shape: [rows, columns], source: { inline: numbers } },
      { name: scales, type: 'float32', shape: [rows, 1], source: { inline: steps } },
    ],
    nodes: [
      plain('Gather', [rowsName, indices], `${output}_whole`),
      toFloat(`${output}_whole`, `${output}_float`),
      plain('Sub', [`${output}_float`, { float: eight_bit_zero }], `${output}_centred`),
      plain('Gather', [scales, indices], `${output}_step`),
      plain('Mul', [`${output}_centred`, `${output}_step`], output),
    ],
  };
}

function fourBitProduct(matrix: Matrix, x: string, bias: string | undefined, output: string): Replacement | undefined {
  const { name, rows, columns, data } = matrix;
  if (columns % four_bit_block_size !== 0) return undefined;
  const { packed, steps } = quantizeFourBit(data);
  const blocks = columns / four_bit_block_size;
  const product = bias === undefined ? output : `${output}_product`;
  return {
    tensors: [
      {
        name: `${name}_q4`,
        type: 'uint8',
        shape: [rows, blocks, four_bit_block_size / 2],
        source: { inline: packed },
      },
      { name: `${name}_steps_q4`, type: 'float32', shape: [rows * blocks], source: { inline: steps } },
    ],
    nodes: [
      {
        type: 'MatMulNBits',
        domain: microsoft,
        inputs: [x, `${name}_q4`, `${name}_steps_q4`],
        outputs: [product],
        attributes: {
          K: { int: columns },
          N: { int: rows },
          bits: { int: 4 },
          block_size: { int: four_bit_block_size },
        },
      },
      ...(bias === undefined ? [] : [plain('Add', [product, bias], output)]),
    ],
  };
}
