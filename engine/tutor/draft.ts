// An answer in the making: pieces, each with the section it comes from; put together, every sentence knows its citation.
import type { Sentence } from '../../knowledge/index.ts';
import type { Answer, AnswerSentence, Citation } from './answer.ts';
import type { Part } from './reading.ts';

export interface Source {
  readonly chapterId: string;
  readonly sectionId: string;
  /** `Chapter › Section`. */
  readonly title: string;
  readonly sectionTitle: string;
  /** How learners ask for this section. */
  readonly asks: readonly string[];
  readonly parts: readonly Part[];
  /** Whether its chapter has questions to test oneself with. */
  readonly hasQuiz: boolean;
}

/** Where a claim is cited from. */
export type Place = Pick<Source, 'chapterId' | 'sectionId' | 'title'>;

interface Claim {
  /** As shown, Markdown. */
  readonly text: string;
  readonly place: Place;
  /** The guide's words that carry it; empty for a table or code, which stands on what was quoted before it. */
  readonly quote: string;
}

export interface Piece {
  /** As shown, Markdown. */
  readonly text: string;
  /** What is claimed in it; nothing where it only points on. */
  readonly claims: readonly Claim[];
}

export type Composed = Pick<Answer, 'markdown' | 'citations' | 'sentences'>;

/** Sentences of the guide, word for word, after words of ours such as "Watch out:". */
export function quotePiece(place: Place, sentences: readonly Sentence[], before = ''): Piece {
  const quote = sentences.map(({ prose }) => prose).join(' ');
  const claims = sentences.map(({ markdown }) => ({ text: markdown, place, quote }));
  return { text: before + claims.map(({ text }) => text).join(' '), claims };
}

/** A table, a list or code of the guide. */
export function figurePiece(place: Place, text: string): Piece {
  return { text, claims: [{ text, place, quote: '' }] };
}

export function pointerPiece(text: string): Piece {
  return { text, claims: [] };
}

/** Pieces as one paragraph. */
export function joinPieces(pieces: readonly Piece[]): readonly Piece[] {
  if (pieces.length === 0) return [];
  return [{ text: pieces.map(({ text }) => text).join(' '), claims: pieces.flatMap(({ claims }) => claims) }];
}

export function assemble(pieces: readonly Piece[]): Composed {
  const citations: Citation[] = [];
  const sentences: AnswerSentence[] = [];
  for (const { text, place, quote } of pieces.flatMap(({ claims }) => claims)) {
    const { chapterId, sectionId, title } = place;
    const isOf = (citation: Citation) => citation.chapterId === chapterId && citation.sectionId === sectionId;
    let citation =
      quote === ''
        ? citations.findLastIndex(isOf)
        : citations.findIndex((known) => isOf(known) && known.quote === quote);
    if (citation < 0 && quote !== '') citation = citations.push({ chapterId, sectionId, title, quote }) - 1;
    if (citation >= 0) sentences.push({ text, citation });
  }
  return { markdown: pieces.map(({ text }) => text).join('\n\n'), citations, sentences };
}
