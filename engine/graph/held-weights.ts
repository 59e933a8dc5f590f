// Weights of files, read once and shared by all sessions that use them at the time: there is one for each length of text.
import type { StoredWeight } from './weight-places.ts';

interface HeldWeights {
  /** By the names asked for. */
  readonly numbers: ReadonlyMap<string, Float32Array>;
  /** To be called once: what no session uses is forgotten. */
  release(): void;
}

interface Shelf {
  hold(weights: readonly StoredWeight[]): Promise<HeldWeights>;
}

/**
 * @param read the numbers of a weight, as float32.
 * @param stampOf changes when the file does.
 */
export function createShelf(
  read: (weight: StoredWeight) => Promise<Float32Array>,
  stampOf: (path: string) => Promise<string>,
): Shelf {
  const kept = new Map<string, { users: number; readonly numbers: Promise<Float32Array> }>();

  function take(key: string, weight: StoredWeight): Promise<Float32Array> {
    const entry = kept.get(key) ?? { users: 0, numbers: read(weight) };
    entry.users++;
    kept.set(key, entry);
    return entry.numbers;
  }

  function giveBack(keys: readonly string[]): void {
    for (const key of keys) {
      const entry = kept.get(key);
      if (entry && --entry.users === 0) kept.delete(key);
    }
  }

  return {
    async hold(weights) {
      const numbers = new Map<string, Float32Array>();
      const taken: string[] = [];
      const stamps = new Map<string, string>();
      try {
        // One after the other: the bytes of one at a time lie in memory beside the numbers.
        for (const weight of weights) {
          const { path, offset, bytes } = weight.range;
          const stamp = stamps.get(path) ?? (await stampOf(path));
          stamps.set(path, stamp);
          const key = [path, stamp, offset, bytes, weight.type].join(' ');
          taken.push(key);
          numbers.set(weight.name, await take(key, weight));
        }
      } catch (error) {
        giveBack(taken);
        throw error;
      }
      return { numbers, release: () => giveBack(taken) };
    },
  };
}
