// Writes a tiny BERT in Hugging Face layout, in one file or in shards, in any float format: what loading is tried on.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { learnWordPiece } from '../../engine/data/vocabulary.ts';
import { elementCount, type FloatTensor } from '../../engine/graph/tensor.ts';
import { createModel } from '../../engine/models/families.ts';
import { drawInitial } from '../../engine/models/model.ts';
import { createRandom } from '../../engine/random.ts';

type Dtype = 'F32' | 'F16' | 'BF16';

export const tiny_config = {
  architectures: ['BertModel'],
  model_type: 'bert',
  vocab_size: 300,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 64,
} as const;

const texts = ['a lovely film about people in a town', 'the dull story of a dog', 'what a warm and clever comedy'];

/** Numbers that both half formats hold exactly: eighths between −1 and 1. */
const exactInHalf = (value: number) => Math.round(Math.max(-1, Math.min(1, value * 10)) * 8) / 8 + 0;

/** The weights of the body, the same at each call. */
export function tinyWeights(): Map<string, FloatTensor> {
  const random = createRandom(5);
  const weights = new Map<string, FloatTensor>();
  for (const [name, spec] of createModel(tiny_config, 'tiny').parameters({ kind: 'classification', labels: 1 })) {
    if (spec.part === 'head') continue;
    const { shape, data } = drawInitial(spec, random);
    weights.set(name, { shape, data: data.map(exactInHalf) });
  }
  return weights;
}

/** Exact for the numbers `exactInHalf` answers. */
function toHalf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

const encode: { readonly [D in Dtype]: (data: Float32Array) => Uint8Array } = {
  F32: (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  F16: (data) => new Uint8Array(Uint16Array.from(data, toHalf).buffer),
  BF16: (data) =>
    new Uint8Array(Uint16Array.from(new Uint32Array(Float32Array.from(data).buffer), (bits) => bits >>> 16).buffer),
};

/** A safetensors file by the published format, independent of the product's own writer. */
export function safetensorsBytes(tensors: Iterable<readonly [string, FloatTensor]>, dtype: Dtype = 'F32'): Buffer {
  const header: { [name: string]: unknown } = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    const bytes = encode[dtype](data);
    if (data.length !== elementCount(shape)) throw new Error(name);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

export async function writeTinyModel(
  folder: string,
  { dtype = 'F32', shards = 1 }: { readonly dtype?: Dtype; readonly shards?: number } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tokenizer, config } = learnWordPiece(texts, { vocabularySize: tiny_config.vocab_size });
  await writeFile(join(folder, 'config.json'), JSON.stringify(tiny_config));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  const weights = [...tinyWeights()];
  if (shards === 1) {
    await writeFile(join(folder, 'model.safetensors'), safetensorsBytes(weights, dtype));
    return;
  }
  const places: { [name: string]: string } = {};
  for (let shard = 0; shard < shards; shard++) {
    const number = (n: number) => String(n).padStart(5, '0');
    const file = `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
    const own = weights.filter((_, at) => at % shards === shard);
    for (const [name] of own) places[name] = file;
    await writeFile(join(folder, file), safetensorsBytes(own, dtype));
  }
  await writeFile(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: 0 }, weight_map: places }),
  );
}
