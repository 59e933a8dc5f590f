// Quiz battles: everybody's first answer to an open question counts once, the clock closes, and any process may move it on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBattleHost } from '../bot/chat/battle-host.ts';
import type { Reply } from '../bot/chat/message.ts';
import { createRandom } from '../engine/random.ts';
import { pointsFor, rank } from '../engine/tutor/battle.ts';
import { type Battle, createBattles } from '../engine/tutor/battles.ts';
import type { QuizItem } from '../knowledge/index.ts';
import { describeOnEveryDatabase } from './support/databases.ts';

const answer = (personId: string, correct: boolean) => ({ personId, name: personId, choiceId: 'x', correct });

describe('the ranking of a battle', () => {
  it('gives two points for a right answer and one more for the first right one', () => {
    const ranking = rank([
      [answer('ann', false), answer('ben', true), answer('cem', true)],
      [answer('cem', true), answer('ann', true)],
    ]);
    expect(
      ranking.map(({ place, name, points, correct, answered }) => [place, name, points, correct, answered]),
    ).toEqual([
      [1, 'cem', 5, 2, 2],
      [2, 'ben', 3, 1, 1],
      [3, 'ann', 2, 1, 2],
    ]);
  });

  it('lets people with the same points share a place', () => {
    expect(rank([[answer('a', true)], [answer('b', true)]]).map(({ place }) => place)).toEqual([1, 1]);
    expect(rank([])).toEqual([]);
  });

  it('gives away exactly the points of the right answers, whoever answers what', () => {
    const given = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), {
      selector: ([id]) => id,
    });
    fc.assert(
      fc.property(fc.array(given, { maxLength: 6 }), (rounds) => {
        const answers = rounds.map((round) => round.map(([id, correct]) => answer(id, correct)));
        const right = answers.map((round) => round.filter(({ correct }) => correct).length);
        const expected = right.reduce((sum, n) => sum + n * pointsFor.correct + (n > 0 ? pointsFor.first : 0), 0);
        const ranking = rank(answers);
        expect(ranking.reduce((sum, { points }) => sum + points, 0)).toBe(expected);
        for (const [index, one] of ranking.entries()) {
          expect(one.points).toBeLessThanOrEqual(ranking[index - 1]?.points ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

const items = [1, 2, 3].map(
  (n): QuizItem => ({
    id: `chapter/q${n}`,
    chapterId: 'chapter',
    sectionId: 's',
    question: `Question ${n}?`,
    choices: [
      { id: 'right', text: 'Right', feedback: 'Because.' },
      { id: 'wrong', text: 'Wrong', feedback: 'No.' },
    ],
    correctChoiceId: 'right',
    difficulty: n === 3 ? 3 : 1,
  }),
);
const chapter = { id: 'chapter', title: 'A chapter', summary: '', sections: [], order: 1 };
const ann = { id: 'ann', name: 'Ann' };
const ben = { id: 'ben', name: 'Ben' };
const place = { workspaceId: 'w', front: 'discord', conversationId: 'c' } as const;

describeOnEveryDatabase(
  'battles',
  (open) => {
    async function begin(length = 2) {
      const { store } = await open();
      await store.execute("insert into workspaces (id, name) values ('w', 'W'), ('v', 'V')");
      let nowMs = Date.parse('2026-01-01T00:00:00Z');
      const now = () => new Date(nowMs);
      const create = () =>
        createBattles({
          db: store.db,
          guide: { chapters: [chapter as never], quizItems: items },
          random: createRandom(3),
          now,
        });
      const battles = create();
      const start = (more: object = {}) =>
        battles.start({ ...place, personId: 'ann', chapters: [], difficulties: [], length, roundSeconds: 30, ...more });
      const battle = await start();
      const say = (person: typeof ann, choiceId: string, of: Battle = battle, number = of.open ?? 1) =>
        battles.answer({
          workspaceId: 'w',
          battleId: battle.id,
          itemId: of.rounds[number - 1]?.item.id ?? '',
          person,
          choiceId,
        });
      return { battles, another: create(), battle, say, start, now, wait: (ms: number) => (nowMs += ms) };
    }

    it('count the first answer of each person once, also when the same is sent at the same time', async () => {
      const { say, battles, battle } = await begin();
      const outcomes = await Promise.all([say(ann, 'wrong'), say(ann, 'right'), say(ben, 'right'), say(ben, 'right')]);
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['counted', 'counted', 'repeated', 'repeated']);
      expect((await battles.get('w', battle.id)).rounds[0]?.answers.map(({ personId }) => personId).sort()).toEqual([
        'ann',
        'ben',
      ]);
    });

    it('refuse what comes too late, after the time or in a round that is closed', async () => {
      const { say, wait, battles, battle } = await begin();
      expect((await say(ann, 'right')).outcome).toBe('counted');
      wait(30_001);
      expect((await say(ben, 'right')).outcome).toBe('late');
      const second = await battles.close(battle, 1);
      expect(second?.open).toBe(2);
      expect((await say(ben, 'right', battle, 1)).outcome).toBe('late');
      expect((await say(ann, 'right', battle, 1)).outcome).toBe('repeated');
      expect(second?.ranking.map(({ name, points }) => [name, points])).toEqual([['Ann', 3]]);
    });

    it('are moved on by one process of many', async () => {
      const { battles, another, battle } = await begin();
      const closed = await Promise.all([battles.close(battle, 1), another.close(battle, 1), battles.close(battle, 1)]);
      expect(closed.filter((after) => after !== undefined)).toHaveLength(1);
      expect((await battles.get('w', battle.id)).open).toBe(2);
    });

    it('do not show who is right before a round is closed', async () => {
      const { say } = await begin();
      expect((await say(ann, 'right')).battle.ranking).toEqual([]);
    });

    it('say what is not possible', async () => {
      const { start, battles, battle } = await begin();
      await expect(start()).rejects.toThrow('A battle is going on here.');
      await expect(start({ conversationId: 'd', length: 4 })).rejects.toThrow('there are 3 of that kind');
      await expect(start({ conversationId: 'd', difficulties: [3], length: 2 })).rejects.toThrow(
        'there is 1 of that kind',
      );
      await expect(start({ conversationId: 'd', chapters: ['nowhere'] })).rejects.toThrow('No chapter with a quiz');
      await expect(battles.get('v', battle.id)).rejects.toThrow('not known here');
    });

    it('keep how each member did over all finished battles', async () => {
      const { say, battles, battle } = await begin(1);
      await say(ben, 'right');
      await say(ann, 'wrong');
      expect(await battles.members('w')).toEqual([]);
      const done = await battles.close(battle, 1);
      if (done === undefined) throw new Error('not closed');
      expect((await battles.unfinished()).map(({ id }) => id)).toEqual([battle.id]);
      await battles.finish(done);
      expect(await battles.unfinished()).toEqual([]);
      expect(await battles.members('w')).toEqual([
        { personId: 'ben', name: 'Ben', battles: 1, wins: 1, correct: 1, answered: 1 },
        { personId: 'ann', name: 'Ann', battles: 1, wins: 0, correct: 0, answered: 1 },
      ]);
      expect(await battles.members('v')).toEqual([]);
    });

    it('go on after a restart: an overdue question is closed, the next one asked, and the end told once', async () => {
      const { battles, battle, now, wait, say } = await begin();
      await say(ann, 'right');
      const shown = new Map<string, Reply>();
      const timers: (() => void)[] = [];
      const host = () =>
        createBattleHost({
          battles,
          deliver: async (_place, reply) => void shown.set(reply.slot ?? '', reply),
          runs: () => true,
          log: {
            error: (details: unknown) => {
              throw new Error(JSON.stringify(details));
            },
          },
          now,
          after: (delayMs, callback) => {
            timers.push(() => {
              wait(delayMs);
              callback();
            });
            return () => {};
          },
        });
      const first = host();
      await first.show(battle);
      await first.stop();
      timers.length = 0;

      wait(40_000);
      const second = host();
      await second.start();
      await expect.poll(() => timers.length).toBe(1);
      timers.shift()?.();
      await expect.poll(() => JSON.stringify(shown.get(`battle:${battle.id}:1`))).toContain('Right: Ann');
      await expect.poll(() => JSON.stringify(shown.get(`battle:${battle.id}:2`))).toContain('Question 2 of 2');
      await expect.poll(() => timers.length).toBe(1);
      timers.shift()?.();
      await expect
        .poll(() => JSON.stringify(shown.get(`battle:${battle.id}:final`)))
        .toContain('**Ann wins** with 3 points.');
      await expect.poll(() => battles.unfinished()).toEqual([]);
      expect(shown.size).toBe(3);
      await second.stop();
    });
  },
  { reuse: true },
);
