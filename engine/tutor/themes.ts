// Questions of one theme together: those that share a telling word, named by it.
import { stemmer } from 'stemmer';

export interface Theme<Item> {
  /** The word its questions share; for a question alone its own words. */
  readonly name: string;
  readonly items: readonly Item[];
}

const asking = new Set(
  'a about all an and any are as at be because been but by can could did do does doing for from get give good had has have help how i if in into is it its just like many me mean means more most much must my need not of on one or other our out please should show so some tell than that the their them then there these they this those to too up us use used using very want was we were what whats when where which who why will with would you your explain difference between work works make between best better model models data learning machine'.split(
    ' ',
  ),
);

/** The word most questions share takes its questions, then the next; the largest theme first. */
export function groupByTheme<Item extends { readonly question: string }>(
  items: readonly Item[],
): readonly Theme<Item>[] {
  const left = new Map(items.map((item) => [item, wordsOf(item.question)]));
  const themes: Theme<Item>[] = [];
  while (left.size > 0) {
    const counts = new Map<string, number>();
    for (const words of left.values()) for (const stem of words.keys()) counts.set(stem, (counts.get(stem) ?? 0) + 1);
    const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
    const shared = best && best[1] > 1 ? best[0] : undefined;
    const taken = [...left]
      .filter(([, words]) => shared === undefined || words.has(shared))
      .slice(0, shared === undefined ? 1 : undefined);
    const [first] = taken;
    if (!first) break;
    const name = (shared === undefined ? [...first[1].values()].slice(0, 3).join(' ') : first[1].get(shared)) ?? '';
    themes.push({ name: name === '' ? first[0].question.slice(0, 40) : name, items: taken.map(([item]) => item) });
    for (const [item] of taken) left.delete(item);
  }
  return themes.sort((a, b) => b.items.length - a.items.length);
}

/** Stem → the word as written. */
function wordsOf(question: string): ReadonlyMap<string, string> {
  const words = question.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}-]+/gu) ?? [];
  return new Map(words.filter((word) => !asking.has(word)).map((word) => [stemmer(word), word]));
}
