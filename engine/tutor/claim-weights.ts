// Fitted by `npm run guide:calibrate` (scripts/calibrate-claims.ts) on development questions and on true statements; pasted from it.
import type { ClaimFeatures } from './claims.ts';

export const claimWeights: { readonly constant: number } & ClaimFeatures = {
  constant: -6.16,
  held: 3.98,
  explained: 1.49,
  subject: 1.47,
  opposed: -1.09,
  negated: -3.37,
  swapped: 0,
  presumes: 2.55,
  wonders: 1.2,
};

/** From this logit on a question is taken to make the claim: hardly one that claims nothing, or a truth, gets there. */
export const claimedFrom = 2.35;
