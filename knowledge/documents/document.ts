// A document of a group: whatever its format, it is read into blocks, and its blocks are cut into passages.

/** What a document is made of, in reading order. */
export interface DocumentBlock {
  /** Of a heading its level, from 1; undefined for anything else. */
  readonly depth?: number;
  readonly text: string;
  /** From 1; undefined where there are no pages. */
  readonly page?: number;
}

/** The unit that is found and cited. */
export interface DocumentPassage {
  /** The headings it stands under, outermost first. */
  readonly headings: readonly string[];
  readonly page: number | undefined;
  /** Plain words. */
  readonly text: string;
}

export type DocumentFormat = 'markdown' | 'text' | 'html' | 'pdf' | 'notebook';

export interface ReadDocument {
  readonly format: DocumentFormat;
  /** As the document calls itself. */
  readonly title: string | undefined;
  readonly pages: number | undefined;
  readonly passages: readonly DocumentPassage[];
}

/** A file that cannot be read as a document: what is wrong with it, and what to do. */
export class DocumentProblem extends Error {
  override readonly name = 'DocumentProblem';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Of the file, of its words, and of its passages. */
export const documentLimits = { bytes: 20 * 1024 * 1024, characters: 8_000_000, passages: 20_000, pages: 3_000 };
