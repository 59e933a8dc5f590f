// A head alone on ResNet-50: an epoch on features kept from one pass over the pictures, and one that sees the pictures again.
import { clippingScale } from '../../../engine/tuning/clipping.ts';
import { computeFeatures } from '../../../engine/tuning/features.ts';
import { adamw_defaults, createAdamW } from '../../../engine/tuning/optimizers/adamw.ts';
import type { Feeds } from '../../../engine/tuning/tasks/task.ts';
import { openOurs } from './open.ts';

const [threads = '2'] = process.argv.slice(2);
const pictures = 64;
const { network, batch, parameters } = await openOurs('resnet50-full', Number(threads), { method: 'head' });
const { pixelValues } = batch.inputs;
if (!pixelValues || !(pixelValues.data instanceof Float32Array)) throw new Error('no pictures');
const [rows = 1] = pixelValues.shape;
const optimizer = createAdamW(parameters.trainable, adamw_defaults);
let step = 0;

/** All pictures once. @returns milliseconds. */
async function takeEpoch(inputs: (batch: number) => Feeds): Promise<number> {
  const started = performance.now();
  for (let at = 0; at < pictures / rows; at++) {
    const { gradients, norm } = await network.computeGradients({ ...batch, inputs: inputs(at) }, 1);
    step++;
    optimizer.step(gradients, { step, learningRate: 1e-3, gradientScale: clippingScale(norm, 1) / batch.weight });
  }
  return performance.now() - started;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const repeat = async (times: number, inputs: (batch: number) => Feeds) => {
  // The first makes the session.
  await takeEpoch(inputs);
  const all: number[] = [];
  for (let at = 0; at < times; at++) all.push(await takeEpoch(inputs));
  return median(all);
};

// Every picture is the same to the clock.
const pixels = { count: pictures, load: async () => ({ pixelValues }) };
const started = performance.now();
const features = await computeFeatures(parameters, pixels, { device: 'cpu', threads: Number(threads) });
const onceMs = performance.now() - started;
const width = features.length / pictures;
const kept = (at: number): Feeds => ({
  features: { type: 'float32', shape: [rows, width], data: features.slice(at * rows * width, (at + 1) * rows * width) },
});
const cachedMs = await repeat(9, kept);
const uncachedMs = await repeat(3, () => ({ pixelValues }));
await network.close();
console.log(JSON.stringify({ pictures, onceMs, cachedMs, uncachedMs, ratio: uncachedMs / cachedMs }));
