// Fitted by `npm run guide:calibrate`, on the older questions and the development half of the blind ones; pasted from it.
import type { ConfidenceWeights } from './confidence.ts';
import type { RankWeights } from './rank.ts';

export const rankWeights: RankWeights = {
  fusion: 1.08,
  words: 1.95,
  wordsRank: 1.42,
  meaning: 1.21,
  coverage: -0.17,
  likeness: 0.04,
  exact: -0.97,
  wording: 3,
  text: 2.38,
  agreement: 0.57,
  summary: -0.08,
  overview: -0.44,
};

export const confidenceWeights: ConfidenceWeights = {
  constant: -3.44,
  coverage: 1.29,
  likeness: 0.11,
  unknown: -1.69,
  terseness: -2.19,
  foreign: 0,
  concepts: 0,
  ownCoverage: 2.31,
  ownLikeness: 1.21,
  wording: 1.06,
  text: 0.77,
  nearestWording: 0.18,
  nearestText: 0.84,
  together: 0,
  agreement: 0,
};
