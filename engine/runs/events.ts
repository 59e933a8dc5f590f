// What a training run says while it works. The same events cross the trainer's IPC channel, fill the database and
// are printed as JSON lines by `train --events`.
import { z } from 'zod';

const perClass = z.object({
  label: z.string(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
  support: z.number().int(),
});

export const classificationMetricsSchema = z.object({
  loss: z.number(),
  accuracy: z.number(),
  /** Share of the most frequent class: what always answering it would score. */
  majorityAccuracy: z.number(),
  macroPrecision: z.number(),
  macroRecall: z.number(),
  macroF1: z.number(),
  perClass: z.array(perClass),
  /** `confusion[actual][predicted]`, counts, in label order. */
  confusion: z.array(z.array(z.number().int())),
  examples: z.number().int(),
});

const sample = z.object({ text: z.string(), actual: z.string(), predicted: z.string(), confidence: z.number() });

export const runEventSchema = z.discriminatedUnion('type', [
  /** Data read, model built, first step about to run. `step` > 0 when resumed from a checkpoint. */
  z.object({
    type: z.literal('start'),
    step: z.number().int(),
    totalSteps: z.number().int(),
    stepsPerEpoch: z.number().int(),
    epochs: z.number().int(),
    trainExamples: z.number().int(),
    evalExamples: z.number().int(),
    labels: z.array(z.string()),
    parameters: z.number().int(),
    trainableParameters: z.number().int(),
    device: z.string(),
    warnings: z.array(z.string()),
  }),
  /** `loss`: mean over the examples since the last step event. `epoch` counts from 1. */
  z.object({
    type: z.literal('step'),
    step: z.number().int(),
    epoch: z.number().int(),
    loss: z.number(),
    learningRate: z.number(),
    examplesPerSecond: z.number(),
    secondsLeft: z.number(),
  }),
  z.object({ type: z.literal('eval'), step: z.number().int(), metrics: classificationMetricsSchema }),
  z.object({ type: z.literal('checkpoint'), step: z.number().int() }),
  /** Stopped on request; the checkpoint of `step` can be resumed. */
  z.object({ type: z.literal('stopped'), step: z.number().int() }),
  z.object({
    type: z.literal('done'),
    step: z.number().int(),
    artifact: z.string(),
    metrics: classificationMetricsSchema,
    samples: z.array(sample),
    seconds: z.number(),
    peakRssBytes: z.number(),
  }),
  z.object({ type: z.literal('error'), message: z.string(), hint: z.string().optional() }),
]);

export type RunEvent = z.output<typeof runEventSchema>;
export type ClassificationMetrics = z.output<typeof classificationMetricsSchema>;
export type SamplePrediction = z.output<typeof sample>;
