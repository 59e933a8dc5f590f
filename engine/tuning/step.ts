// One step: the gradients of its batches added up, checked, scaled and applied.
import { UserError } from '../errors.ts';
import { clippingScale, globalNorm } from './clipping.ts';
import type { Network } from './network.ts';
import { mixSeeds } from './noise.ts';
import type { PreparedRun } from './prepare.ts';
import type { Progress } from './progress.ts';
import { learningRateAt } from './schedule.ts';
import { moveStatistics } from './statistics.ts';

type Gradients = ReadonlyMap<string, Float32Array>;

/** Forward, backward and update on the chosen examples. @throws UserError when a number is no longer finite. */
export async function takeStep(
  run: PreparedRun,
  network: Network,
  progress: Progress,
  batches: readonly (readonly number[])[],
): Promise<void> {
  const { step, state, optimizer } = progress;
  const { schedule, spec } = run;
  const { loss, weight, gradients, norm: sumNorm } = await addUpGradients(run, network, step, batches);
  // The sums over the batches become means: as if they had been one batch.
  const norm = sumNorm / weight;
  refuseBroken(run, progress, loss / weight, norm, gradients);
  state.norms = [...state.norms, norm].slice(-keptNorms);
  const learningRate = learningRateAt(step, schedule);
  const { clipNorm } = spec.hyper;
  const gradientScale = (clipNorm > 0 ? clippingScale(norm, clipNorm) : 1) / weight;
  optimizer.step(gradients, { step, learningRate, gradientScale });
  state.unreported.loss += loss;
  state.unreported.weight += weight;
}

/** Sums over all batches of the step. */
async function addUpGradients(
  { spec: { hyper }, encoded, parameters }: PreparedRun,
  network: Network,
  step: number,
  batches: readonly (readonly number[])[],
) {
  let loss = 0;
  let weight = 0;
  let sum: Gradients | undefined;
  let norm = Number.NaN;
  for (const [index, chosen] of batches.entries()) {
    const seed = mixSeeds(hyper.seed, step, index);
    // Rows of padding would count among the batch's own statistics.
    const rows = parameters.statistics ? chosen.length : hyper.batchSize;
    const batch = await encoded.trainingBatch(chosen, rows, seed);
    const result = await network.computeGradients(batch, seed);
    if (parameters.statistics) moveStatistics(parameters.statistics, result.statistics);
    loss += result.loss;
    weight += batch.weight;
    if (sum) addInPlace(sum, result.gradients);
    else {
      sum = result.gradients;
      norm = result.norm;
    }
  }
  if (!sum || weight === 0) throw new Error(`step ${step} has nothing to learn from`);
  return { loss, weight, gradients: sum, norm: batches.length === 1 ? norm : globalNorm(sum.values()) };
}

function addInPlace(sum: Gradients, more: Gradients): void {
  for (const [name, total] of sum) {
    const gradient = more.get(name);
    if (gradient?.length !== total.length) throw new Error(`no gradient of ${name}`);
    for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (gradient[i] ?? 0);
  }
}

const keptNorms = 5;

/** @throws UserError when the loss or the gradients' norm is no longer finite, with what is known of why. */
export function refuseBroken(
  { schedule, parameters }: PreparedRun,
  { step, state }: Progress,
  loss: number,
  norm = 0,
  gradients: Gradients = new Map(),
): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  const before = state.norms.map((value) => Number(value.toPrecision(3))).join(', ');
  const facts = [
    `the loss is ${loss} and ${describeGradients(gradients, [...parameters.trainable.keys()])}`,
    `the learning rate was ${Number(learningRateAt(step, schedule).toPrecision(3))}`,
    ...(before === '' ? [] : [`the gradients’ norm at the steps before: ${before}`]),
  ];
  throw new UserError(
    `Training broke at step ${step}: ${facts.join('; ')}.`,
    `Lower the learning rate (its peak is ${schedule.peak}) and start again; a tenth of it is a good next try.`,
  );
}

/** A gradient breaks first where the backward pass comes first: of the broken ones, the last in the model. */
function describeGradients(gradients: Gradients, names: readonly string[]): string {
  const broken = names.filter((name) => gradients.get(name)?.every(Number.isFinite) === false);
  const first = broken.at(-1);
  if (first === undefined) return 'every gradient is still finite';
  const others = broken.length - 1;
  const more = others === 0 ? '' : `, and so are ${others} that come after it on the way back`;
  return `the gradient of ${first} is not finite${more}`;
}
