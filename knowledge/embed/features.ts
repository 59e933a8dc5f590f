// A word as rows of one table: the word itself, its stem, and its pieces of three and four letters, so that a typo or an
// unknown word still lies near its kin (Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017).
import { stem, wordsOf } from '../search/stem.ts';

export interface Feature {
  /** Row of the table. */
  readonly row: number;
  readonly weight: number;
}

/** Longer texts are read up to here. */
const maxWords = 48;
const longestWord = 24;

export function readWords(text: string): string[] {
  return wordsOf(text)
    .slice(0, maxWords)
    .map((word) => word.slice(0, longestWord));
}

/** @param rows of the table. The word and the stem come first. */
export function featuresOf(word: string, rows: number): Feature[] {
  const pieces = piecesOf(word);
  const weight = 1 / Math.sqrt(pieces.length || 1);
  return [
    { row: hash(`w:${word}`) % rows, weight: 1 },
    { row: hash(`s:${stem(word)}`) % rows, weight: 1 },
    ...pieces.map((piece) => ({ row: hash(piece) % rows, weight })),
  ];
}

function piecesOf(word: string): string[] {
  const bounded = `<${word}>`;
  return [3, 4].flatMap((length) =>
    Array.from({ length: Math.max(0, bounded.length - length + 1) }, (_, at) => bounded.slice(at, at + length)),
  );
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
