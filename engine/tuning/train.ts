// The training loop: a spec in, typed events out, checkpoints on the way, an artifact at the end.
import { join } from 'node:path';
import { assembleBatch, type Batch, planEpoch } from '../data/batches.ts';
import { UserError } from '../errors.ts';
import { classificationMetrics } from '../evaluate/classification.ts';
import type { HubOptions } from '../models/hub-options.ts';
import { createRandom } from '../random.ts';
import type { ClassificationMetrics, RunEvent, SamplePrediction } from '../runs/events.ts';
import type { RunSpec } from '../runs/spec.ts';
import { writeArtifact } from './artifact.ts';
import { removeCheckpoints } from './checkpoints.ts';
import { type Classifier, createClassifier, probabilities, type StepResult } from './classifier.ts';
import { dropWords, mixSeeds } from './noise.ts';
import { adamw_defaults, clippingScale, globalNorm, learningRateAt, stepAdamW } from './optimizer.ts';
import { type PreparedRun, prepareRun } from './prepare.ts';
import { type Progress, restoreProgress, saveProgress, startProgress } from './progress.ts';

export interface TrainOptions {
  /** Aborted: the step in hand is finished and kept in a checkpoint. */
  readonly signal: AbortSignal;
  /** Go on from the newest whole checkpoint under `spec.out`, if there is one. */
  readonly resume: boolean;
  /** Milliseconds, for durations only. */
  readonly now: () => number;
  readonly checkpointEverySteps?: number;
  /** How models of the hub are fetched; without it a hub id is refused. */
  readonly hub?: HubOptions | undefined;
}

const largestGradientNorm = 1;
/** Share of the words hidden from a fresh model at each step: it knows nothing yet and would learn texts by heart. */
const hiddenWordShare = 0.15;
const evaluationRows = 32;
const evaluationsPerEpoch = { short: 4, long: 1 } as const;
const shortRunEpochs = 3;
const stepEventEveryMs = 200;

/**
 * Trains as `spec` says and yields what happens. The result depends on spec and data only, not on interruptions.
 * @throws UserError for data, model or device that cannot be used, and for a training that diverges.
 */
export async function* train(spec: RunSpec, options: TrainOptions): AsyncGenerator<RunEvent> {
  const { signal, now } = options;
  const startedAt = now();
  const run = await prepareRun(spec, options.hub);
  const { parameters, schedule, device, maxLength, stepsPerEpoch } = run;
  const { totalSteps } = schedule;
  const progress = startProgress(run);
  const checkpoints = join(spec.out, 'checkpoints');
  const checkpointEvery = options.checkpointEverySteps ?? Math.max(200, Math.ceil(totalSteps / 20));
  const damaged = options.resume ? await restoreProgress(checkpoints, run, progress) : [];
  if (progress.step === 0) await removeCheckpoints(checkpoints);
  const classifier = createClassifier(parameters, { device, padId: run.base.tokenizer.padId, maxLength });
  try {
    yield startEvent(run, progress, damaged);
    const clock = startClock(now, progress.step);
    let plan: readonly (readonly number[])[] = [];
    let plannedEpoch = 0;
    while (progress.step < totalSteps) {
      if (signal.aborted) {
        await saveProgress(checkpoints, run, progress);
        yield { type: 'checkpoint', step: progress.step };
        yield { type: 'stopped', step: progress.step };
        return;
      }
      const epoch = Math.floor(progress.step / stepsPerEpoch) + 1;
      if (epoch !== plannedEpoch) {
        plan = planTrainingEpoch(run, epoch);
        plannedEpoch = epoch;
      }
      const chosen = plan[progress.step % stepsPerEpoch] ?? [];
      progress.step++;
      const { step } = progress;
      const result = await takeStep(run, classifier, progress, chosen);
      clock.count(chosen.length);
      if (clock.isDue() || step === totalSteps) yield stepEvent(run, progress, epoch, clock);
      if (isEvaluationStep(step, stepsPerEpoch, run.epochs)) {
        const { metrics } = await evaluate(run, classifier);
        if (!Number.isFinite(metrics.loss)) throw diverged(step, { ...result, loss: metrics.loss }, schedule.peak);
        keepIfBest(run, progress, metrics);
        yield { type: 'eval', step, metrics };
      }
      if (step % checkpointEvery === 0 || step === totalSteps) {
        await saveProgress(checkpoints, run, progress);
        yield { type: 'checkpoint', step };
      }
    }
    yield await finish(run, progress, classifier, () => (now() - startedAt) / 1000);
  } finally {
    await classifier.close();
  }
}

function startEvent(run: PreparedRun, { step }: Progress, damaged: readonly string[]): RunEvent {
  const { trainable, count } = run.parameters;
  return {
    type: 'start',
    step,
    totalSteps: run.schedule.totalSteps,
    stepsPerEpoch: run.stepsPerEpoch,
    epochs: run.epochs,
    trainExamples: run.train.examples.length,
    evalExamples: run.held.examples.length,
    labels: [...run.labels],
    parameters: count,
    trainableParameters: [...trainable.values()].reduce((sum, { data }) => sum + data.length, 0),
    device: run.device,
    warnings: [...run.warnings, ...damaged],
  };
}

/** The batches of an epoch follow from the seed and the epoch alone. */
function planTrainingEpoch({ spec: { hyper }, train: { ids } }: PreparedRun, epoch: number): number[][] {
  const lengths = ids.map((text) => text.length);
  return planEpoch(lengths, hyper.batchSize, createRandom(mixSeeds(hyper.seed, epoch)));
}

/** Forward, backward and update on the chosen examples. @throws UserError when a number is no longer finite. */
async function takeStep(
  run: PreparedRun,
  classifier: Classifier,
  { step, state, moments }: Progress,
  chosen: readonly number[],
): Promise<StepResult> {
  const { parameters, schedule, spec } = run;
  const seed = mixSeeds(spec.hyper.seed, step);
  const { batch, targets } = assembleTrainingBatch(run, chosen, seed);
  const result = await classifier.computeGradients(batch, targets, seed);
  const norm = globalNorm(result.gradients.values());
  if (!Number.isFinite(result.loss) || !Number.isFinite(norm)) throw diverged(step, result, schedule.peak);
  const learningRate = learningRateAt(step, schedule);
  const gradientScale = clippingScale(norm, largestGradientNorm);
  stepAdamW(parameters.trainable, result.gradients, moments, { step, learningRate, gradientScale }, adamw_defaults);
  state.unreported.loss += result.loss * chosen.length;
  state.unreported.examples += chosen.length;
  return result;
}

/** A last, smaller batch is filled up with rows of weight 0. */
function assembleTrainingBatch(
  { spec, base, labels, train, maxLength, hiddenWordId }: PreparedRun,
  chosen: readonly number[],
  seed: number,
): { batch: Batch; targets: Float32Array } {
  const texts = chosen.map((index, row) => {
    const ids = train.ids[index] ?? [];
    return hiddenWordId === undefined ? ids : dropWords(ids, hiddenWordShare, hiddenWordId, mixSeeds(seed, row, 7));
  });
  const batch = assembleBatch(texts, { rows: spec.hyper.batchSize, padId: base.tokenizer.padId, maxLength });
  const targets = new Float32Array(batch.rows * labels.length);
  chosen.forEach((index, row) => {
    targets[row * labels.length + (train.classes[index] ?? 0)] = 1 / chosen.length;
  });
  return { batch, targets };
}

interface Clock {
  count(examples: number): void;
  isDue(): boolean;
  /** Examples per second since the last reading, and seconds per step since the start. */
  read(step: number): { readonly examplesPerSecond: number; readonly secondsPerStep: number };
}

function startClock(now: () => number, firstStep: number): Clock {
  const startedAt = now();
  let readAt = startedAt;
  let examples = 0;
  return {
    count(more) {
      examples += more;
    },
    isDue: () => now() - readAt >= stepEventEveryMs,
    read(step) {
      const time = now();
      const examplesPerSecond = examples / Math.max((time - readAt) / 1000, 1e-3);
      readAt = time;
      examples = 0;
      return { examplesPerSecond, secondsPerStep: (time - startedAt) / 1000 / (step - firstStep) };
    },
  };
}

function stepEvent({ schedule }: PreparedRun, { step, state }: Progress, epoch: number, clock: Clock): RunEvent {
  const loss = state.unreported.loss / state.unreported.examples;
  const learningRate = learningRateAt(step, schedule);
  const { examplesPerSecond, secondsPerStep } = clock.read(step);
  state.history.steps.push({ step, loss, learningRate });
  state.unreported = { loss: 0, examples: 0 };
  const secondsLeft = secondsPerStep * (schedule.totalSteps - step);
  return { type: 'step', step, epoch, loss, learningRate, examplesPerSecond, secondsLeft };
}

/** Equal parts of each epoch, its end always; a short run is measured more often so that it has a curve. */
function isEvaluationStep(step: number, stepsPerEpoch: number, epochs: number): boolean {
  const parts = epochs <= shortRunEpochs ? evaluationsPerEpoch.short : evaluationsPerEpoch.long;
  const done = ((step - 1) % stepsPerEpoch) + 1;
  return Math.floor((done * parts) / stepsPerEpoch) > Math.floor(((done - 1) * parts) / stepsPerEpoch);
}

async function evaluate(
  { held, labels }: PreparedRun,
  classifier: Classifier,
): Promise<{ metrics: ClassificationMetrics; logits: Float32Array }> {
  const logits = await classifier.computeLogits(held.ids, evaluationRows);
  return { metrics: classificationMetrics({ actual: held.classes, logits, labels }), logits };
}

/** The highest held-out macro F1 wins, then the lower loss: F1 also counts the rare classes. */
function keepIfBest(
  { parameters }: PreparedRun,
  { step, state, bestWeights }: Progress,
  metrics: ClassificationMetrics,
) {
  const { loss, accuracy, macroF1 } = metrics;
  state.history.evaluations.push({ step, loss, accuracy });
  const { best } = state;
  if (best && (macroF1 < best.macroF1 || (macroF1 === best.macroF1 && loss >= best.loss))) return;
  state.best = { step, loss, macroF1 };
  for (const [name, { data }] of parameters.trainable) bestWeights.get(name)?.data.set(data);
}

/** Goes back to the best weights, measures them and writes the artifact. */
async function finish(
  run: PreparedRun,
  { step, state, bestWeights }: Progress,
  classifier: Classifier,
  seconds: () => number,
): Promise<RunEvent> {
  const { spec } = run;
  for (const [name, { data }] of bestWeights) run.parameters.trainable.get(name)?.data.set(data);
  const { metrics, logits } = await evaluate(run, classifier);
  const bestStep = state.best?.step ?? step;
  await writeArtifact(spec.out, { ...run, metrics, bestStep, history: state.history });
  return {
    type: 'done',
    step,
    artifact: spec.out,
    metrics,
    samples: pickSamples(run, probabilities(logits, run.labels.length)),
    seconds: seconds(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Five held-out examples, the same for the same seed. */
function pickSamples({ held, labels, spec }: PreparedRun, scores: readonly (readonly number[])[]): SamplePrediction[] {
  const order = createRandom(spec.hyper.seed).shuffle(held.examples.map((_, index) => index));
  return order.slice(0, 5).flatMap((index) => {
    const example = held.examples[index];
    const row = scores[index] ?? [];
    const confidence = Math.max(...row);
    const predicted = labels[row.indexOf(confidence)];
    return example && predicted !== undefined
      ? [{ text: example.text, actual: example.label, predicted, confidence }]
      : [];
  });
}

function diverged(step: number, { loss, gradients }: StepResult, peak: number): UserError {
  const broken = [...gradients].find(([, gradient]) => !gradient.every(Number.isFinite))?.[0];
  const where = broken === undefined ? 'every gradient is still finite' : `the gradient of ${broken} is not finite`;
  return new UserError(
    `Training broke at step ${step}: the loss is ${loss} and ${where}.`,
    `Lower the learning rate (its peak is ${peak}) and start again; a tenth of it is a good next try.`,
  );
}
