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

const classificationMetrics = z.object({
  kind: z.literal('classification'),
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
  /** Texts, or words where each word has a label. */
  examples: z.number().int(),
  /** Of tagged words: whole names found, as CoNLL counts them; one is right when its place and its type are. */
  entities: z
    .object({ precision: z.number(), recall: z.number(), f1: z.number(), support: z.number().int() })
    .optional(),
});

const regressionMetrics = z.object({
  kind: z.literal('regression'),
  /** Mean squared error, in the scale the model learns in: numbers with mean 0 and deviation 1. */
  loss: z.number(),
  /** In the units of the data, as are the errors below. */
  meanSquaredError: z.number(),
  meanAbsoluteError: z.number(),
  /** The mean absolute error of always answering the mean of the training data. */
  baselineAbsoluteError: z.number(),
  /** 1 − Σ(error²) ÷ Σ(distance from the mean²). */
  r2: z.number(),
  /** Rank correlation. */
  spearman: z.number(),
  examples: z.number().int(),
});

const languageModelMetrics = z.object({
  kind: z.literal('language-model'),
  /** Mean cross-entropy of a token, in nats. */
  loss: z.number(),
  /** e^loss. */
  perplexity: z.number(),
  /** Share of the tokens that the model's first guess got right. */
  tokenAccuracy: z.number(),
  /** Tokens that were guessed. */
  tokens: z.number().int(),
  /** Texts. */
  examples: z.number().int(),
});

/** Of questions whose answers stand among the first so many; `chance…`: what a random order would score. */
const recallMetrics = z.object({
  recallAt1: z.number(),
  recallAt5: z.number(),
  chanceAt1: z.number(),
  chanceAt5: z.number(),
});

const retrievalMetrics = z.object({
  kind: z.literal('retrieval'),
  /** Mean of both directions' cross-entropy, each held-out pair among all that were measured. */
  loss: z.number(),
  /** The same of a model to which all pairs are alike. */
  chanceLoss: z.number(),
  /** The caption of a picture among all different captions. */
  imageToText: recallMetrics,
  /** The picture of a caption among all different pictures. */
  textToImage: recallMetrics,
  /** Different pictures and captions that were measured. */
  images: z.number().int(),
  texts: z.number().int(),
  /** Pairs. */
  examples: z.number().int(),
});

export const metricsSchema = z.discriminatedUnion('kind', [
  classificationMetrics,
  regressionMetrics,
  languageModelMetrics,
  retrievalMetrics,
]);

/** A held-out example and what the model makes of it; how sure it is where it says so. */
const sample = z.object({
  text: z.string(),
  actual: z.string(),
  predicted: z.string(),
  confidence: z.number().optional(),
});

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
    /** The classes; none where the answer is a number or a text. */
    labels: z.array(z.string()),
    parameters: z.number().int(),
    trainableParameters: z.number().int(),
    device: z.string(),
    /** Why that device, in words that follow a colon. */
    deviceReason: z.string().optional(),
    /** Reckoned from the graphs and the device's measured speed: the most memory of the whole process, and time per step. */
    forecast: z.object({ peakBytes: z.number(), secondsPerStep: z.number() }).optional(),
    warnings: z.array(z.string()),
  }),
  /** `loss`: mean over the examples (of a language model: the tokens) since the last step event. `epoch` counts from 1. */
  z.object({
    type: z.literal('step'),
    step: z.number().int(),
    epoch: z.number().int(),
    loss: z.number(),
    learningRate: z.number(),
    examplesPerSecond: z.number(),
    secondsLeft: z.number(),
  }),
  z.object({ type: z.literal('eval'), step: z.number().int(), metrics: metricsSchema }),
  z.object({ type: z.literal('checkpoint'), step: z.number().int() }),
  /** Stopped on request; the checkpoint of `step` can be resumed. */
  z.object({ type: z.literal('stopped'), step: z.number().int() }),
  z.object({
    type: z.literal('done'),
    step: z.number().int(),
    artifact: z.string(),
    metrics: metricsSchema,
    samples: z.array(sample),
    seconds: z.number(),
    peakRssBytes: z.number(),
  }),
  z.object({ type: z.literal('error'), message: z.string(), hint: z.string().optional() }),
]);

export type RunEvent = z.output<typeof runEventSchema>;
export type Metrics = z.output<typeof metricsSchema>;
export type MetricsOf<Kind extends Metrics['kind']> = Extract<Metrics, { kind: Kind }>;
export type ClassificationMetrics = MetricsOf<'classification'>;
export type RegressionMetrics = MetricsOf<'regression'>;
export type LanguageModelMetrics = MetricsOf<'language-model'>;
export type RetrievalMetrics = MetricsOf<'retrieval'>;
export type SamplePrediction = z.output<typeof sample>;
