// What the words and the vectors found, joined: by rank alone, and by a small trained model of how well each passage fits.
import type { Passage } from '../types.ts';
import { keyOf } from './analysis.ts';
import { fuseRankings } from './fuse.ts';
import { isProject, type LexicalIndex, type LexicalResult, summaries } from './lexical.ts';
import type { SemanticIndex, SemanticResult } from './semantic.ts';
import { wordsOf } from './stem.ts';

export interface Found {
  readonly lexical: LexicalResult;
  readonly semantic: SemanticResult;
}

export interface Ranked {
  readonly passage: Passage;
  readonly score: number;
}

/** What words and meaning find for one question. */
export async function findBoth(query: string, lexical: LexicalIndex, semantic: SemanticIndex): Promise<Found> {
  const mended = lexical.mend(query);
  const hasTypos = mended !== wordsOf(query).join(' ');
  return { lexical: lexical.find(query), semantic: await semantic.find(hasTypos ? [query, mended] : [query]) };
}

type PassageOf = (id: string) => Passage | undefined;

/** How many passages each ranking brings in. */
const depth = 50;

export function rankByFusion({ lexical, semantic }: Found, passageOf: PassageOf): Ranked[] {
  const rankings = [lexical.ranking, semantic.ranking].map((ranking) => ranking.slice(0, depth).map(({ id }) => id));
  return fuseRankings(rankings).flatMap(({ id, score }) => {
    const passage = passageOf(id);
    return passage ? [{ passage, score }] : [];
  });
}

/** What the model sees of a passage; `npm run guide:calibrate` fits one weight for each. */
export const featureNames = [
  'fusion',
  'words',
  'wordsRank',
  'meaning',
  'coverage',
  'likeness',
  'exact',
  'wording',
  'text',
  'agreement',
  'votes',
  'summary',
  'overview',
  'elsewhere',
] as const; // biome-format
export type Features = { readonly [name in (typeof featureNames)[number]]: number };
export type RankWeights = Features;

export function describePassages(found: Found, passageOf: PassageOf): { passage: Passage; features: Features }[] {
  const { lexical, semantic } = found;
  const words = openRanking(lexical.ranking);
  const meaning = openRanking(semantic.ranking);
  const fused = rankByFusion(found, passageOf);
  const most = fused[0]?.score ?? 1;
  return fused.map(({ passage, score }) => {
    const key = keyOf(passage);
    const evidence = lexical.evidenceOf(key);
    const { wording = 0, text = 0 } = semantic.sections.get(key) ?? {};
    const likeness = evidence?.likeness ?? 0;
    return {
      passage,
      features: {
        fusion: score / most,
        words: words.share(passage.id),
        wordsRank: words.reciprocal(passage.id),
        meaning: meaning.reciprocal(passage.id),
        coverage: evidence?.coverage ?? 0,
        likeness,
        exact: likeness > 0.99 && lexical.isExact(key) ? 1 : 0,
        wording,
        text,
        agreement: likeness * wording,
        votes: semantic.votes.get(key) ?? 0,
        summary: summaries.has(passage.chapterId) ? 1 : 0,
        overview: passage.sectionId === 'overview' ? 1 : 0,
        elsewhere: isProject(passage.chapterId) && !lexical.namesProject ? 1 : 0,
      },
    };
  });
}

export function rankByModel(found: Found, passageOf: PassageOf, weights: RankWeights): Ranked[] {
  return describePassages(found, passageOf)
    .map(({ passage, features }) => ({ passage, score: scoreOf(features, weights) }))
    .sort((a, b) => b.score - a.score);
}

function scoreOf(features: Features, weights: RankWeights): number {
  return featureNames.reduce((sum, name) => sum + features[name] * weights[name], 0);
}

function openRanking(ranking: readonly { readonly id: string; readonly score: number }[]) {
  const best = ranking[0]?.score ?? 1;
  const places = new Map(ranking.map(({ id, score }, at) => [id, { at, score }]));
  return {
    /** Of the best score, from 0 to 1. */
    share: (id: string) => (places.get(id)?.score ?? 0) / best,
    /** 1 for the first, ½ for the second… */
    reciprocal: (id: string) => {
      const place = places.get(id);
      return place ? 1 / (place.at + 1) : 0;
    },
  };
}
