// Where weights that a file holds lie while a session runs: in the file, once for all sessions, or as copies of its own.
import type { FileRange, Graph } from './graph.ts';
import type { GraphNode, Value } from './ops.ts';
import type { Device } from './session.ts';
import { elementCount, type Shape } from './tensor.ts';

/**
 * - `in place`: the bytes of the file, mapped into memory; half precision is widened each time it is used.
 * - `held`: read once as float32, for all sessions of the process that use them.
 * - `packed`: a copy for each product, in the order the processor likes: a tenth faster, but each session has its own.
 */
export type WeightPlace = 'in place' | 'held' | 'packed';

const largestHeldBytes = { float32: 1e9, half: 1.5e9 } as const;
const largestPackedBytes = 1e9;

export interface Placing {
  readonly device: Device;
  /** Copies are worth it: one session will be run many times. */
  readonly packs?: boolean | undefined;
}

export function placeWeights(graph: Graph, { device, packs = false }: Placing): WeightPlace {
  if (keepsHalves(graph) || fileBytes(graph, ['float32']) > largestHeldBytes.float32) return 'in place';
  // A session on another device copies them into its memory, but where they can be put there once.
  if (device === 'cuda') return 'packed';
  return device === 'cpu' && packs && packedBytes(graph) <= largestPackedBytes ? 'packed' : 'held';
}

/** Whether half precision stays as it lies, and is widened each time it is used. */
export function keepsHalves(graph: Graph): boolean {
  // Who keeps weights in four bits has no memory to spare.
  const isPacked = graph.initializers.some(({ value, source }) => value.type === 'uint4' && 'external' in source);
  return isPacked || fileBytes(graph, ['float16', 'bfloat16']) > largestHeldBytes.half;
}

/** Of weights that the graph reads from files; one that is read as several types counts once. */
function fileBytes({ initializers }: Graph, types: readonly Value['type'][]): number {
  const sources = new Set(initializers.flatMap(({ value, source }) => (types.includes(value.type) ? [source] : [])));
  return [...sources].reduce((sum, source) => sum + ('external' in source ? source.external.bytes : 0), 0);
}

/** What copies of the weights of all products take, as float32. */
export function packedBytes(graph: Graph): number {
  const weights = new Map(weightsOf(graph).map(({ name, shape }) => [name, 4 * elementCount(shape)]));
  return graph.nodes.reduce((sum, { op, inputs }) => {
    const factor = op === 'Gemm' || op === 'MatMul' ? inputs[1] : undefined;
    return sum + (factor ? (weights.get(factor.name) ?? 0) : 0);
  }, 0);
}

/** A weight of a file, by the name of the value that holds it as float32. */
export interface StoredWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly type: 'float32' | 'float16' | 'bfloat16';
  readonly range: FileRange;
}

const isWidening = ({ op, outputs }: GraphNode) => op === 'Cast' && outputs[0].type === 'float32';

function weightsOf({ initializers, nodes }: Graph): readonly StoredWeight[] {
  const widened = new Map(
    nodes.flatMap((node) => (isWidening(node) ? [[node.inputs[0].name, node.outputs[0].name] as const] : [])),
  );
  return initializers.flatMap(({ value: { name, shape, type }, source }): StoredWeight[] => {
    if (!('external' in source)) return [];
    if (type === 'float32') return [{ name, shape, type, range: source.external }];
    const wide = widened.get(name);
    if (wide === undefined || (type !== 'float16' && type !== 'bfloat16')) return [];
    return [{ name: wide, shape, type, range: source.external }];
  });
}

/** The graph with the weights of its files as inputs. @returns what those are to be fed with, too. */
export function feedWeights(graph: Graph): { readonly graph: Graph; readonly weights: readonly StoredWeight[] } {
  const weights = weightsOf(graph);
  const fed = new Set(weights.map(({ name }) => name));
  const isFed = ({ outputs: [value] }: GraphNode) => fed.has(value.name);
  const nodes = graph.nodes.filter((node) => !isFed(node));
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values()].map(({ name }) => name));
  return {
    graph: {
      ...graph,
      nodes,
      inputs: [...graph.inputs, ...weights.map(({ name, shape }) => ({ name, shape, type: 'float32' as const }))],
      initializers: graph.initializers.filter(({ value: { name } }) => !fed.has(name) && read.has(name)),
    },
    weights,
  };
}
