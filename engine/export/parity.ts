// Runs the same inputs through the trained network and the exported file and measures how far their answers are apart.
import { UserError } from '../errors.ts';
import { createGraph } from '../graph/graph.ts';
import { createSession, openModelFile, type Session } from '../graph/session.ts';
import { elementCount, type Tensor } from '../graph/tensor.ts';
import type { ImageTextModel, Model, TextModel } from '../models/model.ts';
import { createRandom } from '../random.ts';
import type { ExportDtype } from './compress.ts';
import { constantLayers, type ExportSource } from './network.ts';
import { pastName, presentName } from './text-inputs.ts';

export interface Parity {
  /** Largest difference of an answer. */
  readonly largestDifference: number;
  /** Root of the mean squared difference, relative to the answers' own. */
  readonly relativeDifference: number;
  /** Answers compared. */
  readonly compared: number;
}

/** Relative differences beyond which an export is refused; rounding to few bits moves answers by this much at most. */
const limits: { readonly [D in ExportDtype]: number } = { fp32: 1e-3, q8: 0.15, q4: 0.4 };

/** @throws UserError when they are further apart than rounding explains. */
export async function checkParity(source: ExportSource, path: string, dtype: ExportDtype): Promise<Parity> {
  const file = await openModelFile(path);
  try {
    const { expected, got } = await runBoth(source, file);
    const parity = compare(expected, got);
    // Written this way round so that NaN fails too.
    if (parity.relativeDifference <= limits[dtype]) return parity;
    throw new UserError(
      `${path} answers otherwise than the trained model: they differ by ${percent(parity.relativeDifference)}, where ${percent(limits[dtype])} is allowed for ${dtype}.`,
      dtype === 'fp32' ? 'This is a fault of ours; please report it with the model.' : 'Export it as fp32.',
    );
  } finally {
    await file.close();
  }
}

const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;

function compare(expected: Float32Array, got: Float32Array): Parity {
  if (expected.length !== got.length) throw new Error(`${got.length} answers in place of ${expected.length}`);
  let largest = 0;
  let squares = 0;
  let own = 0;
  expected.forEach((value, at) => {
    const difference = Math.abs(value - (got[at] ?? Number.NaN));
    // NaN stays.
    if (!(difference <= largest)) largest = difference;
    squares += difference ** 2;
    own += value ** 2;
  });
  return {
    largestDifference: largest,
    relativeDifference: Math.sqrt(squares / Math.max(own, 1e-30)),
    compared: expected.length,
  };
}

interface Answers {
  readonly expected: Float32Array;
  readonly got: Float32Array;
}

function runBoth(source: ExportSource, file: Session): Promise<Answers> {
  const { model, head } = source;
  if (model.modality === 'image') return runImages(source, file, model);
  if (model.modality === 'image-text') return runTowers(source, file, model);
  return head.kind === 'causal-lm' ? runDecoder(source, file, model) : runEncoder(source, file, model);
}

const rows = 2;
const length = 11;
/** The second text is shorter: it ends in padding. */
const shorter = 7;

const floats = (tensor: Tensor | undefined): Float32Array => {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error('a network gave no answer');
};

function randomIds(vocabularySize: number, count: number): Int32Array {
  const random = createRandom(3);
  return Int32Array.from({ length: count }, () => random.below(vocabularySize));
}

async function runImages(source: ExportSource, file: Session, model: Model & { modality: 'image' }): Promise<Answers> {
  const shape = [rows, model.channels, model.imageSize, model.imageSize];
  const random = createRandom(3);
  const pixels: Tensor = {
    type: 'float32',
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, () => random.normal()),
  };
  const g = createGraph();
  const pixelValues = g.input('pixelValues', 'float32', shape);
  g.output('answer', model.build(constantLayers(g, source.weights), { pixelValues }, source.head));
  const ours = await createSession(g.graph, { device: 'cpu' });
  const { answer } = await ours.run({ pixelValues: pixels });
  await ours.close();
  const theirs = Object.values(await file.run({ pixel_values: pixels }))[0];
  return { expected: floats(answer), got: floats(theirs) };
}

async function runTowers(source: ExportSource, file: Session, model: ImageTextModel): Promise<Answers> {
  const data = randomIds(model.vocabularySize, rows * length);
  const isToken = (at: number) => at < length + shorter;
  const random = createRandom(3);
  // Fewer texts than images: what is one cannot stand for the other.
  const shape = [rows + 1, model.channels, model.imageSize, model.imageSize];
  const pixels: Tensor = {
    type: 'float32',
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, () => random.normal()),
  };
  const g = createGraph();
  const answer = model.build(constantLayers(g, source.weights), {
    inputIds: g.input('inputIds', 'int32', [rows, length]),
    attentionBias: g.input('attentionBias', 'float32', [rows, 1, 1, length]),
    ends: g.input('ends', 'int32', [rows]),
    pixelValues: g.input('pixelValues', 'float32', shape),
  });
  g.output('answer', answer);
  const ours = await createSession(g.graph, { device: 'cpu' });
  const { answer: expected } = await ours.run({
    inputIds: { type: 'int32', shape: [rows, length], data },
    attentionBias: {
      type: 'float32',
      shape: [rows, 1, 1, length],
      data: Float32Array.from({ length: rows * length }, (_, at) => (isToken(at) ? 0 : -10_000)),
    },
    ends: { type: 'int32', shape: [rows], data: Int32Array.of(length - 1, length + shorter - 1) },
    pixelValues: pixels,
  });
  await ours.close();
  const { logits_per_text: got } = await file.run({
    input_ids: { type: 'int64', shape: [rows, length], data },
    attention_mask: {
      type: 'int64',
      shape: [rows, length],
      data: Int32Array.from({ length: rows * length }, (_, at) => Number(isToken(at))),
    },
    pixel_values: pixels,
  });
  return { expected: floats(expected), got: floats(got) };
}

async function runEncoder(source: ExportSource, file: Session, model: TextModel): Promise<Answers> {
  const { head } = source;
  const data = randomIds(model.vocabularySize, rows * length);
  const isToken = (at: number) => at < length + shorter;
  const g = createGraph();
  const inputs = {
    inputIds: g.input('inputIds', 'int32', [rows, length]),
    attentionBias: g.input('attentionBias', 'float32', [rows, 1, 1, length]),
  };
  g.output('answer', model.build(constantLayers(g, source.weights), inputs, head));
  const ours = await createSession(g.graph, { device: 'cpu' });
  const { answer } = await ours.run({
    inputIds: { type: 'int32', shape: [rows, length], data },
    attentionBias: {
      type: 'float32',
      shape: [rows, 1, 1, length],
      data: Float32Array.from({ length: rows * length }, (_, at) => (isToken(at) ? 0 : -10_000)),
    },
  });
  await ours.close();
  const mask = Int32Array.from({ length: rows * length }, (_, at) => Number(isToken(at)));
  const answers = await file.run({
    input_ids: { type: 'int64', shape: [rows, length], data },
    attention_mask: { type: 'int64', shape: [rows, length], data: mask },
  });
  const expected = floats(answer);
  const got = floats(Object.values(answers)[0]);
  if (head.kind === 'embedding') return { expected, got: meanOfTokens(got, expected.length / rows) };
  // What stands in the place of padding is nobody's answer.
  const width = expected.length / (rows * length);
  const perToken = head.kind === 'token-classification' || head.kind === 'masked-lm';
  const kept = perToken ? (length + shorter) * width : expected.length;
  return { expected: expected.subarray(0, kept), got: got.subarray(0, kept) };
}

/** As Transformers.js pools with `pooling: 'mean'`. */
function meanOfTokens(tokens: Float32Array, width: number): Float32Array {
  const pooled = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const count = row === 0 ? length : shorter;
    for (let place = 0; place < count; place++) {
      for (let at = 0; at < width; at++) {
        const from = tokens[(row * length + place) * width + at] ?? Number.NaN;
        pooled[row * width + at] = (pooled[row * width + at] ?? 0) + from / count;
      }
    }
  }
  return pooled;
}

/** The exported model reads the first tokens, then the rest with what it kept of them; ours reads all at once. */
async function runDecoder(source: ExportSource, file: Session, model: TextModel): Promise<Answers> {
  const { decoding } = model;
  if (!decoding) throw new Error(`${model.modelType} does not write texts`);
  const data = randomIds(model.vocabularySize, rows * length);
  const g = createGraph();
  const inputs = {
    inputIds: g.input('inputIds', 'int32', [rows, length]),
    attentionBias: g.input('attentionBias', 'float32', [rows, 1, 1, length]),
  };
  g.output('answer', model.build(constantLayers(g, source.weights), inputs, { kind: 'causal-lm' }));
  const ours = await createSession(g.graph, { device: 'cpu' });
  const { answer } = await ours.run({
    inputIds: { type: 'int32', shape: [rows, length], data },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: new Float32Array(rows * length) },
  });
  await ours.close();

  const { layers, keyHeads, depth } = decoding;
  let past: { [name: string]: Tensor } = {};
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ['key', 'value'] as const) {
      past[pastName(layer, part)] = { type: 'float32', shape: [rows, keyHeads, 0, depth], data: new Float32Array(0) };
    }
  }
  const pieces: Float32Array[] = [];
  const cuts = [0, shorter, length];
  for (const [at, from] of cuts.slice(0, -1).entries()) {
    const to = cuts[at + 1] ?? length;
    const each = (value: (row: number, place: number) => number): Tensor => ({
      type: 'int64',
      shape: [rows, to - from],
      data: Int32Array.from({ length: rows * (to - from) }, (_, index) =>
        value(Math.floor(index / (to - from)), from + (index % (to - from))),
      ),
    });
    const answers = await file.run({
      input_ids: each((row, place) => data[row * length + place] ?? 0),
      position_ids: each((_, place) => place),
      attention_mask: { type: 'int64', shape: [rows, to], data: new Int32Array(rows * to).fill(1) },
      ...past,
    });
    pieces.push(floats(answers.logits));
    past = Object.fromEntries(
      Object.keys(past).map((name) => {
        const [, layer = '0', part] = /\.(\d+)\.(key|value)$/.exec(name) ?? [];
        const present = answers[presentName(Number(layer), part === 'key' ? 'key' : 'value')];
        if (!present) throw new Error(`the exported model keeps no ${name}`);
        return [name, present];
      }),
    );
  }
  const vocabulary = model.vocabularySize;
  const got = new Float32Array(rows * length * vocabulary);
  pieces.forEach((piece, at) => {
    const from = cuts[at] ?? 0;
    const count = (cuts[at + 1] ?? length) - from;
    for (let row = 0; row < rows; row++) {
      const part = piece.subarray(row * count * vocabulary, (row + 1) * count * vocabulary);
      got.set(part, (row * length + from) * vocabulary);
    }
  });
  return { expected: floats(answer), got };
}
