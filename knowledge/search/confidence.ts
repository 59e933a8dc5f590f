// How sure the search is that the guide covers a question: a logistic of what matched, calibrated on questions
// whose answer is known (`npm run guide:calibrate` fits the weights; test/search-quality.test.ts checks them).

export interface Evidence {
  /** Share of the question's terms, by rarity, that the best section holds; a term in its body alone counts half. */
  readonly coverage: number;
  /** Likeness of the question to the nearest wording a learner might use for that section, from 0 to 1. */
  readonly likeness: number;
  /** Share of the question's terms, by rarity, that stand nowhere in the guide. */
  readonly unknown: number;
  /** What the likeness lacks, divided by the count of terms: a question of one word must meet its wording closely. */
  readonly terseness: number;
}

/** At or above this the guide is taken to cover the question. */
export const coveredFrom = 0.5;

const weights = { constant: -3.71, coverage: 4.07, likeness: 3.05, unknown: -1.04, terseness: -2.1 };

/** @returns from 0 to 1; 0 for a question without a single content word. */
export function confidenceOf(evidence: Evidence | undefined): number {
  if (!evidence) return 0;
  const logit =
    weights.constant +
    weights.coverage * evidence.coverage +
    weights.likeness * evidence.likeness +
    weights.unknown * evidence.unknown +
    weights.terseness * evidence.terseness;
  return 1 / (1 + Math.exp(-logit));
}
