// The embedder's network as a training graph: what knowledge/embed/encoder.ts computes, for a batch of pairs at once,
// with the InfoNCE loss (van den Oord et al. 2018): each text must find its partner among all the others'.
import { addGradients } from '../../engine/autodiff/gradients.ts';
import { createGraph, type GraphBuilder } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/graph/ops.ts';
import { createSession, type Session } from '../../engine/graph/session.ts';
import type { FloatTensor, Tensor } from '../../engine/graph/tensor.ts';
import { crossEntropy } from '../../engine/models/layers.ts';
import type { Random } from '../../engine/random.ts';
import type { EncoderShape } from '../../knowledge/embed/encoder.ts';

export interface BatchShape {
  readonly pairs: number;
  /** Words of a text. */
  readonly length: number;
}

/** The weight that is looked up, not multiplied. */
export const table = 'table';
export const gradientOf = (name: string) => `gradient of ${name}`;

export const temperature = 0.06;

export function drawWeights({ rows, dimensions: d, heads, headSize, reach }: EncoderShape, random: Random) {
  const normal = (shape: readonly number[], deviation: number): FloatTensor => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((product, size) => product * size, 1) },
      () => deviation * random.normal(),
    ),
  });
  return new Map<string, FloatTensor>([
    [table, normal([rows, d], 0.5 / Math.sqrt(d))],
    ['query', normal([heads * headSize, d], 1 / Math.sqrt(d))],
    ['key', normal([heads * headSize, d], 1 / Math.sqrt(d))],
    ['value', normal([d, d], 0.3 / Math.sqrt(d))],
    ['distance', normal([2 * reach + 1, heads], 0)],
    ['gate', normal([d, 1], 0)],
    ['contextGate', normal([d, 1], 0)],
    ['output', normal([d, d], 0.1 / Math.sqrt(d))],
  ]);
}

/**
 * The texts of a batch are the first of each pair, then the second of each. Word vectors come in as `words`: their sums of
 * table rows, and the way back, are sparse and done outside. @param weights all but the table.
 */
export async function compileTraining(
  shape: EncoderShape,
  batch: BatchShape,
  weights: ReadonlyMap<string, FloatTensor>,
  threads: number,
): Promise<Session> {
  const g = createGraph();
  const values = new Map(Array.from(weights, ([name, { shape }]) => [name, g.input(name, 'float32', shape)]));
  const weight = (name: string): Value => {
    const value = values.get(name);
    if (!value) throw new Error(`no weight ${name}`);
    return value;
  };
  const { vectors, own } = buildEncoder(g, weight, shape, batch);
  const [a, b] = [0, batch.pairs].map((start) =>
    g.op('Slice', [vectors], { axis: 0, start, end: start + batch.pairs }),
  );
  if (!a || !b) throw new Error('no pairs');
  const scores = g.op('Mul', [g.op('Gemm', [a, b], { transA: false, transB: true }), g.scalar(1 / temperature)]);
  const targets = g.input('targets', 'float32', [batch.pairs, batch.pairs]);
  const loss = g.op('Add', [
    crossEntropy(g, scores, targets),
    crossEntropy(g, g.op('Transpose', [scores], { perm: [1, 0] }), targets),
  ]);
  const gradients = addGradients(g, loss, [...values.values(), own]);
  g.output('loss', loss);
  [...values.keys(), 'words'].forEach((name, at) => {
    const gradient = gradients[at];
    if (gradient) g.output(gradientOf(name), gradient);
  });
  return createSession(g.graph, { device: 'cpu', threads });
}

function buildEncoder(
  g: GraphBuilder,
  weight: (name: string) => Value,
  { dimensions: d, heads, headSize, reach }: EncoderShape,
  { pairs, length }: BatchShape,
): { vectors: Value; own: Value } {
  const texts = 2 * pairs;
  const own = g.input('words', 'float32', [texts * length, d]);
  /** [texts·length, d] → [texts, heads, length, columns / heads] */
  const spread = (name: string, columns: number) => {
    const projected = g.op('Gemm', [own, weight(name)], { transA: false, transB: true });
    const parts = g.op('Reshape', [projected], { shape: [texts, length, heads, columns / heads] });
    return g.op('Transpose', [parts], { perm: [0, 2, 1, 3] });
  };
  const query = spread('query', heads * headSize);
  const key = spread('key', heads * headSize);
  const value = spread('value', d);
  const places = Array.from({ length: length * length }, (_, i) => {
    const distance = (i % length) - Math.floor(i / length);
    return Math.max(-reach, Math.min(reach, distance)) + reach;
  });
  const placeIds = g.constant({ type: 'int32', shape: [length, length], data: Int32Array.from(places) });
  const distance = g.op('Transpose', [g.op('Gather', [weight('distance'), placeIds])], { perm: [2, 0, 1] });
  // 0 for a word, −10,000 for padding.
  const padding = g.input('padding', 'float32', [texts, 1, 1, length]);
  const products = g.op('MatMul', [query, g.op('Transpose', [key], { perm: [0, 1, 3, 2] })]);
  const scores = g.op('Add', [
    g.op('Add', [g.op('Mul', [products, g.scalar(1 / Math.sqrt(headSize))]), distance]),
    padding,
  ]);
  const attended = g.op('Transpose', [g.op('MatMul', [g.op('Softmax', [scores]), value])], { perm: [0, 2, 1, 3] });
  const context = g.op('Reshape', [attended], { shape: [texts * length, d] });
  const gateOf = (states: Value, name: string) => g.op('MatMul', [states, weight(name)]);
  const gates = g.op('Reshape', [g.op('Add', [gateOf(own, 'gate'), gateOf(context, 'contextGate')])], {
    shape: [texts, 1, length],
  });
  const pooling = g.op('Softmax', [g.op('Add', [gates, g.op('Reshape', [padding], { shape: [texts, 1, length] })])]);
  const states = g.op('Reshape', [g.op('Add', [own, context])], { shape: [texts, length, d] });
  const pooled = g.op('Reshape', [g.op('MatMul', [pooling, states])], { shape: [texts, d] });
  const turned = g.op('Tanh', [g.op('Gemm', [pooled, weight('output')], { transA: false, transB: true })]);
  const sum = g.op('Add', [pooled, turned]);
  const squares = g.op('ReduceSum', [g.op('Mul', [sum, sum])], { axes: [1], keepDims: true });
  return { vectors: g.op('Div', [sum, g.op('Sqrt', [g.op('Add', [squares, g.scalar(1e-12)])])]), own };
}

export function floatFeed(shape: readonly number[], data: Float32Array): Tensor {
  return { type: 'float32', shape, data };
}
