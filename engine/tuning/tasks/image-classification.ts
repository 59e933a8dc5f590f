// Image classification: one label a picture. The head alone learns on features kept from one pass over the pictures.
import { readPictures } from '../../data/images/intake.ts';
import { type PictureSides, splitPictures } from '../../data/images/split.ts';
import { UserError } from '../../errors.ts';
import { classificationMetrics } from '../../evaluate/classification.ts';
import { probabilities } from '../../evaluate/probabilities.ts';
import type { SessionOptions } from '../../graph/session.ts';
import type { ImageBase } from '../../models/image-base.ts';
import type { SpecOf } from '../../runs/spec.ts';
import { computeFeatures, type PixelRows } from '../features.ts';
import { trainHeadFirst } from '../head-first.ts';
import { classObjective, classTargets } from '../losses.ts';
import type { Parameters } from '../parameters.ts';
import { chooseClassWeights } from './class-weights.ts';
import { readPictureUrl } from './picture-url.ts';
import { pixelRows } from './pixels.ts';
import { chooseSamples } from './samples.ts';
import type { EncodedTask, Feeds, Task, TaskBatch } from './task.ts';

type Spec = SpecOf<'image-classification'>;

const evaluationRows = 16;
/** Of the head while it learns alone before a full training. */
const headLearningRate = 2e-3;

export const imageClassification: Task<'image-classification'> = {
  async read(spec) {
    const { sides, labels, warnings } = await readSides(spec);
    const { train, held } = sides;
    return {
      head: { kind: 'classification', labels: labels.length },
      labels,
      texts: [],
      trainExamples: train.length,
      warnings,
      fingerprint: [...train, ...held].map(({ hash, label }) => JSON.stringify([hash, label])),
      encodeImages: (base) => encode(spec, sides, labels, base),
    };
  },
  async predict(network, { base, labels }, inputs) {
    const pictures = inputs.map((input, at) => ({
      name: `picture ${at + 1}`,
      read: async () => readPictureUrl(input),
    }));
    const pixels = pixelRows(pictures, base.preprocessor);
    const logits = await answerAll(
      network.answer,
      (indices, rows) => pixels.load(indices, rows),
      pictures.length,
      labels,
    );
    return probabilities(logits, labels.length).map((row) => ({
      kind: 'classification',
      label: labels[row.indexOf(Math.max(...row))] ?? '',
      scores: Object.fromEntries(labels.map((label, index) => [label, row[index] ?? 0])),
    }));
  },
  problemType: 'single_label_classification',
  pipeline: 'image-classification',
  peftType: null,
};

async function readSides({ data, hyper }: Spec) {
  const set = await readPictures(data.train);
  if (typeof data.eval === 'number') {
    const sides = splitPictures(set, data.eval, hyper.seed);
    return { sides, labels: set.labels, warnings: [...set.warnings, ...sides.warnings] };
  }
  const evaluation = await readPictures(data.eval);
  const unseen = evaluation.labels.filter((label) => !set.labels.includes(label));
  if (unseen.length > 0) {
    throw new UserError(
      `The evaluation pictures have classes that training never shows: ${unseen.slice(0, 5).join(', ')}.`,
      `The training classes are ${set.labels.slice(0, 5).join(', ')}.`,
    );
  }
  const sides = splitPictures(
    {
      pictures: [
        ...set.pictures.map((picture) => ({ ...picture, side: 'train' as const })),
        ...evaluation.pictures.map((picture) => ({ ...picture, side: 'held' as const })),
      ],
    },
    0,
    hyper.seed,
  );
  return { sides, labels: set.labels, warnings: [...set.warnings, ...evaluation.warnings, ...sides.warnings] };
}

type Load = (indices: readonly number[], rows: number) => Feeds | Promise<Feeds>;

async function answerAll(
  answer: (inputs: Feeds) => Promise<Float32Array>,
  load: Load,
  count: number,
  labels: readonly string[],
): Promise<Float32Array> {
  const logits = new Float32Array(count * labels.length);
  const rows = Math.min(evaluationRows, count);
  for (let start = 0; start < count; start += rows) {
    const indices = Array.from({ length: Math.min(rows, count - start) }, (_, at) => start + at);
    const some = await answer(await load(indices, rows));
    logits.set(some.subarray(0, indices.length * labels.length), start * labels.length);
  }
  return logits;
}

/** Rows of kept features as feeds. */
const featureRows =
  (features: Float32Array, width: number): Load =>
  (indices, rows) => {
    const data = new Float32Array(rows * width);
    indices.forEach((index, row) => {
      data.set(features.subarray(index * width, (index + 1) * width), row * width);
    });
    return { features: { type: 'float32', shape: [rows, width], data } };
  };

function encode(
  { hyper, method }: Spec,
  { train, held }: PictureSides,
  labels: readonly string[],
  base: ImageBase,
): EncodedTask {
  const classes = train.map(({ label }) => labels.indexOf(label));
  const heldClasses = held.map(({ label }) => labels.indexOf(label));
  const weights = chooseClassWeights(hyper.classWeights, labels, classes);
  const pixels = { train: pixelRows(train, base.preprocessor), held: pixelRows(held, base.preprocessor) };
  let load: { readonly train: Load; readonly held: Load } = { train: pixels.train.load, held: pixels.held.load };
  const batchOf = async (from: Load, chosen: readonly number[], rows: number): Promise<TaskBatch> => {
    const answers = chosen.map((index, row) => ({ row, label: classes[index] ?? 0 }));
    return { inputs: await from(chosen, rows), ...classTargets(answers, rows, weights, hyper.labelSmoothing) };
  };
  return {
    objective: classObjective,
    lengths: train.map(() => 1),
    heldExamples: held.length,
    warnings: [],
    async begin(parameters: Parameters, options: SessionOptions) {
      if (method !== 'head' && hyper.headEpochs === 0) return;
      const keep = async (rows: PixelRows) =>
        featureRows(await computeFeatures(parameters, rows, options), base.model.hiddenSize);
      const trained = await keep(pixels.train);
      if (method === 'head') load = { train: trained, held: await keep(pixels.held) };
      else {
        const { batchSize, headEpochs: epochs, seed } = hyper;
        const examples = { examples: train.length, batchSize, epochs, seed, learningRate: headLearningRate };
        const batch = (chosen: readonly number[]) => batchOf(trained, chosen, batchSize);
        await trainHeadFirst(parameters, { objective: classObjective, ...examples, batch }, options);
      }
    },
    trainingBatch: (chosen, rows) => batchOf(load.train, chosen, rows),
    async measure(network) {
      const logits = await answerAll(network.answer, load.held, held.length, labels);
      return {
        metrics: classificationMetrics({ actual: heldClasses, logits, labels }),
        async samples() {
          const scores = probabilities(logits, labels.length);
          return chooseSamples(held.length, hyper.seed).flatMap((index) => {
            const picture = held[index];
            const row = scores[index] ?? [];
            const confidence = Math.max(...row);
            const predicted = labels[row.indexOf(confidence)];
            return picture && predicted !== undefined
              ? [{ text: picture.name, actual: picture.label, predicted, confidence }]
              : [];
          });
        },
      };
    },
    record: {},
  };
}
