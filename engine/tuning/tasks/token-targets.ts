// What a language model is to guess, as feeds; and how well it does over a whole set.
import { createLanguageModelScores } from '../../evaluate/language-model.ts';
import type { LanguageModelMetrics } from '../../runs/events.ts';
import type { Answering, Feeds, TaskBatch } from './task.ts';
import { forEachBatch, type TextShape, textInputs } from './text-batches.ts';

/** A text with holes: the token to guess at each place, undefined where none is. */
export interface GuessedText {
  readonly ids: readonly number[];
  readonly guesses: readonly (number | undefined)[];
}

export function guessingBatch(texts: readonly GuessedText[], rows: number, shape: TextShape): TaskBatch {
  const { inputs, length } = textInputs(
    texts.map(({ ids }) => ids),
    rows,
    shape,
  );
  const ids = new Int32Array(rows * length);
  const weights = new Float32Array(rows * length);
  let weight = 0;
  texts.forEach(({ guesses }, row) => {
    guesses.forEach((guess, at) => {
      if (guess === undefined) return;
      ids[row * length + at] = guess;
      weights[row * length + at] = 1;
      weight++;
    });
  });
  const targets: Feeds = {
    targetIds: { type: 'int32', shape: [rows * length, 1], data: ids },
    targetWeights: { type: 'float32', shape: [rows * length, 1], data: weights },
  };
  return { inputs, targets, weight };
}

export async function measureGuesses(
  network: Answering,
  texts: readonly GuessedText[],
  rows: number,
  shape: TextShape,
): Promise<LanguageModelMetrics> {
  const scores = createLanguageModelScores();
  const ids = texts.map((text) => text.ids);
  await forEachBatch(ids, rows, async (indices) => {
    const batch = guessingBatch(
      indices.map((index) => texts[index] ?? { ids: [], guesses: [] }),
      rows,
      shape,
    );
    const { losses, hits } = await network.measure(batch);
    const weights = batch.targets.targetWeights?.data;
    if (losses && hits && weights instanceof Float32Array) scores.add(losses, hits, weights);
  });
  return scores.finish(texts.length);
}
