// Seeded randomness with a state that can be saved: the same seed gives the same run, and a resumed run goes on exactly.
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne, mersenneFromState } from 'pure-rand/generator/mersenne';

export type RandomState = readonly number[];

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, bound). */
  below(bound: number): number;
  /** Standard normal, by Box–Muller; always draws two uniforms, so the state depends on the count of calls only. */
  normal(): number;
  /** A new array in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
  state(): RandomState;
}

/** @param from a seed (unsigned 32-bit) or a state saved by `state()`. */
export function createRandom(from: number | RandomState): Random {
  const generator = typeof from === 'number' ? mersenne(from) : mersenneFromState(from);
  const next = () => uniformFloat64(generator);
  const below = (bound: number) => uniformInt(generator, 0, bound - 1);
  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle: (items) => {
      const shuffled = items.slice();
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const held = shuffled[i];
        const other = shuffled[j];
        if (held === undefined || other === undefined) continue;
        shuffled[i] = other;
        shuffled[j] = held;
      }
      return shuffled;
    },
    state: () => generator.getState(),
  };
}
