// Two ways to cut words with the same learnt pieces: BPE replays the merges, WordPiece takes the longest piece that fits.
import { createWordSplitter } from '../data/tokenizer.ts';
import { joinPieces, learnMerges, learnWordPiece, type Merges } from '../data/vocabulary.ts';

const inside = '##';
export const unknown = '[UNK]';
const learntPieces = 3000;

/** Learnt once for each text collection; a demo is played many times. */
const learnt = new WeakMap<readonly string[], Merges>();

export function learnFrom(corpus: readonly string[]): Merges {
  const before = learnt.get(corpus);
  if (before !== undefined) return before;
  const merges = learnMerges(corpus, learntPieces);
  learnt.set(corpus, merges);
  return merges;
}

let split: ((text: string) => string[]) | undefined;

/** Lower-cased words and signs, as BERT's tokenizer takes them. */
export function splitWords(text: string): readonly string[] {
  if (split === undefined) {
    const { tokenizer, config } = learnWordPiece([], { vocabularySize: 0 });
    split = createWordSplitter(tokenizer, config);
  }
  return split(text);
}

const characters = (word: string) => [...word].map((char, index) => (index === 0 ? char : inside + char));

/** Byte-pair encoding (Sennrich et al. 2016): the earliest learnt merge that fits is done first, until none fits. */
export function encodeBytePairs(word: string, { merges, alphabet }: Merges, mergeCount: number): readonly string[] {
  const ranks = new Map(merges.slice(0, mergeCount).map(({ left, right }, rank) => [`${left} ${right}`, rank]));
  const known = new Set(alphabet);
  let pieces = characters(word).map((piece) => (known.has(piece) ? piece : unknown));
  while (pieces.length > 1) {
    let best = { rank: Number.POSITIVE_INFINITY, at: -1 };
    for (let at = 0; at + 1 < pieces.length; at++) {
      const rank = ranks.get(`${pieces[at]} ${pieces[at + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < best.rank) best = { rank, at };
    }
    if (best.at < 0) break;
    const joined = joinPieces(pieces[best.at] ?? '', pieces[best.at + 1] ?? '');
    pieces = [...pieces.slice(0, best.at), joined, ...pieces.slice(best.at + 2)];
  }
  return pieces;
}

/** The pieces there are after so many merges. */
export function piecesAfter({ alphabet, merges }: Merges, mergeCount: number): ReadonlySet<string> {
  return new Set([...alphabet, ...merges.slice(0, mergeCount).map(({ left, right }) => joinPieces(left, right))]);
}

/** WordPiece (Devlin et al. 2019): the longest known piece from the left, again and again; a word that can't be covered is unknown. */
export function encodeWordPiece(word: string, vocabulary: ReadonlySet<string>): readonly string[] {
  const letters = [...word];
  const pieces: string[] = [];
  let from = 0;
  while (from < letters.length) {
    let to = letters.length;
    const piece = () => (from === 0 ? '' : inside) + letters.slice(from, to).join('');
    while (to > from && !vocabulary.has(piece())) to -= 1;
    if (to === from) return [unknown];
    pieces.push(piece());
    from = to;
  }
  return pieces;
}
