// Mends typos against the guide's own vocabulary, and leaves alone what is not close to any word of it.
import { distance } from 'fastest-levenshtein';

export interface Spelling {
  knows(word: string): boolean;
  /** @returns the nearest word of the vocabulary, or undefined when none is near enough. */
  correct(word: string): string | undefined;
}

/** Typos allowed by length: below 5 letters only two swapped ones, 1 below 8, else 2. Two swapped letters count as one. */
function allowedTypos(word: string): number {
  if (word.length < 3) return 0;
  return word.length < 8 ? 1 : 2;
}

/** @param counts how often each word is used; the commoner of two near words is chosen. */
export function createSpelling(counts: ReadonlyMap<string, number>): Spelling {
  const vocabulary = [...counts].filter(([word]) => word.length >= 3);
  const remembered = new Map<string, string | undefined>();
  const find = (word: string): string | undefined => {
    const allowed = allowedTypos(word);
    if (allowed === 0 || /\d/.test(word)) return undefined;
    let best: { word: string; typos: number; count: number } | undefined;
    for (const [candidate, count] of vocabulary) {
      if (Math.abs(candidate.length - word.length) > allowed) continue;
      if (Math.min(word.length, candidate.length) < 5 && sorted(candidate) !== sorted(word)) continue;
      const typos = countTypos(word, candidate);
      if (typos > allowed) continue;
      // A first letter is rarely mistyped, but it is swapped with the second.
      if (candidate[0] !== word[0] && sorted(candidate) !== sorted(word)) continue;
      if (!best || typos < best.typos || (typos === best.typos && count > best.count)) {
        best = { word: candidate, typos, count };
      }
    }
    return best?.word;
  };
  return {
    knows: (word) => counts.has(word),
    correct: (word) => {
      if (remembered.size > 10_000) remembered.clear();
      if (!remembered.has(word)) remembered.set(word, find(word));
      return remembered.get(word);
    },
  };
}

function countTypos(a: string, b: string): number {
  const edits = distance(a, b);
  return edits === 2 && a.length === b.length && sorted(a) === sorted(b) ? 1 : edits;
}

const sorted = (word: string) => [...word].sort().join('');
