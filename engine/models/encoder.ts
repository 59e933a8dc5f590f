// The encoder that BERT, RoBERTa, DistilBERT and MPNet share: attention and a feed-forward part, each added to what it read
// and normalised (Vaswani et al. 2017). The families differ in names, positions and heads, which are data here.

import type { Value } from '../graph/ops.ts';
import { type Activation, activate } from './activations.ts';
import { attend } from './attention.ts';
import { asTokens, classNamer, firstOfTokens, meanOfTokens, outputsOf, scoreVocabulary } from './heads.ts';
import { asMatrix, type Layers } from './layers.ts';
import type { Head, ParameterSpec, Part, TextInputs, TextModel } from './model.ts';
import { addRelativeBias, type RelativePositions } from './relative-positions.ts';
import { collectSpecs, type SpecCollector } from './specs.ts';

/** Names of one layer's linear layers and norms. */
interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  readonly inner: string;
  readonly output: string;
  readonly outputNorm: string;
}

export interface EncoderDesign {
  readonly modelType: string;
  /** Of Hugging Face's classes: `Bert` of `BertForMaskedLM`. */
  readonly className: string;
  /** Of every weight of the body: `bert`. Checkpoints of the bare encoder leave it out. */
  readonly prefix: string;
  readonly vocabulary: number;
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  /** Rows of the position table, and the one of the first token. */
  readonly positions: { readonly rows: number; readonly first: number };
  /** Kinds of token, of which the first alone is used; 0 where the family has none. */
  readonly tokenTypes: number;
  readonly relative: RelativePositions | undefined;
  readonly activation: Activation;
  readonly epsilon: number;
  readonly initializerRange: number;
  /** Shares dropped in training. */
  readonly dropout: {
    readonly hidden: number;
    readonly probabilities: number;
    readonly attentionOutput: number;
    readonly classifier: number;
  };
  layer(index: number): LayerNames;
  /** A text's answer from its first token: a dense layer, an activation, a linear layer. */
  readonly sequenceHead: {
    readonly dense: string;
    /** `pooler` where pretraining has trained it. */
    readonly part: Part;
    readonly activation: Activation;
    readonly dropsInput: boolean;
    readonly out: string;
  };
  /** Hidden tokens: a dense layer, an activation and a norm before the words' own table. */
  readonly maskedHead: {
    readonly dense: string;
    readonly activation: Activation;
    readonly norm: string;
    /** The table where it is not the words' own. */
    readonly table: string | undefined;
    readonly bias: string;
  };
  /** Other names of the same weight. */
  readonly synonyms?: { readonly [name: string]: string };
}

/** The names of BERT's layers, which RoBERTa took over. */
export const bertLayer = (prefix: string, index: number): LayerNames => {
  const layer = `${prefix}.encoder.layer.${index}`;
  return {
    query: `${layer}.attention.self.query`,
    key: `${layer}.attention.self.key`,
    value: `${layer}.attention.self.value`,
    attentionOutput: `${layer}.attention.output.dense`,
    attentionNorm: `${layer}.attention.output.LayerNorm`,
    inner: `${layer}.intermediate.dense`,
    output: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
};

const embeddings = ({ prefix }: EncoderDesign, name: string) => `${prefix}.embeddings.${name}`;
const wordTable = (design: EncoderDesign) => embeddings(design, 'word_embeddings.weight');

export function createEncoder(design: EncoderDesign): TextModel {
  const { prefix, synonyms = {} } = design;
  return {
    modality: 'text',
    direction: 'encoder',
    modelType: design.modelType,
    heads: ['classification', 'regression', 'token-classification', 'masked-lm', 'embedding'],
    vocabularySize: design.vocabulary,
    maxLength: design.positions.rows - design.positions.first,
    hiddenSize: design.hidden,
    // As PEFT chooses them for BERT.
    loraTargets: Array.from({ length: design.layers }, (_, index) => {
      const { query, value } = design.layer(index);
      return [query, value].map((name) => ({ name, layout: 'out-in' }) as const);
    }).flat(),
    parameters: (head) => encoderParameters(design, head),
    // Checkpoints from TensorFlow call a LayerNorm's weights gamma and beta.
    storedNames: (name) => {
      const bare = name.startsWith(`${prefix}.`) ? [name.slice(prefix.length + 1)] : [];
      return [name, ...(synonyms[name] ? [synonyms[name]] : []), ...bare].flatMap((one) => {
        const old = one.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
        return old === one ? [one] : [one, old];
      });
    },
    architecture: classNamer(design.className),
    build: (layers, inputs, head) => buildEncoder(layers, design, inputs, head),
    decoding: undefined,
  };
}

function encoderParameters(design: EncoderDesign, head: Head): ReadonlyMap<string, ParameterSpec> {
  const { hidden, relative } = design;
  const collector = collectSpecs(design.initializerRange);
  const { specs, add, linear, norm } = collector;
  const normal = { normal: design.initializerRange };
  add(wordTable(design), [design.vocabulary, hidden], normal);
  add(embeddings(design, 'position_embeddings.weight'), [design.positions.rows, hidden], normal);
  if (design.tokenTypes > 0) {
    add(embeddings(design, 'token_type_embeddings.weight'), [design.tokenTypes, hidden], normal);
  }
  norm(embeddings(design, 'LayerNorm'), hidden);
  for (let index = 0; index < design.layers; index++) {
    const names = design.layer(index);
    for (const name of [names.query, names.key, names.value, names.attentionOutput]) linear(name, hidden, hidden);
    norm(names.attentionNorm, hidden);
    linear(names.inner, design.inner, hidden);
    linear(names.output, hidden, design.inner);
    norm(names.outputNorm, hidden);
  }
  if (relative) add(relative.table, [relative.buckets, design.heads], normal);
  addHead(collector, design, head);
  return specs;
}

function addHead({ add, linear, norm }: SpecCollector, design: EncoderDesign, head: Head): void {
  const { hidden, sequenceHead, maskedHead } = design;
  if (head.kind === 'classification' || head.kind === 'regression') {
    linear(sequenceHead.dense, hidden, hidden, { part: sequenceHead.part });
    linear(sequenceHead.out, outputsOf(head), hidden, { part: 'head' });
  } else if (head.kind === 'token-classification') {
    linear('classifier', outputsOf(head), hidden, { part: 'head' });
  } else if (head.kind === 'masked-lm') {
    linear(maskedHead.dense, hidden, hidden, { part: 'pooler' });
    norm(maskedHead.norm, hidden, 'pooler');
    const normal = { normal: design.initializerRange };
    if (maskedHead.table) add(maskedHead.table, [design.vocabulary, hidden], normal, 'pooler');
    add(maskedHead.bias, [design.vocabulary], 'zeros', 'pooler');
  }
}

/** One text a row: every token is of the first kind. */
function buildEncoder(
  layers: Layers,
  design: EncoderDesign,
  { inputIds, attentionBias }: TextInputs,
  head: Head,
): Value {
  const { g } = layers;
  const [rows = 0, length = 0] = inputIds.shape;
  const { heads, hidden, dropout } = design;
  const depth = hidden / heads;
  const shape = { rows, length, heads, keyHeads: heads, depth, dropout: dropout.probabilities };
  const bias = design.relative ? addRelativeBias(layers, attentionBias, design.relative) : attentionBias;
  let x = embed(layers, design, inputIds);
  for (let index = 0; index < design.layers; index++) {
    layers.boundary();
    const names = design.layer(index);
    const query = g.op('Mul', [layers.linear(x, names.query), g.scalar(1 / Math.sqrt(depth))]);
    const inputs = { query, key: layers.linear(x, names.key), value: layers.linear(x, names.value), bias };
    const attended = layers.linear(attend(layers, inputs, shape), names.attentionOutput);
    x = addAndNorm(layers, design, names.attentionNorm, layers.dropout(attended, dropout.attentionOutput), x);
    const inner = activate(g, design.activation, layers.linear(x, names.inner));
    x = addAndNorm(
      layers,
      design,
      names.outputNorm,
      layers.dropout(layers.linear(inner, names.output), dropout.hidden),
      x,
    );
  }
  return answer(layers, design, x, attentionBias, head);
}

/** Word + position + kind, normalised: [rows · length, hidden]. */
function embed(layers: Layers, design: EncoderDesign, inputIds: Value): Value {
  const { g, weight } = layers;
  const length = inputIds.shape[1] ?? 0;
  const { first } = design.positions;
  const take = (name: string, start: number, end: number) =>
    g.op('Slice', [weight(embeddings(design, name))], { axis: 0, start, end });
  const places = take('position_embeddings.weight', first, first + length);
  const added = design.tokenTypes > 0 ? g.op('Add', [places, take('token_type_embeddings.weight', 0, 1)]) : places;
  const sum = g.op('Add', [g.op('Gather', [weight(wordTable(design)), inputIds]), added]);
  return layers.dropout(norm(layers, design, embeddings(design, 'LayerNorm'), asMatrix(g, sum)), design.dropout.hidden);
}

function answer(layers: Layers, design: EncoderDesign, tokens: Value, attentionBias: Value, head: Head): Value {
  const { g } = layers;
  const [rows = 0, , , length = 0] = attentionBias.shape;
  const { sequenceHead, maskedHead, dropout } = design;
  switch (head.kind) {
    case 'classification':
    case 'regression': {
      const first = firstOfTokens(layers, tokens, attentionBias);
      const read = sequenceHead.dropsInput ? layers.dropout(first, dropout.classifier) : first;
      const dense = activate(g, sequenceHead.activation, layers.linear(read, sequenceHead.dense));
      return layers.linear(layers.dropout(dense, dropout.classifier), sequenceHead.out);
    }
    case 'token-classification':
      return asTokens(g, layers.linear(layers.dropout(tokens, dropout.classifier), 'classifier'), rows, length);
    case 'masked-lm': {
      const dense = activate(g, maskedHead.activation, layers.linear(tokens, maskedHead.dense));
      const ready = norm(layers, design, maskedHead.norm, dense);
      const table = maskedHead.table ?? wordTable(design);
      return scoreVocabulary(layers, ready, { table, bias: maskedHead.bias }, rows, length);
    }
    case 'embedding':
      return meanOfTokens(layers, tokens, attentionBias);
    case 'causal-lm':
    case 'contrast':
      throw new Error(`${design.modelType} is an encoder: it has no ${head.kind} head`);
  }
}

/** LayerNorm(y + x). */
function addAndNorm(layers: Layers, design: EncoderDesign, name: string, y: Value, x: Value): Value {
  return norm(layers, design, name, layers.g.op('Add', [y, x]));
}

function norm({ g, weight }: Layers, { epsilon }: EncoderDesign, name: string, x: Value): Value {
  return g.op('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], { epsilon });
}
