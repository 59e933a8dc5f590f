// Words and phrases that mean the same become one concept, so that "LR" finds "learning rate" and the other way round.
import { stem, wordsOf } from './stem.ts';

/** Phrases that mean the same; the first names their concept. */
export type SynonymGroups = readonly (readonly string[])[];

interface Phrase {
  readonly concept: string;
  /** In words, how much of the text it takes up. */
  readonly length: number;
}

export interface Synonyms {
  /** All phrases that begin at `index` of the stemmed words, the longest first. */
  phrasesAt(stems: readonly string[], index: number): readonly Phrase[];
  /** Every word of every phrase, for the spelling check. */
  readonly words: readonly string[];
}

export function createSynonyms(groups: SynonymGroups): Synonyms {
  const phrasesByFirst = new Map<string, (Phrase & { readonly stems: readonly string[] })[]>();
  for (const group of groups) {
    // "=" stands in no word, so a concept never meets a plain word in the index.
    const concept = `=${wordsOf(group[0] ?? '').join('-')}`;
    for (const phrase of group) {
      const stems = wordsOf(phrase).map(stem);
      const first = stems[0] ?? '';
      const phrases = phrasesByFirst.get(first) ?? [];
      // A phrase of two concepts belongs to the one named first.
      if (phrases.some((known) => known.stems.join(' ') === stems.join(' '))) continue;
      phrases.push({ concept, length: stems.length, stems });
      phrasesByFirst.set(first, phrases);
    }
  }
  for (const phrases of phrasesByFirst.values()) phrases.sort((a, b) => b.length - a.length);
  return {
    words: groups.flat().flatMap(wordsOf),
    phrasesAt: (stems, index) => {
      const phrases = phrasesByFirst.get(stems[index] ?? '') ?? [];
      return phrases.filter((phrase) => phrase.stems.every((part, offset) => stems[index + offset] === part));
    },
  };
}
