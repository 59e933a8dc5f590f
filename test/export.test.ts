// Models out: what Transformers.js reads from disk answers as the network it was made from, in every family and variant.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTokenizer } from '../engine/data/tokenizer.ts';
import { learnWordPiece } from '../engine/data/vocabulary.ts';
import { exportArtifact } from '../engine/export/artifact.ts';
import { exportNetwork } from '../engine/export/network.ts';
import { exportTransformersJs } from '../engine/export/transformers-js.ts';
import { createGraph } from '../engine/graph/graph.ts';
import { createSession, openModelFile } from '../engine/graph/session.ts';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { createModel } from '../engine/models/families.ts';
import { createLayers } from '../engine/models/layers.ts';
import { drawInitial, type Head, type Model } from '../engine/models/model.ts';
import { createRandom } from '../engine/random.ts';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { train } from '../engine/tuning/train.ts';
import { writeToyDataset } from './support/toy-dataset.ts';
import { writeToyDecoder } from './support/toy-models.ts';

// Kept where it is said, for test/oracle/check_onnx.py.
const kept = process.env.FINETUTOR_EXPORTS;
const home = kept ?? (await mkdtemp(join(tmpdir(), 'finetutor-export-')));
afterAll(() => (kept === undefined ? rm(home, { recursive: true }) : undefined));
beforeAll(() => {
  env.localModelPath = home;
  env.allowRemoteModels = false;
});

const { tokenizer, config: tokenizerConfig } = learnWordPiece(
  ['a lovely film about people in a town', 'the dull story of a dog', 'what a warm and clever comedy'],
  { vocabularySize: 200 },
);
const encoder = {
  vocab_size: 200,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 64,
};
const configs = {
  bert: { model_type: 'bert', ...encoder },
  roberta: { model_type: 'roberta', ...encoder, type_vocab_size: 1, pad_token_id: 1 },
  distilbert: {
    model_type: 'distilbert',
    vocab_size: 200,
    dim: 32,
    n_layers: 2,
    n_heads: 4,
    hidden_dim: 64,
    max_position_embeddings: 64,
  },
  gpt2: { model_type: 'gpt2', vocab_size: 200, n_positions: 64, n_embd: 32, n_layer: 2, n_head: 4 },
  llama: { model_type: 'llama', ...encoder, num_key_value_heads: 2 },
  qwen2: { model_type: 'qwen2', ...encoder, num_key_value_heads: 2, tie_word_embeddings: true },
  qwen3: { model_type: 'qwen3', ...encoder, num_key_value_heads: 2, head_dim: 16 },
  mistral: { model_type: 'mistral', ...encoder, num_key_value_heads: 2, sliding_window: 4 },
  vit: {
    model_type: 'vit',
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 64,
    image_size: 32,
    patch_size: 8,
    num_channels: 3,
  },
  resnet: {
    model_type: 'resnet',
    num_channels: 3,
    embedding_size: 8,
    hidden_sizes: [8, 16],
    depths: [1, 1],
    layer_type: 'basic',
  },
} as const;
type Family = keyof typeof configs;

/** Large enough that answers differ from text to text. */
function drawWeights(model: Model, head: Head): Map<string, FloatTensor> {
  const random = createRandom(9);
  return new Map(
    Array.from(model.parameters(head), ([name, spec]) => {
      const { shape, data } = drawInitial(spec, random);
      return [
        name,
        { shape, data: spec.initial === 'ones' || spec.initial === 'zeros' ? data : data.map((x) => x * 8) },
      ];
    }),
  );
}

const labels = { id2label: { 0: 'dull', 1: 'warm' }, label2id: { dull: 0, warm: 1 } };

async function exportTiny(
  family: Family,
  head: Head,
  dtypes: readonly ('fp32' | 'q8' | 'q4')[] = ['fp32'],
  { name = `${family}-${head.kind}`, mostBytes }: { readonly name?: string; readonly mostBytes?: number } = {},
) {
  const raw = { ...configs[family] };
  const model = createModel(raw, family);
  const weights = drawWeights(model, head);
  const files = {
    'config.json': { ...raw, ...labels, architectures: [model.architecture(head)] },
    'generation_config.json': { eos_token_id: 199, bos_token_id: 1, pad_token_id: 0 },
    ...(model.modality === 'text'
      ? { 'tokenizer.json': tokenizer, 'tokenizer_config.json': tokenizerConfig }
      : {
          'preprocessor_config.json': {
            image_processor_type: 'ViTFeatureExtractor',
            do_resize: true,
            do_rescale: true,
            do_normalize: true,
            rescale_factor: 1 / 255,
            size: { height: model.imageSize, width: model.imageSize },
            image_mean: [0.5, 0.5, 0.5],
            image_std: [0.5, 0.5, 0.5],
          },
        }),
  };
  const written = await exportTransformersJs({ model, head, weights, files }, join(home, name), dtypes, mostBytes);
  return { name, model, weights, written };
}

const text_families = ['bert', 'roberta', 'distilbert'] as const;
for (const family of text_families) {
  test(`${family}: classification, hidden words and vectors run in Transformers.js, in any batch and length`, async () => {
    const { name, written } = await exportTiny(family, { kind: 'classification', labels: 2 }, ['fp32', 'q8', 'q4']);
    expect(written.map(({ dtype }) => dtype)).toEqual(['fp32', 'q8', 'q4']);
    expect(written[0]?.parity.largestDifference).toBeLessThan(1e-4);
    const texts = ['a lovely film', 'the dull story of a dog in the town', 'people'];
    for (const dtype of ['fp32', 'q8', 'q4'] as const) {
      const classify = await pipeline('text-classification', name, { dtype });
      const alone = await Promise.all(texts.map((text) => classify(text)));
      const together = await classify(texts);
      expect(together).toHaveLength(3);
      alone.flat().forEach((answer, at) => {
        const other = [together].flat(2)[at];
        expect(other).toMatchObject({ label: Reflect.get(answer, 'label') });
        // Eight bits are drawn anew for each batch: padding widens the range.
        expect(Reflect.get(other ?? {}, 'score')).toBeCloseTo(
          Number(Reflect.get(answer, 'score')),
          dtype === 'q8' ? 1 : 4,
        );
      });
      await classify.dispose();
    }

    const masked = await exportTiny(family, { kind: 'masked-lm' });
    const fill = await pipeline('fill-mask', masked.name, { dtype: 'fp32' });
    const guesses = await fill(`a ${fill.tokenizer.mask_token} film`);
    expect([guesses].flat(2)).toHaveLength(5);
    await fill.dispose();

    const vectors = await exportTiny(family, { kind: 'embedding' });
    const extract = await pipeline('feature-extraction', vectors.name, { dtype: 'fp32' });
    expect((await extract(texts, { pooling: 'mean' })).dims).toEqual([3, 32]);
    await extract.dispose();
  });
}

for (const family of ['gpt2', 'llama', 'qwen2', 'qwen3', 'mistral'] as const) {
  test(`${family}: Transformers.js writes the very tokens that the trained network would, from its key-value cache`, async () => {
    const { name, model, weights, written } = await exportTiny(family, { kind: 'causal-lm' }, ['fp32', 'q4']);
    expect(written[0]?.parity.relativeDifference).toBeLessThan(1e-4);
    const write = await pipeline('text-generation', name, { dtype: 'fp32' });
    const prompt = write.tokenizer('a lovely film', { return_tensor: false, add_special_tokens: false });
    const ids: number[] = [...Reflect.get(prompt, 'input_ids')].map(Number);
    const encoded = write.tokenizer('a lovely film', { add_special_tokens: false });
    const output = await write.model.generate({ ...encoded, max_new_tokens: 8, do_sample: false });
    const got = [...Reflect.get(output, 'data')].map(Number);
    await write.dispose();
    expect(got).toEqual(await writeGreedily(model, weights, ids, 8, 199));
  });
}

test('weights too large for one file lie beside the model, in several files, and Transformers.js finds them', async () => {
  const head = { kind: 'classification', labels: 2 } as const;
  const whole = await exportTiny('bert', head, ['fp32', 'q8'], { name: 'bert-whole' });
  const parted = await exportTiny('bert', head, ['fp32', 'q8'], { name: 'bert-parted', mostBytes: 60_000 });
  expect(parted.written[0]?.parity.largestDifference).toBeLessThan(1e-4);
  const names = await readdir(join(home, 'bert-parted', 'onnx'));
  expect(names.filter((name) => name.startsWith('model.onnx')).sort()).toEqual([
    'model.onnx',
    'model.onnx_data',
    'model.onnx_data_1',
  ]);
  for (const name of names) expect((await stat(join(home, 'bert-parted', 'onnx', name))).size).toBeLessThan(70_000);
  for (const dtype of ['fp32', 'q8'] as const) {
    const answers = await Promise.all(
      [whole.name, parted.name].map(async (name) => {
        const classify = await pipeline('text-classification', name, { dtype });
        const answer = await classify('a lovely film');
        await classify.dispose();
        return answer;
      }),
    );
    expect(answers[1]).toEqual(answers[0]);
  }
});

/** The naive way: the whole text again for every token. */
async function writeGreedily(
  model: Model,
  weights: ReadonlyMap<string, FloatTensor>,
  prompt: readonly number[],
  count: number,
  end: number,
): Promise<number[]> {
  if (model.modality !== 'text') throw new Error('not a model of texts');
  const ids = [...prompt];
  for (let step = 0; step < count && ids.at(-1) !== end; step++) {
    const g = createGraph();
    const layers = createLayers(g, {
      weight: (name) => {
        const tensor = weights.get(name);
        if (!tensor) throw new Error(name);
        return g.constant({ type: 'float32', ...tensor });
      },
    });
    const inputs = {
      inputIds: g.constant({ type: 'int32', shape: [1, ids.length], data: Int32Array.from(ids) }),
      attentionBias: g.constant({
        type: 'float32',
        shape: [1, 1, 1, ids.length],
        data: new Float32Array(ids.length),
      }),
    };
    g.output('logits', model.build(layers, inputs, { kind: 'causal-lm' }));
    const session = await createSession(g.graph, { device: 'cpu' });
    const { logits } = await session.run({});
    await session.close();
    const last = Array.from(logits?.data ?? []).slice(-model.vocabularySize);
    ids.push(last.indexOf(Math.max(...last)));
  }
  return ids;
}

for (const family of ['vit', 'resnet'] as const) {
  test(`${family}: pictures are classified by Transformers.js`, async () => {
    const { name, written } = await exportTiny(family, { kind: 'classification', labels: 2 });
    expect(written[0]?.parity.relativeDifference).toBeLessThan(1e-4);
    const picture = join(home, `${family}.png`);
    const pixels = Buffer.from(Uint8Array.from({ length: 40 * 40 * 3 }, (_, at) => (at * 7) % 256));
    await sharp(pixels, { raw: { width: 40, height: 40, channels: 3 } })
      .png()
      .toFile(picture);
    const classify = await pipeline('image-classification', name, { dtype: 'fp32' });
    const answers = [await classify(picture)].flat(2);
    expect(answers.map(({ label }) => label).sort()).toEqual(['dull', 'warm']);
    await classify.dispose();
  });
}

/** The model's own answer to one text, without any padding. */
async function answerAlone({ model, weights }: Exported, head: Head, ids: readonly number[]): Promise<number[]> {
  if (model.modality !== 'text') throw new Error('not a model of texts');
  const g = createGraph();
  const layers = createLayers(g, {
    weight: (name) =>
      g.constant({ type: 'float32', ...(weights.get(name) ?? { shape: [0], data: new Float32Array() }) }),
  });
  const inputs = {
    inputIds: g.constant({ type: 'int32', shape: [1, ids.length], data: Int32Array.from(ids) }),
    attentionBias: g.constant({ type: 'float32', shape: [1, 1, 1, ids.length], data: new Float32Array(ids.length) }),
  };
  g.output('answer', model.build(layers, inputs, head));
  const session = await createSession(g.graph, { device: 'cpu' });
  const { answer } = await session.run({});
  await session.close();
  return Array.from(answer?.data ?? []);
}
type Exported = Awaited<ReturnType<typeof exportTiny>>;

for (const family of ['gpt2', 'qwen3', 'mistral'] as const) {
  test(`${family}, which only looks back, classifies, tags and embeds in Transformers.js, padding on either side`, async () => {
    const classification = { kind: 'classification', labels: 2 } as const;
    const made = await exportTiny(family, classification, ['fp32', 'q8']);
    expect(made.written[0]?.parity.relativeDifference).toBeLessThan(1e-4);
    const texts = ['a lovely film about people in a town', 'the dull story'];
    const encode = createTokenizer(tokenizer, tokenizerConfig);
    const alone = await Promise.all(texts.map((text) => answerAlone(made, classification, encode.encode(text, 64))));
    const classify = await pipeline('text-classification', made.name, { dtype: 'fp32' });
    const theirs = [await classify(texts)].flat(2);
    await classify.dispose();
    alone.forEach((logits, at) => {
      const [dull = 0, warm = 0] = logits;
      expect(theirs[at]).toMatchObject({ label: warm > dull ? 'warm' : 'dull' });
      const score = 1 / (1 + Math.exp(-Math.abs(warm - dull)));
      expect(Number(Reflect.get(theirs[at] ?? {}, 'score'))).toBeCloseTo(score, 4);
    });

    const file = await openModelFile(join(home, made.name, 'onnx', 'model.onnx'));
    const [long = [], short = []] = texts.map((text) => encode.encode(text, 64));
    const gap = Array.from({ length: long.length - short.length }, () => 0);
    const feed = (rows: readonly number[][]) =>
      ({ type: 'int64', shape: [rows.length, long.length], data: Int32Array.from(rows.flat()) }) as const;
    const left = await file.run({
      input_ids: feed([long, [...gap, ...short]]),
      attention_mask: feed([long.map(() => 1), [...gap, ...short.map(() => 1)]]),
    });
    await file.close();
    const padded = Array.from(left.logits?.data ?? []);
    alone.flat().forEach((value, at) => {
      expect(padded[at]).toBeCloseTo(value, 3);
    });

    const tags = { kind: 'token-classification', labels: 2 } as const;
    const tagged = await exportTiny(family, tags);
    expect(tagged.written[0]?.parity.relativeDifference).toBeLessThan(1e-4);
    const vectors = await exportTiny(family, { kind: 'embedding' });
    const extract = await pipeline('feature-extraction', vectors.name, { dtype: 'fp32' });
    const pooled = await extract(texts[1] ?? '', { pooling: 'mean' });
    await extract.dispose();
    const own = await answerAlone(vectors, { kind: 'embedding' }, short);
    expect(pooled.data.length).toBe(own.length);
    own.forEach((value, at) => {
      expect(Number(pooled.data[at])).toBeCloseTo(value, 3);
    });
  });
}

test('a finished LoRA run is exported, adapters merged, and classifies in Transformers.js as it does here', async () => {
  const data = join(home, 'toy.csv');
  await writeToyDataset(data, 80);
  const artifact = join(home, 'trained');
  const spec = runSpecSchema.parse({
    task: 'text-classification',
    method: 'lora',
    data: { train: data, eval: 0.2 },
    hyper: { epochs: 1, batchSize: 16, maxLength: 24, learningRate: 0.01 },
    out: artifact,
  });
  const options = { signal: new AbortController().signal, resume: false, now: () => 0 };
  for await (const event of train(spec, options)) if (event.type === 'error') throw new Error(event.message);

  const texts = ['a lovely film about people', 'the dull story of a dog'];
  const predictor = await loadPredictor(artifact, { device: 'cpu' });
  const ours = await predictor.predict(texts);
  await predictor.close();

  const files = await exportArtifact(artifact, join(home, 'trained-js'), {
    format: 'transformers.js',
    dtypes: ['fp32', 'q8'],
  });
  expect(files[0]?.parity.largestDifference).toBeLessThan(1e-4);
  expect(files[1]?.bytes).toBeLessThan((files[0]?.bytes ?? 0) / 2);
  const classify = await pipeline('text-classification', 'trained-js', { dtype: 'fp32' });
  const theirs = [await classify(texts)].flat(2);
  await classify.dispose();
  ours.forEach((prediction, at) => {
    if (!('label' in prediction)) throw new Error('not a class');
    expect(theirs[at]).toMatchObject({ label: prediction.label });
    expect(Number(Reflect.get(theirs[at] ?? {}, 'score'))).toBeCloseTo(prediction.scores[prediction.label] ?? 0, 4);
  });

  // The merged folder needs no adapter and loads by itself.
  await exportArtifact(artifact, join(home, 'merged'), { format: 'huggingface', dtypes: [] });
  const merged = await loadPredictor(join(home, 'merged'), { device: 'cpu' });
  const again = await merged.predict(texts);
  await merged.close();
  again.forEach((prediction, at) => {
    const first = ours[at];
    if (!('label' in prediction) || !first || !('label' in first)) throw new Error('not a class');
    expect(prediction.label).toBe(first.label);
    expect(prediction.scores[prediction.label]).toBeCloseTo(first.scores[first.label] ?? 0, 4);
  });
  await expect(exportArtifact(artifact, artifact, { format: 'huggingface', dtypes: [] })).rejects.toThrow(
    /is the artifact itself/,
  );
});

test('a classifier made of GPT-2, whose tokenizer has nothing to pad with, classifies several texts in Transformers.js', async () => {
  const data = join(home, 'toy-gpt2.csv');
  await writeToyDataset(data, 40);
  const base = join(home, 'toy-gpt2');
  await writeToyDecoder(base, { family: 'gpt2', head: 'embedding' });
  const { pad_token: _, ...bare } = JSON.parse(await readFile(join(base, 'tokenizer_config.json'), 'utf8'));
  await writeFile(join(base, 'tokenizer_config.json'), JSON.stringify({ ...bare, eos_token: '[SEP]' }));
  const artifact = join(home, 'gpt2-classifier');
  const spec = runSpecSchema.parse({
    task: 'text-classification',
    model: base,
    data: { train: data, eval: 0.2 },
    hyper: { epochs: 1, batchSize: 16, maxLength: 24 },
    out: artifact,
  });
  const options = { signal: new AbortController().signal, resume: false, now: () => 0 };
  for await (const event of train(spec, options)) if (event.type === 'error') throw new Error(event.message);
  const texts = ['a lovely film about people', 'dull'];
  const predictor = await loadPredictor(artifact, { device: 'cpu' });
  const ours = await predictor.predict(texts);
  await predictor.close();
  await exportArtifact(artifact, join(home, 'gpt2-js'), { format: 'transformers.js', dtypes: ['fp32'] });
  expect(JSON.parse(await readFile(join(home, 'gpt2-js', 'config.json'), 'utf8'))).toMatchObject({
    model_type: 'bert',
    original_model_type: 'gpt2',
  });
  const settings = JSON.parse(await readFile(join(home, 'gpt2-js', 'tokenizer_config.json'), 'utf8'));
  expect(settings.pad_token).toBe('[SEP]');
  const classify = await pipeline('text-classification', 'gpt2-js', { dtype: 'fp32' });
  const theirs = [await classify(texts)].flat(2);
  await classify.dispose();
  ours.forEach((prediction, at) => {
    if (!('label' in prediction)) throw new Error('not a class');
    expect(theirs[at]).toMatchObject({ label: prediction.label });
    expect(Number(Reflect.get(theirs[at] ?? {}, 'score'))).toBeCloseTo(prediction.scores[prediction.label] ?? 0, 4);
  });
});

/** Of the ONNX standard's operators, those that exports may use (https://onnx.ai/onnx/operators); test/oracle/check_onnx.py holds files against all of it. */
const standard_ops = new Set(
  'Add Cast Clip Concat Conv CumSum DequantizeLinear Div DynamicQuantizeLinear Equal Erf Exp Expand Gather Gelu Gemm GlobalAveragePool Identity LayerNormalization Less LessOrEqual Log MatMul MatMulInteger MaxPool Max Min Mul Neg Pad Pow Range ReduceMax ReduceMean ReduceSum Relu Reshape Shape Sigmoid Slice Softmax Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where And Or Not Greater GreaterOrEqual'.split(
    ' ',
  ),
);

test.each(Object.keys(configs) as Family[])('%s: only ops of the standard stand in the standard’s domain', (family) => {
  const model = createModel({ ...configs[family] }, family);
  const writes = model.heads.includes('causal-lm');
  const classifies = { kind: 'classification', labels: 2 } as const;
  const heads: readonly Head[] = writes ? [classifies, { kind: 'causal-lm' }] : [classifies];
  for (const head of heads) {
    const { nodes } = exportNetwork({ model, head, weights: drawWeights(model, head) });
    const own = nodes.filter(({ domain }) => domain === undefined).map(({ type }) => type);
    expect(own.filter((type) => !standard_ops.has(type))).toEqual([]);
  }
});

describe('an export that answers otherwise', () => {
  test('is refused with both figures, and leaves no file behind', async () => {
    const model = createModel(configs.bert, 'bert');
    const head = { kind: 'classification', labels: 2 } as const;
    const weights = drawWeights(model, head);
    const files = { 'config.json': configs.bert };
    const folder = join(home, 'broken');
    const good = await exportTransformersJs({ model, head, weights, files }, folder, ['fp32']);
    const path = good[0]?.path ?? '';
    // One weight of the file is changed where it lies; the check must see it.
    const bytes = await readFile(path);
    const bias = weights.get('classifier.bias');
    const needle = weights.get('classifier.weight');
    if (!bias || !needle) throw new Error('no classifier');
    const at = bytes.indexOf(Buffer.from(needle.data.buffer, needle.data.byteOffset, needle.data.byteLength));
    expect(at).toBeGreaterThan(0);
    bytes.writeFloatLE(1e3, at);
    await writeFile(path, bytes);
    const { checkParity } = await import('../engine/export/parity.ts');
    await expect(checkParity({ model, head, weights }, path, 'fp32')).rejects.toThrow(
      /answers otherwise than the trained model: they differ by .*, where 0\.10 % is allowed for fp32/,
    );
    expect((await stat(path)).size).toBe(bytes.length);
  });
});
