// Before a run: how much memory it will need at most and how long a step will take, from its graphs and the device's speed.
import { UserError } from '../errors.ts';
import { costOf } from '../graph/cost.ts';
import { measureSpeed, type Speed } from '../graph/speed.ts';
import { elementCount, type FloatTensor } from '../graph/tensor.ts';
import type { Network } from './network.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import type { FrozenWeight } from './parameters.ts';
import type { PreparedRun } from './prepare.ts';

export interface Forecast {
  /** Of the whole process. */
  readonly peakBytes: number;
  readonly secondsPerStep: number;
}

/**
 * Measured on encoders of 0.6 to 14 million weights, 8 to 16 rows of 64 to 256 tokens, each in a process of its own: what
 * a few steps add is 50 MB for the session, 1.4 times the values (they lie scattered, and onnxruntime orders some nodes
 * otherwise) and 2.5 times the gradients (those of the steps before wait to be collected). That met all within 12 %.
 */
const measured = { sessionBytes: 50e6, ofValues: 1.4, ofGradients: 2.5 } as const;
/** An in-place loop of AdamW, as measured: it reads and writes seven numbers for each weight. */
const optimizerBytesPerWeight = 28;

export async function forecast(run: PreparedRun, network: Network, optimizer: Optimizer): Promise<Forecast> {
  const { longest, usual } = await typicalBatches(run);
  const speed = await measureSpeed(run.device);
  const weights = sizeOf(run.parameters.trainable);
  const { accumulate } = run.spec.hyper;
  const seconds =
    accumulate * secondsOf(costOf(network.trainingGraph(usual)), speed) +
    (optimizerBytesPerWeight * weights) / (speed.bandwidthGBs * 1e9);
  return { peakBytes: peakBytes(run, network, optimizer, longest), secondsPerStep: seconds };
}

const secondsOf = ({ flops, movedBytes }: { flops: number; movedBytes: number }, speed: Speed) =>
  flops / (speed.matmulGflops * 1e9) + movedBytes / (speed.bandwidthGBs * 1e9);

const sizeOf = (tensors: ReadonlyMap<string, FloatTensor>) =>
  [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);

type Batch = Parameters<Network['trainingGraph']>[0];

async function typicalBatches({ encoded, spec }: PreparedRun): Promise<{ longest: Batch; usual: Batch }> {
  const { batchSize } = spec.hyper;
  const order = encoded.lengths
    .map((_, index) => index)
    .sort((a, b) => (encoded.lengths[b] ?? 0) - (encoded.lengths[a] ?? 0));
  const middle = Math.max(0, Math.floor((order.length - batchSize) / 2));
  return {
    longest: await encoded.trainingBatch(order.slice(0, batchSize), batchSize, 0),
    usual: await encoded.trainingBatch(order.slice(middle, middle + batchSize), batchSize, 0),
  };
}

/** The process as it is, and what the first steps will add: state that is not touched yet takes no memory. */
function peakBytes(run: PreparedRun, network: Network, optimizer: Optimizer, batch: Batch): number {
  const graph = network.trainingGraph(batch);
  const fed = graph.inputs
    .filter(({ name }) => !run.parameters.trainable.has(name))
    .reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const frozen = [...run.parameters.frozen.values()].reduce((sum, weight) => sum + frozenBytes(weight), 0);
  const gradients = run.spec.hyper.accumulate > 1 ? 4 * sizeOf(run.parameters.trainable) : 0;
  const state = 4 * sizeOf(optimizer.state);
  const values = measured.ofValues * costOf(graph).peakBytes;
  const earlier = measured.ofGradients * 4 * sizeOf(run.parameters.trainable);
  const kept = state + gradients + frozen + fed;
  return process.memoryUsage().rss + kept + values + earlier + measured.sessionBytes;
}

/** As it lies: in memory, or in a file that is mapped as it is used. */
function frozenBytes(weight: FrozenWeight): number {
  if ('fourBit' in weight) return weight.fourBit.packed.bytes + weight.fourBit.steps.bytes;
  return 'inPlace' in weight ? weight.inPlace.range.bytes : 4 * elementCount(weight.shape);
}

/** @throws UserError when the run would need more memory than there is, naming what would fit. */
export function refuseTooLarge(run: PreparedRun, { peakBytes }: Forecast, availableBytes: number): void {
  const room = process.memoryUsage().rss + availableBytes;
  if (peakBytes <= room) return;
  const { method, hyper } = run.spec;
  const ways = [
    ...(hyper.batchSize > 1
      ? [
          `batchSize ${Math.max(1, Math.floor(hyper.batchSize / 2))} with accumulate ${hyper.accumulate * 2}, which learns the same`,
        ]
      : []),
    ...(hyper.recompute ? [] : ['recompute true']),
    ...(method === 'full' ? ['the method lora'] : []),
    ...(method === 'lora' && run.spec.task !== 'image-classification' ? ['the method qlora, four bits a weight'] : []),
    ...(hyper.optimizer === 'adamw' && method === 'full' ? ['the optimizer adafactor'] : []),
    'a shorter maxLength',
  ];
  throw new UserError(
    `This run would need about ${inGigabytes(peakBytes)} of memory; there is room for ${inGigabytes(room)}.`,
    `What needs less: ${ways.join('; ')}.`,
  );
}

const inGigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
