// When a question comes back, and how well its concept sits: FSRS over the answers a person gave. Pure; the clock comes in.
import { type Card, createEmptyCard, fsrs, Rating, State } from 'ts-fsrs';

/** What a person answered to one question, and when. */
export interface PastAnswer {
  readonly at: Date;
  readonly correct: boolean;
}

/** One question in one person's memory. */
export interface ReviewCard {
  /** Days after which the chance of a right answer has sunk to 90 %. */
  readonly stability: number;
  /** From 1 (easy) to 10. */
  readonly difficulty: number;
  readonly intervalDays: number;
  readonly reps: number;
  readonly lapses: number;
  /** Whether the last answer was right. */
  readonly correct: boolean;
  readonly answeredAt: Date;
  readonly dueAt: Date;
}

/**
 * FSRS-6 with its published weights (https://github.com/open-spaced-repetition/ts-fsrs). Whole days only: in a chat nobody
 * waits for a question that returns in ten minutes. No fuzz: the same answers give the same day on every replica.
 */
const scheduler = fsrs({ enable_short_term: false, enable_fuzz: false, request_retention: 0.9 });

/** The card after all these answers, in any order; undefined before the first. A chooser's right answer counts as "good". */
export function scheduleAfter(answers: readonly PastAnswer[]): ReviewCard | undefined {
  const inOrder = answers.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return inOrder.reduce<ReviewCard | undefined>(advance, undefined);
}

function advance(card: ReviewCard | undefined, { at, correct }: PastAnswer): ReviewCard {
  const { card: next } = scheduler.next(toFsrs(card, at), at, correct ? Rating.Good : Rating.Again);
  return {
    stability: next.stability,
    difficulty: next.difficulty,
    intervalDays: next.scheduled_days,
    reps: next.reps,
    lapses: next.lapses,
    correct,
    answeredAt: at,
    dueAt: next.due,
  };
}

function toFsrs(card: ReviewCard | undefined, at: Date): Card {
  const empty = createEmptyCard(at);
  if (card === undefined) return empty;
  return {
    ...empty,
    due: card.dueAt,
    stability: card.stability,
    difficulty: card.difficulty,
    scheduled_days: card.intervalDays,
    reps: card.reps,
    lapses: card.lapses,
    state: State.Review,
    last_review: card.answeredAt,
  };
}

/** From 0 to 1: the chance of a right answer now. What was answered wrong last counts as not known. */
export function recallOf(card: ReviewCard | undefined, now: Date): number {
  if (card?.correct !== true) return 0;
  const at = new Date(Math.max(now.getTime(), card.answeredAt.getTime()));
  return scheduler.get_retrievability(toFsrs(card, at), at, false);
}

/** From 0 to 1: the mean recall over all questions of a concept; one never asked counts as not known. */
export function masteryOf(cards: readonly (ReviewCard | undefined)[], now: Date): number {
  if (cards.length === 0) return 0;
  return cards.reduce((sum, card) => sum + recallOf(card, now), 0) / cards.length;
}

const dayMs = 86_400_000;

/** Days in a row with an answer, up to today; a day that has only begun does not end it. @param days `2026-03-01`, in UTC. */
export function streakOf(days: ReadonlySet<string>, now: Date): number {
  const dayAgo = (n: number) => new Date(now.getTime() - n * dayMs).toISOString().slice(0, 10);
  const from = days.has(dayAgo(0)) ? 0 : 1;
  let length = 0;
  while (days.has(dayAgo(from + length))) length += 1;
  return length;
}
