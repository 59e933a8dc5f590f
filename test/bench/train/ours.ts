// Our side of the training bench: a process that takes one step for each line on stdin and prints its time.
import { mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Tensor } from '../../../engine/graph/tensor.ts';
import { openWeights } from '../../../engine/models/base.ts';
import { createModel } from '../../../engine/models/families.ts';
import { drawInitial, type Model } from '../../../engine/models/model.ts';
import { streamSafetensors } from '../../../engine/models/safetensors.ts';
import { createRandom } from '../../../engine/random.ts';
import { clippingScale } from '../../../engine/tuning/clipping.ts';
import { classObjective, classTargets, tokenObjective } from '../../../engine/tuning/losses.ts';
import { createNetwork } from '../../../engine/tuning/network.ts';
import { adamw_defaults, createAdamW } from '../../../engine/tuning/optimizers/adamw.ts';
import { prepareParameters } from '../../../engine/tuning/parameters.ts';
import type { TaskBatch } from '../../../engine/tuning/tasks/task.ts';
import { type Workload, workloads } from './workloads.ts';

const [id = '', threads = '2'] = process.argv.slice(2);
const workload = workloads[id];
if (!workload) throw new Error(`no workload ${id}`);

/** Writes a checkpoint of random weights, one tensor at a time, unless it is there from an earlier run. */
async function makeCheckpoint(model: Model, { head, dtype }: Workload): Promise<string> {
  const folder = join(tmpdir(), 'finetutor-bench-train', `${model.modelType}-${dtype}`);
  const path = join(folder, 'model.safetensors');
  if (await stat(path).catch(() => undefined)) return folder;
  await mkdir(folder, { recursive: true });
  const random = createRandom(1);
  await streamSafetensors(
    path,
    Array.from(model.parameters(head), ([name, spec]) => ({
      name,
      dtype,
      shape: spec.shape,
      load() {
        const { data } = drawInitial(spec, random);
        if (dtype === 'F32') return new Uint8Array(data.buffer);
        const bits = new Uint32Array(data.buffer);
        const halves = new Uint16Array(bits.length);
        for (let at = 0; at < bits.length; at++) halves[at] = (bits[at] ?? 0) >>> 16;
        return new Uint8Array(halves.buffer);
      },
    })),
  );
  return folder;
}

function makeBatch(model: Model, { head, rows, length }: Workload): TaskBatch {
  const random = createRandom(2);
  if (model.modality === 'image') {
    const shape = [rows, model.channels, length, length];
    const data = Float32Array.from({ length: rows * model.channels * length * length }, () => random.normal());
    return { inputs: { pixelValues: { type: 'float32', shape, data } }, ...classes(rows) };
  }
  const ids = Int32Array.from({ length: rows * length }, () => random.below(model.vocabularySize));
  const inputs: { [name: string]: Tensor } = {
    inputIds: { type: 'int32', shape: [rows, length], data: ids },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: new Float32Array(rows * length) },
  };
  if (head.kind !== 'causal-lm') return { inputs, ...classes(rows) };
  const shape = [rows * length, 1];
  const isLast = (at: number) => at % length === length - 1;
  return {
    inputs,
    targets: {
      targetIds: { type: 'int32', shape, data: Int32Array.from(ids, (_, at) => ids[at + 1] ?? 0) },
      targetWeights: { type: 'float32', shape, data: Float32Array.from(ids, (_, at) => (isLast(at) ? 0 : 1)) },
    },
    weight: rows * (length - 1),
  };
}

function classes(rows: number) {
  const chosen = Array.from({ length: rows }, (_, row) => ({ row, label: row % 2 }));
  return classTargets(chosen, rows, [1, 1], 0);
}

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
