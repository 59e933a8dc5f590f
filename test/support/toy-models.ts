// Tiny models that write and see, and toy pictures for them: what the other tasks are tried on from the outside.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { learnWordPiece } from '../../engine/data/vocabulary.ts';
import type { FloatTensor } from '../../engine/graph/tensor.ts';
import { createModel } from '../../engine/models/families.ts';
import type { Head } from '../../engine/models/model.ts';
import { drawInitial } from '../../engine/models/model.ts';
import { createRandom } from '../../engine/random.ts';
import { safetensorsBytes } from './tiny-model.ts';
import { writeZip } from './zip.ts';

const said = [
  'what is overfitting and how is it seen',
  'a model that learns the noise of its data by heart',
  'User : Assistant',
];

const gpt2 = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  n_positions: 96,
  n_embd: 32,
  n_layer: 2,
  n_head: 2,
};
const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 96,
  tie_word_embeddings: false,
};

async function writeWeights(folder: string, config: { readonly [key: string]: unknown }, head: Head, scale = 1) {
  const random = createRandom(3);
  const weights: [string, FloatTensor][] = [];
  for (const [name, spec] of createModel(config, folder).parameters(head)) {
    const { shape, data } = drawInitial(spec, random);
    // Larger than at the start of a pretraining, so that answers differ.
    weights.push([name, { shape, data: typeof spec.initial === 'object' ? data.map((x) => x * scale) : data }]);
  }
  await writeFile(join(folder, 'model.safetensors'), safetensorsBytes(weights));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
}

/** @param more goes into config.json; @param head `embedding` leaves out what scores the next word. */
export async function writeToyDecoder(
  folder: string,
  {
    family = 'gpt2',
    more = {},
    head = 'causal-lm',
  }: { family?: 'gpt2' | 'llama'; more?: object; head?: 'causal-lm' | 'embedding' } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tokenizer, config } = learnWordPiece(said, { vocabularySize: 400 });
  const vocabulary = Object.keys((tokenizer as { model: { vocab: object } }).model.vocab).length;
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  await writeWeights(
    folder,
    { ...(family === 'gpt2' ? gpt2 : llama), vocab_size: vocabulary, ...more },
    { kind: head },
    8,
  );
}

export async function writeToyResNet(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const config = {
    model_type: 'resnet',
    embedding_size: 8,
    hidden_sizes: [8, 16],
    depths: [1, 1],
    layer_type: 'basic',
    image_size: 24,
  };
  await writeWeights(folder, config, { kind: 'embedding' }, 3);
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify({ size: { height: 24, width: 24 } }));
}

/** Reddish or bluish noise. */
export async function drawToyPicture(colour: 'red' | 'blue', seed: number, side = 24): Promise<Buffer> {
  const random = createRandom(seed);
  const [red, blue] = colour === 'red' ? [255, 120] : [120, 255];
  const data = Buffer.alloc(side * side * 3);
  for (let at = 0; at < data.length; at += 3) {
    data[at] = random.below(red);
    data[at + 1] = random.below(120);
    data[at + 2] = random.below(blue);
  }
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

/** A zip of the class folders `blue` and `red`. */
export async function zipToyPictures(each: number): Promise<Buffer> {
  const entries = (['blue', 'red'] as const).flatMap((colour, which) =>
    Array.from({ length: each }, async (_, n) => ({
      name: `pictures/${colour}/${n}.png`,
      data: await drawToyPicture(colour, n + 1000 * which),
    })),
  );
  return writeZip(await Promise.all(entries));
}
