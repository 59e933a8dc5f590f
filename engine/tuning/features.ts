// The body's answer to each picture, computed once and kept: training a head alone needs nothing else.
import type { SessionOptions } from '../graph/session.ts';
import { createNetwork } from './network.ts';
import type { Parameters } from './parameters.ts';
import type { Feeds } from './tasks/task.ts';

/** How many pictures the body sees at once. */
const rowsAtOnce = 16;

export interface PixelRows {
  readonly count: number;
  /** `pixelValues` of the pictures at these indices, in `rows` rows. */
  load(indices: readonly number[], rows: number): Promise<Feeds>;
}

/** @returns float32 [count, features], in the order of the pictures. Nothing of the network is trained here. */
export async function computeFeatures(
  parameters: Parameters,
  pixels: PixelRows,
  options: SessionOptions,
): Promise<Float32Array> {
  const frozen = new Map([...parameters.frozen, ...parameters.trainable]);
  const body = { ...parameters, head: { kind: 'embedding' } as const, trainable: new Map(), frozen };
  const network = createNetwork(body, { loss: (g) => g.scalar(0) }, options);
  const width = parameters.model.hiddenSize;
  const features = new Float32Array(pixels.count * width);
  const rows = Math.min(rowsAtOnce, pixels.count);
  try {
    for (let start = 0; start < pixels.count; start += rows) {
      const indices = Array.from({ length: Math.min(rows, pixels.count - start) }, (_, at) => start + at);
      const answer = await network.answer(await pixels.load(indices, rows));
      features.set(answer.subarray(0, indices.length * width), start * width);
    }
    return features;
  } finally {
    await network.close();
  }
}
