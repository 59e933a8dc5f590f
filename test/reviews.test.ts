// Spaced repetition: what is asked again when, what mastery means, and that an answer schedules once, on every database.
import fc from 'fast-check';
import { createEmptyCard, fsrs, Rating } from 'ts-fsrs';
import { describe, expect, it, test } from 'vitest';
import { createRandom } from '../engine/random.ts';
import type { Store } from '../engine/store/client.ts';
import { quizAttempts, reviewCards, workspaces } from '../engine/store/schema.ts';
import { createQuizzes, type QuizQuestion } from '../engine/tutor/quizzes.ts';
import { masteryOf, type PastAnswer, recallOf, scheduleAfter, streakOf } from '../engine/tutor/review-schedule.ts';
import { createReviews } from '../engine/tutor/reviews.ts';
import { loadGuide } from '../knowledge/index.ts';
import { describeOnEveryDatabase, type TestDatabase } from './support/databases.ts';
import { smallChapter, smallQuiz, writeGuide } from './support/guide-folder.ts';
import { buttonOf, createTalk, wordsOf } from './support/talk.ts';

const dayMs = 86_400_000;
const day = (n: number) => new Date(Date.UTC(2026, 0, 1, 9) + n * dayMs);

const pastAnswers = fc.array(
  fc.record({ at: fc.integer({ min: 0, max: 5000 }).map((hours) => day(hours / 24)), correct: fc.boolean() }),
  { minLength: 1, maxLength: 12 },
);

describe('the schedule', () => {
  it('is that of FSRS itself, replayed answer by answer', () => {
    fc.assert(
      fc.property(pastAnswers, (answers) => {
        const own = fsrs({ enable_short_term: false, enable_fuzz: false, request_retention: 0.9 });
        const inOrder = answers.toSorted((a, b) => a.at.getTime() - b.at.getTime());
        let card = createEmptyCard(inOrder[0]?.at);
        for (const { at, correct } of inOrder) card = own.next(card, at, correct ? Rating.Good : Rating.Again).card;
        expect(scheduleAfter(answers)).toMatchObject({
          dueAt: card.due,
          stability: card.stability,
          difficulty: card.difficulty,
          reps: card.reps,
          lapses: card.lapses,
        });
      }),
    );
  });

  it('does not depend on the order in which answers are told', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 }), (days) => {
        const answers: PastAnswer[] = days.map((n) => ({ at: day(n), correct: n % 3 !== 0 }));
        expect(scheduleAfter(answers.toReversed())).toEqual(scheduleAfter(answers));
      }),
    );
  });

  it('asks later and later what is known, and the next day what was wrong', () => {
    const known: PastAnswer[] = [];
    const waits: number[] = [];
    let at = day(0);
    for (let n = 0; n < 4; n++) {
      known.push({ at, correct: true });
      const next = scheduleAfter(known)?.dueAt ?? at;
      waits.push((next.getTime() - at.getTime()) / dayMs);
      at = next;
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[0]).toBeGreaterThanOrEqual(1);
    expect(waits[3]).toBeGreaterThan(30);
    expect(scheduleAfter([{ at: day(0), correct: false }])?.dueAt).toEqual(day(1));
    expect(scheduleAfter([])).toBeUndefined();
  });
});

describe('mastery', () => {
  const right = scheduleAfter([{ at: day(0), correct: true }]);
  const wrong = scheduleAfter([{ at: day(0), correct: false }]);

  it('is full after a right answer, 90 % when its review is due, and falls from there', () => {
    expect(recallOf(right, day(0))).toBeCloseTo(1, 6);
    expect(recallOf(right, right?.dueAt ?? day(0))).toBeCloseTo(0.9, 1);
    const later = [10, 50, 200].map((n) => recallOf(right, day(n)));
    expect(later).toEqual(later.toSorted((a, b) => b - a));
  });

  it('counts what was never asked, or answered wrong last, as not known', () => {
    expect(recallOf(undefined, day(1))).toBe(0);
    expect(recallOf(wrong, day(0))).toBe(0);
    expect(masteryOf([right, wrong, undefined, right], day(0))).toBeCloseTo(0.5, 6);
    expect(masteryOf([], day(0))).toBe(0);
  });
});

describe('a streak', () => {
  it.each([
    [['2026-01-03', '2026-01-02', '2026-01-01'], 3],
    [['2026-01-02', '2026-01-01'], 2],
    [['2026-01-01'], 0],
    [['2026-01-03', '2026-01-01'], 1],
    [[], 0],
  ])('of answers on %j is %i days on 2026-01-03', (days, length) => {
    expect(streakOf(new Set(days), day(2))).toBe(length);
  });
});

const ada = { workspaceId: 'w', personId: 'ada' };
const bob = { workspaceId: 'w', personId: 'bob' };
const elsewhere = { workspaceId: 'other', personId: 'ada' };

describeOnEveryDatabase('reviews', (open: () => Promise<TestDatabase>) => {
  async function begin(store: Store) {
    await store.db
      .insert(workspaces)
      .values(['w', 'other'].map((id) => ({ id, name: id })))
      .onConflictDoNothing();
    const guide = await loadGuide(writeGuide({ 'fitting.md': smallChapter, 'quizzes/fitting.yaml': smallQuiz }));
    const clock = { at: day(0) };
    const now = () => clock.at;
    const quizzes = createQuizzes({ db: store.db, guide, random: createRandom(3), now });
    return { quizzes, reviews: createReviews({ db: store.db, guide, now }), clock, db: store.db };
  }
  type Begun = Awaited<ReturnType<typeof begin>>;

  const choose = ({ item }: QuizQuestion, correct: boolean) =>
    item.choices.find(({ id }) => (id === item.correctChoiceId) === correct)?.id ?? '';
  const answer = ({ quizzes }: Begun, question: QuizQuestion, correct: boolean, member = ada) =>
    quizzes.answer({
      ...member,
      sessionId: question.sessionId,
      itemId: question.item.id,
      choiceId: choose(question, correct),
    });
  async function takeQuiz(begun: Begun, verdicts: readonly boolean[], member = ada) {
    const length = verdicts.length;
    let next: QuizQuestion | undefined = await begun.quizzes.start({
      ...member,
      conversationId: 'c',
      chapterId: 'fitting',
      length,
    });
    for (const correct of verdicts) if (next) next = (await answer(begun, next, correct, member)).next;
  }

  test('what was wrong is due the next day, is asked, and is then away for longer', async () => {
    const begun = await begin((await open()).store);
    const { quizzes, reviews, clock } = begun;
    expect(await reviews.outlook(ada)).toEqual({ due: 0, nextAt: undefined });
    await takeQuiz(begun, [true, false, true]);
    expect(await reviews.outlook(ada)).toEqual({ due: 0, nextAt: day(1) });
    const ask = () => quizzes.startReview({ ...ada, conversationId: 'c', length: 10 });
    expect(await ask()).toBeUndefined();

    clock.at = day(1);
    expect(await reviews.duePeople('w')).toEqual([{ personId: 'ada', due: 1 }]);
    const question = await ask();
    if (!question) throw new Error('nothing was due');
    expect(question).toMatchObject({ number: 1, total: 1 });
    const verdict = await answer(begun, question, true);
    expect(verdict.summary).toMatchObject({ chapterId: undefined, chapterTitle: 'Review', correct: 1, total: 1 });
    expect(await ask()).toBeUndefined();
    expect((await reviews.outlook(ada)).due).toBe(0);

    clock.at = day(400);
    expect((await reviews.outlook(ada)).due).toBe(3);
    expect(await quizzes.startReview({ ...ada, conversationId: 'c', length: 2 })).toMatchObject({ total: 2 });
  });

  test('thirty presses of one answer, and answers in many sessions at once, schedule as often as they count', async () => {
    const begun = await begin((await open()).store);
    const start = () => begun.quizzes.start({ ...ada, conversationId: 'c', chapterId: 'fitting', length: 3 });
    const first = await start();
    await Promise.all(Array.from({ length: 30 }, () => answer(begun, first, true)));
    const { db } = begun;
    expect((await db.select().from(reviewCards)).map(({ itemId, reps }) => [itemId, reps])).toEqual([
      [first.item.id, 1],
    ]);

    const sessions = await Promise.all([1, 2, 3, 4].map(start));
    await Promise.all(
      sessions.map(({ sessionId }) =>
        begun.quizzes.answer({ ...ada, sessionId, itemId: first.item.id, choiceId: first.item.correctChoiceId }),
      ),
    );
    const [card] = await db.select().from(reviewCards);
    expect(card?.reps).toBe(5);
    const answers = await db.select().from(quizAttempts);
    const expected = scheduleAfter(answers.map(({ answeredAt, correct }) => ({ at: answeredAt, correct })));
    expect(card?.dueAt).toEqual(expected?.dueAt);
  });

  test('progress is one person’s, in one workspace: mastery by chapter and concept, streak and what is due', async () => {
    const begun = await begin((await open()).store);
    const { reviews, clock } = begun;
    await takeQuiz(begun, [true, true, false]);
    clock.at = day(1);
    await takeQuiz(begun, [false], bob);
    expect(await reviews.progress(ada)).toMatchObject({
      streakDays: 1,
      due: 1,
      chaptersInAll: 1,
      chapters: [{ chapterId: 'fitting', answered: 3, questions: 3, due: 1 }],
    });
    const [chapter] = (await reviews.progress(ada)).chapters;
    expect(chapter?.mastery).toBeGreaterThan(0.6);
    expect(chapter?.mastery).toBeLessThan(0.67);
    expect(chapter?.concepts.reduce((sum, { questions }) => sum + questions, 0)).toBe(3);
    expect((await reviews.progress(bob)).chapters[0]).toMatchObject({ mastery: 0, answered: 1 });
    expect(await reviews.progress(elsewhere)).toMatchObject({ chapters: [], streakDays: 0, due: 0 });
    expect(await reviews.duePeople('other')).toEqual([]);
  });

  test('answers from before there were cards are scheduled too', async () => {
    const begun = await begin((await open()).store);
    await takeQuiz(begun, [false, true, true]);
    await begun.db.delete(reviewCards);
    begun.clock.at = day(1);
    expect(await begun.reviews.outlook(ada)).toMatchObject({ due: 1 });
    await begun.db.delete(reviewCards);
    expect(await begun.quizzes.startReview({ ...ada, conversationId: 'c', length: 9 })).toMatchObject({ total: 1 });
  });
});

describe('review and progress, said in a chat', () => {
  it('tells what comes next, asks what is due, and shows how it goes', async () => {
    const talk = createTalk();
    expect(wordsOf(await talk.say('review'))).toContain('Nothing is due');
    expect(wordsOf(await talk.say('me'))).toContain('No quiz yet');
    const first = await talk.say('quiz overfitting-underfitting');
    const [, second] = await talk.press(buttonOf(first, 'B'));
    const end = await talk.press(buttonOf(second ? [second] : [], 'A'));
    expect(wordsOf(end)).toContain('1 question is due for review now');

    const asked = await talk.press(buttonOf(end, 'Review now'));
    expect(wordsOf(asked)).toContain('Question 1 of 1');
    const done = wordsOf(await talk.press(buttonOf(asked, 'A')));
    expect(done).toContain('**Review: 1 of 1 right.**');
    expect(done).toContain('the next review comes in 3 days');
    expect(wordsOf(await talk.say('review'))).toContain('in 3 days');
    expect(wordsOf(await talk.say('progress'))).toMatch(/Day 1 of a streak[\s\S]*100.%[\s\S]*2 of 2/);
  });

  it.each(['review my model please', 'progress in machine learning is fast', 'me too'])(
    '%j is a question',
    async (text) => {
      const talk = createTalk();
      await talk.say(text);
      expect(talk.engine.asked).toHaveLength(1);
    },
  );

  it.each(['review 0', 'review 500'])('%j is refused with what is allowed', async (text) => {
    expect(wordsOf(await createTalk().say(text))).toMatch(/must be at (least|most) 1/);
  });
});
