// Nearest vectors behind one interface: exact search for a few thousand, a navigable graph (HNSW) above.
import { createExactIndex } from './exact.ts';
import { loadHnsw } from './hnsw.ts';

export interface Neighbour {
  /** Place among the vectors, from 0. */
  readonly at: number;
  /** Cosine similarity, from -1 to 1. */
  readonly similarity: number;
}

export interface VectorIndex {
  readonly kind: 'exact' | 'hnsw';
  readonly size: number;
  /** Memory it holds. */
  readonly bytes: number;
  /** @param query a unit vector. @returns the `limit` most similar, best first. */
  nearest(query: Float32Array, limit: number): readonly Neighbour[];
}

/** Unit vectors of one length, one after the other. */
export interface VectorTable {
  readonly dimensions: number;
  readonly data: Float32Array;
}

/** Measured at 128 dimensions: up to here an exact search takes about 3 ms, and needs no building. */
export const exactUpTo = 24_000;

/** Without hnswlib-node, which is compiled at install, exact search serves any number. */
export async function createVectorIndex(table: VectorTable): Promise<VectorIndex> {
  if (countOf(table) <= exactUpTo) return createExactIndex(table);
  const createHnswIndex = await loadHnsw();
  return createHnswIndex ? createHnswIndex(table) : createExactIndex(table);
}

function countOf({ data, dimensions }: VectorTable): number {
  return data.length / dimensions;
}
