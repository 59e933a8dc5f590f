// The pure core of a quiz under any sequence of answers, and the choice and order of items under any history.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom } from '../engine/random.ts';
import { findChapter } from '../engine/tutor/find-chapter.ts';
import {
  applyQuizEvent,
  openPosition,
  poseItems,
  type QuizEvent,
  type QuizState,
  scoreQuiz,
} from '../engine/tutor/quiz.ts';
import { loadGuide, type QuizItem } from '../knowledge/index.ts';

const item = (index: number, difficulty: 1 | 2 | 3): QuizItem => ({
  id: `c.item-${index}`,
  chapterId: 'c',
  sectionId: `s${index % 3}`,
  question: 'Q?',
  choices: ['a', 'b', 'c'].map((id) => ({ id, text: id, feedback: id })),
  correctChoiceId: 'a',
  difficulty,
});

const items = fc
  .array(fc.constantFrom(1 as const, 2 as const, 3 as const), { minLength: 1, maxLength: 12 })
  .map((difficulties) => difficulties.map((difficulty, index) => item(index, difficulty)));

const play = items.chain((list) =>
  fc.record({
    state: fc.constant<QuizState>({
      items: list.map(({ id }) => ({ itemId: id, choiceIds: ['a', 'b', 'c'] })),
      answers: {},
    }),
    events: fc.array(
      fc.record({
        kind: fc.constant('answered' as const),
        itemId: fc.constantFrom(...list.map(({ id }) => id), 'c.stranger', '__proto__'),
        choiceId: fc.constantFrom('a', 'b', 'c', 'z'),
        correct: fc.boolean(),
      }),
      { maxLength: 40 },
    ),
  }),
);

const isValid = (state: QuizState, { itemId, choiceId }: QuizEvent) =>
  choiceId !== 'z' && state.items.some((posed) => posed.itemId === itemId);

test('only the first valid answer to each item counts, whatever comes in whatever order', () => {
  fc.assert(
    fc.property(play, ({ state, events }) => {
      const first = new Map<string, QuizEvent>();
      for (const event of events) if (isValid(state, event) && !first.has(event.itemId)) first.set(event.itemId, event);
      const end = events.reduce(applyQuizEvent, state);
      expect(Object.keys(end.answers).toSorted()).toEqual([...first.keys()].toSorted());
      const { correct, wrong } = scoreQuiz(end);
      expect(correct).toBe([...first.values()].filter((event) => event.correct).length);
      expect(correct + wrong.length).toBe(first.size);
      const open = openPosition(end);
      expect(open).toBe(open === undefined ? undefined : state.items.findIndex(({ itemId }) => !first.has(itemId)));
      expect(open === undefined).toBe(first.size === state.items.length);
    }),
  );
});

test('answering again, in any way, changes nothing', () => {
  fc.assert(
    fc.property(play, ({ state, events }) => {
      const end = events.reduce(applyQuizEvent, state);
      expect([...events, ...events].reduce(applyQuizEvent, state)).toEqual(end);
    }),
  );
});

test('items never answered or last answered wrongly come before mastered ones, each once, easy ones first', () => {
  fc.assert(
    fc.property(
      items,
      fc.infiniteStream(fc.constantFrom(true, false, undefined)),
      fc.nat(),
      fc.nat(),
      (list, marks, seed, n) => {
        const history = new Map<string, boolean>();
        for (const { id } of list) {
          const mark = marks.next().value;
          if (typeof mark === 'boolean') history.set(id, mark);
        }
        const length = 1 + (n % list.length);
        const posed = poseItems(list, history, length, createRandom(seed));
        expect(new Set(posed.map(({ itemId }) => itemId))).toHaveLength(length);
        const open = list.filter(({ id }) => history.get(id) !== true);
        const posedMastered = posed.filter(({ itemId }) => history.get(itemId) === true).length;
        expect(posedMastered).toBe(Math.max(0, length - open.length));
        const difficulties = posed.map(({ itemId }) => list.find(({ id }) => id === itemId)?.difficulty ?? 0);
        expect(difficulties).toEqual(difficulties.toSorted((a, b) => a - b));
        for (const { choiceIds } of posed) expect(choiceIds.toSorted()).toEqual(['a', 'b', 'c']);
      },
    ),
  );
});

test('the same seed poses the same quiz, and over many seeds each choice comes first about equally often', () => {
  const list = [item(0, 1)];
  const first = (seed: number) => poseItems(list, new Map(), 1, createRandom(seed))[0]?.choiceIds[0] ?? '';
  expect(first(7)).toBe(first(7));
  const counts = { a: 0, b: 0, c: 0 };
  for (let seed = 0; seed < 900; seed++) {
    const id = first(seed);
    if (id === 'a' || id === 'b' || id === 'c') counts[id] += 1;
  }
  // 900 draws at 1/3: four standard deviations are 57.
  for (const count of Object.values(counts)) expect(Math.abs(count - 300)).toBeLessThanOrEqual(57);
});

test('a chapter is found by id, title, a word of its own or a typo, and never guessed between two', () => {
  const chapters = [
    { id: 'fine-tuning', title: 'Fine-tuning a pre-trained model' },
    { id: 'peft', title: 'Parameter-efficient fine-tuning' },
    { id: 'overfitting-underfitting', title: 'Overfitting & Underfitting' },
  ];
  expect(findChapter(chapters, 'PEFT')?.id).toBe('peft');
  expect(findChapter(chapters, 'fine tuning')?.id).toBe('fine-tuning');
  expect(findChapter(chapters, 'overfitting')?.id).toBe('overfitting-underfitting');
  expect(findChapter(chapters, 'fine-tunning')?.id).toBe('fine-tuning');
  expect(findChapter(chapters, 'tuning')).toBeUndefined();
  expect(findChapter(chapters, 'quantum')).toBeUndefined();
  expect(findChapter(chapters, '')).toBeUndefined();
});

test('the shipped quizzes hold at least 8 items for each chapter that teaches, and the right answer is not betrayed by its letter or length', async () => {
  const guide = await loadGuide();
  const summaries = ['cheat-sheet', 'glossary', 'roadmap'];
  for (const { id } of guide.chapters.filter((chapter) => !summaries.includes(chapter.id))) {
    const own = guide.quizItems.filter(({ chapterId }) => chapterId === id);
    expect(own.length, id).toBeGreaterThanOrEqual(8);
  }
  const longest = guide.quizItems.filter(({ choices, correctChoiceId }) => {
    const lengths = choices.map(({ text }) => text.length);
    return choices.find((choice) => choice.id === correctChoiceId)?.text.length === Math.max(...lengths);
  });
  expect(longest.length / guide.quizItems.length).toBeLessThan(0.6);
});
