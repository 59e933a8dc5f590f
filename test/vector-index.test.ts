// Nearest vectors: whatever the index behind it, the same contract; approximate answers are held against a naive search.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../engine/random.ts';
import { createExactIndex } from '../knowledge/search/vectors/exact.ts';
import { loadHnsw } from '../knowledge/search/vectors/hnsw.ts';
import {
  createVectorIndex,
  exactUpTo,
  type VectorIndex,
  type VectorTable,
} from '../knowledge/search/vectors/vector-index.ts';
import { embedTexts } from '../knowledge/search/vectors/vector-store.ts';
import type { Embedder } from '../knowledge/types.ts';

const dimensions = 24;

/** Unit vectors around a few centres, as the vectors of sentences lie. */
function drawTable(count: number, seed: number): VectorTable {
  const random = createRandom(seed);
  const centres = Array.from({ length: 12 }, () => Array.from({ length: dimensions }, () => random.normal()));
  const rows = Array.from({ length: count }, () => {
    const centre = centres[random.below(centres.length)] ?? [];
    const row = centre.map((value) => value + 0.7 * random.normal());
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
  return { dimensions, data: Float32Array.from(rows.flat()) };
}

/** The oracle: every cosine, sorted. */
function naive({ data }: VectorTable, query: Float32Array, limit: number): { at: number; similarity: number }[] {
  return Array.from({ length: data.length / dimensions }, (_, at) => ({
    at,
    similarity: query.reduce((sum, value, i) => sum + value * (data[at * dimensions + i] ?? 0), 0),
  }))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, limit);
}

const rowOf = ({ data }: VectorTable, at: number) => data.slice(at * dimensions, (at + 1) * dimensions);

const createHnswIndex = await loadHnsw();
const kinds: readonly [VectorIndex['kind'], ((table: VectorTable) => Promise<VectorIndex>) | undefined][] = [
  ['exact', async (table) => createExactIndex(table)],
  ['hnsw', createHnswIndex],
];

describe.each(kinds)('an index of the kind %s', (kind, create) => {
  const skipped = create === undefined;
  const title = (text: string) => (skipped ? `${text} (skipped: hnswlib-node was not compiled here)` : text);
  const open = (table: VectorTable) => create?.(table) ?? createVectorIndex(table);

  test.skipIf(skipped)(title('finds each vector itself first, with a similarity of 1'), async () => {
    const table = drawTable(500, 1);
    const index = await open(table);
    expect(index).toMatchObject({ kind, size: 500 });
    expect(index.bytes).toBeGreaterThanOrEqual(table.data.byteLength);
    for (const at of [0, 17, 499]) {
      const [first] = index.nearest(rowOf(table, at), 1);
      expect(first?.at).toBe(at);
      expect(first?.similarity).toBeCloseTo(1, 5);
    }
  });

  test.skipIf(skipped)(title('gives the true neighbours with their cosines, best first'), async () => {
    const table = drawTable(3000, 2);
    const queries = drawTable(60, 3);
    const index = await open(table);
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const query = rowOf(queries, i);
      const expected = naive(table, query, 10);
      const answer = index.nearest(query, 10);
      const similarities = answer.map(({ similarity }) => similarity);
      expect(similarities).toEqual(similarities.toSorted((a, b) => b - a));
      for (const { at, similarity } of answer) {
        const cosine = rowOf(table, at).reduce((sum, value, j) => sum + value * (query[j] ?? 0), 0);
        expect(similarity).toBeCloseTo(cosine, 4);
      }
      const ids = new Set(expected.map(({ at }) => at));
      found += answer.filter(({ at }) => ids.has(at)).length;
    }
    expect(found / 600).toBeGreaterThanOrEqual(kind === 'exact' ? 1 : 0.99);
  });

  test.skipIf(skipped)(title('gives no more than there are, and nothing of nothing'), async () => {
    const index = await open(drawTable(3, 4));
    expect(index.nearest(rowOf(drawTable(1, 5), 0), 10)).toHaveLength(3);
    const none = await open({ dimensions, data: new Float32Array() });
    expect(none.nearest(rowOf(drawTable(1, 5), 0), 10)).toEqual([]);
  });
});

test('few vectors are searched exactly, many by the graph where it is installed', async () => {
  expect((await createVectorIndex(drawTable(50, 6))).kind).toBe('exact');
  expect(exactUpTo).toBeLessThan(100_000);
});

test('vectors are kept by text and embedder: only what is new is embedded, a torn file is embedded again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'finetutor-vectors-'));
  const embedded: string[] = [];
  const create = (id: string): Embedder => ({
    id,
    dimensions: 2,
    embed: async (texts) => {
      embedded.push(...texts);
      return texts.map((text) => Float32Array.of(text.length, id.length));
    },
  });
  const run = async (id: string, texts: readonly string[]) => {
    embedded.length = 0;
    const { data } = await embedTexts(texts, { folder, name: 'test', embedder: create(id) });
    return { data: [...data], embedded: [...embedded] };
  };
  expect(await run('one', ['a', 'bb'])).toEqual({ data: [1, 3, 2, 3], embedded: ['a', 'bb'] });
  expect(await run('one', ['a', 'bb'])).toEqual({ data: [1, 3, 2, 3], embedded: [] });
  expect(await run('one', ['ccc', 'a'])).toEqual({ data: [3, 3, 1, 3], embedded: ['ccc'] });
  expect((await run('org/other model', ['a'])).embedded).toEqual(['a']);
  const files = readdirSync(folder);
  expect(files).toHaveLength(2);
  for (const file of files) {
    writeFileSync(join(folder, file), readFileSync(join(folder, file)).subarray(0, 11));
  }
  expect(await run('one', ['ccc', 'a'])).toEqual({ data: [3, 3, 1, 3], embedded: ['ccc', 'a'] });
});
