// The pure core of a quiz: which items, in which order, what an answer does, and what the score says to read again.
import type { QuizItem } from '../../knowledge/index.ts';
import type { Random } from '../random.ts';

/** An item as it is put to one person: its choices in the order shown. */
export interface PosedItem {
  readonly itemId: string;
  readonly choiceIds: readonly string[];
}

export interface QuizState {
  readonly items: readonly PosedItem[];
  /** First answer by item id. */
  readonly answers: { readonly [itemId: string]: { readonly choiceId: string; readonly correct: boolean } };
}

export interface QuizEvent {
  readonly kind: 'answered';
  readonly itemId: string;
  readonly choiceId: string;
  readonly correct: boolean;
}

/** The first answer to an item stands; a second one, and an answer to an item that was not posed, change nothing. */
export function applyQuizEvent(state: QuizState, event: QuizEvent): QuizState {
  const posed = state.items.find((item) => item.itemId === event.itemId);
  if (!posed?.choiceIds.includes(event.choiceId) || Object.hasOwn(state.answers, event.itemId)) return state;
  const answer = { choiceId: event.choiceId, correct: event.correct };
  return { ...state, answers: { ...state.answers, [event.itemId]: answer } };
}

/** Position, from 0, of the first item without an answer; undefined when the quiz is finished. */
export function openPosition(state: QuizState): number | undefined {
  const position = state.items.findIndex((item) => !Object.hasOwn(state.answers, item.itemId));
  return position < 0 ? undefined : position;
}

/** @returns the count of right answers, and the ids of items answered wrongly in the order asked. */
export function scoreQuiz(state: QuizState): { correct: number; wrong: readonly string[] } {
  const answered = state.items.filter((item) => Object.hasOwn(state.answers, item.itemId));
  const wrong = answered.filter((item) => !state.answers[item.itemId]?.correct).map((item) => item.itemId);
  return { correct: answered.length - wrong.length, wrong };
}

/**
 * Picks `length` items: those never answered or last answered wrongly come first, easier before harder, otherwise by
 * chance; they are asked from easy to hard, each with its choices shuffled.
 * @param lastAnswers whether the person's latest answer to an item was right, by item id.
 */
export function poseItems(
  items: readonly QuizItem[],
  lastAnswers: ReadonlyMap<string, boolean>,
  length: number,
  random: Random,
): PosedItem[] {
  const mastered = (item: QuizItem) => (lastAnswers.get(item.id) === true ? 1 : 0);
  return random
    .shuffle(items)
    .sort((a, b) => mastered(a) - mastered(b) || a.difficulty - b.difficulty)
    .slice(0, length)
    .sort((a, b) => a.difficulty - b.difficulty)
    .map(({ id, choices }) => ({ itemId: id, choiceIds: random.shuffle(choices.map((choice) => choice.id)) }));
}
