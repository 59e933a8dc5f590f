// Everything a run decides before its first step: data encoded, base opened, weights chosen, schedule laid out.
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { chooseDevice } from '../graph/choose-device.ts';
import type { Device } from '../graph/session.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { type Base, loadBaseFolder, resolveBase } from '../models/base.ts';
import { makeFolder, writeJson } from '../models/files.ts';
import { openFourBit } from '../models/four-bit-cache.ts';
import type { HubOptions } from '../models/hub-options.ts';
import { type AnyBase, resolveImageBase, resolveImageTextBase } from '../models/image-base.ts';
import { drawInitial, type Head } from '../models/model.ts';
import { writeSafetensors } from '../models/safetensors.ts';
import { createRandom } from '../random.ts';
import type { RunSpec, SpecOf, TaskName } from '../runs/spec.ts';
import { base_folder, writeTokenizer } from './artifact.ts';
import { refuseBrokenWeights } from './check-weights.ts';
import { mixSeeds } from './noise.ts';
import { type Parameters, prepareParameters, usesAdapters } from './parameters.ts';
import type { Schedule } from './schedule.ts';
import { tasks } from './tasks/index.ts';
import type { EncodedTask, TaskData } from './tasks/task.ts';

export interface PreparedRun {
  readonly spec: RunSpec;
  readonly base: AnyBase;
  readonly parameters: Parameters;
  readonly data: Pick<TaskData, 'labels' | 'trainExamples'>;
  readonly encoded: EncodedTask;
  /** Tokens a text is cut at. */
  readonly maxLength: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  readonly schedule: Schedule;
  readonly device: Device;
  /** Why that one. */
  readonly deviceReason: string;
  readonly warnings: readonly string[];
  /** What a checkpoint must agree with to be gone on from: everything that decides the numbers. */
  readonly fingerprint: string;
}

/** A fresh encoder with its norms after each block stays at chance from 2e-3 on (measured on SST-2): keep well below. */
const learning_rates = {
  fresh: { full: 5e-4, lora: 2e-3, qlora: 2e-3, head: 2e-3 },
  // On kept features a head learns fast and safely.
  pretrained: { full: 5e-5, lora: 2e-4, qlora: 2e-4, head: 2e-3 },
} as const;
/** How much larger a step of another optimizer is to be for like progress. */
const optimizer_factors = { adamw: 1, adafactor: 2, sgd: 100 } as const;
/** Fewer steps than this leave a fresh model near chance. */
const fewestFreshSteps = 300;
/** What a fresh model is given when nobody says: on our two samples accuracy rises no more beyond this. */
const usualFreshSteps = 400;
const usualEpochs = { fewest: 3, most: 30, ofHead: 20 } as const;

/** @throws UserError for data, model or folder that cannot be used. */
export async function prepareRun(spec: RunSpec, hub?: HubOptions): Promise<PreparedRun> {
  const { hyper, method } = spec;
  const data = await readTask(spec);
  const opened = await openTaskBase(spec, data, hub);
  const { base, encoded, maxLength } = opened;
  const stepsPerEpoch = Math.ceil(encoded.lengths.length / hyper.batchSize / hyper.accumulate);
  const epochs = hyper.epochs ?? chooseEpochs(base, stepsPerEpoch, method);
  const totalSteps = stepsPerEpoch * epochs;
  const parameters = await prepareParameters(base, data.head, spec);
  const { device, why } = await chooseDevice(spec.device, parameters.count);
  await encoded.begin?.(parameters, { device });
  const usualRate = learning_rates[base.fresh ? 'fresh' : 'pretrained'][method] * optimizer_factors[hyper.optimizer];
  return {
    spec,
    base,
    parameters,
    data: { labels: data.labels, trainExamples: data.trainExamples },
    encoded,
    maxLength,
    stepsPerEpoch,
    epochs,
    schedule: {
      kind: hyper.schedule,
      peak: hyper.learningRate ?? usualRate,
      warmupSteps: Math.ceil(totalSteps * hyper.warmup),
      totalSteps,
    },
    device,
    deviceReason: why,
    warnings: [...data.warnings, ...encoded.warnings, ...adviseOn(base, spec, maxLength, totalSteps, stepsPerEpoch)],
    fingerprint: fingerprintOf(spec, data.fingerprint),
  };
}

function readTask<T extends TaskName>(spec: SpecOf<T> & { readonly task: T }): Promise<TaskData> {
  return tasks[spec.task].read(spec);
}

/** The base, and the data as it sees it. */
async function openTaskBase(spec: RunSpec, data: TaskData, hub: HubOptions | undefined) {
  if ('encodeImages' in data) {
    const base = await resolveImageBase(spec.model, hub);
    refuseMisfit(base, spec, data.head);
    await refuseBrokenWeights(base);
    await makeFolder(spec.out);
    return { base, encoded: data.encodeImages(base), maxLength: spec.hyper.maxLength };
  }
  if ('encodePairs' in data) {
    const base = await resolveImageTextBase(spec.model, hub);
    refuseMisfit(base, spec, data.head);
    await refuseBrokenWeights(base);
    await makeFolder(spec.out);
    const maxLength = Math.min(spec.hyper.maxLength, base.model.maxLength);
    return { base, encoded: data.encodePairs(base, { maxLength }), maxLength };
  }
  const base = await openBase(spec, data, hub);
  const maxLength = Math.min(spec.hyper.maxLength, base.model.maxLength);
  return { base, encoded: data.encode(base, { maxLength }), maxLength };
}

/** @throws UserError when the model cannot do the task, or would be written over. */
function refuseMisfit(base: AnyBase, { task, method, out }: RunSpec, head: Head): void {
  const { heads, modelType, loraTargets } = base.model;
  if (!heads.includes(head.kind)) {
    throw new UserError(
      `${base.source} is a ${modelType}, which has no head for ${task}.`,
      `It can be trained for ${heads.join(', ')}. Choose another model or task.`,
    );
  }
  if (usesAdapters(method) && loraTargets.length === 0) {
    throw new UserError(
      `${base.source} is a ${modelType}, which has no linear layers for LoRA to adapt.`,
      'Use the method head, which keeps the body as it is, or full.',
    );
  }
  if (base.fresh && method === 'head') {
    throw new UserError(
      `${base.source} starts from nothing: what it says of pictures means nothing to a head.`,
      'Use the method full, or a pretrained model.',
    );
  }
  if (base.source === resolve(out)) {
    throw new UserError(`The model folder ${out} is also the folder to write to.`, 'Choose another folder for out.');
  }
}

/** A fresh base that is to stay frozen is written into the artifact first, and read from there like any other. */
async function openBase(spec: RunSpec, { texts, head }: TaskData, hub: HubOptions | undefined): Promise<Base> {
  const base = await resolveBase(spec.model, texts, hub);
  refuseMisfit(base, spec, head);
  await refuseBrokenWeights(base);
  await makeFolder(spec.out);
  const kept = base.fresh && usesAdapters(spec.method) ? await keepFreshBase(base, spec, head) : base;
  return spec.method === 'qlora' ? openFourBit(kept, join(hub?.cacheDir ?? spec.out, 'four-bit')) : kept;
}

async function keepFreshBase(base: Base, { out, hyper }: RunSpec, head: Head): Promise<Base> {
  const folder = join(out, base_folder);
  await makeFolder(folder);
  const random = createRandom(mixSeeds(hyper.seed, 0));
  const weights = new Map<string, FloatTensor>();
  for (const [name, one] of base.model.parameters(head)) {
    if (one.part !== 'head') weights.set(name, drawInitial(one, random));
  }
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  await writeJson(join(folder, 'config.json'), {
    ...base.rawConfig,
    architectures: [base.model.architecture({ kind: 'embedding' })],
  });
  await writeTokenizer(folder, base, base.model.maxLength);
  return { ...(await loadBaseFolder(folder)), source: base.source, fresh: true };
}

/** A pretrained model needs few rounds; a fresh one needs steps, however small the data. */
function chooseEpochs(base: AnyBase, stepsPerEpoch: number, method: RunSpec['method']): number {
  if (method === 'head') return usualEpochs.ofHead;
  if (!base.fresh) return usualEpochs.fewest;
  return Math.min(usualEpochs.most, Math.max(usualEpochs.fewest, Math.ceil(usualFreshSteps / stepsPerEpoch)));
}

function adviseOn(
  base: AnyBase,
  { method, hyper }: RunSpec,
  maxLength: number,
  totalSteps: number,
  stepsPerEpoch: number,
): string[] {
  const advice: string[] = [];
  if (maxLength < hyper.maxLength) advice.push(`Texts are cut at ${maxLength} tokens, the most this model reads.`);
  if (!base.fresh) return advice;
  if (usesAdapters(method)) {
    advice.push(
      'LoRA adapts a pretrained model; this one starts from random weights that stay frozen, so it learns little. Use the method full.',
    );
  }
  if (totalSteps < fewestFreshSteps) {
    const epochs = Math.min(100, Math.ceil(fewestFreshSteps / stepsPerEpoch));
    advice.push(
      `${totalSteps} steps are few for a model that starts from nothing: with this much data, ${epochs} epochs would serve it better.`,
    );
  }
  return advice;
}

/** Neither where the files lie nor the device counts. */
function fingerprintOf({ task, model, method, hyper }: RunSpec, data: Iterable<string>): string {
  const hash = createHash('sha256').update(JSON.stringify({ task, model, method, hyper }));
  for (const item of data) hash.update(`${item}\n`);
  return hash.digest('hex');
}
