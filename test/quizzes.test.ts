// Quizzes on the database: scored once however often and by however many processes, private to a person, never lost.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../engine/errors.ts';
import { createRandom } from '../engine/random.ts';
import { openStore, type Store } from '../engine/store/client.ts';
import { quizAttempts, workspaces } from '../engine/store/schema.ts';
import { createQuizzes, type QuizQuestion, type Quizzes } from '../engine/tutor/quizzes.ts';
import { loadGuide } from '../knowledge/index.ts';
import { describeOnEveryDatabase, emptyFolder, type TestDatabase } from './support/databases.ts';
import { smallChapter, smallQuiz, writeGuide } from './support/guide-folder.ts';

const ada = { workspaceId: 'w', personId: 'ada' };
const bob = { workspaceId: 'w', personId: 'bob' };

const smallFolder = () => writeGuide({ 'fitting.md': smallChapter, 'quizzes/fitting.yaml': smallQuiz });

async function openQuizzes(store: Store, seed = 1): Promise<Quizzes> {
  await store.db
    .insert(workspaces)
    .values([
      { id: 'w', name: 'W' },
      { id: 'other', name: 'Other' },
    ])
    .onConflictDoNothing();
  const guide = await loadGuide(smallFolder());
  let minutes = 0;
  const now = () => new Date(Date.UTC(2026, 0, 1, 0, minutes++));
  return createQuizzes({ db: store.db, guide, random: createRandom(seed), now });
}

const startFor = (quizzes: Quizzes, length = 3, person = ada) =>
  quizzes.start({ ...person, conversationId: 'c', chapterId: 'fitting', length });

const wrongChoice = ({ item }: QuizQuestion) => item.choices.find(({ id }) => id !== item.correctChoiceId)?.id ?? '';

async function rejection(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${String(error)}`);
  return error;
}

describeOnEveryDatabase('quizzes', (open: () => Promise<TestDatabase>) => {
  test('a quiz is answered to its end: reasons, corrections, next questions and what to read again', async () => {
    const quizzes = await openQuizzes((await open()).store);
    const first = await startFor(quizzes);
    expect(first).toMatchObject({ number: 1, total: 3 });
    expect(first.choices.map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c']);
    expect(JSON.stringify(first.choices)).not.toContain('feedback');
    const { sessionId } = first;

    const right = await quizzes.answer({
      ...ada,
      sessionId,
      itemId: first.item.id,
      choiceId: first.item.correctChoiceId,
    });
    expect(right).toMatchObject({ counted: true, correct: true, correction: undefined, summary: undefined });
    expect(right.reason).toBe(first.item.choices.find(({ id }) => id === first.item.correctChoiceId)?.feedback);
    expect(right.next).toMatchObject({ number: 2, sessionId });

    const second = right.next;
    if (!second) throw new Error('no second question');
    const wrong = await quizzes.answer({ ...ada, sessionId, itemId: second.item.id, choiceId: wrongChoice(second) });
    expect(wrong).toMatchObject({ counted: true, correct: false });
    expect(wrong.correction).toBe(second.item.choices.find(({ id }) => id === wrongChoice(second))?.feedback);
    expect(wrong.reason).toBe(second.item.choices.find(({ id }) => id === second.item.correctChoiceId)?.feedback);

    const third = wrong.next;
    if (!third) throw new Error('no third question');
    const end = await quizzes.answer({
      ...ada,
      sessionId,
      itemId: third.item.id,
      choiceId: third.item.correctChoiceId,
    });
    expect(end.next).toBeUndefined();
    expect(end.summary).toEqual({
      sessionId,
      chapterId: 'fitting',
      chapterTitle: 'Fitting well',
      correct: 2,
      total: 3,
      reread: [{ chapterId: 'fitting', sectionId: second.item.sectionId, title: 'Dropout' }],
    });
    expect(await quizzes.current({ ...ada, sessionId })).toEqual(end.summary);
    expect(await quizzes.score(ada)).toEqual({ correct: 2, answered: 3 });
    expect(await quizzes.score(bob)).toEqual({ correct: 0, answered: 0 });
  });

  test('the first answer stands, though another is pressed later', async () => {
    const quizzes = await openQuizzes((await open()).store);
    const question = await startFor(quizzes);
    const press = (choiceId: string) =>
      quizzes.answer({ ...ada, sessionId: question.sessionId, itemId: question.item.id, choiceId });
    const first = await press(wrongChoice(question));
    const again = await press(question.item.correctChoiceId);
    expect(again).toEqual({ ...first, counted: false });
    expect(await quizzes.score(ada)).toEqual({ correct: 0, answered: 1 });
  });

  test('thirty presses at once score once', async () => {
    const { store } = await open();
    const quizzes = await openQuizzes(store);
    const question = await startFor(quizzes);
    const verdicts = await Promise.all(
      Array.from({ length: 30 }, (_, press) =>
        quizzes.answer({
          ...ada,
          sessionId: question.sessionId,
          itemId: question.item.id,
          choiceId: question.choices[press % 3]?.id ?? '',
        }),
      ),
    );
    expect(verdicts.filter(({ counted }) => counted)).toHaveLength(1);
    expect(new Set(verdicts.map(({ chosenId }) => chosenId))).toHaveLength(1);
    expect(await store.db.select().from(quizAttempts)).toHaveLength(1);
  });

  test('somebody else, another workspace, and unknown quizzes, questions and choices are refused by name', async () => {
    const { store } = await open();
    const quizzes = await openQuizzes(store);
    const { sessionId, item } = await startFor(quizzes, 1);
    const press = { ...ada, sessionId, itemId: item.id, choiceId: 'a' };
    expect((await rejection(quizzes.answer({ ...press, ...bob }))).message).toMatch(/somebody else/);
    expect((await rejection(quizzes.current({ ...bob, sessionId }))).message).toMatch(/somebody else/);
    expect((await rejection(quizzes.answer({ ...press, workspaceId: 'other' }))).message).toMatch(/not known/);
    expect((await rejection(quizzes.answer({ ...press, sessionId: "'; drop table runs; --" }))).message).toMatch(
      /not known/,
    );
    expect((await rejection(quizzes.answer({ ...press, itemId: 'fitting.nothing' }))).message).toMatch(/not part/);
    const choice = await rejection(quizzes.answer({ ...press, choiceId: 'z' }));
    expect(choice.message).toContain('"z"');
    expect(choice.hint).toMatch(/a, b, c/);
    expect(await store.db.select().from(quizAttempts)).toEqual([]);
  });

  test('an unknown chapter names the nearest, and a length out of range names the range', async () => {
    const quizzes = await openQuizzes((await open()).store);
    const options = { ...ada, conversationId: 'c' };
    const unknown = await rejection(quizzes.start({ ...options, chapterId: 'quantum', length: 1 }));
    expect(unknown.message).toContain('"quantum"');
    expect(unknown.hint).toContain('fitting');
    for (const length of [0, -1, 1.5, 4, Number.NaN]) {
      const error = await rejection(quizzes.start({ ...options, chapterId: 'fitting', length }));
      expect(error.message).toContain(String(length));
      expect(error.hint).toContain('from 1 to 3');
    }
  });

  test('what was answered wrongly comes back before what was answered right', async () => {
    const quizzes = await openQuizzes((await open()).store);
    let question: QuizQuestion | undefined = await startFor(quizzes);
    while (question) {
      const asked: QuizQuestion = question;
      const choiceId = asked.item.id === 'fitting.ensemble' ? wrongChoice(asked) : asked.item.correctChoiceId;
      question = (await quizzes.answer({ ...ada, sessionId: asked.sessionId, itemId: asked.item.id, choiceId })).next;
    }
    expect((await startFor(quizzes, 1)).item.id).toBe('fitting.ensemble');
  });

  test('after a restart the quiz goes on at the open question, in the same order of choices', async () => {
    const database = await open();
    const before = await openQuizzes(database.store);
    const first = await startFor(before);
    const { next } = await before.answer({ ...ada, sessionId: first.sessionId, itemId: first.item.id, choiceId: 'a' });
    await database.store.close();
    const after = await openQuizzes(await database.reopen(), 99);
    expect(await after.current({ ...ada, sessionId: first.sessionId })).toEqual(next);
  });
});

describe('a killed process', () => {
  test('kill -9 in the middle of a quiz loses no acknowledged answer', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-killed-'));
    cpSync(await emptyFolder(), dataDir, { recursive: true });
    try {
      let store = await openStore({ databaseUrl: undefined, dataDir });
      const { sessionId, item } = await startFor(await openQuizzes(store));
      await store.close();
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', 'test/support/quiz-until-killed.ts', dataDir, smallFolder(), sessionId, `${item.id}=a`],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const [line] = await once(child.stdout, 'data');
      expect(String(line)).toBe(`answered ${item.id}\n`);
      child.kill('SIGKILL');
      await once(child, 'exit');
      store = await openStore({ databaseUrl: undefined, dataDir });
      const quizzes = await openQuizzes(store);
      expect(await quizzes.current({ ...ada, sessionId })).toMatchObject({ number: 2 });
      expect((await quizzes.score(ada)).answered).toBe(1);
      await store.close();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
