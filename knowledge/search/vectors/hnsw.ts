// Approximate nearest vectors over a navigable graph (Malkov and Yashunin 2018) by hnswlib-node, which is optional.
import { setImmediate } from 'node:timers/promises';
import type { VectorIndex, VectorTable } from './vector-index.ts';

/** Links of a node, and how widely is looked while building and while searching: recall@10 ≥ 0.99 at 100,000 vectors. */
const links = 24;
const buildWidth = 200;
const searchWidth = 160;
const pointsAtOnce = 50;
/** Its memory per vector: the numbers, the links of the lowest layer and some of those above. */
const linkBytes = (2 * links + links / 2 + 4) * 4;

/** @returns undefined where the package is not installed or was not compiled. */
export async function loadHnsw(): Promise<((table: VectorTable) => Promise<VectorIndex>) | undefined> {
  let library: typeof import('hnswlib-node');
  try {
    library = (await import('hnswlib-node')).default;
  } catch {
    // An optional dependency: no compiler at install, no package. Exact search does the same, only slower.
    return undefined;
  }
  return async ({ dimensions, data }) => {
    const size = data.length / dimensions;
    const graph = new library.HierarchicalNSW('ip', dimensions);
    graph.initIndex({ maxElements: Math.max(1, size), m: links, efConstruction: buildWidth, randomSeed: 1 });
    for (let at = 0; at < size; at++) {
      // Adding takes up to a millisecond: whoever else this process serves gets a turn.
      if (at % pointsAtOnce === 0) await setImmediate();
      graph.addPoint(Array.from(data.subarray(at * dimensions, (at + 1) * dimensions)), at);
    }
    return {
      kind: 'hnsw',
      size,
      bytes: size * (dimensions * 4 + linkBytes),
      nearest(query, limit) {
        const wanted = Math.min(limit, size);
        if (wanted === 0) return [];
        graph.setEf(Math.max(searchWidth, wanted));
        const { neighbors, distances } = graph.searchKnn(Array.from(query), wanted);
        return neighbors.map((at, i) => ({ at, similarity: 1 - (distances[i] ?? 1) }));
      },
    };
  };
}
