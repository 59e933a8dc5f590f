// GPT-2 (Radford et al. 2019): norms before attention and feed-forward part, weights that lie [in, out], words scored by their own table.
import { z } from 'zod';
import type { Value } from '../graph/ops.ts';
import { activate, activationSchema } from './activations.ts';
import { attend, attendWithPast, causalBias, type KeyValue } from './attention.ts';
import { addDecoderHead, answerCached, answerDecoder, decoder_heads } from './decoder-heads.ts';
import { rateSchema, sizeSchema } from './encoder-config.ts';
import { classNamer } from './heads.ts';
import { asMatrix, type Layers } from './layers.ts';
import type { CachedInputs, CachedOutputs, Head, ParameterSpec, TextInputs, TextModel } from './model.ts';
import { parseConfig } from './parse-config.ts';
import { collectSpecs } from './specs.ts';

const gpt2ConfigSchema = z
  .object({
    model_type: z.literal('gpt2'),
    vocab_size: sizeSchema,
    n_positions: sizeSchema,
    n_embd: sizeSchema,
    n_layer: sizeSchema,
    n_head: sizeSchema,
    n_inner: sizeSchema.nullish(),
    activation_function: activationSchema.default('gelu_new'),
    embd_pdrop: rateSchema.default(0.1),
    attn_pdrop: rateSchema.default(0.1),
    resid_pdrop: rateSchema.default(0.1),
    classifier_dropout: rateSchema.nullish(),
    hidden_dropout: rateSchema.nullish(),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    initializer_range: z.number().positive().default(0.02),
    scale_attn_weights: z.literal(true).default(true),
    scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine((config) => config.n_embd % config.n_head === 0, { message: 'n_embd must be a multiple of n_head' });

/** The keys of `config.json` that shape the network; names as there. */
type Gpt2Config = z.output<typeof gpt2ConfigSchema>;

const prefix = 'transformer';
const layerPrefix = (layer: number) => `${prefix}.h.${layer}`;
const in_out = { layout: 'in-out' } as const;
const word_table = `${prefix}.wte.weight`;
const place_table = `${prefix}.wpe.weight`;

const headDesign = (config: Gpt2Config) => ({
  vocabulary: config.vocab_size,
  hidden: config.n_embd,
  initializerRange: config.initializer_range,
  wordTable: word_table,
  tied: config.tie_word_embeddings,
  tokenClassifier: 'classifier',
  tokenDropout: config.classifier_dropout ?? config.hidden_dropout ?? 0.1,
});

/** @throws UserError naming the file and the field that does not fit. */
export function createGpt2(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const config = parseConfig(gpt2ConfigSchema, raw, source);
  const nameClass = classNamer('GPT2');
  return {
    modality: 'text',
    direction: 'decoder',
    modelType: 'gpt2',
    heads: decoder_heads,
    vocabularySize: config.vocab_size,
    maxLength: config.n_positions,
    hiddenSize: config.n_embd,
    // As PEFT chooses them for GPT-2.
    loraTargets: Array.from({ length: config.n_layer }, (_, layer) => ({
      name: `${layerPrefix(layer)}.attn.c_attn`,
      ...in_out,
    })),
    parameters: (head) => gpt2Parameters(config, head),
    // Checkpoints of the bare decoder leave the prefix out.
    storedNames: (name) => (name.startsWith(`${prefix}.`) ? [name, name.slice(prefix.length + 1)] : [name]),
    architecture: (head) => (head.kind === 'causal-lm' ? 'GPT2LMHeadModel' : nameClass(head)),
    build: (layers, inputs, head) => buildGpt2(layers, config, inputs, head),
    decoding: {
      layers: config.n_layer,
      keyHeads: config.n_head,
      depth: config.n_embd / config.n_head,
      slidingWindow: undefined,
      build: (layers, inputs, head) => continueGpt2(layers, config, inputs, head),
    },
  };
}

function gpt2Parameters(config: Gpt2Config, head: Head): ReadonlyMap<string, ParameterSpec> {
  const hidden = config.n_embd;
  const inner = config.n_inner ?? 4 * hidden;
  const collector = collectSpecs(config.initializer_range);
  const { specs, add, linear, norm } = collector;
  // What is added to the stream starts smaller, the more layers add to it.
  const added = { ...in_out, initial: { normal: config.initializer_range / Math.sqrt(2 * config.n_layer) } };
  add(word_table, [config.vocab_size, hidden], { normal: config.initializer_range });
  add(place_table, [config.n_positions, hidden], { normal: config.initializer_range });
  for (let layer = 0; layer < config.n_layer; layer++) {
    const h = layerPrefix(layer);
    norm(`${h}.ln_1`, hidden);
    linear(`${h}.attn.c_attn`, 3 * hidden, hidden, in_out);
    linear(`${h}.attn.c_proj`, hidden, hidden, added);
    norm(`${h}.ln_2`, hidden);
    linear(`${h}.mlp.c_fc`, inner, hidden, in_out);
    linear(`${h}.mlp.c_proj`, hidden, inner, added);
  }
  norm(`${prefix}.ln_f`, hidden);
  addDecoderHead(collector, headDesign(config), head);
  return specs;
}

/** A layer's query, key and value, each [rows · length, hidden], to what attention makes of them. */
type Attend = (inputs: { query: Value; key: Value; value: Value }, layer: number) => Value;

function buildGpt2(layers: Layers, config: Gpt2Config, inputs: TextInputs, head: Head): Value {
  const { inputIds, attentionBias, positions } = inputs;
  const { g, weight } = layers;
  const [rows = 0, length = 0] = inputIds.shape;
  const bias = g.op('Add', [attentionBias, causalBias(g, length)]);
  const shape = attentionShape(config, rows, length);
  const places = positions
    ? g.op('Gather', [weight(place_table), positions])
    : g.op('Slice', [weight(place_table)], { axis: 0, start: 0, end: length });
  const words = g.op('Gather', [weight(word_table), inputIds]);
  const x = asMatrix(g, g.op('Add', [words, places]));
  const tokens = decode(layers, config, x, (inputs) => attend(layers, { ...inputs, bias }, shape));
  return answerDecoder(layers, headDesign(config), tokens, attentionBias, head);
}

function continueGpt2(layers: Layers, config: Gpt2Config, inputs: CachedInputs, head?: Head): CachedOutputs {
  const { g, weight } = layers;
  const { inputIds, positions, attentionBias: bias, past } = inputs;
  const [rows = 0, length = 0] = inputIds.shape;
  const shape = attentionShape(config, rows, length);
  const presents: KeyValue[] = [];
  const added: KeyValue[] = [];
  const places = g.op('Gather', [weight(place_table), positions]);
  const x = asMatrix(g, g.op('Add', [g.op('Gather', [weight(word_table), inputIds]), places]));
  const tokens = decode(layers, config, x, (own, layer) => {
    const answer = attendWithPast(layers, { ...own, bias }, past[layer], shape);
    presents.push(answer.present);
    added.push(answer.added);
    return answer.context;
  });
  return { logits: answerCached(layers, headDesign(config), tokens, inputs, head), presents, added };
}

const attentionShape = (config: Gpt2Config, rows: number, length: number) => ({
  rows,
  length,
  heads: config.n_head,
  keyHeads: config.n_head,
  depth: config.n_embd / config.n_head,
  dropout: config.attn_pdrop,
});

/** The layers, and the norm after them: [rows · length, hidden]. */
function decode(layers: Layers, config: Gpt2Config, start: Value, attendTo: Attend): Value {
  const { g, weight } = layers;
  const norm = (name: string, value: Value) =>
    g.op('LayerNormalization', [value, weight(`${name}.weight`), weight(`${name}.bias`)], {
      epsilon: config.layer_norm_epsilon,
    });
  const scale = g.scalar(1 / Math.sqrt(config.n_embd / config.n_head));
  let x = layers.dropout(start, config.embd_pdrop);
  for (let layer = 0; layer < config.n_layer; layer++) {
    layers.boundary();
    const h = layerPrefix(layer);
    const all = layers.linear(norm(`${h}.ln_1`, x), `${h}.attn.c_attn`, in_out);
    const [q = all, key = all, value = all] = g.ops('Split', [all], { axis: 1, parts: 3 });
    const context = attendTo({ query: g.op('Mul', [q, scale]), key, value }, layer);
    const attended = layers.linear(context, `${h}.attn.c_proj`, in_out);
    x = g.op('Add', [x, layers.dropout(attended, config.resid_pdrop)]);
    const inner = layers.linear(norm(`${h}.ln_2`, x), `${h}.mlp.c_fc`, in_out);
    const outer = layers.linear(activate(g, config.activation_function, inner), `${h}.mlp.c_proj`, in_out);
    x = g.op('Add', [x, layers.dropout(outer, config.resid_pdrop)]);
  }
  return norm(`${prefix}.ln_f`, x);
}
