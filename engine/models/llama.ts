// The Llama family (Touvron et al. 2023) and its kin Mistral, Qwen2 and Qwen3: rotary positions, RMS norms, gated feed-forward
// parts, several query heads to a key head. What sets one member apart from another stands in llama-design.ts.
import type { Value } from '../graph/ops.ts';
import { elementCount } from '../graph/tensor.ts';
import { activate } from './activations.ts';
import { attend, attendWithPast, causalBias, type KeyValue } from './attention.ts';
import { addDecoderHead, answerCached, answerDecoder, decoder_heads } from './decoder-heads.ts';
import { classNamer } from './heads.ts';
import { asMatrix, type Layers } from './layers.ts';
import { designLlama, type LlamaDesign } from './llama-design.ts';
import type { CachedInputs, CachedOutputs, Head, ParameterSpec, TextInputs, TextModel } from './model.ts';
import { longestText, rotaryTables } from './rope.ts';
import { collectSpecs } from './specs.ts';

const prefix = 'model';
const word_table = `${prefix}.embed_tokens.weight`;
const layerPrefix = (layer: number) => `${prefix}.layers.${layer}`;

/** @throws UserError naming the file and the field that does not fit. */
export function createLlama(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const design = designLlama(raw, source);
  const { config, member, depth, keyHeads, scaling, window } = design;
  return {
    modality: 'text',
    direction: 'decoder',
    modelType: config.model_type,
    heads: decoder_heads,
    vocabularySize: config.vocab_size,
    maxLength: longestText({ scaling, maxPositions: config.max_position_embeddings }),
    hiddenSize: config.hidden_size,
    // As PEFT chooses them for Llama and its kin.
    loraTargets: Array.from({ length: config.num_hidden_layers }, (_, layer) =>
      ['q_proj', 'v_proj'].map(
        (part) => ({ name: `${layerPrefix(layer)}.self_attn.${part}`, layout: 'out-in' }) as const,
      ),
    ).flat(),
    parameters: (head) => llamaParameters(design, head),
    // Checkpoints of the bare decoder leave the prefix out.
    storedNames: (name) => (name.startsWith(`${prefix}.`) ? [name, name.slice(prefix.length + 1)] : [name]),
    architecture: classNamer(member.className),
    build: (layers, inputs, head) => buildLlama(layers, design, inputs, head),
    decoding: {
      layers: config.num_hidden_layers,
      keyHeads,
      depth,
      slidingWindow: window,
      build: (layers, inputs, head) => continueLlama(layers, design, inputs, head),
    },
  };
}

const headDesign = ({ config }: LlamaDesign) => ({
  vocabulary: config.vocab_size,
  hidden: config.hidden_size,
  initializerRange: config.initializer_range,
  wordTable: word_table,
  tied: config.tie_word_embeddings,
  tokenClassifier: 'score',
  tokenDropout: config.classifier_dropout ?? config.hidden_dropout ?? 0.1,
});

function llamaParameters(design: LlamaDesign, head: Head): ReadonlyMap<string, ParameterSpec> {
  const { config, member, depth, keyHeads } = design;
  const { hidden_size: hidden, intermediate_size: inner, mlp_bias } = config;
  const collector = collectSpecs(config.initializer_range);
  const { specs, add, linear } = collector;
  const norm = (name: string, size: number) => add(`${name}.weight`, [size], 'ones');
  const bias = member.biases(config);
  const width = config.num_attention_heads * depth;
  add(word_table, [config.vocab_size, hidden], { normal: config.initializer_range });
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const l = layerPrefix(layer);
    norm(`${l}.input_layernorm`, hidden);
    linear(`${l}.self_attn.q_proj`, width, hidden, { bias: bias.query });
    linear(`${l}.self_attn.k_proj`, keyHeads * depth, hidden, { bias: bias.query });
    linear(`${l}.self_attn.v_proj`, keyHeads * depth, hidden, { bias: bias.query });
    linear(`${l}.self_attn.o_proj`, hidden, width, { bias: bias.output });
    if (member.normsHeads) for (const part of ['q_norm', 'k_norm']) norm(`${l}.self_attn.${part}`, depth);
    norm(`${l}.post_attention_layernorm`, hidden);
    for (const part of ['gate_proj', 'up_proj']) linear(`${l}.mlp.${part}`, inner, hidden, { bias: mlp_bias });
    linear(`${l}.mlp.down_proj`, hidden, inner, { bias: mlp_bias });
  }
  norm(`${prefix}.norm`, hidden);
  addDecoderHead(collector, headDesign(design), head);
  return specs;
}

/** Turns queries (which it also scales by 1/√depth) or keys [rows · length, heads · depth] by their places. */
interface Turns {
  query(x: Value): Value;
  key(x: Value): Value;
}

/** A layer's turned query, key and value to what attention makes of them. */
type Attend = (inputs: { query: Value; key: Value; value: Value }, layer: number) => Value;

function buildLlama(layers: Layers, design: LlamaDesign, inputs: TextInputs, head: Head): Value {
  const { g } = layers;
  const { inputIds, attentionBias, positions } = inputs;
  const [rows = 0, length = 0] = inputIds.shape;
  const everything = g.op('Add', [attentionBias, causalBias(g, length)]);
  const slides = design.window !== undefined && design.window < length;
  const nearest = slides ? g.op('Add', [attentionBias, causalBias(g, length, design.window)]) : everything;
  const shape = attentionShape(design, rows, length);
  const turn = (scale: number) => {
    const tables = anglesOf(layers, design, length, scale);
    if (positions) return turnEach(layers, tables, positions);
    return (x: Value) => {
      const apart = g.op('Reshape', [x], { shape: [rows, length, x.shape[1] ?? 0] });
      return g.op('Reshape', [g.op('RotaryEmbedding', [apart, tables.cos, tables.sin])], { shape: x.shape });
    };
  };
  const turns = { query: turn(1 / Math.sqrt(design.depth)), key: turn(1) };
  const tokens = decode(layers, design, inputIds, turns, (own, layer) => {
    const bias = design.member.slides(design.config, layer) ? nearest : everything;
    return attend(layers, { ...own, bias }, shape);
  });
  return answerDecoder(layers, headDesign(design), tokens, attentionBias, head);
}

function continueLlama(layers: Layers, design: LlamaDesign, inputs: CachedInputs, head?: Head): CachedOutputs {
  const { inputIds, positions, attentionBias, slidingBias = attentionBias, past } = inputs;
  const [rows = 0, length = 0] = inputIds.shape;
  const shape = attentionShape(design, rows, length);
  const presents: KeyValue[] = [];
  const added: KeyValue[] = [];
  const turn = (scale: number) => turnEach(layers, anglesOf(layers, design, inputs.positionLimit, scale), positions);
  const turns = { query: turn(1 / Math.sqrt(design.depth)), key: turn(1) };
  const tokens = decode(layers, design, inputIds, turns, (own, layer) => {
    const bias = design.member.slides(design.config, layer) ? slidingBias : attentionBias;
    const answer = attendWithPast(layers, { ...own, bias }, past[layer], shape);
    presents.push(answer.present);
    added.push(answer.added);
    return answer.context;
  });
  return { logits: answerCached(layers, headDesign(design), tokens, inputs, head), presents, added };
}

/** Every token has a place of its own: all rows are turned as one, each by the angles picked for it. */
function turnEach({ g }: Layers, tables: { readonly cos: Value; readonly sin: Value }, positions: Value) {
  const [rows = 0, length = 0] = positions.shape;
  const places = g.op('Reshape', [positions], { shape: [rows * length] });
  const cos = g.op('Gather', [tables.cos, places]);
  const sin = g.op('Gather', [tables.sin, places]);
  return (x: Value) => {
    const together = g.op('Reshape', [x], { shape: [1, rows * length, x.shape[1] ?? 0] });
    return g.op('Reshape', [g.op('RotaryEmbedding', [together, cos, sin])], { shape: x.shape });
  };
}

const attentionShape = ({ config, keyHeads, depth }: LlamaDesign, rows: number, length: number) => ({
  rows,
  length,
  heads: config.num_attention_heads,
  keyHeads,
  depth,
  dropout: config.attention_dropout,
});

/** cos and sin of the first places, [places, depth/2], times `scale`. */
function anglesOf({ g }: Layers, { config, scaling, theta, depth }: LlamaDesign, places: number, scale: number) {
  const rope = { scaling, theta, depth, maxPositions: config.max_position_embeddings };
  const { cos, sin } = rotaryTables(rope, places, scale);
  return { cos: g.constant({ type: 'float32', ...cos }), sin: g.constant({ type: 'float32', ...sin }) };
}

/** The layers, and the norm after them: [rows · length, hidden]. */
function decode(layers: Layers, design: LlamaDesign, inputIds: Value, turns: Turns, attendTo: Attend): Value {
  const { config, member } = design;
  const { g, weight } = layers;
  const norm = (name: string, value: Value) =>
    g.op('RmsNormalization', [value, weight(`${name}.weight`)], { epsilon: config.rms_norm_eps });
  const normHeads = (name: string, value: Value) => {
    if (!member.normsHeads) return value;
    const heads = elementCount(value.shape) / design.depth;
    const apart = g.op('Reshape', [value], { shape: [heads, design.depth] });
    return g.op('Reshape', [norm(name, apart)], { shape: value.shape });
  };
  const bias = member.biases(config);
  let x = asMatrix(g, g.op('Gather', [weight(word_table), inputIds]));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    layers.boundary();
    const l = layerPrefix(layer);
    const read = norm(`${l}.input_layernorm`, x);
    const project = (part: string) => layers.linear(read, `${l}.self_attn.${part}_proj`, { bias: bias.query });
    const query = turns.query(normHeads(`${l}.self_attn.q_norm`, project('q')));
    const key = turns.key(normHeads(`${l}.self_attn.k_norm`, project('k')));
    const context = attendTo({ query, key, value: project('v') }, layer);
    x = g.op('Add', [x, layers.linear(context, `${l}.self_attn.o_proj`, { bias: bias.output })]);
    const stream = norm(`${l}.post_attention_layernorm`, x);
    const widen = (part: string) => layers.linear(stream, `${l}.mlp.${part}_proj`, { bias: config.mlp_bias });
    const inner = g.op('Mul', [activate(g, config.hidden_act, widen('gate')), widen('up')]);
    x = g.op('Add', [x, layers.linear(inner, `${l}.mlp.down_proj`, { bias: config.mlp_bias })]);
  }
  return norm(`${prefix}.norm`, x);
}
