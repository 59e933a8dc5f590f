// What a language model is to guess, as feeds; and how well it does over a whole set.
import { createLanguageModelScores } from '../../evaluate/language-model.ts';
import type { LanguageModelMetrics } from '../../runs/events.ts';
import type { Answering, Feeds, TaskBatch } from './task.ts';
import { forEachBatch, type TextShape, textInputs } from './text-batches.ts';

/** A text with holes: the token to guess at each place, undefined where none is. */
export interface GuessedText {
  readonly ids: readonly number[];
  readonly guesses: readonly (number | undefined)[];
  /** Where several texts stand one after another: how many tokens each has. None sees another. */
  readonly texts?: readonly number[];
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
  return { inputs: texts.some(isPacked) ? { ...inputs, ...keepApart(texts, rows, length) } : inputs, targets, weight };
}

const isPacked = (text: GuessedText) => text.texts !== undefined;

/** As padding's: e^−10,000 is 0 in any float. */
const unseen = -10_000;

/** Each token sees those of its own text, and counts its place from that text's beginning. */
export function keepApart(packed: readonly GuessedText[], rows: number, length: number): Feeds {
  const bias = new Float32Array(rows * length * length).fill(unseen);
  const places = new Int32Array(rows * length);
  packed.forEach(({ ids, texts = [ids.length] }, row) => {
    let start = 0;
    for (const size of texts) {
      for (let at = 0; at < size; at++) {
        const from = (row * length + start + at) * length + start;
        bias.fill(0, from, from + size);
        places[row * length + start + at] = at;
      }
      start += size;
    }
  });
  return {
    attentionBias: { type: 'float32', shape: [rows, 1, length, length], data: bias },
    tokenPositions: { type: 'int32', shape: [rows, length], data: places },
  };
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
