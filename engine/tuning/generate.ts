// Goes on writing: the likeliest token, again and again, for several texts at once.
import type { Answering } from './tasks/task.ts';
import { type TextShape, textInputs } from './tasks/text-batches.ts';

/**
 * @param prompts are cut at their beginning where they leave no room.
 * @returns the new tokens of each, without the token that ends a text.
 */
export async function generate(
  network: Answering,
  prompts: readonly (readonly number[])[],
  { newTokens, endId, ...shape }: TextShape & { readonly newTokens: number; readonly endId: number | undefined },
): Promise<number[][]> {
  const room = Math.max(1, shape.maxLength - newTokens);
  const texts = prompts.map((ids) => ids.slice(-room));
  const written: number[][] = prompts.map(() => []);
  const open = new Set(prompts.keys());
  for (let step = 0; step < newTokens && open.size > 0; step++) {
    const { inputs, length } = textInputs(texts, texts.length, shape);
    const positions = Int32Array.from(texts, (ids, row) => row * length + Math.max(0, ids.length - 1));
    const logits = await network.answer(inputs, positions);
    const vocabulary = logits.length / texts.length;
    for (const row of open) {
      const next = likeliest(logits.subarray(row * vocabulary, (row + 1) * vocabulary));
      if (next === endId || (texts[row]?.length ?? 0) >= shape.maxLength) open.delete(row);
      else {
        texts[row]?.push(next);
        written[row]?.push(next);
      }
    }
  }
  return written;
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let index = 1; index < logits.length; index++) {
    if ((logits[index] ?? 0) > (logits[best] ?? 0)) best = index;
  }
  return best;
}
