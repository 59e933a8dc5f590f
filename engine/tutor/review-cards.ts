// The review cards of people, kept: each is what its answers add up to, so it is right however often it is worked out.
import { and, asc, count, eq, inArray, isNull, lte, sql } from 'drizzle-orm';
import type { Database } from '../store/client.ts';
import { quizAttempts, reviewCards } from '../store/schema.ts';
import { type ReviewCard, scheduleAfter } from './review-schedule.ts';

export interface Member {
  readonly workspaceId: string;
  readonly personId: string;
}

const ofMember = ({ workspaceId, personId }: Member) =>
  and(eq(reviewCards.workspaceId, workspaceId), eq(reviewCards.personId, personId));

/**
 * Works a card out anew from all answers to its question. Two answers at once, on two replicas, wait for each other at the
 * card's row, so the later one sees the earlier. Call it inside the transaction that stores the answer.
 */
export async function rescheduleCard(tx: Database, member: Member, itemId: string, at: Date): Promise<void> {
  const { workspaceId, personId } = member;
  const blank = { stability: 0, difficulty: 0, intervalDays: 0, reps: 0, lapses: 0, correct: false };
  await tx
    .insert(reviewCards)
    .values({ workspaceId, personId, itemId, ...blank, answeredAt: at, dueAt: at })
    .onConflictDoNothing();
  const row = and(ofMember(member), eq(reviewCards.itemId, itemId));
  await tx.select({ reps: reviewCards.reps }).from(reviewCards).where(row).for('update');
  const answers = await tx
    .select({ at: quizAttempts.answeredAt, correct: quizAttempts.correct })
    .from(quizAttempts)
    .where(
      and(
        eq(quizAttempts.workspaceId, workspaceId),
        eq(quizAttempts.personId, personId),
        eq(quizAttempts.itemId, itemId),
      ),
    );
  const card = scheduleAfter(answers);
  if (card !== undefined) await tx.update(reviewCards).set(card).where(row);
}

export async function readCards(db: Database, member: Member): Promise<ReadonlyMap<string, ReviewCard>> {
  const rows = await db.select().from(reviewCards).where(ofMember(member));
  return new Map(rows.map((row) => [row.itemId, row]));
}

/** Ids of the questions that are due, the longest overdue first. */
export async function readDue(db: Database, member: Member, now: Date): Promise<readonly string[]> {
  const rows = await db
    .select({ itemId: reviewCards.itemId })
    .from(reviewCards)
    .where(and(ofMember(member), lte(reviewCards.dueAt, now)))
    .orderBy(asc(reviewCards.dueAt), asc(reviewCards.itemId));
  return rows.map(({ itemId }) => itemId);
}

/** People of a workspace for whom some of these questions are due. */
export async function readDuePeople(db: Database, workspaceId: string, itemIds: readonly string[], now: Date) {
  return db
    .select({ personId: reviewCards.personId, due: count() })
    .from(reviewCards)
    .where(
      and(
        eq(reviewCards.workspaceId, workspaceId),
        lte(reviewCards.dueAt, now),
        inArray(reviewCards.itemId, [...itemIds]),
      ),
    )
    .groupBy(reviewCards.personId);
}

/** The days on which a person answered anything, `2026-03-01`, in UTC. */
export async function readActiveDays(db: Database, { workspaceId, personId }: Member): Promise<ReadonlySet<string>> {
  const day = sql<string>`to_char(${quizAttempts.answeredAt} at time zone 'UTC', 'YYYY-MM-DD')`;
  const rows = await db
    .selectDistinct({ day })
    .from(quizAttempts)
    .where(and(eq(quizAttempts.workspaceId, workspaceId), eq(quizAttempts.personId, personId)));
  return new Set(rows.map((row) => row.day));
}

/** Questions answered before there were cards get theirs. */
export async function makeMissingCards(db: Database, member: Member): Promise<void> {
  const { workspaceId, personId } = member;
  const missing = await db
    .selectDistinct({ itemId: quizAttempts.itemId, at: quizAttempts.answeredAt })
    .from(quizAttempts)
    .leftJoin(reviewCards, and(ofMember(member), eq(reviewCards.itemId, quizAttempts.itemId)))
    .where(
      and(eq(quizAttempts.workspaceId, workspaceId), eq(quizAttempts.personId, personId), isNull(reviewCards.itemId)),
    );
  for (const { itemId, at } of missing) await db.transaction((tx) => rescheduleCard(tx, member, itemId, at));
}
