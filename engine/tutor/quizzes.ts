// What a quiz offers the conversation. The scoring core is pure (quiz.ts); this is the door with the database behind it.
import type { QuizItem } from '../../knowledge/index.ts';

export interface QuizQuestion {
  readonly sessionId: string;
  /** From 1. */
  readonly number: number;
  readonly total: number;
  readonly item: QuizItem;
  /** In the order to show. */
  readonly choices: readonly { readonly id: string; readonly text: string }[];
}

export interface QuizVerdict {
  /** False when this item had been answered before: the first answer stands and is shown again. */
  readonly counted: boolean;
  readonly correct: boolean;
  readonly question: QuizQuestion;
  readonly chosenId: string;
  /** Why the chosen answer is wrong, where it is. */
  readonly correction: string | undefined;
  /** Why the right answer is right. */
  readonly reason: string;
  readonly next: QuizQuestion | undefined;
  /** Present once the last item is answered. */
  readonly summary: QuizSummary | undefined;
}

export interface QuizSummary {
  readonly sessionId: string;
  readonly chapterId: string;
  readonly chapterTitle: string;
  readonly correct: number;
  readonly total: number;
  /** Sections of the items answered wrongly, without repeats. */
  readonly reread: readonly { readonly chapterId: string; readonly sectionId: string; readonly title: string }[];
}

export interface Quizzes {
  readonly chapters: readonly { readonly chapterId: string; readonly title: string; readonly items: number }[];
  readonly items: readonly QuizItem[];
  /** @throws UserError for an unknown chapter (naming it and the nearest) or when `length` is out of range. */
  start(options: {
    workspaceId: string;
    personId: string;
    conversationId: string;
    chapterId: string;
    length: number;
  }): Promise<QuizQuestion>;
  /** Scores once. @throws UserError for an unknown session, item or choice, or another person's session. */
  answer(options: {
    workspaceId: string;
    personId: string;
    sessionId: string;
    itemId: string;
    choiceId: string;
  }): Promise<QuizVerdict>;
  /** The open question of a session, to go on with after a restart. */
  current(options: { workspaceId: string; personId: string; sessionId: string }): Promise<QuizQuestion | QuizSummary>;
  /** Answers so far over all quizzes. */
  score(options: { workspaceId: string; personId: string }): Promise<{ correct: number; answered: number }>;
}
