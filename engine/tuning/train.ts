// The training loop: a spec in, typed events out, checkpoints on the way, an artifact at the end.
import { join } from 'node:path';
import { planEpoch } from '../data/batches.ts';
import type { HubOptions } from '../models/hub-options.ts';
import { createRandom } from '../random.ts';
import type { Metrics, MetricsOf, RunEvent } from '../runs/events.ts';
import type { RunSpec } from '../runs/spec.ts';
import { writeArtifact } from './artifact.ts';
import { removeCheckpoints } from './checkpoints.ts';
import { type Clock, startClock } from './clock.ts';
import { type Forecast, forecast } from './forecast.ts';
import { type Learner, openLearner } from './learner.ts';
import type { Network } from './network.ts';
import { mixSeeds } from './noise.ts';
import { type PreparedRun, prepareRun } from './prepare.ts';
import { type Progress, restoreBest, restoreProgress, saveBest, saveProgress, startProgress } from './progress.ts';
import { refuseTooLarge } from './refuse-too-large.ts';
import { learningRateAt } from './schedule.ts';
import { refuseBrokenLoss, takeStep } from './step.ts';
import { isBetter, rankMetrics } from './tasks/rank.ts';

export interface TrainOptions {
  /** Aborted: the step in hand is finished and kept in a checkpoint. */
  readonly signal: AbortSignal;
  /** Go on from the newest whole checkpoint under `spec.out`, if there is one. */
  readonly resume: boolean;
  /** Milliseconds, for durations only. */
  readonly now: () => number;
  readonly checkpointEverySteps?: number;
  /** Memory that may still be taken; what the machine has left, unless given. */
  readonly availableBytes?: number;
  /** How models of the hub are fetched; without it a hub id is refused. */
  readonly hub?: HubOptions | undefined;
}

const evaluationsPerEpoch = { short: 4, long: 1 } as const;
const shortRunEpochs = 3;

/**
 * Trains as `spec` says and yields what happens. The result depends on spec and data only, not on interruptions.
 * @throws UserError for data, model or device that cannot be used, and for a training that diverges.
 */
export async function* train(spec: RunSpec, options: TrainOptions): AsyncGenerator<RunEvent> {
  const { signal, now } = options;
  const startedAt = now();
  const run = await prepareRun(spec, options.hub);
  const { totalSteps } = run.schedule;
  const progress = startProgress(run);
  const checkpoints = join(spec.out, 'checkpoints');
  const checkpointEvery = options.checkpointEverySteps ?? Math.max(200, Math.ceil(totalSteps / 20));
  const damaged = options.resume ? await restoreProgress(checkpoints, run, progress) : [];
  if (progress.step === 0) await removeCheckpoints(checkpoints);
  const { network, learner } = await openLearner(run, progress.optimizer);
  try {
    const expected = await forecast(run);
    await refuseTooLarge(run, expected, options.availableBytes ?? process.availableMemory());
    yield startEvent(run, progress, expected, damaged);
    const clock = startClock(now, progress.step);
    const sampler = createSampler(run);
    while (progress.step < totalSteps && !hasStopped(run, progress)) {
      if (signal.aborted) {
        await learner.pull('everything');
        await saveProgress(checkpoints, run, progress);
        yield { type: 'checkpoint', step: progress.step };
        yield { type: 'stopped', step: progress.step };
        return;
      }
      const { epoch, batches } = sampler.next(progress.step);
      progress.step++;
      const { step } = progress;
      await takeStep(run, learner, progress, batches);
      clock.count(batches.reduce((sum, batch) => sum + batch.length, 0));
      if (clock.isDue() || step === totalSteps) yield stepEvent(run, progress, epoch, clock);
      if (isEvaluationStep(step, run)) {
        const { metrics } = await run.encoded.measure(network);
        refuseBrokenLoss(run, progress, metrics.loss);
        await keepIfBest(checkpoints, run, progress, metrics, learner);
        yield { type: 'eval', step, metrics };
      }
      if (step % checkpointEvery === 0 || step === totalSteps || hasStopped(run, progress)) {
        await learner.pull('everything');
        await saveProgress(checkpoints, run, progress);
        yield { type: 'checkpoint', step };
      }
    }
    yield await finish(checkpoints, run, progress, { network, learner }, () => (now() - startedAt) / 1000);
  } finally {
    await learner.close();
    await network.close();
  }
}

function startEvent(run: PreparedRun, { step }: Progress, expected: Forecast, damaged: readonly string[]): RunEvent {
  const { trainable, count } = run.parameters;
  return {
    type: 'start',
    step,
    totalSteps: run.schedule.totalSteps,
    stepsPerEpoch: run.stepsPerEpoch,
    epochs: run.epochs,
    trainExamples: run.data.trainExamples,
    evalExamples: run.encoded.heldExamples,
    labels: [...run.data.labels],
    parameters: count,
    trainableParameters: [...trainable.values()].reduce((sum, { data }) => sum + data.length, 0),
    device: run.device,
    deviceReason: run.deviceReason,
    forecast: { peakBytes: expected.peakBytes, secondsPerStep: expected.secondsPerStep },
    warnings: [...run.warnings, ...damaged],
  };
}

interface Sampler {
  /** @param done steps so far. @returns the examples of the next step, batch by batch. */
  next(done: number): { readonly epoch: number; readonly batches: readonly (readonly number[])[] };
}

/** The batches of an epoch follow from the seed and the epoch alone, so a resumed run sees the same. */
function createSampler({ spec: { hyper }, encoded, stepsPerEpoch }: PreparedRun): Sampler {
  let plan: readonly (readonly number[])[] = [];
  let plannedEpoch = 0;
  return {
    next(done) {
      const epoch = Math.floor(done / stepsPerEpoch) + 1;
      if (epoch !== plannedEpoch) {
        plan = planEpoch(encoded.lengths, hyper.batchSize, createRandom(mixSeeds(hyper.seed, epoch)));
        plannedEpoch = epoch;
      }
      const first = (done % stepsPerEpoch) * hyper.accumulate;
      return { epoch, batches: plan.slice(first, first + hyper.accumulate) };
    },
  };
}

function stepEvent({ schedule }: PreparedRun, { step, state }: Progress, epoch: number, clock: Clock): RunEvent {
  const loss = state.unreported.loss / state.unreported.weight;
  const learningRate = learningRateAt(step, schedule);
  const { examplesPerSecond, secondsPerStep } = clock.read(step);
  state.history.steps.push({ step, loss, learningRate });
  state.unreported = { loss: 0, weight: 0 };
  const secondsLeft = secondsPerStep * (schedule.totalSteps - step);
  return { type: 'step', step, epoch, loss, learningRate, examplesPerSecond, secondsLeft };
}

/** As asked; else equal parts of each epoch, its end always: a short run more often so that it has a curve. */
function isEvaluationStep(step: number, { spec, stepsPerEpoch, epochs, schedule }: PreparedRun): boolean {
  const { evalEverySteps } = spec.hyper;
  if (evalEverySteps !== undefined) return step % evalEverySteps === 0 || step === schedule.totalSteps;
  const parts = epochs <= shortRunEpochs ? evaluationsPerEpoch.short : evaluationsPerEpoch.long;
  const done = ((step - 1) % stepsPerEpoch) + 1;
  return Math.floor((done * parts) / stepsPerEpoch) > Math.floor(((done - 1) * parts) / stepsPerEpoch);
}

/** What a curve is drawn of, by the kind of the figures. */
const headlines: { readonly [Kind in Metrics['kind']]: (metrics: MetricsOf<Kind>) => { [name: string]: number } } = {
  classification: ({ accuracy, macroF1 }) => ({ accuracy, macroF1 }),
  regression: ({ meanAbsoluteError, r2 }) => ({ meanAbsoluteError, r2 }),
  'language-model': ({ perplexity, tokenAccuracy }) => ({ perplexity, tokenAccuracy }),
  retrieval: ({ imageToText, textToImage }) => ({
    imageToTextRecall: imageToText.recallAt1,
    textToImageRecall: textToImage.recallAt1,
  }),
};

function headline<Kind extends Metrics['kind']>(metrics: MetricsOf<Kind>): { [name: string]: number } {
  return headlines[metrics.kind as Kind](metrics);
}

async function keepIfBest(
  folder: string,
  run: PreparedRun,
  { step, state }: Progress,
  metrics: Metrics,
  learner: Learner,
): Promise<void> {
  state.history.evaluations.push({ step, loss: metrics.loss, ...headline(metrics) });
  const rank = rankMetrics(metrics);
  if (state.best && !isBetter(rank, state.best.rank)) {
    state.best.worseSince++;
    return;
  }
  await learner.pull('weights');
  state.best = { step, rank: [...rank], worseSince: 0, sha256: await saveBest(folder, run, step) };
}

/** Early stopping: so many evaluations in turn were no better. */
function hasStopped({ spec: { hyper } }: PreparedRun, { state: { best } }: Progress): boolean {
  return hyper.patience > 0 && best !== undefined && best.worseSince >= hyper.patience;
}

/** Goes back to the best weights, measures them and writes the artifact. */
async function finish(
  folder: string,
  run: PreparedRun,
  { step, state }: Progress,
  { network, learner }: { readonly network: Network; readonly learner: Learner },
  seconds: () => number,
): Promise<RunEvent> {
  const { spec } = run;
  await learner.pull('weights');
  if (state.best && state.best.step !== step) {
    await restoreBest(folder, run, state.best.step);
    await learner.push();
  }
  const measured = await run.encoded.measure(network);
  const { metrics } = measured;
  const bestStep = state.best?.step ?? step;
  await writeArtifact(spec.out, {
    ...run,
    labels: run.data.labels,
    record: run.encoded.record,
    metrics,
    bestStep,
    history: state.history,
  });
  return {
    type: 'done',
    step,
    artifact: spec.out,
    metrics,
    samples: await measured.samples(),
    seconds: seconds(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}
