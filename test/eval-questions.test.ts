// The blind questions stay blind: enough of every kind, none of them in the guide's own words, the frozen half unchanged.
import { expect, test } from 'vitest';
import { loadGuide } from '../knowledge/index.ts';
import { wordsOf } from '../knowledge/search/stem.ts';
import { type EvalQuestion, halfOf, halves, hashOfHalf, readQuestions } from './support/eval-questions.ts';
import { answerable, unanswerable } from './support/questions.ts';

const guide = await loadGuide();
const all = halves.flatMap((half) => readQuestions(half));
const countOf = (kind: EvalQuestion['kind']) => all.filter((question) => question.kind === kind).length;
const bare = (text: string) => wordsOf(text).join(' ');

test('there are enough questions of every kind, each once, with the answers its kind calls for', () => {
  expect(countOf('answerable')).toBeGreaterThanOrEqual(300);
  expect(countOf('unanswerable')).toBeGreaterThanOrEqual(80);
  expect(countOf('false-premise')).toBeGreaterThanOrEqual(40);
  expect(countOf('follow-up')).toBeGreaterThanOrEqual(40);
  expect(new Set(all.map(({ id }) => id))).toHaveLength(all.length);
  for (const { id, kind, turns, answers } of all) {
    expect(answers.length > 0, id).toBe(kind !== 'unanswerable');
    expect(turns.length > 1, id).toBe(kind === 'follow-up');
  }
});

test('every chapter is asked about, and every place named exists', () => {
  const places = all.flatMap(({ answers }) => answers.map((place) => place.split('#')));
  expect(new Set(places.map(([chapterId]) => chapterId))).toEqual(new Set(guide.chapters.map(({ id }) => id)));
  const lost = places.filter(
    ([chapterId = '', sectionId = 'overview']) => guide.section(chapterId, sectionId) === undefined,
  );
  expect(lost).toEqual([]);
});

test('no question stands in the guide as a title, a learner wording or a quiz, nor in the older questions', () => {
  const known = new Set(
    [
      ...guide.chapters.flatMap(({ title, sections }) => [title, ...sections.flatMap((s) => [s.title, ...s.asks])]),
      ...guide.quizItems.map(({ question }) => question),
      ...answerable.map(({ question }) => question),
      ...unanswerable,
    ].map(bare),
  );
  const single = all.filter(({ turns }) => turns.length === 1).map(({ turns }) => bare(turns.join(' ')));
  expect(single.filter((question) => known.has(question))).toEqual([]);
});

test('each question lies in the half its own words choose, and the frozen half is as it was', () => {
  for (const half of halves) for (const question of readQuestions(half)) expect(halfOf(question)).toBe(half);
  expect(hashOfHalf('test')).toBe('bf5806e3cd381c111ef91f87a40c7c1fd2eb21e4b96c1f4daad4334789973722');
});
