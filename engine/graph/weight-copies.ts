// How weights that a file holds lie in memory: as they are, widened once, or copied in the order that the processor likes.
import type { Graph } from './graph.ts';

const largestCopiedBytes = 1e9;
/** A smaller model is widened once and kept so: twice the memory of its file, and no work at each step. */
const largestWidenedBytes = 1.5e9;

/** Whether products get a copy of each weight: faster, but a large checkpoint would lie in memory twice. */
export function packsWeights(graph: Graph): boolean {
  // One source read as several types counts once.
  const sources = new Set(graph.initializers.map(({ source }) => source));
  const bytes = [...sources].reduce((sum, source) => sum + ('external' in source ? source.external.bytes : 0), 0);
  return bytes <= largestCopiedBytes;
}

/** Whether half precision stays as it lies, and is widened each time it is used. */
export function keepsHalves(graph: Graph): boolean {
  const halves = graph.initializers.flatMap(({ value, source }) =>
    (value.type === 'float16' || value.type === 'bfloat16') && 'external' in source ? [source.external.bytes] : [],
  );
  // Who keeps weights in four bits has no memory to spare.
  const isPacked = graph.initializers.some(({ value, source }) => value.type === 'uint4' && 'external' in source);
  return isPacked || halves.reduce((sum, bytes) => sum + bytes, 0) > largestWidenedBytes;
}
