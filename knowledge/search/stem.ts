// One form for all forms of a word: British and American spelling, plural, -ing, -ed (Porter's stemmer does the rest).
import { stemmer } from 'stemmer';

/** "regularisation", "regularize", "regularizing" keep a stem of their own, apart from "regular". */
const verbInIze = /^(.{4,}?)i[sz](?:e|es|ed|er|ers|ing|ation|ations)$/;

export function stem(word: string): string {
  const match = verbInIze.exec(word);
  return match?.[1] === undefined ? stemmer(word) : `${match[1]}iz`;
}

/** Lower-case words and numbers without accents or apostrophes; everything else separates. */
export function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}'’]/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
