// What running a graph once will take: arithmetic, bytes moved, and the most memory its values need at a time.
import { type Graph, pruneGraph } from './graph.ts';
import type { Op, Value } from './ops.ts';
import { type DataType, elementCount } from './tensor.ts';

export interface Cost {
  /** Multiplications and additions of matrix products and convolutions. */
  readonly flops: number;
  /** Read and written by everything else. */
  readonly movedBytes: number;
  /** The most that the values between inputs and outputs need at a time, outputs included. */
  readonly peakBytes: number;
}

const element_bytes: { readonly [type in DataType]?: number } = { float32: 4, int32: 4, bool: 1, uint8: 1, uint4: 0.5 };
const bytesOf = ({ type, shape }: Value): number => elementCount(shape) * (element_bytes[type] ?? 2);

type Product = (inputs: readonly Value[], outputs: readonly Value[]) => number;
const size = (value: Value | undefined) => (value ? elementCount(value.shape) : 0);
const axis = (value: Value | undefined, at: number) => value?.shape.at(at) ?? 1;

/** Two for each product of two numbers: one multiplication, one addition. */
const products: { readonly [O in Op]?: Product } = {
  MatMul: ([a], [y]) => 2 * size(y) * axis(a, -1),
  // Whichever way A lies, its elements are those of rows · inner.
  Gemm: ([a], [y]) => 2 * size(a) * axis(y, -1),
  MatMulFourBit: ([x], [y]) => 2 * size(y) * axis(x, -1),
  Conv: ([, kernels], [y]) => 2 * size(y) * (size(kernels) / axis(kernels, 0)),
  ConvTranspose: ([dy, kernels]) => 2 * size(dy) * (size(kernels) / axis(kernels, 0)),
};

/** Only another name for the same bytes. */
const views: ReadonlySet<Op> = new Set(['Reshape', 'Identity', 'Detach']);

export function costOf(whole: Graph): Cost {
  const graph = pruneGraph(whole);
  let flops = 0;
  let movedBytes = 0;
  for (const node of graph.nodes) {
    const inputs: readonly Value[] = node.inputs;
    const outputs: readonly Value[] = node.outputs;
    const product = products[node.op];
    if (product) flops += product(inputs, outputs);
    else if (!views.has(node.op)) movedBytes += [...inputs, ...outputs].reduce((sum, value) => sum + bytesOf(value), 0);
  }
  return { flops, movedBytes, peakBytes: peakOf(graph) };
}

/** Walks the nodes in order: a value lives from its making to its last reading, an output to the end. */
function peakOf(graph: Graph): number {
  const owner = new Map<string, string>();
  const ownerOf = (name: string) => owner.get(name) ?? name;
  const lastUse = new Map<string, number>();
  const order = graph.nodes;
  order.forEach((node, index) => {
    const inputs: readonly Value[] = node.inputs;
    const outputs: readonly Value[] = node.outputs;
    if (views.has(node.op) && inputs[0] && outputs[0]) owner.set(outputs[0].name, ownerOf(inputs[0].name));
    for (const { name } of inputs) lastUse.set(ownerOf(name), index);
  });
  for (const { name } of graph.outputs.values()) lastUse.set(ownerOf(name), Number.POSITIVE_INFINITY);
  const bytes = new Map<string, number>();
  let now = 0;
  let peak = 0;
  order.forEach((node, index) => {
    const inputs: readonly Value[] = node.inputs;
    const outputs: readonly Value[] = node.outputs;
    if (!views.has(node.op)) {
      for (const value of outputs) {
        if (!lastUse.has(value.name)) continue;
        bytes.set(value.name, bytesOf(value));
        now += bytesOf(value);
      }
    }
    peak = Math.max(peak, now);
    for (const name of new Set(inputs.map((value) => ownerOf(value.name)))) {
      if (lastUse.get(name) !== index) continue;
      now -= bytes.get(name) ?? 0;
      bytes.delete(name);
    }
  });
  return peak;
}
