// What running a graph once will take: arithmetic, bytes moved, the most memory its values need at a time, and seconds.
import { type Graph, pruneGraph } from './graph.ts';
import type { GraphNode, Op, Value } from './ops.ts';
import type { Speed } from './speed.ts';
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

/** How a product is done, by what the device was measured at. */
function rateOf({ op, attributes }: GraphNode, speed: Speed, inputs: readonly Value[]): number {
  if (op === 'Conv') return speed.convolutionGflops * (isDilated(attributes) ? dilated : 1);
  if (op === 'ConvTranspose') return speed.convolutionGflops * backwards;
  if (op === 'Gemm' && 'transA' in attributes && attributes.transA) return speed.transposedGflops;
  if (op === 'MatMul' && (inputs[1]?.shape.length ?? 0) > 2) return speed.batchedGflops;
  return speed.matmulGflops;
}

/** Convolutions on the way back, as measured against those on the way there (shapes of ResNet-50, two cores). */
const dilated = 0.5;
const backwards = 0.7;
const isDilated = (attributes: object): boolean =>
  'dilations' in attributes && Array.isArray(attributes.dilations) && attributes.dilations.some((step) => step > 1);

/**
 * Each node at the slower of its arithmetic and its bytes (the roofline of Williams et al. 2009), and what it costs to
 * start it; on a processor also the memory that each run takes from the system anew, and the outputs that are copied.
 */
export function secondsOf(whole: Graph, speed: Speed, onProcessor: boolean): number {
  const graph = pruneGraph(whole);
  let seconds = 0;
  for (const node of graph.nodes) {
    if (views.has(node.op)) continue;
    const inputs: readonly Value[] = node.inputs;
    const outputs: readonly Value[] = node.outputs;
    const moved = [...inputs, ...outputs].reduce((sum, value) => sum + bytesOf(value), 0) / (speed.bandwidthGBs * 1e9);
    const flops = products[node.op]?.(inputs, outputs) ?? 0;
    const computed = flops === 0 ? 0 : flops / (rateOf(node, speed, inputs) * 1e9);
    seconds += Math.max(moved, computed) + speed.nodeMicroseconds * 1e-6;
  }
  if (!onProcessor) return seconds;
  const answers = [...graph.outputs.values()].reduce((sum, value) => sum + bytesOf(value), 0);
  // One thread copies them.
  const copied = (speed.cores * 2 * answers) / (speed.bandwidthGBs * 1e9);
  return seconds + copied + (peakOf(graph) + speed.cores * answers) * freshSecondsPerByte(speed);
}

/** What the first touch of memory costs beyond moving the bytes: of three bytes that the trial moves, one is new. */
const freshSecondsPerByte = ({ freshGBs, bandwidthGBs }: Speed) => Math.max(0, 3 / freshGBs - 3 / bandwidthGBs) / 1e9;

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
