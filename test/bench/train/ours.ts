// Our side of the training bench: a process that takes one step for each line on stdin and prints its time.
import { createInterface } from 'node:readline';
import { releaseArrays } from '../../../engine/graph/release.ts';
import { clippingScale } from '../../../engine/tuning/clipping.ts';
import { adamw_defaults, createAdamW } from '../../../engine/tuning/optimizers/adamw.ts';
import { openOurs } from './open.ts';

const [id = '', threads = '2', changes = '{}'] = process.argv.slice(2);
const { network, parameters, batch } = await openOurs(id, Number(threads), JSON.parse(changes));
const optimizer = createAdamW(parameters.trainable, adamw_defaults);

let step = 0;
async function takeStep() {
  const started = performance.now();
  const { loss, gradients, norm: sumNorm } = await network.computeGradients(batch, 1);
  const computed = performance.now();
  const norm = sumNorm / batch.weight;
  const gradientScale = clippingScale(norm, 1) / batch.weight;
  step++;
  optimizer.step(gradients, { step, learningRate: 1e-5, gradientScale });
  releaseArrays(gradients.values());
  const done = performance.now();
  return {
    ms: done - started,
    graphMs: computed - started,
    updateMs: done - computed,
    loss: loss / batch.weight,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

const trained = [...parameters.trainable.values()].reduce((sum, { data }) => sum + data.length, 0);
console.log(JSON.stringify({ ready: true, trained, rssBytes: process.memoryUsage().rss }));
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await takeStep()));
await network.close();
