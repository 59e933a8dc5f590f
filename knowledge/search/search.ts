// The search of the guide: by words, and by meaning too where an embedder is given, joined by rank.
import { memoryFolder } from '../memory.ts';
import type { Embedder, Guide, Search } from '../types.ts';
import type { GuideText } from './analysis.ts';
import { confidenceOf, coveredFrom } from './confidence.ts';
import { fuseRankings } from './fuse.ts';
import { createLexicalIndex } from './lexical.ts';
import { loadAnalysis } from './remembered.ts';
import { createExactVectorIndex, type VectorIndex } from './vectors.ts';

export interface SearchOptions {
  readonly guide: GuideText;
  readonly embedder?: Embedder;
  /** The folder in which what was worked out from the shipped guide is kept. */
  readonly memory?: string;
}

/** How many passages each ranking brings into the fusion. */
const fusedDepth = 50;

export async function createSearch({ guide, embedder, memory = memoryFolder }: SearchOptions): Promise<Search> {
  const lexical = createLexicalIndex(await loadAnalysis(guide, memory), guide);
  const semantic = embedder && (await createSemanticRanking(guide, embedder));
  const passages = new Map(guide.passages.map((passage) => [passage.id, passage]));
  return {
    overlap: lexical.overlap,
    search: async (query, limit) => {
      const { ranking, evidence } = lexical.find(query);
      const fused = semantic
        ? fuseRankings([ranking.slice(0, fusedDepth).map(({ id }) => id), await semantic(query)])
        : ranking;
      const hits = fused.slice(0, limit).flatMap(({ id, score }) => {
        const passage = passages.get(id);
        return passage ? [{ passage, score }] : [];
      });
      const confidence = confidenceOf(evidence);
      return { hits, confidence, covered: hits.length > 0 && confidence >= coveredFrom };
    },
  };
}

async function createSemanticRanking(
  { passages }: Pick<Guide, 'passages'>,
  embedder: Embedder,
): Promise<(query: string) => Promise<readonly string[]>> {
  const vectors = await embedder.embed(passages.map(({ title, text }) => `${title}\n${text}`));
  const index: VectorIndex = createExactVectorIndex(
    passages.flatMap(({ id }, i) => {
      const vector = vectors[i];
      return vector ? [{ id, vector }] : [];
    }),
  );
  return async (query) => {
    const [vector] = await embedder.embed([query]);
    return vector ? index.nearest(vector, fusedDepth).map(({ id }) => id) : [];
  };
}
