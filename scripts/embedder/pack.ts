// Packs trained weights for shipping: the table in 8 bits with one scale a row, the small matrices as they are.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { FloatTensor } from '../../engine/graph/tensor.ts';
import type { EncoderShape, EncoderWeights } from '../../knowledge/embed/encoder.ts';

/** @param taught rows of the table that training has touched; the others say nothing, so they are nothing. */
export function packWeights(
  { rows, dimensions }: EncoderShape,
  weights: ReadonlyMap<string, FloatTensor>,
  taught: ReadonlySet<number>,
): EncoderWeights {
  const floats = (name: string): Float32Array => {
    const tensor = weights.get(name);
    if (!tensor) throw new Error(`no weight ${name}`);
    return tensor.data;
  };
  const source = floats('table');
  const table = new Int8Array(source.length);
  const tableScale = new Float32Array(rows);
  for (const row of taught) {
    const values = source.subarray(row * dimensions, (row + 1) * dimensions);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    tableScale[row] = largest / 127;
    if (largest === 0) continue;
    for (const [i, value] of values.entries()) table[row * dimensions + i] = Math.round((127 * value) / largest);
  }
  return {
    table,
    tableScale,
    query: floats('query'),
    key: floats('key'),
    value: floats('value'),
    distance: floats('distance'),
    gate: floats('gate'),
    contextGate: floats('contextGate'),
    output: floats('output'),
  };
}

/** Writes a safetensors file whose id follows from its weights. @returns the id and the size in bytes. */
export async function writeEncoder(
  path: string,
  shape: EncoderShape,
  weights: EncoderWeights,
): Promise<{ id: string; bytes: number }> {
  const tensors = Object.entries({ ...weights });
  const parts = tensors.map(([, array]) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const id = `finetutor-${hash.digest('hex').slice(0, 12)}`;
  const text = (values: object) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  const header: { [name: string]: unknown } = { __metadata__: text({ id, ...shape }) };
  let end = 0;
  for (const [name, array] of tensors) {
    const dtype = array instanceof Int8Array ? 'I8' : 'F32';
    const size = dtype === 'I8' && name === 'table' ? [shape.rows, shape.dimensions] : [array.length];
    header[name] = { dtype, shape: size, data_offsets: [end, end + array.byteLength] };
    end += array.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = Buffer.concat([length, padded, ...parts]);
  await writeFile(path, file);
  return { id, bytes: file.length };
}
