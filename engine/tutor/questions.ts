// Questions asked and what people thought of the answers: from them the guide's gaps are seen, by theme.
import { and, desc, eq, sql } from 'drizzle-orm';
import { UserError } from '../errors.ts';
import type { Database } from '../store/client.ts';
import { feedback, questions } from '../store/schema.ts';
import type { Answer } from './answer.ts';
import { groupByTheme, type Theme } from './themes.ts';

interface Asker {
  readonly workspaceId: string;
  readonly personId: string;
}

interface AskedQuestion {
  readonly id: number;
  readonly question: string;
  readonly abstained: boolean;
  readonly askedAt: Date;
}

/** A question that was not answered, or answered badly. */
export interface Gap {
  readonly question: string;
  readonly abstained: boolean;
  readonly unhelpful: number;
  readonly reasons: readonly string[];
  /** Chapter nearest to it. */
  readonly chapterId: string | undefined;
}

export interface Questions {
  /** @returns the answer's number, by which it is rated. The workspace must have been opened. */
  record(asker: Asker & { readonly conversationId: string }, question: string, answer: Answer): Promise<number>;
  /**
   * Keeps a person's verdict once; a later one of theirs replaces it only to add the reason.
   * @returns whether it was their first on this answer.
   * @throws UserError when there is no such answer in the workspace.
   */
  rate(
    asker: Asker,
    questionId: number,
    verdict: { readonly helpful: boolean; readonly reason?: string },
  ): Promise<boolean>;
  /** @throws UserError when there is no such question in the workspace. */
  get(workspaceId: string, questionId: number): Promise<AskedQuestion>;
  /** Unanswered and down-voted questions of a workspace by theme, the largest theme first. */
  gaps(workspaceId: string): Promise<readonly Theme<Gap>[]>;
}

/** Questions looked through for gaps, the latest first. */
const reach = 1000;

export function createQuestions({ db, now }: { db: Database; now: () => Date }): Questions {
  async function get(workspaceId: string, questionId: number) {
    const [row] = await db
      .select()
      .from(questions)
      .where(and(eq(questions.workspaceId, workspaceId), eq(questions.id, questionId)));
    if (!row) throw new UserError('That answer is no longer kept.', 'Ask the question again.');
    return { id: row.id, question: row.question, abstained: row.abstained, askedAt: row.askedAt };
  }

  return {
    get,
    async record({ workspaceId, personId, conversationId }, question, { abstained, confidence, passages }) {
      const [row] = await db
        .insert(questions)
        .values({
          workspaceId,
          personId,
          conversationId,
          question,
          abstained,
          confidence,
          passages: passages.map(({ chapterId, sectionId }) => `${chapterId}#${sectionId}`),
          askedAt: now(),
        })
        .returning({ id: questions.id });
      if (row === undefined) throw new Error('the database returned no row for a question it took');
      return row.id;
    },

    async rate({ workspaceId, personId }, questionId, { helpful, reason }) {
      await get(workspaceId, questionId);
      const given = await db
        .insert(feedback)
        .values({ workspaceId, questionId, personId, helpful, reason: reason ?? null, givenAt: now() })
        .onConflictDoNothing()
        .returning({ questionId: feedback.questionId });
      if (given.length > 0) return true;
      if (reason !== undefined) {
        const own = and(eq(feedback.questionId, questionId), eq(feedback.personId, personId));
        await db.update(feedback).set({ reason }).where(own);
      }
      return false;
    },

    async gaps(workspaceId) {
      const rows = await db
        .select({
          question: questions.question,
          abstained: questions.abstained,
          passages: questions.passages,
          unhelpful: sql<number>`count(*) filter (where ${feedback.helpful} = false)`.mapWith(Number),
          reasons: sql<readonly (string | null)[]>`json_agg(${feedback.reason})`,
        })
        .from(questions)
        .leftJoin(feedback, eq(feedback.questionId, questions.id))
        .where(eq(questions.workspaceId, workspaceId))
        .groupBy(questions.id)
        .having(sql`${questions.abstained} or count(*) filter (where ${feedback.helpful} = false) > 0`)
        .orderBy(desc(questions.id))
        .limit(reach);
      return groupByTheme(
        rows.map(({ passages, reasons, ...gap }) => ({
          ...gap,
          reasons: reasons.flatMap((reason) => reason ?? []),
          chapterId: passages[0]?.split('#')[0],
        })),
      );
    },
  };
}
