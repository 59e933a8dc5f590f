// Where a step happens: gradients are gathered batch by batch, and applied. On the CPU the weights are the host's own arrays;
// on a device that can keep values they lie there, and the host's arrays are copies, as old as the last `pull`.
import { countBuckets } from '../data/batches.ts';
import { releaseArrays } from '../graph/release.ts';
import { keepsValues, type SessionOptions } from '../graph/session.ts';
import { globalNorm } from './clipping.ts';
import { createDeviceWeights, type DeviceTensors, type DeviceWeights } from './device-weights.ts';
import { createNetwork, type Network } from './network.ts';
import { updateRule } from './optimizers/index.ts';
import type { Optimizer, StepSettings } from './optimizers/optimizer.ts';
import type { PreparedRun } from './prepare.ts';
import type { TaskBatch } from './tasks/task.ts';

export interface Learner {
  /** Forward and backward of one batch; its gradients are added to those gathered since the last step. */
  gather(
    batch: TaskBatch,
    seed: number,
  ): Promise<{ readonly loss: number; readonly statistics: ReadonlyMap<string, Float32Array> }>;
  /** √Σg² over the sums gathered. */
  norm(): number;
  /** The names of the gradients that hold a number which is not finite. */
  brokenGradients(): Promise<ReadonlySet<string>>;
  /** Changes the weights, and forgets the gradients. */
  step(settings: StepSettings): Promise<void>;
  /** Brings the host's arrays up to date: the weights, or the optimizer's state too. */
  pull(what: 'weights' | 'everything'): Promise<void>;
  /** Takes over what was written into the host's arrays. */
  push(): Promise<void>;
  close(): Promise<void>;
}

type Learning = Pick<PreparedRun, 'parameters' | 'device'> & {
  readonly spec: { readonly hyper: PreparedRun['spec']['hyper'] };
  readonly encoded: Pick<PreparedRun['encoded'], 'objective' | 'lengths'>;
};

/** The run's network and its learner, with the weights where the device keeps them best. Close the learner first. */
export async function openLearner(
  { parameters, encoded, device, spec: { hyper } }: Learning,
  optimizer: Optimizer,
  watched: Pick<SessionOptions, 'traffic' | 'onlyOnDevice'> = {},
): Promise<{ readonly network: Network; readonly learner: Learner }> {
  const options = { ...watched, device, recompute: hyper.recompute };
  if (!keepsValues(device)) {
    const packs = countBuckets(encoded.lengths) === 1;
    const network = createNetwork(parameters, encoded.objective, { ...options, packs });
    return { network, learner: createHostLearner(network, optimizer) };
  }
  const weights = await createDeviceWeights(parameters.trainable, optimizer, updateRule(hyper), { ...watched, device });
  const network = createNetwork(parameters, encoded.objective, { ...options, weights: weights.feeds });
  return { network, learner: createDeviceLearner(network, weights) };
}

function createHostLearner(network: Network, optimizer: Optimizer): Learner {
  let sum: ReadonlyMap<string, Float32Array> | undefined;
  let norm = () => Number.NaN;
  const nothing = async () => {};
  return {
    async gather(batch, seed) {
      const { loss, gradients, norm: ofBatch, statistics } = await network.computeGradients(batch, seed);
      if (sum) {
        const sums = sum;
        addInPlace(sums, gradients);
        releaseArrays(gradients.values());
        norm = () => globalNorm(sums.values());
      } else {
        sum = gradients;
        norm = () => ofBatch;
      }
      return { loss, statistics };
    },
    norm: () => norm(),
    async brokenGradients() {
      const broken = [...(sum ?? [])].filter(([, gradient]) => !gradient.every(Number.isFinite));
      return new Set(broken.map(([name]) => name));
    },
    async step(settings) {
      if (!sum) throw new Error('nothing was gathered');
      optimizer.step(sum, settings);
      releaseArrays(sum.values());
      sum = undefined;
    },
    pull: nothing,
    push: nothing,
    close: nothing,
  };
}

function addInPlace(sum: ReadonlyMap<string, Float32Array>, more: ReadonlyMap<string, Float32Array>): void {
  for (const [name, total] of sum) {
    const gradient = more.get(name);
    if (gradient?.length !== total.length) throw new Error(`no gradient of ${name}`);
    for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (gradient[i] ?? 0);
  }
}

/** @param network made to be fed with these weights. */
function createDeviceLearner(network: Network, weights: DeviceWeights): Learner {
  let sum: DeviceTensors | undefined;
  let norm = Number.NaN;
  let isChanged = false;
  let isStateChanged = false;
  const forget = () => {
    for (const tensor of sum?.values() ?? []) tensor.release();
    sum = undefined;
  };
  return {
    async gather(batch, seed) {
      const { loss, gradients, norm: ofBatch, statistics } = await network.computeOnDevice(batch, seed);
      if (sum) {
        const added = await weights.add(sum, gradients);
        sum = added.sums;
        norm = added.norm;
      } else {
        sum = gradients;
        norm = ofBatch;
      }
      return { loss, statistics };
    },
    norm: () => norm,
    async brokenGradients() {
      const broken = new Set<string>();
      for (const [name, tensor] of sum ?? []) {
        if (!(await weights.read(tensor)).every(Number.isFinite)) broken.add(name);
      }
      return broken;
    },
    async step(settings) {
      if (!sum) throw new Error('nothing was gathered');
      await weights.step(sum, settings);
      sum = undefined;
      isChanged = true;
      isStateChanged = true;
    },
    async pull(what) {
      if (what === 'everything' ? !isStateChanged && !isChanged : !isChanged) return;
      await weights.pull(what);
      isChanged = false;
      if (what === 'everything') isStateChanged = false;
    },
    async push() {
      await weights.push();
      isChanged = false;
      isStateChanged = false;
    },
    async close() {
      forget();
      await weights.close();
    },
  };
}
