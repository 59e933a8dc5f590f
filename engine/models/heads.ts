// What turns a body's token vectors into answers, for every text family.
import type { GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import type { Layers } from './layers.ts';
import type { Head, HeadKind } from './model.ts';

/** How many numbers a head that answers for the whole text gives. */
export function outputsOf(head: Head): number {
  if (head.kind === 'classification' || head.kind === 'token-classification') return head.labels;
  if (head.kind === 'regression') return head.targets;
  throw new Error(`a ${head.kind} head has no count of outputs`);
}

const class_suffixes: { readonly [Kind in HeadKind]: string } = {
  classification: 'ForSequenceClassification',
  regression: 'ForSequenceClassification',
  'token-classification': 'ForTokenClassification',
  'masked-lm': 'ForMaskedLM',
  'causal-lm': 'ForCausalLM',
  embedding: 'Model',
  contrast: 'Model',
};

/** The class of Hugging Face's library with this head. */
export const classNamer =
  (prefix: string) =>
  (head: Head): string =>
    prefix + class_suffixes[head.kind];

/** 1 where there is a token, 0 where there is padding: [rows, 1, length]. */
function tokenMask({ g }: Layers, attentionBias: Value): Value {
  const [rows = 0, , , length = 0] = attentionBias.shape;
  const mask = g.op('Cast', [g.op('Equal', [attentionBias, g.scalar(0)])], { to: 'float32' });
  return g.op('Reshape', [mask], { shape: [rows, 1, length] });
}

/** Mean over the tokens of each text: [rows · length, hidden] → [rows, hidden]; 0 for a row of padding. */
export function meanOfTokens(layers: Layers, tokens: Value, attentionBias: Value): Value {
  const { g } = layers;
  const [rows = 0, , , length = 0] = attentionBias.shape;
  const width = tokens.shape[1] ?? 0;
  const mask = tokenMask(layers, attentionBias);
  const sum = g.op('MatMul', [mask, g.op('Reshape', [tokens], { shape: [rows, length, width] })]);
  const count = g.op('Clip', [g.op('ReduceSum', [mask], { axes: [2], keepDims: true })], { min: 1, max: length });
  return g.op('Reshape', [g.op('Div', [sum, count])], { shape: [rows, width] });
}

/** The first token of each text: [rows · length, hidden] → [rows, hidden]. */
export function firstOfTokens({ g }: Layers, tokens: Value, attentionBias: Value): Value {
  const [rows = 0, , , length = 0] = attentionBias.shape;
  const width = tokens.shape[1] ?? 0;
  const apart = g.op('Reshape', [tokens], { shape: [rows, length, width] });
  const first = g.op('Slice', [apart], { axis: 1, start: 0, end: 1 });
  return g.op('Reshape', [first], { shape: [rows, width] });
}

/** The last token of each text, padding standing on the right: [rows · length, hidden] → [rows, hidden]. */
export function lastOfTokens(layers: Layers, tokens: Value, attentionBias: Value): Value {
  const { g } = layers;
  const [rows = 0, , , length = 0] = attentionBias.shape;
  const count = g.op('ReduceSum', [tokenMask(layers, attentionBias)], { axes: [1, 2], keepDims: false });
  // A row of padding alone answers from its first place.
  const last = g.op('Clip', [g.op('Sub', [count, g.scalar(1)])], { min: 0, max: length - 1 });
  const starts = g.constant({
    type: 'int32',
    shape: [rows],
    data: Int32Array.from({ length: rows }, (_, row) => row * length),
  });
  const places = g.op('Add', [g.op('Cast', [last], { to: 'int32' }), starts]);
  return g.op('Gather', [tokens, places]);
}

/** x [rows · length, hidden] times a table [vocabulary, hidden]: the score of each of its entries, and their bias. */
export function scoreVocabulary(
  { g, weight }: Layers,
  x: Value,
  { table, bias }: { readonly table: string; readonly bias?: string },
  rows: number,
  length: number,
): Value {
  const form = { transA: false, transB: true };
  const scores = bias ? g.op('Gemm', [x, weight(table), weight(bias)], form) : g.op('Gemm', [x, weight(table)], form);
  return asTokens(g, scores, rows, length);
}

/** [rows · length, n] → [rows, length, n]. */
export function asTokens(g: GraphBuilder, x: Value, rows: number, length: number): Value {
  return g.op('Reshape', [x], { shape: [rows, length, x.shape[1] ?? 0] });
}
