// Encoded texts as feeds: padded to a bucket, and answered for in batches of similar length, in the order given.
import { assembleBatch, planEvaluation } from '../../data/batches.ts';
import type { Answering, Feeds } from './task.ts';

export interface TextShape {
  readonly padId: number;
  readonly maxLength: number;
}

/** Rows of a batch when measuring. */
export const evaluation_rows = 32;

export function textInputs(texts: readonly (readonly number[])[], rows: number, shape: TextShape) {
  const { length, inputIds, attentionBias } = assembleBatch(texts, { rows, ...shape });
  const inputs: Feeds = {
    inputIds: { type: 'int32', shape: [rows, length], data: inputIds },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: attentionBias },
  };
  return { inputs, length };
}

/** Visits all texts in batches of at most `rows`, shorter ones first. */
export async function forEachBatch(
  texts: readonly (readonly number[])[],
  rows: number,
  visit: (indices: readonly number[], texts: readonly (readonly number[])[]) => Promise<void>,
): Promise<void> {
  const lengths = texts.map((ids) => ids.length);
  for (const indices of planEvaluation(lengths, rows)) {
    await visit(
      indices,
      indices.map((index) => texts[index] ?? []),
    );
  }
}

/** One answer of `width` numbers a text: [texts, width]. */
export async function answerTexts(
  network: Answering,
  texts: readonly (readonly number[])[],
  width: number,
  { rows, ...shape }: TextShape & { readonly rows: number },
): Promise<Float32Array> {
  const answers = new Float32Array(texts.length * width);
  await forEachBatch(texts, rows, async (indices, chosen) => {
    const answer = await network.answer(textInputs(chosen, rows, shape).inputs);
    indices.forEach((index, row) => {
      answers.set(answer.subarray(row * width, (row + 1) * width), index * width);
    });
  });
  return answers;
}

/** Rows of a batch when predicting: one for a single text, so that it is answered at once. */
export const predictionRows = (texts: number) => (texts === 1 ? 1 : 16);
