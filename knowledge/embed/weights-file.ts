// Reads the shipped embedder: a safetensors file (https://huggingface.co/docs/safetensors) with its shape in the metadata.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { EncoderShape, EncoderWeights } from './encoder.ts';

export const shippedWeights = fileURLToPath(new URL('model.safetensors', import.meta.url));

const count = z.string().regex(/^\d+$/).transform(Number);
const metadataSchema = z.object({
  id: z.string(),
  rows: count,
  dimensions: count,
  heads: count,
  headSize: count,
  reach: count,
});
const tensorSchema = z.object({ dtype: z.enum(['I8', 'F32']), data_offsets: z.tuple([z.number(), z.number()]) });
const headerSchema = z.object({ __metadata__: metadataSchema }).catchall(z.unknown());

export interface EncoderFile {
  /** Changes whenever a weight does. */
  readonly id: string;
  readonly shape: EncoderShape;
  readonly weights: EncoderWeights;
}

/** @throws Error when the file is not one that `npm run embedder:train` wrote. */
export async function readEncoder(path: string): Promise<EncoderFile> {
  const file = await readFile(path);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = headerSchema.parse(JSON.parse(file.toString('utf8', 8, 8 + headerBytes)));
  const bytesOf = (name: string, dtype: 'I8' | 'F32'): ArrayBuffer => {
    const tensor = tensorSchema.parse(header[name]);
    if (tensor.dtype !== dtype) throw new Error(`${path}: ${name} is ${tensor.dtype}, not ${dtype}`);
    const [from, to] = tensor.data_offsets.map((offset) => file.byteOffset + 8 + headerBytes + offset);
    // A copy: the numbers may lie at any byte of the file, and arrays of floats may not.
    return Uint8Array.from(new Uint8Array(file.buffer, from, (to ?? 0) - (from ?? 0))).buffer;
  };
  const floats = (name: string) => new Float32Array(bytesOf(name, 'F32'));
  const { id, ...shape } = header.__metadata__;
  return {
    id,
    shape,
    weights: {
      table: new Int8Array(bytesOf('table', 'I8')),
      tableScale: floats('tableScale'),
      query: floats('query'),
      key: floats('key'),
      value: floats('value'),
      distance: floats('distance'),
      gate: floats('gate'),
      contextGate: floats('contextGate'),
      output: floats('output'),
    },
  };
}
