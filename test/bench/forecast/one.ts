// One case of the forecast bench: forecasts before the first session, takes a few steps, and prints both as JSON.
import { costOf } from '../../../engine/graph/cost.ts';
import { physicalCores } from '../../../engine/graph/session.ts';
import { measureSpeedNow, wallClock } from '../../../engine/graph/speed.ts';
import { openWeights } from '../../../engine/models/base.ts';
import { createModel } from '../../../engine/models/families.ts';
import { openFourBit } from '../../../engine/models/four-bit-cache.ts';
import { hyperSchema } from '../../../engine/runs/spec.ts';
import { addedBytes, reckon, secondsPerStep } from '../../../engine/tuning/forecast.ts';
import { openLearner } from '../../../engine/tuning/learner.ts';
import { classObjective, tokenObjective } from '../../../engine/tuning/losses.ts';
import { createOptimizer } from '../../../engine/tuning/optimizers/index.ts';
import { prepareParameters } from '../../../engine/tuning/parameters.ts';
import { makeBatch, makeCheckpoint } from '../train/setup.ts';
import { cases } from './cases.ts';

const [id = '', ...flags] = process.argv.slice(2);
const one = cases[id];
if (!one) throw new Error(`no case ${id}`);
/** The first ones wait for memory that the later ones are given again. */
const warmups = 2;
const steps = warmups + 3;

const { head, method, loraRank, rows, length, shorter, recompute } = one;
const model = createModel(one.config, id);
const folder = await makeCheckpoint(model, one);
const plain = { model, source: folder, fresh: false, weights: await openWeights(folder, model) };
const base = method === 'qlora' ? await openFourBit(plain, `${folder}-four-bit`) : plain;
const hyper = hyperSchema.parse({ loraRank, loraAlpha: 2 * loraRank, recompute, batchSize: rows });
const parameters = await prepareParameters(base, head, { method, hyper });
const batch = makeBatch(model, one);

/** On a busy machine the time that this process was given, as if it had had every core to itself. */
const cpuClock = (cores: number) => () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 / cores;
};
const cores = physicalCores();
const clock = flags.includes('--cpu') ? cpuClock(cores) : wallClock;
const objective = head.kind === 'causal-lm' ? tokenObjective(0) : classObjective;
const encoded = { objective, lengths: [...shorter, length] };
const planned = { parameters, device: 'cpu', encoded, spec: { hyper } } as const;
const reckoned = reckon(planned, parameters, hyper, batch);
const peakRss = () => process.resourceUsage().maxRSS * 1024;
const bytes = process.memoryUsage().rss + addedBytes(reckoned);
const speedBefore = await measureSpeedNow('cpu', clock);

const optimizer = createOptimizer(parameters.trainable, hyper);
const { learner, network } = await openLearner(planned, optimizer);
const times: number[] = [];
for (const other of shorter) {
  const short = makeBatch(model, { ...one, length: other });
  await learner.gather(short, 0);
  await learner.step({ step: 1, learningRate: 1e-5, gradientScale: 1e-3 });
  await network.measure(short);
}
for (let step = 1; step <= steps; step++) {
  const startedAt = clock();
  await learner.gather(batch, step);
  const gathered = clock();
  await learner.step({ step, learningRate: 1e-5, gradientScale: 1e-3 });
  // The update has one core: its CPU time is its time.
  const updated = (clock() - gathered) * (clock === wallClock ? 1 : cores);
  if (step > warmups) times.push(gathered - startedAt + updated);
}
await network.close();
const happenedBytes = peakRss();
// Before and after, since others come and go on the machine.
const speedAfter = await measureSpeedNow('cpu', clock);
const predictedSeconds = [speedBefore, speedAfter].map((speed) => secondsPerStep(reckoned, speed, true, clock));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const sorted = times.sort((a, b) => a - b);
if (flags.includes('--detail')) {
  const { flops, movedBytes, peakBytes } = costOf(reckoned.graph);
  console.error({ flops, movedBytes, peakBytes, nodes: reckoned.graph.nodes.length, speedBefore, speedAfter, times });
}
console.log(
  JSON.stringify({
    predicted: { bytes, seconds: mean(predictedSeconds) },
    happened: { bytes: happenedBytes, seconds: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN },
  }),
);
