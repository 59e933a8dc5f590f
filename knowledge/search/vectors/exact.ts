// Exact nearest vectors: one pass over all of them, keeping the best so far.
import type { Neighbour, VectorIndex, VectorTable } from './vector-index.ts';

export function createExactIndex({ dimensions, data }: VectorTable): VectorIndex {
  const size = data.length / dimensions;
  return {
    kind: 'exact',
    size,
    bytes: data.byteLength,
    nearest(query, limit) {
      const best: Neighbour[] = [];
      let least = Number.NEGATIVE_INFINITY;
      for (let at = 0; at < size; at++) {
        const similarity = product(data, at * dimensions, query);
        if (best.length >= limit && similarity <= least) continue;
        insert(best, { at, similarity });
        if (best.length > limit) best.pop();
        if (best.length >= limit) least = best.at(-1)?.similarity ?? least;
      }
      return best;
    },
  };
}

/** Of a vector that begins at `from`. Four sums at a time: the additions need not wait for one another. */
export function product(data: Float32Array, from: number, query: Float32Array): number {
  const { length } = query;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    a += (data[from + i] ?? 0) * (query[i] ?? 0);
    b += (data[from + i + 1] ?? 0) * (query[i + 1] ?? 0);
    c += (data[from + i + 2] ?? 0) * (query[i + 2] ?? 0);
    d += (data[from + i + 3] ?? 0) * (query[i + 3] ?? 0);
  }
  for (; i < length; i++) a += (data[from + i] ?? 0) * (query[i] ?? 0);
  return a + b + c + d;
}

/** Into a list that is sorted, best first; equals keep their order. */
function insert(best: Neighbour[], entry: Neighbour): void {
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((best[middle]?.similarity ?? 0) >= entry.similarity) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, entry);
}
