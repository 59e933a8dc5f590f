// A checkpoint in four bits on disk: made once, matrix by matrix, then used in place like any other weights.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readBytes } from '../graph/file-numbers.ts';
import type { ExternalType } from '../graph/graph.ts';
import type { BaseWeight, FourBitMatrix } from './base.ts';
import { makeFolder } from './files.ts';
import { four_bit_block_size, quantizeFourBit } from './four-bit.ts';
import { linearLayers } from './linear-layers.ts';
import type { LinearTarget, Model } from './model.ts';
import { openSafetensors, streamSafetensors, type TensorToWrite } from './safetensors.ts';

/** What is read of a base, and given back with its matrices in four bits. */
interface Weights {
  readonly source: string;
  readonly model: Model;
  readonly weights: ReadonlyMap<string, BaseWeight>;
}

const packedName = (name: string) => `${name}.packed`;
const stepsName = (name: string) => `${name}.steps`;

/**
 * Keeps the linear layers of the base's body in four bits; embeddings, norms and heads stay as they are.
 * @param folder where results are kept; the second time nothing is computed.
 * @throws UserError when a weight is not finite, or there is no room.
 */
export async function openFourBit<B extends Weights>(
  base: B,
  folder: string,
): Promise<B & { readonly fourBit: ReadonlyMap<string, FourBitMatrix> }> {
  const matrices = findMatrices(base);
  const path = join(folder, `${await fingerprint(base)}.safetensors`);
  if (!(await stat(path).catch(() => undefined))) {
    await makeFolder(folder);
    await streamSafetensors(path, [...planTensors(base, matrices)]);
  }
  const file = await openSafetensors(path);
  const rangeOf = (name: string) => {
    const entry = file.tensors.get(name);
    if (!entry) throw new UserError(`${path} has no tensor ${name}.`, 'Remove the file; it is made again.');
    return entry.range;
  };
  const fourBit = new Map<string, FourBitMatrix>();
  const weights = new Map<string, BaseWeight>();
  for (const [name, weight] of base.weights) {
    const matrix = matrices.get(name);
    if (matrix) {
      const [out, input] = sides(weight.shape, matrix);
      const packed = rangeOf(packedName(name));
      const steps = rangeOf(stepsName(name));
      fourBit.set(name, { out, in: input, blockSize: four_bit_block_size, packed, steps });
      weights.set(name, weight);
    } else {
      const type: ExternalType = weight.inPlace?.type ?? 'float32';
      weights.set(name, { ...weight, inPlace: { type, range: rangeOf(name) } });
    }
  }
  return { ...base, weights, fourBit };
}

const sides = ([first = 0, second = 0]: readonly number[], layout: LinearTarget['layout']): [number, number] =>
  layout === 'out-in' ? [first, second] : [second, first];

/** The weights that the model multiplies by. */
function findMatrices({ model, weights }: Weights): Map<string, LinearTarget['layout']> {
  const matrices = new Map<string, LinearTarget['layout']>();
  for (const { name, layout } of model.modality === 'text' ? linearLayers(model, { kind: 'embedding' }) : []) {
    const weight = weights.get(`${name}.weight`);
    const input = weight && sides(weight.shape, layout)[1];
    if (input !== undefined && input % four_bit_block_size === 0) matrices.set(`${name}.weight`, layout);
  }
  return matrices;
}

function* planTensors(base: Weights, matrices: ReadonlyMap<string, LinearTarget['layout']>): Generator<TensorToWrite> {
  for (const [name, weight] of base.weights) {
    const layout = matrices.get(name);
    if (!layout) {
      yield copied(name, weight);
      continue;
    }
    const [out, input] = sides(weight.shape, layout);
    const blocks = input / four_bit_block_size;
    let steps: Float32Array | undefined;
    yield {
      name: packedName(name),
      dtype: 'U8',
      shape: [out, blocks, four_bit_block_size / 2],
      async load() {
        const { data } = await weight.load();
        const rows = layout === 'out-in' ? data : transpose(data, input, out);
        const quantized = quantize(base, name, rows);
        steps = quantized.steps;
        return quantized.packed;
      },
    };
    yield {
      name: stepsName(name),
      dtype: 'F32',
      shape: [out * blocks],
      load() {
        if (!steps) throw new Error(`${name} was not quantised before its steps were asked for`);
        return new Uint8Array(steps.buffer, steps.byteOffset, steps.byteLength);
      },
    };
  }
}

function quantize(base: Weights, name: string, rows: Float32Array) {
  try {
    return quantizeFourBit(rows);
  } catch (error) {
    throw new UserError(`${base.source}: ${name} holds numbers that are not finite.`, 'The checkpoint is damaged.', {
      cause: error,
    });
  }
}

const dtypes = { float32: 'F32', float16: 'F16', bfloat16: 'BF16', uint4: 'U8' } as const;

function copied(name: string, weight: BaseWeight): TensorToWrite {
  const { shape, inPlace } = weight;
  if (inPlace) return { name, dtype: dtypes[inPlace.type], shape, load: () => readBytes(inPlace.range) };
  return {
    name,
    dtype: 'F32',
    shape,
    async load() {
      const { data } = await weight.load();
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    },
  };
}

/** [rows, columns] → [columns, rows]. */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return turned;
}

/** Of the files the weights lie in: path, size and time of change, which is enough to notice another checkpoint. */
async function fingerprint({ source, weights }: Weights): Promise<string> {
  const hash = createHash('sha256').update(`four-bit 1 ${four_bit_block_size} ${source}`);
  const paths = new Set(Array.from(weights.values(), ({ inPlace }) => inPlace?.range.path));
  for (const path of [...paths].sort()) {
    if (path === undefined) continue;
    const { size, mtimeMs } = await stat(path);
    hash.update(`\n${path} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 32);
}
