// A rough look at many vectors first: the signs of their numbers, 32 to an integer, tell which are worth a real product.
// A sixteenth of the memory is read, which is what an exact search of 100,000 waits for (Charikar 2002: random hyperplanes).
import { product } from './exact.ts';
import type { Neighbour, VectorTable } from './vector-index.ts';

export interface SignedVectors {
  /** How many signs of each differ from the query's, into `histogram` by their number, too. */
  differences(querySigns: Uint32Array, histogram: Uint32Array): Uint16Array;
  similarity(at: number, query: Float32Array): number;
}

export function createSignedVectors({ dimensions, data }: VectorTable): SignedVectors {
  const size = data.length / dimensions;
  const words = Math.ceil(dimensions / 32);
  const signs = new Uint32Array(size * words);
  for (let at = 0; at < size; at++) {
    signs.set(signsOf(data.subarray(at * dimensions, (at + 1) * dimensions)), at * words);
  }
  return {
    differences(querySigns, histogram) {
      const found = new Uint16Array(size);
      for (let at = 0; at < size; at++) {
        let count = 0;
        for (let word = 0; word < words; word++) {
          count += countBits((signs[at * words + word] ?? 0) ^ (querySigns[word] ?? 0));
        }
        found[at] = count;
        histogram[count] = (histogram[count] ?? 0) + 1;
      }
      return found;
    },
    similarity: (at, query) => product(data, at * dimensions, query),
  };
}

function signsOf(vector: Float32Array): Uint32Array {
  const signs = new Uint32Array(Math.ceil(vector.length / 32));
  for (const [index, value] of vector.entries()) {
    if (value > 0) signs[index >> 5] = (signs[index >> 5] ?? 0) | (1 << (index & 31));
  }
  return signs;
}

/** Set bits of a 32-bit integer, added up pairwise. */
function countBits(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** @returns those of each table that differ least, at least `wanted` in all, with their exact similarity. */
export function nearestBySigns(
  query: Float32Array,
  tables: readonly SignedVectors[],
  wanted: number,
): (Neighbour & { readonly table: number })[] {
  const histogram = new Uint32Array(query.length + 1);
  const querySigns = signsOf(query);
  const found = tables.map((table) => table.differences(querySigns, histogram));
  let cutoff = 0;
  for (let count = histogram[0] ?? 0; count < wanted && cutoff < query.length; ) {
    cutoff += 1;
    count += histogram[cutoff] ?? 0;
  }
  return tables.flatMap((vectors, table) =>
    placesUpTo(found[table] ?? new Uint16Array(), cutoff).map((at) => {
      return { table, at, similarity: vectors.similarity(at, query) };
    }),
  );
}

function placesUpTo(differences: Uint16Array, cutoff: number): number[] {
  const places: number[] = [];
  for (let at = 0; at < differences.length; at++) if ((differences[at] ?? 0) <= cutoff) places.push(at);
  return places;
}
