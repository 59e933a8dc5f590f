// What an answer is: sentences, each tied to the place in the guide it is taken from or computed by.

import type { Where } from '../material/documents.ts';

/** How deep an answer goes: the picture of it, the usual course, or formula, measurements and trade-offs. */
export const levels = ['eli5', 'student', 'expert'] as const;
export type Level = (typeof levels)[number];

export interface Citation {
  readonly chapterId: string;
  readonly sectionId: string;
  /** `Chapter › Section`. */
  readonly title: string;
  /** The words in the guide that carry the claim. */
  readonly quote: string;
}

export interface AnswerSentence {
  /** As shown, Markdown: a sentence, a list, a table or a piece of code. */
  readonly text: string;
  /** Index into the answer's citations. */
  readonly citation: number;
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export type AnswerKind = 'explanation' | 'comparison' | 'sum' | 'correction' | 'talk' | 'refusal';

export interface Answer {
  readonly kind: AnswerKind;
  readonly markdown: string;
  /** All that is claimed, in the order shown; empty where nothing is claimed. */
  readonly sentences: readonly AnswerSentence[];
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
  /** The question as it was understood: a follow-up with what it follows. */
  readonly understood: string;
}

export interface AskOptions {
  readonly level?: Level;
  /** Where it is asked: the group's own documents seen there are searched beside the guide. */
  readonly where?: Where;
  /** Hears the answer grow, where its words come one by one; each draft holds the one before. */
  readonly onDraft?: (draft: Answer) => void;
}

export interface Tutor {
  /**
   * Answers from the guide.
   * @throws UserError when the question is empty or longer than the limit (naming its length).
   */
  ask(question: string, turns: readonly Turn[], options?: AskOptions): Promise<Answer>;
  /** A whole section or chapter overview for a concept, found by id, title or nearest wording. */
  explain(concept: string, options?: AskOptions): Promise<Answer>;
}
