// Fitted by `npm run guide:calibrate`, on the older questions, the development half of the blind ones, half of the later ones, and wordings
// that neither the index nor an embedder trained for this had seen; pasted from it.
import type { ConfidenceWeights } from './confidence.ts';
import type { RankWeights } from './rank.ts';

export const rankWeights: RankWeights = {
  fusion: 1.52,
  words: 1.43,
  wordsRank: 0.81,
  meaning: 1.01,
  coverage: 1.77,
  likeness: -1.55,
  exact: -0.18,
  wording: 1.18,
  text: 1.21,
  agreement: -0.09,
  votes: 2.59,
  summary: -0.5,
  overview: -0.32,
  elsewhere: -1,
};

export const confidenceWeights: ConfidenceWeights = {
  constant: -2.86,
  coverage: 0.75,
  likeness: 0.08,
  unknown: -1.55,
  terseness: 0.43,
  foreign: -0.3,
  concepts: 0.33,
  ownCoverage: 1.93,
  ownLikeness: 0.13,
  wording: 0.38,
  text: 0.75,
  nearestWording: 1.57,
  nearestText: 0.4,
  outside: -2.27,
  tone: 2.9,
  ownVotes: 0.77,
  votes: -0.03,
};
