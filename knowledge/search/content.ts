// The content words of a text, each as its stem: what two texts must share to say the same.
import { stem, wordsOf } from './stem.ts';
import { stopWords } from './stop-words.ts';

/** Without stop words and numbers, with repeats. */
export function stemsOf(text: string): string[] {
  return wordsOf(text).flatMap((word) =>
    word.length < 2 || /^\d+$/.test(word) || stopWords.has(word) ? [] : [stem(word)],
  );
}
