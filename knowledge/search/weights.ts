// Fitted by `npm run guide:calibrate`, on the older questions, the development half of the blind ones and half of the later ones; pasted from it.
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
  constant: -3.42,
  coverage: 0.66,
  likeness: 0.17,
  unknown: -1.23,
  terseness: -2.4,
  foreign: -1.58,
  concepts: 0.89,
  ownCoverage: 1.25,
  ownLikeness: 0.63,
  wording: 1.05,
  text: 1.72,
  nearestWording: 0.82,
  nearestText: 0.52,
};
