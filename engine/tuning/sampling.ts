// Which token a language model writes next: the likeliest, or one drawn from the likely ones by seeded randomness.
import type { Random } from '../random.ts';

export interface Sampling {
  /** Divides the logits: below 1 surer, above 1 bolder; 0 takes the likeliest token. */
  readonly temperature: number;
  /** Draws among so many of the likeliest tokens; all, unless said. */
  readonly topK?: number;
  /** Draws among the likeliest tokens that together reach this probability (Holtzman et al. 2020); all, unless said. */
  readonly topP?: number;
}

interface Candidate {
  readonly token: number;
  readonly weight: number;
}

/** Of equal logits the first is taken. A token drawn costs one number of `random`, the likeliest none. */
export function chooseToken(logits: Float32Array, sampling: Sampling, random: Random): number {
  const best = likeliestToken(logits);
  if (sampling.temperature === 0) return best;
  const candidates = keepLikely(logits, logits[best] ?? 0, sampling);
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.next() * total;
  for (const { token, weight } of candidates) {
    left -= weight;
    if (left < 0) return token;
  }
  return best;
}

function likeliestToken(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) {
    if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  }
  return best;
}

/** Weights are e^(logit / temperature) relative to the highest's; the likeliest first where some are left out. */
function keepLikely(logits: Float32Array, highest: number, { temperature, topK, topP }: Sampling): Candidate[] {
  const all = Array.from(logits, (logit, token) => ({ token, weight: Math.exp((logit - highest) / temperature) }));
  if (topK === undefined && topP === undefined) return all;
  const sorted = all.sort((a, b) => b.weight - a.weight || a.token - b.token).slice(0, topK);
  if (topP === undefined) return sorted;
  const enough = topP * sorted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  // The one that reaches the share belongs to it.
  const count = sorted.findIndex(({ weight }) => {
    reached += weight;
    return reached >= enough;
  });
  return count < 0 ? sorted : sorted.slice(0, count + 1);
}
