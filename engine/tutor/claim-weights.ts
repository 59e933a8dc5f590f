// Fitted by `npm run guide:calibrate` (scripts/calibrate-claims.ts) on development questions and on true statements; pasted from it.
import type { ClaimFeatures } from './claims.ts';

export const claimWeights: { readonly constant: number } & ClaimFeatures = {
  constant: -6.06,
  held: 3.85,
  explained: 1.3,
  subject: 1.55,
  opposed: -1.07,
  negated: -3.57,
  swapped: 0,
  presumes: 2.75,
  wonders: 1.23,
};

/** From this logit on a question is taken to make the claim: almost no question that claims nothing gets there. */
export const claimedFrom = 1.2;
