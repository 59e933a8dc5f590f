// Fitted by `npm run guide:calibrate`, on the older questions, the development half of the blind ones and half of the later ones; pasted from it.
import type { ConfidenceWeights } from './confidence.ts';
import type { RankWeights } from './rank.ts';

export const rankWeights: RankWeights = {
  fusion: 1.28,
  words: 1.74,
  wordsRank: 0.5,
  meaning: 1.08,
  coverage: 1.83,
  likeness: -1.78,
  exact: -0.23,
  wording: 1.64,
  text: 1.59,
  agreement: 0.26,
  votes: 2.26,
  summary: -0.35,
  overview: -0.27,
};

export const confidenceWeights: ConfidenceWeights = {
  constant: -3.02,
  coverage: 0.57,
  likeness: -0.02,
  unknown: -1.47,
  terseness: 0.36,
  foreign: -0.48,
  concepts: 0.42,
  ownCoverage: 1.84,
  ownLikeness: 0.31,
  wording: 0.76,
  text: 1.37,
  nearestWording: 1.48,
  nearestText: 0.39,
  outside: -2.23,
  tone: 2.92,
  ownVotes: 0.61,
  votes: -0.67,
};
