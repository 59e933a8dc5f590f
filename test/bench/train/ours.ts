// Our side of the training bench: a process that takes one step for each line on stdin and prints its time.
import { createInterface } from 'node:readline';
import { openWeights } from '../../../engine/models/base.ts';
import { createModel } from '../../../engine/models/families.ts';
import { clippingScale } from '../../../engine/tuning/clipping.ts';
import { classObjective, tokenObjective } from '../../../engine/tuning/losses.ts';
import { createNetwork } from '../../../engine/tuning/network.ts';
import { adamw_defaults, createAdamW } from '../../../engine/tuning/optimizers/adamw.ts';
import { prepareParameters } from '../../../engine/tuning/parameters.ts';
import { makeBatch, makeCheckpoint } from './setup.ts';
import { workloads } from './workloads.ts';

const [id = '', threads = '2'] = process.argv.slice(2);
const workload = workloads[id];
if (!workload) throw new Error(`no workload ${id}`);

const model = createModel(workload.config, id);
const folder = await makeCheckpoint(model, workload);
const base = { model, fresh: false, weights: await openWeights(folder, model) };
const { head, method, loraRank } = workload;
const hyper = { seed: 1, loraRank, loraAlpha: 2 * loraRank };
const parameters = await prepareParameters(base, head, { method, hyper });
const objective = head.kind === 'causal-lm' ? tokenObjective(0) : classObjective;
const network = createNetwork(parameters, objective, { device: 'cpu', threads: Number(threads) });
const optimizer = createAdamW(parameters.trainable, adamw_defaults);
const batch = makeBatch(model, workload);

let step = 0;
async function takeStep() {
  const started = performance.now();
  const { loss, gradients, norm: sumNorm } = await network.computeGradients(batch, 1);
  const computed = performance.now();
  const norm = sumNorm / batch.weight;
  const gradientScale = clippingScale(norm, 1) / batch.weight;
  step++;
  optimizer.step(gradients, { step, learningRate: 1e-5, gradientScale });
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
