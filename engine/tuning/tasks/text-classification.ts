// Text classification: one label a text.
import type { Example } from '../../data/examples.ts';
import { classificationMetrics } from '../../evaluate/classification.ts';
import { probabilities } from '../../evaluate/probabilities.ts';
import type { Base } from '../../models/base.ts';
import type { SpecOf } from '../../runs/spec.ts';
import { type RunExamples, readRunExamples } from '../examples.ts';
import { classObjective, classTargets } from '../losses.ts';
import { dropWords, mixSeeds } from '../noise.ts';
import { chooseClassWeights } from './class-weights.ts';
import { chooseSamples } from './samples.ts';
import type { EncodedTask, Task } from './task.ts';
import { answerTexts, evaluation_rows, predictionRows, textInputs } from './text-batches.ts';

type Spec = SpecOf<'text-classification'>;

/** Share of the words hidden from a fresh model at each step: it knows nothing yet and would learn texts by heart. */
const hiddenWordShare = 0.15;

export const textClassification: Task<'text-classification'> = {
  async read(spec) {
    const examples = await readRunExamples(spec);
    const { train, held, labels, warnings } = examples;
    return {
      head: { kind: 'classification', labels: labels.length },
      labels,
      texts: train.map(({ text }) => text),
      trainExamples: train.length,
      warnings,
      fingerprint: [...train, ...held].map(({ text, label }) => JSON.stringify([text, label])),
      encode: (base, { maxLength }) => encode(spec, examples, base, maxLength),
    };
  },
  async predict(network, { base, labels, maxLength }, texts) {
    const ids = texts.map((text) => base.tokenizer.encode(text, maxLength));
    const shape = { rows: predictionRows(texts.length), padId: base.tokenizer.padId, maxLength };
    const logits = await answerTexts(network, ids, labels.length, shape);
    return probabilities(logits, labels.length).map((row) => ({
      kind: 'classification',
      label: labels[row.indexOf(Math.max(...row))] ?? '',
      scores: Object.fromEntries(labels.map((label, index) => [label, row[index] ?? 0])),
    }));
  },
  problemType: 'single_label_classification',
  pipeline: 'text-classification',
  peftType: 'SEQ_CLS',
};

function encode({ hyper }: Spec, examples: RunExamples, base: Base, maxLength: number): EncodedTask {
  const { train, held, labels } = examples;
  const { padId, unknownId } = base.tokenizer;
  const encodeAll = (set: readonly Example[]) => ({
    ids: set.map(({ text }) => base.tokenizer.encode(text, maxLength)),
    classes: set.map(({ label }) => labels.indexOf(label)),
  });
  const trained = encodeAll(train);
  const measured = encodeAll(held);
  const weights = chooseClassWeights(hyper.classWeights, labels, trained.classes);
  const hiddenWordId = base.fresh ? unknownId : undefined;
  return {
    objective: classObjective,
    lengths: trained.ids.map((ids) => ids.length),
    heldExamples: held.length,
    warnings: [],
    trainingBatch(chosen, rows, seed) {
      const texts = chosen.map((index, row) => {
        const ids = trained.ids[index] ?? [];
        return hiddenWordId === undefined ? ids : dropWords(ids, hiddenWordShare, hiddenWordId, mixSeeds(seed, row, 7));
      });
      const { inputs } = textInputs(texts, rows, { padId, maxLength });
      const answers = chosen.map((index, row) => ({ row, label: trained.classes[index] ?? 0 }));
      return { inputs, ...classTargets(answers, rows, weights, hyper.labelSmoothing) };
    },
    async measure(network) {
      const shape = { rows: evaluation_rows, padId, maxLength };
      const logits = await answerTexts(network, measured.ids, labels.length, shape);
      return {
        metrics: classificationMetrics({ actual: measured.classes, logits, labels }),
        async samples() {
          const scores = probabilities(logits, labels.length);
          return chooseSamples(held.length, hyper.seed).flatMap((index) => {
            const example = held[index];
            const row = scores[index] ?? [];
            const confidence = Math.max(...row);
            const predicted = labels[row.indexOf(confidence)];
            return example && predicted !== undefined
              ? [{ text: example.text, actual: example.label, predicted, confidence }]
              : [];
          });
        },
      };
    },
    record: {},
  };
}
