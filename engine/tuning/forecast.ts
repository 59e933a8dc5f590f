// Before a run: how much memory it will need at most and how long a step will take, from its graphs and the device's speed.
import { countBuckets } from '../data/batches.ts';
import { costOf, secondsOf, weightBytes } from '../graph/cost.ts';
import type { Graph } from '../graph/graph.ts';
import { hasLargePages } from '../graph/large-pages.ts';
import type { Device } from '../graph/session.ts';
import { measureSpeed, type SecondsClock, type Speed, wallClock } from '../graph/speed.ts';
import { elementCount, type FloatTensor } from '../graph/tensor.ts';
import { createNetwork } from './network.ts';
import { fillDropoutMask } from './noise.ts';
import { createOptimizer } from './optimizers/index.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import type { Parameters } from './parameters.ts';
import type { PreparedRun } from './prepare.ts';
import type { TaskBatch } from './tasks/task.ts';

export interface Forecast {
  /** The process as it was before its first session. */
  readonly processBytes: number;
  /** Of the whole process. */
  readonly peakBytes: number;
  readonly secondsPerStep: number;
}

/** What a forecast is made from. */
export interface Reckoned {
  readonly parameters: Pick<Parameters, 'trainable'>;
  readonly state: Optimizer['state'];
  readonly accumulate: number;
  readonly graph: Graph;
  /** How many lengths batches will have: each has a session. */
  readonly buckets: number;
  readonly device: Device;
}

/**
 * What a session takes beside values and weights: its own structures, those of each node, and what lies scattered between
 * values of the first run, which is kept. Measured on `npm run bench -- forecast`; the bench says how far off each shape is.
 */
const session = { bytes: 40e6, perNodeBytes: 30e3, ofValues: 1.25, ofValuesInLargePages: 1.6 } as const;
/** An in-place loop of AdamW reads and writes seven numbers for each weight, on one core. */
const optimizerBytesPerWeight = 28;

export async function forecast(run: PreparedRun): Promise<Forecast> {
  const { hyper } = run.spec;
  const { longest, usual } = await typicalBatches(run, hyper.batchSize);
  const reckonedOn = (batch: TaskBatch) => reckon(run, run.parameters, hyper, batch);
  // Before measuring, which leaves memory that the run will use again.
  const processBytes = process.memoryUsage().rss;
  const peakBytes = processBytes + addedBytes(reckonedOn(longest));
  const speed = await measureSpeed(run.device);
  return { processBytes, peakBytes, secondsPerStep: secondsPerStep(reckonedOn(usual), speed, run.device === 'cpu') };
}

export interface Planned {
  readonly encoded: Pick<PreparedRun['encoded'], 'objective' | 'lengths'>;
  readonly device: PreparedRun['device'];
}

/** The graph of such a batch, and the optimizer's state as it will be: arrays that nobody has touched take no memory. */
export function reckon(
  { encoded, device }: Planned,
  parameters: Parameters,
  hyper: PreparedRun['spec']['hyper'],
  batch: TaskBatch,
): Reckoned {
  const { recompute, accumulate } = hyper;
  const graph = createNetwork(parameters, encoded.objective, { device, recompute }).trainingGraph(batch);
  const buckets = countBuckets(encoded.lengths);
  return { parameters, state: createOptimizer(parameters.trainable, hyper).state, accumulate, graph, buckets, device };
}

export async function typicalBatches(
  { encoded }: Pick<PreparedRun, 'encoded'>,
  rows: number,
): Promise<{ longest: TaskBatch; usual: TaskBatch }> {
  const order = encoded.lengths
    .map((_, index) => index)
    .sort((a, b) => (encoded.lengths[b] ?? 0) - (encoded.lengths[a] ?? 0));
  const middle = Math.max(0, Math.floor((order.length - rows) / 2));
  return {
    longest: await encoded.trainingBatch(order.slice(0, rows), rows, 0),
    usual: await encoded.trainingBatch(order.slice(middle, middle + rows), rows, 0),
  };
}

export function secondsPerStep(
  { parameters, accumulate, graph }: Reckoned,
  speed: Speed,
  onProcessor: boolean,
  clock: SecondsClock = wallClock,
): number {
  const weights = sizeOf(parameters.trainable);
  const masks = graph.inputs.filter(({ name }) => name.startsWith('dropout'));
  const drawn = masks.reduce((sum, { shape }) => sum + elementCount(shape), 0) * secondsPerDrawn(clock);
  const update = (optimizerBytesPerWeight * weights * speed.cores) / (speed.bandwidthGBs * 1e9);
  return accumulate * (secondsOf(graph, speed, onProcessor) + drawn) + update;
}

/** Of a dropout mask's element, which JavaScript draws on one core. */
function secondsPerDrawn(clock: SecondsClock): number {
  const mask = new Float32Array(1 << 18);
  fillDropoutMask(mask, 0.1, 1);
  const startedAt = clock();
  fillDropoutMask(mask, 0.1, 2);
  return (clock() - startedAt) / mask.length;
}

/** What the first steps add to the process as it is before the first session. */
export function addedBytes({ parameters, state, accumulate, graph, buckets, device }: Reckoned): number {
  const weights = 4 * sizeOf(parameters.trainable);
  const fed = graph.inputs
    .filter(({ name }) => !parameters.trainable.has(name))
    .reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const { peakBytes, answerBytes } = costOf(graph);
  // When JavaScript gets its copy of the answers, the values between are gone.
  const scattered = hasLargePages(process.env) ? session.ofValuesInLargePages : session.ofValues;
  const transient = Math.max(scattered * peakBytes, answerBytes + weights);
  const sum = accumulate > 1 ? weights : 0;
  const own = session.bytes + session.perNodeBytes * graph.nodes.length * buckets;
  return own + transient + sum + 4 * sizeOf(state) + weightBytes(graph, { device, packs: buckets === 1 }) + fed;
}

export const sizeOf = (tensors: ReadonlyMap<string, FloatTensor>) =>
  [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
