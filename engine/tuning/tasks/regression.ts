// Regression: one number a text. The model learns numbers of mean 0 and deviation 1; people see the data's own.
import { z } from 'zod';
import { normalizeText } from '../../data/normalize.ts';
import { type NumberedText, readNumbers } from '../../data/numbers.ts';
import { regressionMetrics } from '../../evaluate/regression.ts';
import type { Base } from '../../models/base.ts';
import type { SpecOf } from '../../runs/spec.ts';
import { squaredErrorObjective } from '../losses.ts';
import { chooseSamples } from './samples.ts';
import { readSides, type Sides } from './sides.ts';
import type { EncodedTask, Task } from './task.ts';
import { answerTexts, evaluation_rows, predictionRows, textInputs } from './text-batches.ts';

type Spec = SpecOf<'regression'>;

const scaleSchema = z.object({ mean: z.number(), deviation: z.number().positive() });
type Scale = z.output<typeof scaleSchema>;

export const regression: Task<'regression'> = {
  async read(spec) {
    const { data, hyper } = spec;
    const read = (path: string) => readNumbers(path, data.columns, path === data.train ? 'training' : 'evaluation');
    const sides = await readSides(data, hyper.seed, read, ({ text }) => normalizeText(text));
    const { train, held, warnings } = sides;
    return {
      head: { kind: 'regression', targets: 1 },
      labels: [],
      texts: train.map(({ text }) => text),
      trainExamples: train.length,
      warnings,
      fingerprint: [...train, ...held].map(({ text, value }) => JSON.stringify([text, value])),
      encode: (base, { maxLength }) => encode(spec, sides, base, maxLength),
    };
  },
  async predict(network, { base, maxLength, record }, texts) {
    const { mean, deviation } = scaleSchema.parse(record.target);
    const ids = texts.map((text) => base.tokenizer.encode(text, maxLength));
    const shape = { rows: predictionRows(texts.length), padId: base.tokenizer.padId, maxLength };
    const answers = await answerTexts(network, ids, 1, shape);
    return Array.from(answers, (answer) => ({ kind: 'regression', value: mean + deviation * answer }));
  },
  problemType: 'regression',
  pipeline: 'text-classification',
  peftType: 'SEQ_CLS',
};

function scaleOf(values: readonly number[]): Scale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

function encode({ hyper }: Spec, { train, held }: Sides<NumberedText>, base: Base, maxLength: number): EncodedTask {
  const { padId } = base.tokenizer;
  const encodeAll = (set: readonly NumberedText[]) => set.map(({ text }) => base.tokenizer.encode(text, maxLength));
  const trained = encodeAll(train);
  const measured = encodeAll(held);
  const scale = scaleOf(train.map(({ value }) => value));
  return {
    objective: squaredErrorObjective,
    lengths: trained.map((ids) => ids.length),
    heldExamples: held.length,
    warnings: [],
    trainingBatch(chosen, rows) {
      const texts = chosen.map((index) => trained[index] ?? []);
      const targets = new Float32Array(rows);
      const weights = new Float32Array(rows);
      chosen.forEach((index, row) => {
        targets[row] = ((train[index]?.value ?? 0) - scale.mean) / scale.deviation;
        weights[row] = 1;
      });
      return {
        inputs: textInputs(texts, rows, { padId, maxLength }).inputs,
        targets: {
          targets: { type: 'float32', shape: [rows, 1], data: targets },
          weights: { type: 'float32', shape: [rows, 1], data: weights },
        },
        weight: chosen.length,
      };
    },
    async measure(network) {
      const answers = await answerTexts(network, measured, 1, { rows: evaluation_rows, padId, maxLength });
      const predicted = Array.from(answers, (answer) => scale.mean + scale.deviation * answer);
      const actual = held.map(({ value }) => value);
      return {
        metrics: regressionMetrics(actual, predicted, scale),
        samples: async () =>
          chooseSamples(held.length, hyper.seed).map((index) => ({
            text: held[index]?.text ?? '',
            actual: inWords(actual[index] ?? 0),
            predicted: inWords(predicted[index] ?? 0),
          })),
      };
    },
    record: { target: scale },
  };
}

const inWords = (value: number) => String(Number(value.toPrecision(4)));
