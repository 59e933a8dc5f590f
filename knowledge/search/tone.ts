// Whether a question sounds like those that the guide answers: each word tells by how much oftener it stands in learners'
// wordings than in questions beside the subject (the weights of a naive Bayes classifier, add-½ smoothed).
import { stem, wordsOf } from './stem.ts';

/** Of each stem, the logarithm of that ratio; above 0: ours. */
export type ToneTable = { readonly [stem: string]: number };

const smoothing = 0.5;
/** One word alone never decides. */
const strongest = 3;

export function measureTone(ours: readonly string[], outside: readonly string[]): ToneTable {
  const inside = countStems(ours);
  const beside = countStems(outside);
  const stems = new Set([...inside.counts.keys(), ...beside.counts.keys()]);
  const share = ({ counts, total }: StemCounts, word: string) =>
    ((counts.get(word) ?? 0) + smoothing) / (total + smoothing * stems.size);
  return Object.fromEntries(
    Array.from(stems, (word) => {
      const ratio = Math.log(share(inside, word) / share(beside, word));
      return [word, Number(Math.max(-strongest, Math.min(strongest, ratio)).toFixed(2))];
    }),
  );
}

/** @returns about −1 (beside the subject) to 1 (ours); 0 where no word tells. */
export function toneOf(words: readonly string[], table: ToneTable): number {
  const told = words.flatMap((word) => table[stem(word)] ?? []);
  const sum = told.reduce((total, value) => total + value, 0);
  return sum / (strongest * Math.sqrt(Math.max(1, told.length)));
}

interface StemCounts {
  readonly counts: ReadonlyMap<string, number>;
  readonly total: number;
}

/** In how many texts each stem stands. */
function countStems(texts: readonly string[]): StemCounts {
  const counts = new Map<string, number>();
  let total = 0;
  for (const text of texts) {
    for (const word of new Set(wordsOf(text).map(stem))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      total += 1;
    }
  }
  return { counts, total };
}
