// Writes what a run leaves behind, for each family, with our answers beside it: what hugging_face_out.py and adapters.py open
// in Hugging Face's own classes. npx tsx test/oracle/models-out.ts FOLDER

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elementCount, type FloatTensor, type Tensor } from '../../engine/graph/tensor.ts';
import { loadAnyBase } from '../../engine/models/image-base.ts';
import type { Head, ImageModel, ImageTextModel, Model } from '../../engine/models/model.ts';
import { createRandom } from '../../engine/random.ts';
import type { Metrics } from '../../engine/runs/events.ts';
import { runSpecSchema, type TaskName } from '../../engine/runs/spec.ts';
import { writeArtifact } from '../../engine/tuning/artifact.ts';
import { tokenObjective } from '../../engine/tuning/losses.ts';
import { createNetwork } from '../../engine/tuning/network.ts';
import { prepareParameters } from '../../engine/tuning/parameters.ts';
import type { Feeds } from '../../engine/tuning/tasks/task.ts';
import { textInputs } from '../../engine/tuning/tasks/text-batches.ts';
import { writeSeededFolder } from '../support/seeded-folder.ts';

const encoder = {
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 48,
  max_position_embeddings: 24,
};
const bert = { model_type: 'bert', ...encoder };
const roberta = { model_type: 'roberta', ...encoder, type_vocab_size: 1, pad_token_id: 1 };
const distilbert = {
  model_type: 'distilbert',
  vocab_size: 64,
  dim: 32,
  n_layers: 2,
  n_heads: 4,
  hidden_dim: 48,
  max_position_embeddings: 24,
};
const mpnet = { model_type: 'mpnet', ...encoder, pad_token_id: 1 };
const gpt2 = { model_type: 'gpt2', vocab_size: 64, n_positions: 24, n_embd: 32, n_layer: 2, n_head: 4 };
const llama = { model_type: 'llama', ...encoder, num_key_value_heads: 2 };
const mistral = { model_type: 'mistral', ...encoder, num_key_value_heads: 2, sliding_window: null };
const qwen2 = { model_type: 'qwen2', ...encoder, num_key_value_heads: 2, tie_word_embeddings: true };
const qwen3 = { model_type: 'qwen3', ...encoder, num_key_value_heads: 2, head_dim: 16 };
const vit = {
  model_type: 'vit',
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 48,
  image_size: 32,
  patch_size: 8,
};
const resnet = {
  model_type: 'resnet',
  embedding_size: 8,
  hidden_sizes: [8, 16],
  depths: [1, 2],
  layer_type: 'basic',
  image_size: 32,
};
const mobilenet = { model_type: 'mobilenet_v2', depth_multiplier: 0.35, image_size: 32 };

const tower = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 48 };
const clip = {
  model_type: 'clip',
  projection_dim: 16,
  // The end of a text, by which Hugging Face finds its vector: each text below ends in it.
  text_config: { ...tower, vocab_size: 64, max_position_embeddings: 24, eos_token_id: 63 },
  vision_config: { ...tower, image_size: 32, patch_size: 8 },
};

type Case = readonly [config: { readonly [key: string]: unknown }, task: TaskName, head: Head];
const three = { kind: 'classification', labels: 3 } as const;
const encoders = [bert, roberta, distilbert, mpnet].flatMap((config): Case[] => [
  [config, 'text-classification', three],
  [config, 'regression', { kind: 'regression', targets: 1 }],
  [config, 'token-classification', { kind: 'token-classification', labels: 3 }],
  [config, 'masked-lm', { kind: 'masked-lm' }],
]);
const decoders = [gpt2, llama, mistral, qwen2, qwen3].flatMap((config): Case[] => [
  [config, 'causal-lm', { kind: 'causal-lm' }],
  [config, 'text-classification', three],
]);
const images = [vit, resnet, mobilenet].map((config): Case => [config, 'image-classification', three]);

const metrics: Metrics = {
  kind: 'regression',
  loss: 1,
  meanSquaredError: 1,
  meanAbsoluteError: 1,
  baselineAbsoluteError: 1,
  r2: 0,
  spearman: 0,
  examples: 1,
};
const random = createRandom(11);
const disturb = (tensor: FloatTensor) => {
  // Trained adapters are not zero, and trained weights not what they were.
  for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = (tensor.data[at] ?? 0) + 0.1 * random.normal();
};

const texts = [
  [5, 9, 31, 7, 22, 40, 11],
  [8, 50, 17],
];

async function write(home: string, [config, task, head]: Case, method: 'full' | 'lora'): Promise<void> {
  const folder = join(home, `${String(config.model_type)} ${head.kind} ${method}`);
  const source = join(folder, 'base');
  const padId = Number(config.pad_token_id ?? 0);
  await writeSeededFolder(
    source,
    { pad_token_id: padId, ...config },
    method === 'lora' && 'labels' in head ? { kind: 'embedding' } : head,
  );
  const base = await loadAnyBase(source);
  const spec = runSpecSchema.parse({
    task,
    method,
    model: source,
    data: { train: 'none' },
    out: join(folder, method === 'lora' ? 'adapter' : 'model'),
  });
  const parameters = await prepareParameters(base, head, spec);
  for (const tensor of parameters.trainable.values()) disturb(tensor);
  const labels = 'labels' in head ? ['first', 'second', 'third'].slice(0, head.labels) : [];
  await writeArtifact(spec.out, {
    spec,
    base,
    parameters,
    labels,
    epochs: 1,
    maxLength: 24,
    metrics,
    record: {},
    bestStep: 1,
    history: { steps: [], evaluations: [] },
  });
  const network = createNetwork(parameters, tokenObjective(0), { device: 'cpu', threads: 1 });
  const asked = ask(base.model, padId);
  const answered = await network.answer(asked.feeds);
  await network.close();
  const kept = asked.keep(answered);
  await writeFile(
    join(folder, 'answers.json'),
    JSON.stringify({ head: head.kind, labels: labels.length || undefined, ...asked.told, answer: Array.from(kept) }),
  );
  console.log(folder);
}

function ask(model: Model, padId: number) {
  if (model.modality === 'text') return askTexts(padId);
  if (model.modality === 'image') return askImages(model);
  const pictures = askImages(model);
  const captions = texts.map((text) => [...text, 63]);
  const { inputs, length } = textInputs(captions, captions.length, { padId, maxLength: 24 });
  const ends = Int32Array.from(captions, (ids, row) => row * length + ids.length - 1);
  const feeds: Feeds = { ...inputs, ...pictures.feeds, ends: { type: 'int32', shape: [captions.length], data: ends } };
  return { feeds, keep: (answer: Float32Array) => answer, told: { texts: captions, padId, ...pictures.told } };
}

function askTexts(padId: number) {
  const { inputs: feeds, length } = textInputs(texts, texts.length, { padId, maxLength: 24 });
  /** Of the texts' own tokens, where each token is answered. */
  const keep = (answer: Float32Array) => {
    const places = answer.length / texts.length;
    if (places < length) return answer;
    const width = places / length;
    return Float32Array.from(
      texts.flatMap((text, row) => [...answer.subarray(row * places, row * places + text.length * width)]),
    );
  };
  return { feeds, keep, told: { texts, padId } };
}

function askImages(model: ImageModel | ImageTextModel) {
  const shape = [2, model.channels, model.imageSize, model.imageSize];
  const data = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
  const pixelValues: Tensor = { type: 'float32', shape, data };
  const feeds: Feeds = { pixelValues };
  return { feeds, keep: (answer: Float32Array) => answer, told: { pixels: Array.from(data), pixelShape: shape } };
}

const [home] = process.argv.slice(2);
if (!home) throw new Error('give a folder to write to');
const pairs: Case = [clip, 'image-text', { kind: 'contrast' }];
for (const one of [...encoders, ...decoders, ...images, pairs]) {
  await write(home, one, 'full');
  const adapts =
    one[0] === bert || one[0] === gpt2 || one[0] === llama || one[0] === qwen2 || one[0] === vit || one[0] === clip;
  if (adapts) await write(home, one, 'lora');
}
