// What spaced repetition offers the conversation: what is due for whom, when the next comes, and how the learning goes.
import type { Guide, QuizItem } from '../../knowledge/index.ts';
import type { Database } from '../store/client.ts';
import { type Member, makeMissingCards, readActiveDays, readCards, readDuePeople } from './review-cards.ts';
import { masteryOf, type ReviewCard, streakOf } from './review-schedule.ts';

export interface Outlook {
  /** Questions that are due now. */
  readonly due: number;
  /** When the next one comes; undefined: nothing has been answered yet, or all that is known is due. */
  readonly nextAt: Date | undefined;
}

interface Mastered {
  readonly title: string;
  /** From 0 to 1: the mean chance of a right answer today, over all questions on it. */
  readonly mastery: number;
  readonly answered: number;
  readonly questions: number;
}

interface ConceptProgress extends Mastered {
  readonly chapterId: string;
  readonly sectionId: string;
}

interface ChapterProgress extends Mastered {
  readonly chapterId: string;
  readonly due: number;
  readonly concepts: readonly ConceptProgress[];
}

export interface Progress extends Outlook {
  /** Those begun, in the order of the guide. */
  readonly chapters: readonly ChapterProgress[];
  readonly chaptersInAll: number;
  /** Days in a row with an answer. */
  readonly streakDays: number;
}

export interface Reviews {
  outlook(member: Member): Promise<Outlook>;
  progress(member: Member): Promise<Progress>;
  /** Everyone in the workspace with something due. */
  duePeople(workspaceId: string): Promise<readonly { readonly personId: string; readonly due: number }[]>;
}

export interface ReviewsOptions {
  readonly db: Database;
  readonly guide: Pick<Guide, 'chapters' | 'quizItems' | 'section'>;
  readonly now: () => Date;
}

type Cards = ReadonlyMap<string, ReviewCard>;

export function createReviews({ db, guide, now }: ReviewsOptions): Reviews {
  const known = new Set(guide.quizItems.map(({ id }) => id));
  const byChapter = groupBy(guide.quizItems, ({ chapterId }) => chapterId);

  async function cardsOf(member: Member): Promise<Cards> {
    await makeMissingCards(db, member);
    const cards = await readCards(db, member);
    // A question that has left the guide is neither due nor counted.
    return new Map([...cards].filter(([itemId]) => known.has(itemId)));
  }

  function outlookOf(cards: Cards, at: Date): Outlook {
    const coming = [...cards.values()].filter(({ dueAt }) => dueAt > at).map(({ dueAt }) => dueAt.getTime());
    return {
      due: cards.size - coming.length,
      nextAt: coming.length === 0 ? undefined : new Date(Math.min(...coming)),
    };
  }

  const measure = (title: string, items: readonly QuizItem[], cards: Cards, at: Date): Mastered => ({
    title,
    mastery: masteryOf(
      items.map(({ id }) => cards.get(id)),
      at,
    ),
    answered: items.filter(({ id }) => cards.has(id)).length,
    questions: items.length,
  });

  function chapterProgress(chapterId: string, title: string, cards: Cards, at: Date): ChapterProgress | undefined {
    const items = byChapter.get(chapterId) ?? [];
    if (!items.some(({ id }) => cards.has(id))) return undefined;
    const concepts = [...groupBy(items, ({ sectionId }) => sectionId)].map(([sectionId, own]) => ({
      chapterId,
      sectionId,
      ...measure(guide.section(chapterId, sectionId)?.title ?? sectionId, own, cards, at),
    }));
    const due = items.filter(({ id }) => (cards.get(id)?.dueAt ?? Number.POSITIVE_INFINITY) <= at).length;
    return { chapterId, ...measure(title, items, cards, at), due, concepts };
  }

  return {
    outlook: async (member) => outlookOf(await cardsOf(member), now()),

    async progress(member) {
      const [cards, days] = await Promise.all([cardsOf(member), readActiveDays(db, member)]);
      const at = now();
      return {
        ...outlookOf(cards, at),
        chapters: guide.chapters.flatMap(({ id, title }) => chapterProgress(id, title, cards, at) ?? []),
        chaptersInAll: byChapter.size,
        streakDays: streakOf(days, at),
      };
    },

    duePeople: async (workspaceId) => {
      const people = await readDuePeople(db, workspaceId, [...known], now());
      return people.map(({ personId, due }) => ({ personId, due }));
    },
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
