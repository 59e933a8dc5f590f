// What running a graph once will take: arithmetic, bytes moved, the most memory its values need at a time, and seconds.
import { type Graph, pruneGraph } from './graph.ts';
import type { GraphNode, Op, Value } from './ops.ts';
import type { Speed } from './speed.ts';
import { type DataType, elementCount } from './tensor.ts';
import { keepsHalves, type Placing, packedBytes, placeWeights } from './weight-places.ts';

export interface Cost {
  /** Multiplications and additions of matrix products and convolutions. */
  readonly flops: number;
  /** Read and written by everything else. */
  readonly movedBytes: number;
  /** The most that the values between inputs and outputs need at a time, outputs included. */
  readonly peakBytes: number;
  /** Of all outputs. */
  readonly answerBytes: number;
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

/** What onnxruntime computes once, when the session is made, if all that goes in is constant. */
const foldable: ReadonlySet<Op> = new Set(['Cast', 'Transpose', 'Reshape', 'Identity', 'Detach', 'Expand']);

/** The graph as each run sees it: weights that are widened or turned once are constants like the others. */
function foldConstants(graph: Graph): Graph {
  if (keepsHalves(graph)) return graph;
  const constants = new Set(graph.initializers.map(({ value }) => value.name));
  const initializers = [...graph.initializers];
  const nodes = graph.nodes.filter((node) => {
    const inputs: readonly Value[] = node.inputs;
    const outputs: readonly Value[] = node.outputs;
    if (!foldable.has(node.op) || !inputs.every(({ name }) => constants.has(name))) return true;
    const made = initializers.find(({ value }) => value.name === inputs[0]?.name);
    for (const value of outputs) {
      constants.add(value.name);
      if (made) initializers.push({ ...made, value });
    }
    return false;
  });
  return { ...graph, initializers, nodes };
}

/** Of a table whose rows are looked up, what one row brings into memory: the pages round it that are read with it. */
const bytesRoundRow = 64e3;

/**
 * What the weights of a graph take that come from files: as they lie in the file, or as much of that as rows are looked up;
 * as float32, once; or as copies for each product.
 */
export function weightBytes(whole: Graph, placing: Placing): number {
  const pruned = pruneGraph(whole);
  const place = placeWeights(pruned, placing);
  const graph = foldConstants(pruned);
  const constants = new Map(graph.initializers.map((one) => [one.value.name, one]));
  const used = new Map<unknown, number>();
  for (const node of graph.nodes) {
    const inputs: readonly Value[] = node.inputs;
    inputs.forEach((value, at) => {
      const constant = constants.get(value.name);
      if (!constant) return;
      const isFactor = at === 1 && (node.op === 'Gemm' || node.op === 'MatMul');
      if (place === 'packed' && isFactor) return;
      const looksUp = place !== 'held' && node.op === 'Gather' && at === 0;
      const rows = looksUp ? size(inputs[1]) * bytesRoundRow : Number.POSITIVE_INFINITY;
      used.set(constant.source, Math.max(used.get(constant.source) ?? 0, Math.min(bytesOf(value), rows)));
    });
  }
  const packed = place === 'packed' ? packedBytes(pruned) : 0;
  return packed + [...used.values()].reduce((sum, bytes) => sum + bytes, 0);
}

export function costOf(whole: Graph): Cost {
  const graph = foldConstants(pruneGraph(whole));
  let flops = 0;
  let movedBytes = 0;
  for (const node of graph.nodes) {
    const inputs: readonly Value[] = node.inputs;
    const outputs: readonly Value[] = node.outputs;
    const product = products[node.op];
    if (product) flops += product(inputs, outputs);
    else if (!views.has(node.op)) movedBytes += [...inputs, ...outputs].reduce((sum, value) => sum + bytesOf(value), 0);
  }
  return { flops, movedBytes, peakBytes: peakOf(graph), answerBytes: answerBytes(graph) };
}

/** How a product is done, by what the device was measured at. */
function rateOf({ op, attributes }: GraphNode, speed: Speed, inputs: readonly Value[]): number {
  if (op === 'Conv') return speed.convolutionGflops * (isDilated(attributes) ? dilated : isPoint(inputs) ? point : 1);
  if (op === 'ConvTranspose') return speed.convolutionGflops * backwards;
  const side = Math.min(axis(inputs[0], -2), axis(inputs[0], -1), axis(inputs[1], -2), axis(inputs[1], -1));
  if (op === 'Gemm' && 'transA' in attributes && attributes.transA) return speed.transposedGflops * fullness(side);
  if (op === 'MatMul' && (inputs[1]?.shape.length ?? 0) > 2)
    return (speed.batchedGflops * fullness(side)) / fullness(batchedSide);
  return speed.matmulGflops * fullness(side);
}

/** The shortest side of the small products that were measured. */
const batchedSide = 64;
/** A kernel works on panels of about 16 rows or columns: of a narrow product part of the work is for nothing. */
const fullness = (side: number) => side / (side + 16);
const isPoint = (inputs: readonly Value[]) => axis(inputs[1], -1) === 1;

/** Convolutions on the way back and those of one point, as measured against those on the way there (shapes of ResNet-50, two cores). */
const dilated = 0.5;
const point = 0.55;
const backwards = 0.7;
const isDilated = (attributes: object): boolean =>
  'dilations' in attributes && Array.isArray(attributes.dilations) && attributes.dilations.some((step) => step > 1);

/**
 * Each node at the slower of its arithmetic and its bytes (the roofline of Williams et al. 2009), and what it costs to
 * start it; on a processor also the memory that each run takes from the system anew, and the outputs that are copied.
 */
export function secondsOf(whole: Graph, speed: Speed, onProcessor: boolean): number {
  const graph = foldConstants(pruneGraph(whole));
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
  const answers = answerBytes(graph);
  // One thread copies them.
  const copied = (speed.cores * 2 * answers) / (speed.bandwidthGBs * 1e9);
  return seconds + copied + (peakOf(graph) + speed.cores * answers) * freshSecondsPerByte(speed);
}

const answerBytes = ({ outputs }: Graph) => [...outputs.values()].reduce((sum, value) => sum + bytesOf(value), 0);

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
