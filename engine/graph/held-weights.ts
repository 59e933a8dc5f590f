// Weights of files, read once and shared by all sessions that use them at the time: there is one for each length of text.
import type { StoredWeight } from './weight-places.ts';

interface Holding<Held> {
  /** By the names asked for. */
  readonly values: ReadonlyMap<string, Held>;
  /** To be called once: what no session uses is forgotten. */
  release(): void;
}

interface Shelf<Held> {
  hold(weights: readonly StoredWeight[]): Promise<Holding<Held>>;
}

interface Places<Held> {
  /** A weight, where sessions can use it. */
  bring(weight: StoredWeight): Promise<Held>;
  /** Changes when the file does. */
  stampOf(path: string): Promise<string>;
  forget(held: Held): void;
}

export function createShelf<Held>({ bring, stampOf, forget }: Places<Held>): Shelf<Held> {
  const kept = new Map<string, { users: number; readonly held: Promise<Held> }>();

  function take(key: string, weight: StoredWeight): Promise<Held> {
    const entry = kept.get(key) ?? { users: 0, held: bring(weight) };
    entry.users++;
    kept.set(key, entry);
    return entry.held;
  }

  function giveBack(keys: readonly string[]): void {
    for (const key of keys) {
      const entry = kept.get(key);
      if (!entry || --entry.users > 0) continue;
      kept.delete(key);
      // What never came has been reported to who asked for it.
      entry.held.then(forget, () => {});
    }
  }

  return {
    async hold(weights) {
      const values = new Map<string, Held>();
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
          values.set(weight.name, await take(key, weight));
        }
      } catch (error) {
        giveBack(taken);
        throw error;
      }
      return { values, release: () => giveBack(taken) };
    },
  };
}
