// How sure the search is that the guide covers a question: a logistic of what matched, calibrated on questions
// whose answer is known (`npm run guide:calibrate` fits the weights; test/search-quality.test.ts checks them).
import { keyOf } from './analysis.ts';
import type { Found, Ranked } from './rank.ts';

export interface Evidence {
  /** Share of the question's terms, by rarity, that the best section holds; a term in its body alone counts half. */
  readonly coverage: number;
  /** Likeness of the question to the nearest wording a learner might use for that section, from 0 to 1. */
  readonly likeness: number;
  /** Share of the question's terms, by rarity, that stand nowhere in the guide. */
  readonly unknown: number;
  /** What the likeness lacks, divided by the count of terms: a question of one word must meet its wording closely. */
  readonly terseness: number;
  /** Share of the terms, by rarity, that no section is about: the guide uses them in passing at most. */
  readonly foreign: number;
  /** Share of the terms, by rarity, that name a concept of the field. */
  readonly concepts: number;
}

/** Evidence from the words, and likenesses by vectors (0: as by chance; 1: as two wordings of one section). */
export interface Signals extends Evidence {
  /** Coverage and likeness of the section that ranks first. */
  readonly ownCoverage: number;
  readonly ownLikeness: number;
  /** To a wording or title of the best passage's section, and to its text. */
  readonly wording: number;
  readonly text: number;
  /** To any wording and any text of the guide. */
  readonly nearestWording: number;
  readonly nearestText: number;
  /** To a question that the guide does not answer. */
  readonly outside: number;
  /** Whether the words are those of learners or of other people. */
  readonly tone: number;
  /** Share of the best section, and of all sections, among the nearest vectors. */
  readonly ownVotes: number;
  readonly votes: number;
}

/** At or above this the guide is taken to cover the question. */
export const coveredFrom = 0.4;

export const signalNames = [
  'coverage',
  'likeness',
  'unknown',
  'terseness',
  'foreign',
  'concepts',
  'ownCoverage',
  'ownLikeness',
  'wording',
  'text',
  'nearestWording',
  'nearestText',
  'outside',
  'tone',
  'ownVotes',
  'votes',
] as const satisfies readonly (keyof Signals)[];

export type ConfidenceWeights = { readonly constant: number } & { readonly [name in keyof Signals]: number };

export function gatherSignals({ lexical, semantic }: Found, ranked: readonly Ranked[]): Signals | undefined {
  const [best] = ranked;
  const evidence = lexical.evidence;
  if (!best) return undefined;
  const key = keyOf(best.passage);
  const own = semantic.sections.get(key);
  const { coverage, likeness } = lexical.evidenceOf(key) ?? evidence;
  const likenesses = [...semantic.sections.values()];
  return {
    ...evidence,
    ownCoverage: coverage,
    ownLikeness: likeness,
    wording: own?.wording ?? 0,
    text: own?.text ?? 0,
    nearestWording: Math.max(0, ...likenesses.map(({ wording }) => wording)),
    nearestText: Math.max(0, ...likenesses.map(({ text }) => text)),
    outside: semantic.outside,
    tone: lexical.tone,
    ownVotes: semantic.votes.get(key) ?? 0,
    votes: [...semantic.votes.values()].reduce((sum, share) => sum + share, 0),
  };
}

/** @returns from 0 to 1; 0 for a question without a single content word. */
export function confidenceOf(signals: Signals | undefined, weights: ConfidenceWeights): number {
  if (!signals) return 0;
  const logit = signalNames.reduce((sum, name) => sum + signals[name] * weights[name], weights.constant);
  return 1 / (1 + Math.exp(-logit));
}
