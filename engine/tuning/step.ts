// One step: the gradients of its batches added up, checked, scaled and applied.
import { UserError } from '../errors.ts';
import { clippingScale } from './clipping.ts';
import type { Learner } from './learner.ts';
import { mixSeeds } from './noise.ts';
import type { PreparedRun } from './prepare.ts';
import type { Progress } from './progress.ts';
import { learningRateAt } from './schedule.ts';
import { moveStatistics } from './statistics.ts';

/** Forward, backward and update on the chosen examples. @throws UserError when a number is no longer finite. */
export async function takeStep(
  run: PreparedRun,
  learner: Learner,
  progress: Progress,
  batches: readonly (readonly number[])[],
): Promise<void> {
  const { step, state } = progress;
  const { schedule, spec } = run;
  const { loss, weight } = await gatherAll(run, learner, step, batches);
  // The sums over the batches become means: as if they had been one batch.
  const norm = learner.norm() / weight;
  if (!areFinite(loss, norm)) throw brokenRun(run, progress, loss / weight, await learner.brokenGradients());
  state.norms = [...state.norms, norm].slice(-keptNorms);
  const learningRate = learningRateAt(step, schedule);
  const { clipNorm } = spec.hyper;
  const gradientScale = (clipNorm > 0 ? clippingScale(norm, clipNorm) : 1) / weight;
  await learner.step({ step, learningRate, gradientScale });
  state.unreported.loss += loss;
  state.unreported.weight += weight;
}

/** Sums over all batches of the step. */
async function gatherAll(
  { spec: { hyper }, encoded, parameters }: PreparedRun,
  learner: Learner,
  step: number,
  batches: readonly (readonly number[])[],
) {
  let loss = 0;
  let weight = 0;
  for (const [index, chosen] of batches.entries()) {
    const seed = mixSeeds(hyper.seed, step, index);
    // Rows of padding would count among the batch's own statistics.
    const rows = parameters.statistics ? chosen.length : hyper.batchSize;
    const batch = await encoded.trainingBatch(chosen, rows, seed);
    const result = await learner.gather(batch, seed);
    if (parameters.statistics) moveStatistics(parameters.statistics, result.statistics);
    loss += result.loss;
    weight += batch.weight;
  }
  if (weight === 0) throw new Error(`step ${step} has nothing to learn from`);
  return { loss, weight };
}

const keptNorms = 5;

const areFinite = (...numbers: readonly number[]) => numbers.every(Number.isFinite);

/** @throws UserError when the loss is no longer finite. */
export function refuseBrokenLoss(run: PreparedRun, progress: Progress, loss: number): void {
  if (!areFinite(loss)) throw brokenRun(run, progress, loss, new Set());
}

/** What is known of why: the loss, the gradients that are not finite, the learning rate, the norms before. */
function brokenRun(
  { schedule, parameters }: PreparedRun,
  { step, state }: Progress,
  loss: number,
  broken: ReadonlySet<string>,
): UserError {
  const before = state.norms.map((value) => Number(value.toPrecision(3))).join(', ');
  const facts = [
    `the loss is ${loss} and ${describeGradients([...parameters.trainable.keys()].filter((name) => broken.has(name)))}`,
    `the learning rate was ${Number(learningRateAt(step, schedule).toPrecision(3))}`,
    ...(before === '' ? [] : [`the gradients’ norm at the steps before: ${before}`]),
  ];
  return new UserError(
    `Training broke at step ${step}: ${facts.join('; ')}.`,
    `Lower the learning rate (its peak is ${schedule.peak}) and start again; a tenth of it is a good next try.`,
  );
}

/** A gradient breaks first where the backward pass comes first: of the broken ones, the last in the model. */
function describeGradients(broken: readonly string[]): string {
  const first = broken.at(-1);
  if (first === undefined) return 'every gradient is still finite';
  const others = broken.length - 1;
  const more = others === 0 ? '' : `, and so are ${others} that come after it on the way back`;
  return `the gradient of ${first} is not finite${more}`;
}
