// Text → search terms. Passages and questions go through the same steps, so that they meet in the same terms.
import type { Spelling } from './spelling.ts';
import { stem, wordsOf } from './stem.ts';
import { stopWords } from './stop-words.ts';
import type { Synonyms } from './synonyms.ts';

export interface QueryTerm {
  readonly term: string;
  /** True when a typo was mended: a little less sure. */
  readonly mended: boolean;
}

export interface Analyser {
  /** For the index: the stem of every content word, and the concept of every phrase, with repeats. */
  documentTerms(text: string): string[];
  /** For a question: the longest phrases as concepts, other content words as stems, each once. */
  queryTerms(text: string): QueryTerm[];
  /** Words in their order, typos mended. */
  words(text: string): string[];
}

export function createAnalyser(synonyms: Synonyms, spelling: Spelling): Analyser {
  return {
    words: (text) => wordsOf(text).map((word) => mend(word, spelling).word),
    documentTerms: (text) => {
      const words = wordsOf(text);
      const stems = words.map(stem);
      return words.flatMap((word, index) => {
        const term = stems[index];
        const terms = synonyms.phrasesAt(stems, index).map(({ concept }) => concept);
        return isContent(word) && term !== undefined ? [...terms, term] : terms;
      });
    },
    queryTerms: (text) => {
      const words = wordsOf(text).map((word) => mend(word, spelling));
      const stems = words.map(({ word }) => stem(word));
      const terms = new Map<string, QueryTerm>();
      for (let index = 0; index < words.length; ) {
        const [phrase] = synonyms.phrasesAt(stems, index);
        const length = phrase?.length ?? 1;
        const mended = words.slice(index, index + length).some((word) => word.mended);
        const word = words[index]?.word ?? '';
        const term = phrase?.concept ?? (isContent(word) ? stems[index] : undefined);
        if (term !== undefined && !terms.has(term)) terms.set(term, { term, mended });
        index += length;
      }
      return [...terms.values()];
    },
  };
}

/** Numbers and single letters say nothing by themselves ("99% accuracy", "rank r"); inside a phrase they do. */
function isContent(word: string): boolean {
  return word.length > 1 && !/^\d+$/.test(word) && !stopWords.has(word);
}

function mend(word: string, spelling: Spelling): { word: string; mended: boolean } {
  if (stopWords.has(word) || spelling.knows(word)) return { word, mended: false };
  const corrected = spelling.correct(word);
  return corrected === undefined ? { word, mended: false } : { word: corrected, mended: true };
}
