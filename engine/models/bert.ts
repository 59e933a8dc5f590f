// BERT (Devlin et al. 2018): config and weights to a graph, with Hugging Face's weight names.
import { z } from 'zod';
import type { GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import type { Shape } from '../graph/tensor.ts';
import { asMatrix, type Layers } from './layers.ts';
import type { Head, ParameterSpec, TextInputs, TextModel } from './model.ts';
import { parseConfig } from './parse-config.ts';

const activations = ['gelu', 'gelu_new', 'relu'] as const;
const size = z.number().int().min(1).max(1_000_000);
const rate = z.number().min(0).lt(1);

const bertConfigSchema = z
  .object({
    model_type: z.literal('bert'),
    vocab_size: size,
    hidden_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    intermediate_size: size,
    hidden_act: z.enum(activations).default('gelu'),
    hidden_dropout_prob: rate.default(0.1),
    attention_probs_dropout_prob: rate.default(0.1),
    classifier_dropout: rate.nullish(),
    max_position_embeddings: size,
    type_vocab_size: size.default(2),
    initializer_range: z.number().positive().default(0.02),
    layer_norm_eps: z.number().positive().default(1e-12),
    position_embedding_type: z.literal('absolute').default('absolute'),
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    message: 'hidden_size must be a multiple of num_attention_heads',
  });

/** The keys of `config.json` that shape the network; names as there. */
type BertConfig = z.output<typeof bertConfigSchema>;

const layerPrefix = (layer: number) => `bert.encoder.layer.${layer}`;

/** @throws UserError naming the file and the field that does not fit. */
export function createBert(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const config = parseConfig(bertConfigSchema, raw, source);
  return {
    modality: 'text',
    direction: 'encoder',
    modelType: 'bert',
    heads: ['classification'],
    vocabularySize: config.vocab_size,
    maxLength: config.max_position_embeddings,
    hiddenSize: config.hidden_size,
    // As PEFT chooses them for BERT.
    loraTargets: Array.from({ length: config.num_hidden_layers }, (_, layer) =>
      ['query', 'value'].map(
        (part) => ({ name: `${layerPrefix(layer)}.attention.self.${part}`, layout: 'out-in' }) as const,
      ),
    ).flat(),
    parameters: (head) => bertParameters(config, head),
    storedNames,
    architecture: () => 'BertForSequenceClassification',
    build: (layers, inputs, head) => buildBert(layers, config, inputs, head),
  };
}

/** Checkpoints of the bare encoder leave the prefix out; those from TensorFlow call a LayerNorm's weights gamma and beta. */
function storedNames(name: string): string[] {
  const bare = name.replace(/^bert\./, '');
  return [name, bare].flatMap((one) => [
    one,
    one.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
  ]);
}

function bertParameters(config: BertConfig, head: Head): Map<string, ParameterSpec> {
  const hidden = config.hidden_size;
  const specs = new Map<string, ParameterSpec>();
  const normal = { normal: config.initializer_range };
  const add = (name: string, shape: Shape, initial: ParameterSpec['initial'], part: ParameterSpec['part'] = 'body') =>
    specs.set(name, { shape, initial, part });
  const linear = (name: string, out: number, input: number, part: ParameterSpec['part'] = 'body') => {
    add(`${name}.weight`, [out, input], normal, part);
    add(`${name}.bias`, [out], 'zeros', part);
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [hidden], 'ones');
    add(`${name}.bias`, [hidden], 'zeros');
  };
  add('bert.embeddings.word_embeddings.weight', [config.vocab_size, hidden], normal);
  add('bert.embeddings.position_embeddings.weight', [config.max_position_embeddings, hidden], normal);
  add('bert.embeddings.token_type_embeddings.weight', [config.type_vocab_size, hidden], normal);
  norm('bert.embeddings.LayerNorm');
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const prefix = layerPrefix(layer);
    for (const part of ['query', 'key', 'value']) linear(`${prefix}.attention.self.${part}`, hidden, hidden);
    linear(`${prefix}.attention.output.dense`, hidden, hidden);
    norm(`${prefix}.attention.output.LayerNorm`);
    linear(`${prefix}.intermediate.dense`, config.intermediate_size, hidden);
    linear(`${prefix}.output.dense`, hidden, config.intermediate_size);
    norm(`${prefix}.output.LayerNorm`);
  }
  linear('bert.pooler.dense', hidden, hidden, 'pooler');
  if (head.kind === 'classification') linear('classifier', head.labels, hidden, 'head');
  return specs;
}

/** Adds the network. @returns logits [rows, labels]. One text a row: every token is of type 0. */
function buildBert(layers: Layers, config: BertConfig, { inputIds, attentionBias }: TextInputs, head: Head): Value {
  if (head.kind !== 'classification') throw new Error(`BERT has no ${head.kind} head yet`);
  const { g } = layers;
  const [rows = 0, length = 0] = inputIds.shape;
  const hidden = config.hidden_size;
  let x = asMatrix(g, embed(layers, config, inputIds));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const prefix = layerPrefix(layer);
    const attended = attend(layers, config, `${prefix}.attention.self`, x, attentionBias);
    x = addAndNorm(layers, config, `${prefix}.attention.output`, attended, x);
    const inner = activate(g, config.hidden_act, layers.linear(x, `${prefix}.intermediate.dense`));
    x = addAndNorm(layers, config, `${prefix}.output`, inner, x);
  }
  const tokens = g.op('Reshape', [x], { shape: [rows, length, hidden] });
  const first = asMatrix(g, g.op('Slice', [tokens], { axis: 1, start: 0, end: 1 }));
  const pooled = g.op('Tanh', [layers.linear(first, 'bert.pooler.dense')]);
  return layers.linear(layers.dropout(pooled, config.classifier_dropout ?? config.hidden_dropout_prob), 'classifier');
}

/** Word + position + type, normalised: [rows, length, hidden]. */
function embed(layers: Layers, config: BertConfig, inputIds: Value): Value {
  const { g, weight } = layers;
  const length = inputIds.shape[1] ?? 0;
  const words = g.op('Gather', [weight('bert.embeddings.word_embeddings.weight'), inputIds]);
  const firstRows = (name: string, end: number) =>
    g.op('Slice', [weight(`bert.embeddings.${name}.weight`)], { axis: 0, start: 0, end });
  const places = g.op('Add', [firstRows('position_embeddings', length), firstRows('token_type_embeddings', 1)]);
  const sum = g.op('Add', [words, places]);
  return layers.dropout(norm(layers, config, 'bert.embeddings.LayerNorm', sum), config.hidden_dropout_prob);
}

/** Multi-head self-attention: softmax(Q·Kᵀ/√d + bias)·V over x [rows·length, hidden]. */
function attend(layers: Layers, config: BertConfig, prefix: string, x: Value, attentionBias: Value): Value {
  const { g } = layers;
  const heads = config.num_attention_heads;
  const depth = config.hidden_size / heads;
  const rows = attentionBias.shape[0] ?? 0;
  const length = attentionBias.shape[3] ?? 0;
  const split = (part: string, perm: readonly number[]) => {
    const y = g.op('Reshape', [layers.linear(x, `${prefix}.${part}`)], { shape: [rows, length, heads, depth] });
    return g.op('Transpose', [y], { perm });
  };
  const query = g.op('Mul', [split('query', [0, 2, 1, 3]), g.scalar(1 / Math.sqrt(depth))]);
  const scores = g.op('MatMul', [query, split('key', [0, 2, 3, 1])]);
  const probabilities = g.op('Softmax', [g.op('Add', [scores, attentionBias])]);
  const dropped = layers.dropout(probabilities, config.attention_probs_dropout_prob);
  const context = g.op('MatMul', [dropped, split('value', [0, 2, 1, 3])]);
  return g.op('Reshape', [g.op('Transpose', [context], { perm: [0, 2, 1, 3] })], { shape: x.shape });
}

/** LayerNorm(dropout(dense(y)) + x). */
function addAndNorm(layers: Layers, config: BertConfig, prefix: string, y: Value, x: Value): Value {
  const projected = layers.dropout(layers.linear(y, `${prefix}.dense`), config.hidden_dropout_prob);
  return norm(layers, config, `${prefix}.LayerNorm`, layers.g.op('Add', [projected, x]));
}

function norm({ g, weight }: Layers, config: BertConfig, name: string, x: Value): Value {
  return g.op('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], {
    epsilon: config.layer_norm_eps,
  });
}

function activate(g: GraphBuilder, activation: BertConfig['hidden_act'], x: Value): Value {
  if (activation === 'gelu') return g.op('Gelu', [x]);
  if (activation === 'relu') return g.op('Relu', [x]);
  // gelu_new: ½x(1 + tanh(√(2/π)(x + 0.044715x³)))
  const cube = g.op('Mul', [g.op('Mul', [g.op('Mul', [x, x]), x]), g.scalar(0.044715)]);
  const inner = g.op('Mul', [g.op('Add', [x, cube]), g.scalar(Math.sqrt(2 / Math.PI))]);
  const gate = g.op('Add', [g.op('Tanh', [inner]), g.scalar(1)]);
  return g.op('Mul', [g.op('Mul', [x, gate]), g.scalar(0.5)]);
}
