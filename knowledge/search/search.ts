// The search of the guide: by words and by meaning, joined by a small trained model; a cross-encoder may have the last word.
import { loadShippedEmbedder } from '../embed/shipped.ts';
import { memoryFolder } from '../memory.ts';
import type { Embedder, GuideSearch, Reranker } from '../types.ts';
import { type GuideText, keyOf } from './analysis.ts';
import { confidenceOf, coveredFrom, gatherSignals } from './confidence.ts';
import { createLexicalIndex } from './lexical.ts';
import { findBoth, type Ranked, rankByModel } from './rank.ts';
import { loadAnalysis } from './remembered.ts';
import { createSemanticIndex } from './semantic.ts';
import { confidenceWeights, rankWeights } from './weights.ts';

export interface SearchOptions {
  readonly guide: GuideText;
  /** The shipped one, unless given. */
  readonly embedder?: Embedder | Promise<Embedder> | undefined;
  /** Reads the best passages beside the question and orders them anew. */
  readonly reranker?: Reranker | undefined;
  /** The folder in which what was worked out from the shipped guide is kept. */
  readonly memory?: string;
}

/** Passages a reranker reads: each costs it milliseconds. */
const reread = 20;

export async function createSearch({
  guide,
  embedder,
  reranker,
  memory = memoryFolder,
}: SearchOptions): Promise<GuideSearch> {
  const folder = guide.hash === undefined ? undefined : memory;
  // At the very first start the vectors take seconds: whoever asks before they are there waits, nobody else does.
  const semanticIndex = Promise.resolve(embedder ?? loadShippedEmbedder()).then((used) =>
    createSemanticIndex({ guide, embedder: used, folder }),
  );
  semanticIndex.catch(() => undefined);
  const lexical = createLexicalIndex(await loadAnalysis(guide, memory), guide);
  const passages = new Map(guide.passages.map((passage) => [passage.id, passage]));
  return {
    overlap: lexical.overlap,
    weigh: lexical.weigh,
    search: async (query, limit) => {
      const semantic = await semanticIndex;
      const found = await findBoth(query, lexical, semantic);
      const ranked = rankByModel(found, (id) => passages.get(id), rankWeights);
      const ordered = reranker ? await reorder(reranker, query, ranked) : ranked;
      const hits = ordered.slice(0, limit).map(({ passage, score }) => ({
        passage,
        score,
        near: found.semantic.sections.get(keyOf(passage))?.near ?? [],
      }));
      const confidence = confidenceOf(gatherSignals(found, ranked), confidenceWeights);
      return { hits, confidence, covered: hits.length > 0 && confidence >= coveredFrom };
    },
    measure: async () => {
      const { vectors, bytes, kind } = await semanticIndex;
      return { vectors, bytes, kind };
    },
  };
}

async function reorder(reranker: Reranker, query: string, ranked: readonly Ranked[]): Promise<Ranked[]> {
  const read = ranked.slice(0, reread);
  const scores = await reranker.score(
    query,
    read.map(({ passage: { title, text } }) => `${title}\n${text}`),
  );
  const ordered = read.map(({ passage }, at) => ({ passage, score: scores[at] ?? Number.NEGATIVE_INFINITY }));
  return [...ordered.sort((a, b) => b.score - a.score), ...ranked.slice(reread)];
}
