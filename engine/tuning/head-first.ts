// Head, then body: before all weights move, the new head learns alone on features that are computed once. A head of random
// numbers would otherwise send random gradients through a body that knows something (Kumar et al. 2022).
import { planEpoch } from '../data/batches.ts';
import type { SessionOptions } from '../graph/session.ts';
import { createRandom } from '../random.ts';
import { createNetwork } from './network.ts';
import { mixSeeds } from './noise.ts';
import { adamw_defaults, createAdamW } from './optimizers/adamw.ts';
import type { Parameters } from './parameters.ts';
import { learningRateAt, type Schedule } from './schedule.ts';
import type { Objective, TaskBatch } from './tasks/task.ts';

export interface HeadFirst {
  readonly objective: Objective;
  readonly examples: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  readonly learningRate: number;
  /** A batch whose inputs are kept features. */
  batch(chosen: readonly number[]): TaskBatch | Promise<TaskBatch>;
}

/** Trains the weights of the head in place and no other; the result follows from the seed. */
export async function trainHeadFirst(parameters: Parameters, plan: HeadFirst, options: SessionOptions): Promise<void> {
  const specs = parameters.model.parameters(parameters.head);
  const isHead = ([name]: readonly [string, unknown]) => specs.get(name)?.part === 'head';
  const trainable = new Map([...parameters.trainable].filter(isHead));
  const body = [...parameters.trainable].filter((entry) => !isHead(entry));
  const frozen = new Map([...parameters.frozen, ...body]);
  const network = createNetwork({ ...parameters, trainable, frozen }, plan.objective, options);
  const optimizer = createAdamW(trainable, adamw_defaults);
  const stepsPerEpoch = Math.ceil(plan.examples / plan.batchSize);
  const totalSteps = plan.epochs * stepsPerEpoch;
  const schedule: Schedule = { kind: 'linear', peak: plan.learningRate, warmupSteps: stepsPerEpoch, totalSteps };
  const lengths = Array.from({ length: plan.examples }, () => 1);
  try {
    for (let epoch = 1, step = 1; epoch <= plan.epochs; epoch++) {
      for (const chosen of planEpoch(lengths, plan.batchSize, createRandom(mixSeeds(plan.seed, epoch, 11)))) {
        const batch = await plan.batch(chosen);
        const { gradients } = await network.computeGradients(batch, mixSeeds(plan.seed, step, 13));
        optimizer.step(gradients, {
          step,
          learningRate: learningRateAt(step, schedule),
          gradientScale: 1 / batch.weight,
        });
        step++;
      }
    }
  } finally {
    await network.close();
  }
}
