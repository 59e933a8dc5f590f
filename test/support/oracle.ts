// Reads the PyTorch oracle's fixtures (test/oracle/seeded.py) and makes the same weights and batches on our side.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { z } from 'zod';
import { addGradients } from '../../engine/autodiff/gradients.ts';
import { assembleBatch } from '../../engine/data/batches.ts';
import { createGraph, type GraphBuilder } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/graph/ops.ts';
import { createSession, type Device } from '../../engine/graph/session.ts';
import { elementCount, type FloatTensor, type Shape, type Tensor } from '../../engine/graph/tensor.ts';
import { createModel } from '../../engine/models/families.ts';
import { asMatrix, createLayers, crossEntropy } from '../../engine/models/layers.ts';
import type { Head, TextModel } from '../../engine/models/model.ts';
import { keepApart } from '../../engine/tuning/tasks/token-targets.ts';

const numbers = z.array(z.number());
const headSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('classification'), labels: z.number() }),
  z.object({ kind: z.literal('regression'), targets: z.number() }),
  z.object({ kind: z.literal('token-classification'), labels: z.number() }),
  z.object({ kind: z.literal(['masked-lm', 'causal-lm', 'embedding']) }),
]) satisfies z.ZodType<Head>;
const caseSchema = z.object({
  name: z.string(),
  config: z.record(z.string(), z.unknown()),
  head: headSchema,
  texts: z.array(numbers),
  /** A class each, or a row of classes or numbers each. */
  targets: z.union([numbers, z.array(numbers), z.null()]),
  padId: z.number(),
  shape: numbers,
  answer: z.string(),
  loss: z.number(),
  gradients: z.record(z.string(), z.object({ shape: numbers, data: z.string() })),
});
export type OracleCase = z.output<typeof caseSchema>;

export function readCases(file: string): OracleCase[] {
  const path = new URL(`../oracle/fixtures/${file}`, import.meta.url);
  return z.object({ cases: z.array(caseSchema) }).parse(JSON.parse(readFileSync(path, 'utf8'))).cases;
}

/** As seeded.py: each number one step of a linear congruential generator that starts at FNV-1a of the name. */
export function seededWeight(name: string, shape: Shape): FloatTensor {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 16777619);
  const offset = shape.length === 1 && name.endsWith('.weight') ? 0.5 : -0.5;
  const data = Float32Array.from({ length: elementCount(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) / 65536 + offset;
  });
  return { shape, data };
}

export function seededWeights(model: TextModel, head: Head): Map<string, FloatTensor> {
  return new Map(Array.from(model.parameters(head), ([name, { shape }]) => [name, seededWeight(name, shape)]));
}

export const unpack = (packed: string) => {
  const bytes = Buffer.from(packed, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

/** Largest difference, relative to the largest true value. */
export function relativeError(ours: ArrayLike<number>, truth: ArrayLike<number>): number {
  expect(ours.length).toBe(truth.length);
  let scale = 0;
  let error = 0;
  for (let at = 0; at < truth.length; at++) {
    scale = Math.max(scale, Math.abs(truth[at] ?? 0));
    error = Math.max(error, Math.abs((ours[at] ?? Number.NaN) - (truth[at] ?? 0)));
    if (Number.isNaN(ours[at] ?? Number.NaN)) return Number.POSITIVE_INFINITY;
  }
  return error / Math.max(scale, 1e-30);
}

/** The family of a case; these are all of texts. */
export function modelOf({ config, name }: Pick<OracleCase, 'config' | 'name'>): TextModel {
  const model = createModel(config, name);
  if (model.modality !== 'text') throw new Error(`${name} is no model of texts`);
  return model;
}

export interface Solved {
  /** Of the texts' own tokens. */
  readonly answer: number[];
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/**
 * Our answer, loss and gradients, in a batch that is longer and has more rows than there are texts.
 * @param packed all texts stand in the first row, one after another, and none sees another.
 */
export async function solve(
  one: OracleCase,
  device: Device = 'cpu',
  { packed = false }: { readonly packed?: boolean } = {},
): Promise<Solved> {
  const model = modelOf(one);
  const weights = seededWeights(model, one.head);
  const apart = { padId: one.padId, maxLength: model.maxLength };
  const batch = packed
    ? assembleBatch([one.texts.flat()], { ...apart, rows: 2 })
    : assembleBatch(one.texts, { ...apart, rows: one.texts.length + 1 });
  const { rows, length } = batch;
  const starts = startsOf(one, packed ? undefined : length);
  const sight = packed
    ? keepApart(
        [one.texts.flat()].map((ids) => ({ ids, guesses: [], texts: sizesOf(one) })),
        rows,
        length,
      )
    : {};
  const g = createGraph(device);
  const values = new Map(Array.from(weights, ([name, { shape }]) => [name, g.input(name, 'float32', shape)]));
  const weight = (name: string) => {
    const value = values.get(name);
    if (!value) throw new Error(`${name} is no parameter`);
    return value;
  };
  const inputIds = g.input('inputIds', 'int32', [rows, length]);
  const attentionBias = g.input('attentionBias', 'float32', [rows, 1, packed ? length : 1, length]);
  const positions = packed ? g.input('tokenPositions', 'int32', [rows, length]) : undefined;
  const answer = model.build(createLayers(g, { weight }), { inputIds, attentionBias, positions }, one.head);
  const { loss, feeds } = addLoss(g, one, asMatrix(g, answer), starts);
  g.output('answer', answer);
  g.output('loss', loss);
  const names = [...weights.keys()];
  addGradients(g, loss, names.map(weight)).forEach((gradient, at) => {
    g.output(`gradient of ${names[at]}`, gradient);
  });
  const session = await createSession(g.graph, { device, threads: 1, onlyOnDevice: device !== 'cpu' });
  const answers = await session.run({
    ...Object.fromEntries(Array.from(weights, ([name, tensor]) => [name, { type: 'float32', ...tensor }])),
    ...feeds,
    inputIds: { type: 'int32', shape: [rows, length], data: batch.inputIds },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: batch.attentionBias },
    ...sight,
  });
  await session.close();
  const floats = (name: string) => {
    const data = answers[name]?.data;
    if (!(data instanceof Float32Array)) throw new Error(`no ${name}`);
    return data;
  };
  return {
    answer: ownTokens(one, floats('answer'), answer.shape, starts),
    loss: floats('loss')[0] ?? Number.NaN,
    gradients: new Map(names.map((name) => [name, floats(`gradient of ${name}`)])),
  };
}

/** The mean over what is asked, by the ops of our own losses: dense targets carry each example's share. */
function addLoss(
  g: GraphBuilder,
  { head, targets, texts }: OracleCase,
  answer: Value,
  starts: readonly number[],
): { readonly loss: Value; readonly feeds: { readonly [name: string]: Tensor } } {
  const [places = 0, width = 0] = answer.shape;
  const truth = new Float32Array(places * width);
  const target = g.input('targets', 'float32', answer.shape);
  const feed = (data: Float32Array) => ({ type: 'float32', shape: answer.shape, data }) as const;
  if (head.kind === 'regression' || head.kind === 'embedding') {
    const shares = new Float32Array(places * width).fill(1 / (texts.length * width), 0, texts.length * width);
    targets?.forEach((row, at) => {
      truth.set(typeof row === 'number' ? [row] : row, at * width);
    });
    const error = g.op('Sub', [answer, target]);
    const squares = g.op('Mul', [g.op('Mul', [error, error]), g.input('shares', 'float32', answer.shape)]);
    const loss = g.op('ReduceSum', [squares], { axes: [0, 1], keepDims: false });
    return { loss, feeds: { targets: feed(truth), shares: feed(shares) } };
  }
  const asked = (targets ?? [])
    .flatMap((row, at) =>
      typeof row === 'number'
        ? [{ place: at, label: row }]
        : row.map((label, token) => ({ place: (starts[at] ?? 0) + token, label })),
    )
    .filter(({ label }) => label >= 0);
  for (const { place, label } of asked) truth[place * width + label] = 1 / asked.length;
  return { loss: crossEntropy(g, answer, target), feeds: { targets: feed(truth) } };
}

const sizesOf = ({ texts }: OracleCase) => texts.map((ids) => ids.length);

/** Where each text begins, counted through all rows; one after another where they share a row. */
function startsOf(one: OracleCase, length: number | undefined): number[] {
  let end = 0;
  return sizesOf(one).map((size, at) => {
    const start = length === undefined ? end : at * length;
    end += size;
    return start;
  });
}

function ownTokens({ texts }: OracleCase, answer: Float32Array, shape: Shape, starts: readonly number[]): number[] {
  const [, second = 0, width = 0] = shape;
  if (shape.length === 2) return Array.from(answer.subarray(0, texts.length * second));
  return texts.flatMap(({ length }, at) => {
    const start = (starts[at] ?? 0) * width;
    return Array.from(answer.subarray(start, start + length * width));
  });
}

/** The fixture's answer for the texts' own tokens. */
export function trueAnswer(one: OracleCase): number[] {
  return ownTokens(one, unpack(one.answer), one.shape, startsOf(one, one.shape[1]));
}

/** Softmax does not see a shift of all scores: a key's bias has the gradient 0, and only rounding moves it. */
export const withoutEffect = (name: string) => /\.(key|k_lin|attn\.k)\.bias$/.test(name);

/** Of the answer, the loss and every gradient. */
export function largestError(one: OracleCase, { answer, loss, gradients }: Solved): number {
  const errors = Object.entries(one.gradients).map(([name, { data }]) =>
    withoutEffect(name) ? 0 : relativeError(gradients.get(name) ?? [], unpack(data)),
  );
  return Math.max(relativeError(answer, trueAnswer(one)), relativeError([loss], [one.loss]), ...errors);
}
