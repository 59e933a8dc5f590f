// What a quiz offers the conversation. The scoring core is pure (quiz.ts); this is the door with the database behind it.
import { randomBytes } from 'node:crypto';
import { and, count, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Guide, QuizItem } from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Database } from '../store/client.ts';
import { quizAttempts, quizSessions } from '../store/schema.ts';
import { findChapter, nearestChapters } from './find-chapter.ts';
import { applyQuizEvent, openPosition, poseItems, type QuizState, scoreQuiz } from './quiz.ts';
import { makeMissingCards, readDue, rescheduleCard } from './review-cards.ts';

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
  /** Undefined: a review, of what was due in any chapter. */
  readonly chapterId: string | undefined;
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
  /** Asks again what is due, the longest overdue first, `length` at most. @returns undefined when nothing is due. */
  startReview(options: {
    workspaceId: string;
    personId: string;
    conversationId: string;
    length: number;
  }): Promise<QuizQuestion | undefined>;
  /** Scores once, and schedules the question's review. @throws UserError for an unknown session, item or choice, or another person's session. */
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

export interface QuizzesOptions {
  readonly db: Database;
  readonly guide: Pick<Guide, 'chapters' | 'quizItems' | 'section'>;
  readonly random: Random;
  readonly now: () => Date;
}

type SessionRow = typeof quizSessions.$inferSelect;

export function createQuizzes({ db, guide, random, now }: QuizzesOptions): Quizzes {
  const itemsById = new Map(guide.quizItems.map((item) => [item.id, item]));
  const chapters = guide.chapters.flatMap(({ id, title }) => {
    const items = guide.quizItems.filter((item) => item.chapterId === id).length;
    return items === 0 ? [] : [{ id, title, chapterId: id, items }];
  });

  const itemOf = (itemId: string): QuizItem => {
    const item = itemsById.get(itemId);
    if (item) return item;
    throw new UserError('This quiz has a question that is no longer in the guide.', 'Start a new one: quiz <chapter>.');
  };

  const questionAt = (session: SessionRow, position: number): QuizQuestion => {
    const posed = session.items[position];
    if (!posed) throw new RangeError(`quiz ${session.id} has no item ${position}`);
    const item = itemOf(posed.itemId);
    const choices = posed.choiceIds.flatMap((id) => {
      const choice = item.choices.find((candidate) => candidate.id === id);
      return choice ? [{ id, text: choice.text }] : [];
    });
    return { sessionId: session.id, number: position + 1, total: session.items.length, item, choices };
  };

  const summarise = (session: SessionRow, state: QuizState): QuizSummary => {
    const { correct, wrong } = scoreQuiz(state);
    const sections = new Map(
      wrong.map((itemId) => {
        const { chapterId, sectionId } = itemOf(itemId);
        const title = guide.section(chapterId, sectionId)?.title ?? sectionId;
        return [`${chapterId}#${sectionId}`, { chapterId, sectionId, title }];
      }),
    );
    return {
      sessionId: session.id,
      chapterId: session.chapterId ?? undefined,
      chapterTitle: guide.chapters.find(({ id }) => id === session.chapterId)?.title ?? session.chapterId ?? 'Review',
      correct,
      total: session.items.length,
      reread: [...sections.values()],
    };
  };

  const openSession = async (
    session: Omit<typeof quizSessions.$inferInsert, 'id' | 'startedAt'>,
  ): Promise<QuizQuestion> => {
    const [stored] = await db
      .insert(quizSessions)
      .values({ ...session, id: randomBytes(9).toString('base64url'), startedAt: now() })
      .returning();
    if (!stored) throw new Error('the database did not return the quiz it stored');
    return questionAt(stored, 0);
  };

  const readSession = async (workspaceId: string, personId: string, sessionId: string): Promise<SessionRow> => {
    const [session] = await db
      .select()
      .from(quizSessions)
      .where(and(eq(quizSessions.workspaceId, workspaceId), eq(quizSessions.id, sessionId)));
    if (!session) throw new UserError('That quiz is not known here.', 'Start a new one: quiz <chapter>.');
    if (session.personId !== personId) {
      throw new UserError('That quiz belongs to somebody else.', 'Start your own: quiz <chapter>.');
    }
    return session;
  };

  const readState = async (session: SessionRow): Promise<QuizState> => {
    const attempts = await db.select().from(quizAttempts).where(eq(quizAttempts.sessionId, session.id));
    const unanswered: QuizState = { items: session.items, answers: {} };
    return attempts.reduce((state, attempt) => applyQuizEvent(state, { kind: 'answered', ...attempt }), unanswered);
  };

  return {
    chapters: chapters.map(({ chapterId, title, items }) => ({ chapterId, title, items })),
    items: guide.quizItems,

    start: async ({ workspaceId, personId, conversationId, chapterId, length }) => {
      const chapter = findChapter(chapters, chapterId);
      if (!chapter) {
        const nearest = nearestChapters(chapters, chapterId).slice(0, 3);
        throw new UserError(
          `No chapter with a quiz is called ${JSON.stringify(chapterId.slice(0, 80))}.`,
          `Nearest: ${nearest.map(({ id }) => id).join(', ')}.`,
        );
      }
      if (!Number.isInteger(length) || length < 1 || length > chapter.items) {
        throw new UserError(
          `A quiz of ${length} questions is not possible.`,
          `"${chapter.title}" has ${chapter.items}: choose a whole number from 1 to ${chapter.items}.`,
        );
      }
      const items = guide.quizItems.filter((item) => item.chapterId === chapter.id);
      const attempts = await db
        .select({ itemId: quizAttempts.itemId, correct: quizAttempts.correct })
        .from(quizAttempts)
        .where(
          and(
            eq(quizAttempts.workspaceId, workspaceId),
            eq(quizAttempts.personId, personId),
            inArray(
              quizAttempts.itemId,
              items.map(({ id }) => id),
            ),
          ),
        )
        .orderBy(quizAttempts.answeredAt);
      const lastAnswers = new Map(attempts.map(({ itemId, correct }) => [itemId, correct]));
      const posed = poseItems(items, lastAnswers, length, random);
      return openSession({ workspaceId, personId, conversationId, chapterId: chapter.id, items: posed });
    },

    startReview: async ({ workspaceId, personId, conversationId, length }) => {
      await makeMissingCards(db, { workspaceId, personId });
      const due = await readDue(db, { workspaceId, personId }, now());
      const items = due.flatMap((itemId) => itemsById.get(itemId) ?? []).slice(0, length);
      if (items.length === 0) return undefined;
      const posed = poseItems(items, new Map(), items.length, random);
      return openSession({ workspaceId, personId, conversationId, chapterId: null, items: posed });
    },

    answer: async ({ workspaceId, personId, sessionId, itemId, choiceId }) => {
      const session = await readSession(workspaceId, personId, sessionId);
      const position = session.items.findIndex((posed) => posed.itemId === itemId);
      if (position < 0) {
        throw new UserError('That question is not part of this quiz.', 'Answer the question shown last.');
      }
      const question = questionAt(session, position);
      if (!question.choices.some(({ id }) => id === choiceId)) {
        const offered = question.choices.map(({ id }) => id).toSorted();
        throw new UserError(
          `${JSON.stringify(choiceId.slice(0, 40))} is not a choice of this question.`,
          `Choose one of ${offered.join(', ')}.`,
        );
      }
      const { item } = question;
      // The primary key (session, item) scores once, whoever asks at the same time and in whichever process.
      const counted = await db.transaction(async (tx) => {
        const answeredAt = now();
        const inserted = await tx
          .insert(quizAttempts)
          .values({
            workspaceId,
            sessionId,
            itemId,
            personId,
            choiceId,
            correct: choiceId === item.correctChoiceId,
            answeredAt,
          })
          .onConflictDoNothing()
          .returning({ itemId: quizAttempts.itemId });
        if (inserted.length > 0) await rescheduleCard(tx, { workspaceId, personId }, itemId, answeredAt);
        return inserted.length > 0;
      });
      const state = await readState(session);
      const open = openPosition(state);
      if (open === undefined && session.finishedAt === null) {
        await db
          .update(quizSessions)
          .set({ finishedAt: now() })
          .where(and(eq(quizSessions.id, sessionId), isNull(quizSessions.finishedAt)));
      }
      const standing = state.answers[itemId];
      if (!standing) throw new Error(`the answer to ${itemId} of quiz ${sessionId} was not stored`);
      const feedbackOf = (id: string) => item.choices.find((choice) => choice.id === id)?.feedback ?? '';
      return {
        counted,
        correct: standing.correct,
        question,
        chosenId: standing.choiceId,
        correction: standing.correct ? undefined : feedbackOf(standing.choiceId),
        reason: feedbackOf(item.correctChoiceId),
        next: open === undefined ? undefined : questionAt(session, open),
        summary: open === undefined ? summarise(session, state) : undefined,
      };
    },

    current: async ({ workspaceId, personId, sessionId }) => {
      const session = await readSession(workspaceId, personId, sessionId);
      const state = await readState(session);
      const open = openPosition(state);
      return open === undefined ? summarise(session, state) : questionAt(session, open);
    },

    score: async ({ workspaceId, personId }) => {
      const [row] = await db
        .select({
          answered: count(),
          correct: sql`count(*) filter (where ${quizAttempts.correct})`.mapWith(Number),
        })
        .from(quizAttempts)
        .where(and(eq(quizAttempts.workspaceId, workspaceId), eq(quizAttempts.personId, personId)));
      return { correct: row?.correct ?? 0, answered: row?.answered ?? 0 };
    },
  };
}
