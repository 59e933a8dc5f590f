// `npm run bench qlora`: a Llama-shaped model of seven billion random parameters is made shard by shard, brought to four bits
// and trained with LoRA, each in a process of its own whose peak memory is printed. Needs 20 GB of disk, and an hour or so.
import { spawnSync } from 'node:child_process';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { elementCount } from '../../engine/graph/tensor.ts';
import { openWeights } from '../../engine/models/base.ts';
import { createModel } from '../../engine/models/families.ts';
import { openFourBit } from '../../engine/models/four-bit-cache.ts';
import { streamSafetensors } from '../../engine/models/safetensors.ts';
import { createRandom } from '../../engine/random.ts';
import { clippingScale } from '../../engine/tuning/clipping.ts';
import { tokenObjective } from '../../engine/tuning/losses.ts';
import { createNetwork } from '../../engine/tuning/network.ts';
import { adamw_defaults, createAdamW } from '../../engine/tuning/optimizers/adamw.ts';
import { prepareParameters } from '../../engine/tuning/parameters.ts';

/** Llama 2 7B. */
const config = {
  model_type: 'llama',
  vocab_size: 32000,
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};
const limitBytes = 8e9;
const length = 64;
const steps = 3;

const [phase, folder = join(process.env.TMPDIR ?? '/tmp', 'finetutor-bench-qlora')] = process.argv.slice(2);
const model = createModel(config, 'Llama 7B');
const head = { kind: 'causal-lm' } as const;

/** bfloat16 numbers of a normal distribution, over and over: what they are does not matter, how many does. */
function makeNumbers(): Uint16Array {
  const random = createRandom(4);
  const floats = Float32Array.from({ length: 1 << 20 }, () => 0.02 * random.normal());
  return Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
}

async function makeShards(): Promise<void> {
  await mkdir(folder, { recursive: true });
  const numbers = makeNumbers();
  const fill = (count: number) => {
    const data = new Uint16Array(count);
    for (let at = 0; at < count; at += numbers.length)
      data.set(numbers.subarray(0, Math.min(numbers.length, count - at)), at);
    return new Uint8Array(data.buffer);
  };
  const shards = new Map<string, { name: string; dtype: 'BF16'; shape: readonly number[]; load: () => Uint8Array }[]>();
  for (const [name, { shape }] of model.parameters(head)) {
    const layer = /layers\.(\d+)\./.exec(name)?.[1] ?? 'rest';
    const shard = shards.get(layer) ?? [];
    shard.push({ name, dtype: 'BF16', shape, load: () => fill(elementCount(shape)) });
    shards.set(layer, shard);
  }
  const places: { [name: string]: string } = {};
  for (const [layer, tensors] of shards) {
    const file = `model-${layer}.safetensors`;
    for (const { name } of tensors) places[name] = file;
    await streamSafetensors(join(folder, file), tensors);
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: places }));
}

const openBase = async () => ({ source: folder, fresh: false, model, weights: await openWeights(folder, model) });
const cache = join(folder, 'four-bit');

async function train(): Promise<void> {
  const base = await openFourBit(await openBase(), cache);
  const hyper = { seed: 1, loraRank: 8, loraAlpha: 16 };
  const parameters = await prepareParameters(base, head, { method: 'lora', hyper });
  const network = createNetwork(parameters, tokenObjective(0), { device: 'cpu' });
  const optimizer = createAdamW(parameters.trainable, adamw_defaults);
  const random = createRandom(2);
  const ids = Int32Array.from({ length }, () => random.below(config.vocab_size));
  const shape = [length, 1];
  const batch = {
    inputs: {
      inputIds: { type: 'int32', shape: [1, length], data: ids },
      attentionBias: { type: 'float32', shape: [1, 1, 1, length], data: new Float32Array(length) },
    },
    targets: {
      targetIds: { type: 'int32', shape, data: Int32Array.from(ids, (_, at) => ids[at + 1] ?? 0) },
      targetWeights: { type: 'float32', shape, data: Float32Array.from(ids, (_, at) => (at === length - 1 ? 0 : 1)) },
    },
    weight: length - 1,
  } as const;
  for (let step = 1; step <= steps; step++) {
    const started = performance.now();
    const { loss, gradients, norm } = await network.computeGradients(batch, 1);
    const gradientScale = clippingScale(norm / batch.weight, 1) / batch.weight;
    optimizer.step(gradients, { step, learningRate: 1e-3, gradientScale });
    console.log(
      `step ${step}: loss ${(loss / batch.weight).toFixed(4)}, ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  }
}

const phases: { readonly [name: string]: () => Promise<unknown> } = {
  shards: makeShards,
  quantise: async () => openFourBit(await openBase(), cache),
  train,
};

if (phase !== undefined && Object.hasOwn(phases, phase)) {
  const started = performance.now();
  await phases[phase]?.();
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const seconds = (performance.now() - started) / 1000;
  console.log(`${phase}: ${seconds.toFixed(0)} s, peak memory ${(peakBytes / 1e9).toFixed(2)} GB`);
  if (phase !== 'shards' && peakBytes > limitBytes) throw new Error(`more than ${limitBytes / 1e9} GB`);
} else {
  const self = fileURLToPath(import.meta.url);
  const made = await stat(join(folder, 'model.safetensors.index.json')).catch(() => undefined);
  for (const name of made ? ['quantise', 'train'] : ['shards', 'quantise', 'train']) {
    const { status } = spawnSync(process.execPath, ['--import', 'tsx', self, name, folder], { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  await rm(folder, { recursive: true });
}
