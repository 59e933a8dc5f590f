// Which held-out examples are shown with what the model makes of them.
import { createRandom } from '../../random.ts';

const shownSamples = 5;

/** Indices of a few of `count` examples, the same for the same seed. */
export function chooseSamples(count: number, seed: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index);
  return createRandom(seed).shuffle(all).slice(0, shownSamples);
}
