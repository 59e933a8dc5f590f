// The embedder that ships with the project: its weights are read when it is first asked for something.
import type { Embedder } from '../types.ts';
import { createEncoder, type Encoding } from './encoder.ts';
import { readEncoder, shippedWeights } from './weights-file.ts';

export interface ShippedEmbedder extends Embedder {
  /** One text with what the network looked at on its way, for showing. */
  encode(text: string): Encoding;
}

/** @throws Error when the weights file is damaged. */
export async function loadShippedEmbedder(path: string = shippedWeights): Promise<ShippedEmbedder> {
  const { id, shape, weights } = await readEncoder(path);
  const encode = createEncoder(shape, weights);
  return {
    id,
    dimensions: shape.dimensions,
    embed: async (texts) => texts.map((text) => encode(text).vector),
    encode,
  };
}
