// One step: the gradients of its batches added up, checked, scaled and applied.
import { UserError } from '../errors.ts';
import type { Network } from './network.ts';
import { mixSeeds } from './noise.ts';
import { adamw_defaults, clippingScale, globalNorm, stepAdamW } from './optimizer.ts';
import type { PreparedRun } from './prepare.ts';
import type { Progress } from './progress.ts';
import { learningRateAt } from './schedule.ts';

type Gradients = ReadonlyMap<string, Float32Array>;

/** Forward, backward and update on the chosen examples. @throws UserError when a number is no longer finite. */
export async function takeStep(
  run: PreparedRun,
  network: Network,
  { step, state, moments }: Progress,
  batches: readonly (readonly number[])[],
): Promise<void> {
  const { parameters, schedule, spec } = run;
  const { loss, weight, gradients } = await addUpGradients(run, network, step, batches);
  // The sums over the batches become means: as if they had been one batch.
  const norm = globalNorm(gradients.values()) / weight;
  refuseBroken(run, step, loss / weight, norm, gradients);
  const learningRate = learningRateAt(step, schedule);
  const { clipNorm } = spec.hyper;
  const gradientScale = (clipNorm > 0 ? clippingScale(norm, clipNorm) : 1) / weight;
  stepAdamW(parameters.trainable, gradients, moments, { step, learningRate, gradientScale }, adamw_defaults);
  state.unreported.loss += loss;
  state.unreported.weight += weight;
}

/** Sums over all batches of the step. */
async function addUpGradients(
  { spec: { hyper }, encoded }: PreparedRun,
  network: Network,
  step: number,
  batches: readonly (readonly number[])[],
) {
  let loss = 0;
  let weight = 0;
  let sum: Gradients | undefined;
  for (const [index, chosen] of batches.entries()) {
    const seed = mixSeeds(hyper.seed, step, index);
    const batch = encoded.trainingBatch(chosen, hyper.batchSize, seed);
    const result = await network.computeGradients(batch, seed);
    loss += result.loss;
    weight += batch.weight;
    if (sum) addInPlace(sum, result.gradients);
    else sum = result.gradients;
  }
  if (!sum || weight === 0) throw new Error(`step ${step} has nothing to learn from`);
  return { loss, weight, gradients: sum };
}

function addInPlace(sum: Gradients, more: Gradients): void {
  for (const [name, total] of sum) {
    const gradient = more.get(name);
    if (gradient?.length !== total.length) throw new Error(`no gradient of ${name}`);
    for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (gradient[i] ?? 0);
  }
}

/** @throws UserError when the loss or the gradients' norm is no longer finite. */
export function refuseBroken(
  { schedule }: PreparedRun,
  step: number,
  loss: number,
  norm = 0,
  gradients: Gradients = new Map(),
): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  const broken = [...gradients].find(([, gradient]) => !gradient.every(Number.isFinite))?.[0];
  const where = broken === undefined ? 'every gradient is still finite' : `the gradient of ${broken} is not finite`;
  throw new UserError(
    `Training broke at step ${step}: the loss is ${loss} and ${where}.`,
    `Lower the learning rate (its peak is ${schedule.peak}) and start again; a tenth of it is a good next try.`,
  );
}
