// npm run bench -- search: nearest vectors at 100,000, how many of the true ten are found, and what it costs.
import { createRandom } from '../../engine/random.ts';
import { loadShippedEmbedder } from '../../knowledge/embed/shipped.ts';
import { createSearch, loadGuide } from '../../knowledge/index.ts';
import { createExactIndex } from '../../knowledge/search/vectors/exact.ts';
import { loadHnsw } from '../../knowledge/search/vectors/hnsw.ts';

const size = 100_000;
const questions = 300;
const nearest = 10;

const random = createRandom(5);
const guide = await loadGuide();
const embedder = await loadShippedEmbedder();
// Passages a workspace might hold: sentences of the guide, mixed anew two at a time.
const sentences = guide.passages.flatMap(({ text }) => text.split(/(?<=[.!?])\s+/)).filter((text) => text.length > 20);
const pick = () => sentences[random.below(sentences.length)] ?? '';
const { dimensions } = embedder;
const vectorsOf = async (count: number) => {
  const data = new Float32Array(count * dimensions);
  for (let at = 0; at < count; at++)
    data.set((await embedder.embed([`${pick()} ${pick()}`]))[0] ?? [], at * dimensions);
  return data;
};
const data = await vectorsOf(size);
const asked = await vectorsOf(questions);
const table = { dimensions, data };

const exact = createExactIndex(table);
const createHnswIndex = await loadHnsw();
const before = process.memoryUsage().rss;
const startedAt = performance.now();
const hnsw = createHnswIndex && (await createHnswIndex(table));
const buildSeconds = (performance.now() - startedAt) / 1000;
const grown = process.memoryUsage().rss - before;

const quantile = (times: readonly number[], share: number) =>
  (times.toSorted((a, b) => a - b)[Math.floor(share * (times.length - 1))] ?? 0).toFixed(2);
const query = (at: number) => asked.subarray(at * dimensions, (at + 1) * dimensions);
const truth = Array.from({ length: questions }, (_, at) => exact.nearest(query(at), nearest));

for (const index of [exact, hnsw]) {
  if (!index) {
    console.log('hnsw: skipped, hnswlib-node is not installed here (it is compiled at install); exact search serves');
    continue;
  }
  const times: number[] = [];
  let found = 0;
  for (const [at, right] of truth.entries()) {
    const start = performance.now();
    const answer = index.nearest(query(at), nearest);
    times.push(performance.now() - start);
    // As ANN-Benchmarks counts: whatever lies no farther than the true tenth, since equal vectors may stand for each other.
    const farthest = (right.at(-1)?.similarity ?? 1) - 1e-5;
    found += answer.filter(({ similarity }) => similarity >= farthest).length;
  }
  console.log(
    `${index.kind}: ${size} vectors of ${dimensions}, recall@${nearest} ${(found / (questions * nearest)).toFixed(4)}, p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms, p99 ${quantile(times, 0.99)} ms, ${(index.bytes / 1e6).toFixed(0)} MB`,
  );
}
if (hnsw)
  console.log(`hnsw: built in ${buildSeconds.toFixed(1)} s; the process grew by ${(grown / 1e6).toFixed(0)} MB`);

const search = await createSearch({ guide });
const { vectors, bytes, kind } = await search.measure();
const times: number[] = [];
for (let at = 0; at < questions; at++) {
  const start = performance.now();
  await search.search(pick(), 5);
  times.push(performance.now() - start);
}
console.log(
  `the guide: ${vectors} vectors (${kind}), ${(bytes / 1e6).toFixed(1)} MB; a whole search p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms, p99 ${quantile(times, 0.99)} ms`,
);
