// What the tutor answers with: words from the guide, each claim cited, or an honest "not covered".

export interface Citation {
  readonly chapterId: string;
  readonly sectionId: string;
  /** `Chapter › Section`. */
  readonly title: string;
  /** The words in the guide that carry the claim. */
  readonly quote: string;
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export interface Answer {
  readonly markdown: string;
  readonly abstained: boolean;
  /** From 0 to 1. */
  readonly confidence: number;
  readonly citations: readonly Citation[];
  readonly passages: readonly {
    readonly chapterId: string;
    readonly sectionId: string;
    readonly score: number;
    readonly text: string;
  }[];
  /** Chapters to offer when the guide does not cover the question. */
  readonly nearest: readonly { readonly chapterId: string; readonly title: string }[];
}

export interface Tutor {
  /**
   * Answers from the guide.
   * @throws UserError when the question is empty or longer than the limit (naming its length).
   */
  ask(question: string, turns: readonly Turn[]): Promise<Answer>;
  /** A whole section or chapter overview for a concept, found by id, title or nearest wording. */
  explain(concept: string): Promise<Answer>;
}
