// Quiz battles: several people answer the same questions, round by round against the clock. The rows are the truth; a
// round is closed by compare-and-set, so that one process of many moves a battle on.
import { randomBytes } from 'node:crypto';
import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Guide, QuizItem } from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Database } from '../store/client.ts';
import { battleAnswers, battles } from '../store/schema.ts';
import { type BattleAnswer, rank, type Standing } from './battle.ts';
import { findChapter, nearestChapters } from './find-chapter.ts';
import { poseItems } from './quiz.ts';

export interface BattleRound {
  /** From 1. */
  readonly number: number;
  readonly item: QuizItem;
  /** In the order to show. */
  readonly choices: readonly { readonly id: string; readonly text: string }[];
  /** In the order in which they came, one for each person. */
  readonly answers: readonly BattleAnswer[];
}

export interface Battle {
  readonly id: string;
  readonly workspaceId: string;
  readonly front: string;
  readonly conversationId: string;
  readonly startedBy: string;
  readonly title: string;
  readonly roundSeconds: number;
  readonly roundEndsAt: Date;
  readonly rounds: readonly BattleRound[];
  /** The round that is open, from 1; undefined once all are closed. */
  readonly open: number | undefined;
  /** Over the closed rounds: nobody learns from it what is right in the open one. */
  readonly ranking: readonly Standing[];
}

interface Member {
  readonly personId: string;
  readonly name: string;
  readonly battles: number;
  readonly wins: number;
  readonly correct: number;
  readonly answered: number;
}

type AnswerOutcome = 'counted' | 'repeated' | 'late';

export interface Battles {
  /**
   * @param chapters names or ids; none: from the whole guide.
   * @param difficulties from 1 to 3; none: all.
   * @throws UserError for an unknown chapter, too few questions, or a battle that goes on in this place.
   */
  start(options: {
    workspaceId: string;
    front: string;
    conversationId: string;
    personId: string;
    chapters: readonly string[];
    difficulties: readonly number[];
    length: number;
    roundSeconds: number;
  }): Promise<Battle>;
  /** A person's first answer to the open round counts. @throws UserError for an unknown battle or choice. */
  answer(options: {
    workspaceId: string;
    battleId: string;
    itemId: string;
    person: { readonly id: string; readonly name: string };
    choiceId: string;
  }): Promise<{ readonly outcome: AnswerOutcome; readonly battle: Battle }>;
  get(workspaceId: string, battleId: string): Promise<Battle>;
  /** Closes the round and opens the next. @returns the battle after it; undefined when another process did it already. */
  close(battle: Battle, round: number): Promise<Battle | undefined>;
  /** The final ranking stands in its place. */
  finish(battle: Battle): Promise<void>;
  /** Those whose final ranking has not been shown yet, over all workspaces. */
  unfinished(): Promise<readonly Battle[]>;
  /** Everybody who took part in a finished battle, most wins first. */
  members(workspaceId: string): Promise<readonly Member[]>;
}

export interface BattlesOptions {
  readonly db: Database;
  readonly guide: Pick<Guide, 'chapters' | 'quizItems'>;
  readonly random: Random;
  readonly now: () => Date;
}

type Row = typeof battles.$inferSelect;

/** Time to read why the last answer was right, before the clock of the next question runs. */
const readingSeconds = 8;

export function createBattles({ db, guide, random, now }: BattlesOptions): Battles {
  const itemsById = new Map(guide.quizItems.map((item) => [item.id, item]));
  const chapters = guide.chapters.filter(({ id }) => guide.quizItems.some((item) => item.chapterId === id));
  const endAfter = (seconds: number) => new Date(now().getTime() + seconds * 1000);
  const known = (workspaceId: string, battleId: string) =>
    and(eq(battles.workspaceId, workspaceId), eq(battles.id, battleId));

  function chapterIds(names: readonly string[]): readonly string[] {
    return names.map((name) => {
      const found = findChapter(chapters, name);
      if (found !== undefined) return found.id;
      const nearest = nearestChapters(chapters, name).slice(0, 3);
      throw new UserError(
        `No chapter with a quiz is called ${JSON.stringify(name.slice(0, 80))}.`,
        `Nearest: ${nearest.map(({ id }) => id).join(', ')}.`,
      );
    });
  }

  function titleOf(ids: readonly string[]): string {
    const titles = ids.map((id) => chapters.find((chapter) => chapter.id === id)?.title ?? id);
    if (titles.length === 0) return 'the whole guide';
    return titles.length <= 2 ? titles.join(' and ') : `${titles.length} chapters`;
  }

  async function read(row: Row): Promise<Battle> {
    const given = await db
      .select()
      .from(battleAnswers)
      .where(eq(battleAnswers.battleId, row.id))
      .orderBy(asc(battleAnswers.number));
    const rounds = row.items.flatMap(({ itemId, choiceIds }, index): readonly BattleRound[] => {
      const item = itemsById.get(itemId);
      // A question that has left the guide meanwhile is passed over.
      if (item === undefined) return [];
      const choices = choiceIds.flatMap((id) => item.choices.filter((choice) => choice.id === id));
      const answers = given
        .filter((answer) => answer.itemId === itemId)
        .map(({ personId, personName, choiceId, correct }) => ({ personId, name: personName, choiceId, correct }));
      return [{ number: index + 1, item, choices: choices.map(({ id, text }) => ({ id, text })), answers }];
    });
    const open = row.round > row.items.length ? undefined : row.round;
    const closed = rounds.filter(({ number }) => open === undefined || number < open);
    const { id, workspaceId, front, conversationId, startedBy, title, roundSeconds, roundEndsAt } = row;
    return {
      ...{ id, workspaceId, front, conversationId, startedBy, title, roundSeconds, roundEndsAt, rounds, open },
      ranking: rank(closed.map(({ answers }) => answers)),
    };
  }

  async function find(workspaceId: string, battleId: string): Promise<Row> {
    const [row] = await db.select().from(battles).where(known(workspaceId, battleId));
    if (row === undefined) throw new UserError('That battle is not known here.', 'Start a new one: battle.');
    return row;
  }

  return {
    async start({ workspaceId, front, conversationId, personId, difficulties, length, roundSeconds, ...wanted }) {
      const ids = chapterIds(wanted.chapters);
      const items = guide.quizItems.filter(
        ({ chapterId, difficulty }) =>
          (ids.length === 0 || ids.includes(chapterId)) &&
          (difficulties.length === 0 || difficulties.includes(difficulty)),
      );
      if (items.length < length) {
        throw new UserError(
          `A battle of ${length} questions is not possible: there ${items.length === 1 ? 'is' : 'are'} ${items.length} of that kind.`,
          'Ask fewer questions, or add a chapter or a difficulty.',
        );
      }
      const here = and(
        eq(battles.workspaceId, workspaceId),
        eq(battles.front, front),
        eq(battles.conversationId, conversationId),
      );
      const [going] = await db
        .select({ id: battles.id })
        .from(battles)
        .where(and(here, isNull(battles.finishedAt)));
      if (going !== undefined) {
        throw new UserError(
          'A battle is going on here.',
          'Join in with the buttons of its question, or wait for its end.',
        );
      }
      const drawn = random.shuffle(items).slice(0, length);
      const [row] = await db
        .insert(battles)
        .values({
          id: randomBytes(9).toString('base64url'),
          workspaceId,
          front,
          conversationId,
          startedBy: personId,
          title: titleOf(ids),
          items: poseItems(drawn, new Map(), length, random),
          roundSeconds,
          round: 1,
          roundEndsAt: endAfter(roundSeconds),
          startedAt: now(),
        })
        .returning();
      if (row === undefined) throw new Error('the database did not return the battle it stored');
      return read(row);
    },

    async answer({ workspaceId, battleId, itemId, person, choiceId }) {
      const outcome = await db.transaction(async (tx): Promise<AnswerOutcome> => {
        // Locked, so that a round is not closed between this look and the answer.
        const [row] = await tx.select().from(battles).where(known(workspaceId, battleId)).for('update');
        if (row === undefined) throw new UserError('That battle is not known here.', 'Start a new one: battle.');
        const asked = row.items[row.round - 1];
        const late = asked?.itemId !== itemId || now() > row.roundEndsAt;
        if (!late && !asked.choiceIds.includes(choiceId)) {
          throw new UserError(
            `${JSON.stringify(choiceId.slice(0, 40))} is not a choice of this question.`,
            'Use the buttons below it.',
          );
        }
        if (late) {
          const mine = and(eq(battleAnswers.itemId, itemId), eq(battleAnswers.personId, person.id));
          const before = await tx
            .select({ choiceId: battleAnswers.choiceId })
            .from(battleAnswers)
            .where(and(eq(battleAnswers.battleId, battleId), mine));
          return before.length > 0 ? 'repeated' : 'late';
        }
        const taken = await tx
          .insert(battleAnswers)
          .values({
            ...{ workspaceId, battleId, itemId, choiceId, personId: person.id, personName: person.name },
            correct: itemsById.get(itemId)?.correctChoiceId === choiceId,
            answeredAt: now(),
          })
          .onConflictDoNothing({ target: [battleAnswers.battleId, battleAnswers.itemId, battleAnswers.personId] })
          .returning({ personId: battleAnswers.personId });
        return taken.length > 0 ? 'counted' : 'repeated';
      });
      return { outcome, battle: await read(await find(workspaceId, battleId)) };
    },

    get: async (workspaceId, battleId) => read(await find(workspaceId, battleId)),

    async close({ workspaceId, id, roundSeconds }, round) {
      const [row] = await db
        .update(battles)
        .set({ round: round + 1, roundEndsAt: endAfter(readingSeconds + roundSeconds) })
        .where(and(known(workspaceId, id), eq(battles.round, round)))
        .returning();
      return row && read(row);
    },

    async finish({ workspaceId, id }) {
      await db.update(battles).set({ finishedAt: now() }).where(known(workspaceId, id));
    },

    async unfinished() {
      const rows = await db.select().from(battles).where(isNull(battles.finishedAt)).orderBy(asc(battles.startedAt));
      return Promise.all(rows.map(read));
    },

    async members(workspaceId) {
      const rows = await db.select().from(battles).where(eq(battles.workspaceId, workspaceId));
      const finished = await Promise.all(rows.filter(({ finishedAt }) => finishedAt !== null).map(read));
      const members = new Map<string, Member>();
      for (const { ranking } of finished) {
        for (const { personId, name, place, points, correct, answered } of ranking) {
          const before = members.get(personId) ?? { personId, name, battles: 0, wins: 0, correct: 0, answered: 0 };
          members.set(personId, {
            personId,
            name,
            battles: before.battles + 1,
            wins: before.wins + Number(place === 1 && points > 0),
            correct: before.correct + correct,
            answered: before.answered + answered,
          });
        }
      }
      return [...members.values()].sort((a, b) => b.wins - a.wins || b.correct - a.correct);
    },
  };
}
