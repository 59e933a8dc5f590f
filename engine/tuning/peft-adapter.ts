// Reads a LoRA adapter as PEFT writes it: adapter_config.json beside adapter_model.safetensors, ours or made elsewhere.
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { describeShape, type FloatTensor, sameShape } from '../graph/tensor.ts';
import { readJsonObject } from '../models/files.ts';
import type { HubOptions } from '../models/hub-options.ts';
import { type AnyBase, loadAnyBase, resolveAnyBase } from '../models/image-base.ts';
import { type LoraLayers, loraA, loraB } from '../models/layers.ts';
import { linearLayers } from '../models/linear-layers.ts';
import type { Head, LinearTarget, Model } from '../models/model.ts';
import { openSafetensors, readFloats } from '../models/safetensors.ts';
import type { TaskName } from '../runs/spec.ts';
import { peft_prefix } from './artifact.ts';

export interface PeftAdapter {
  readonly base: AnyBase;
  /** Where its weights lie, for errors. */
  readonly path: string;
  /** PEFT's name for the task it was trained for. */
  readonly taskType: string | undefined;
  /** Adapter weights and whole modules, by the model's own names. */
  readonly own: ReadonlyMap<string, FloatTensor>;
  readonly lora: LoraLayers;
}

/** Starts that also change the base's own weights: without those the adapter means something else. */
const changes_base = /^(pissa|olora|corda|loftq|lora_ga)/i;
const none = z.union([z.null(), z.literal(false), z.array(z.never()), z.strictObject({})]).optional();

/** What else PEFT writes there only decides how to train. */
const configSchema = z.object({
  peft_type: z.literal('LORA'),
  task_type: z.string().nullish(),
  base_model_name_or_path: z.string().min(1),
  /** Of the base on the hub. */
  revision: z.string().nullish(),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  bias: z.literal('none').default('none'),
  use_rslora: z.boolean().nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number().positive()).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string().refine((name) => !changes_base.test(name))]).nullish(),
  use_dora: none,
  use_qalora: none,
  use_bdlora: none,
  lora_bias: none,
  layer_replication: none,
  alora_invocation_tokens: none,
  trainable_token_indices: none,
  target_parameters: none,
  arrow_config: none,
  kasa_config: none,
  velora_config: none,
  monteclora_config: none,
});
type AdapterConfig = z.output<typeof configSchema>;

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * @param wanted the task it is for, where that is known.
 * @throws UserError naming what in the files is not supported, damaged, or belongs to another base.
 */
export async function openPeftAdapter(
  folder: string,
  hub: HubOptions | undefined,
  wanted?: TaskName,
): Promise<PeftAdapter> {
  const config = await readConfig(join(folder, 'adapter_config.json'));
  const path = join(folder, 'adapter_model.safetensors');
  if (!(await exists(path)) && (await exists(join(folder, 'adapter_model.bin')))) {
    throw new UserError(
      `${folder} holds adapter_model.bin: a pickle may run any code and is never loaded.`,
      'Save it as adapter_model.safetensors: in Python, model.save_pretrained(folder).',
    );
  }
  const base = await openAdaptedBase(folder, config, hub, withTexts(config, wanted));
  const read = await readTensors(path, nameLookup(base.model));
  const targets = adaptedLayers(read, base, path);
  const own = new Map(read);
  const usual = scaleOf(config, config.r, config.lora_alpha);
  for (const target of targets) {
    const b = read.get(loraB(target));
    const rank = b?.shape[1] ?? config.r;
    if (rank !== (patternOf(config.rank_pattern, target) ?? config.r)) {
      throw new UserError(
        `${path}: tensor ${loraB(target)} is of rank ${rank}; adapter_config.json says ${config.r}.`,
        'Its files belong to different adapters.',
      );
    }
    // One scale serves all layers: what sets a layer's own apart from it goes into its B.
    const factor = scaleOf(config, rank, patternOf(config.alpha_pattern, target) ?? config.lora_alpha) / usual;
    if (b && factor !== 1) own.set(loraB(target), { shape: b.shape, data: b.data.map((value) => value * factor) });
  }
  return { base, path, taskType: config.task_type ?? undefined, own, lora: { targets, scale: usual } };
}

/** α/r, or α/√r where the rank is stabilised (Kalajdzievski 2023). */
const scaleOf = ({ use_rslora }: AdapterConfig, rank: number, alpha: number) =>
  alpha / (use_rslora ? Math.sqrt(rank) : rank);

/** PEFT's keys are regular expressions for the end of a layer's name; only plain names are taken from a file. */
function patternOf(patterns: AdapterConfig['rank_pattern'], layer: string): number | undefined {
  const key = Object.keys(patterns ?? {}).find((name) => layer === name || layer.endsWith(`.${name}`));
  return key === undefined ? undefined : patterns?.[key];
}

async function readConfig(path: string): Promise<AdapterConfig> {
  const raw = await readJsonObject(path);
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0] ?? '');
    throw new UserError(
      `${path}: ${field} is ${JSON.stringify(raw[field])?.slice(0, 200) ?? 'missing'}, which is not supported.`,
      'Supported are LoRA adapters on the base’s own weights, rsLoRA too: no DoRA, no trained biases, no PiSSA.',
    );
  }
  for (const field of ['rank_pattern', 'alpha_pattern'] as const) {
    const odd = Object.keys(parsed.data[field] ?? {}).find((name) => !/^[\w.]+$/.test(name));
    if (odd === undefined) continue;
    throw new UserError(
      `${path}: ${field} has the key ${JSON.stringify(odd.slice(0, 200))}, a regular expression.`,
      'Only names of layers are taken there, such as q_proj or layers.0.self_attn.q_proj.',
    );
  }
  return parsed.data;
}

/** Inside the adapter's folder, in another folder, or on the hub. */
async function openAdaptedBase(
  folder: string,
  { base_model_name_or_path: named, revision }: AdapterConfig,
  hub: HubOptions | undefined,
  wantsTexts: boolean | undefined,
): Promise<AnyBase> {
  const inside = join(folder, named);
  if (await exists(join(inside, 'config.json'))) return loadAnyBase(inside, wantsTexts);
  if (await exists(join(named, 'config.json'))) return loadAnyBase(resolve(named), wantsTexts);
  return resolveAnyBase(revision && !named.includes('@') ? `${named}@${revision}` : named, hub, wantsTexts);
}

/** Of a base with two towers: a new head beside the adapters is one of the images' tower alone. */
function withTexts({ modules_to_save: saved }: AdapterConfig, wanted: TaskName | undefined): boolean | undefined {
  if (wanted !== undefined) return wanted === 'image-text';
  return saved && saved.length > 0 ? false : undefined;
}

/** From the names that checkpoints give a weight to the model's own. */
function nameLookup(model: Model): (name: string) => string {
  const known = new Map<string, string>();
  for (const head of someHeads(model)) {
    for (const name of model.parameters(head).keys()) {
      for (const stored of model.storedNames(name)) if (!known.has(stored)) known.set(stored, name);
    }
  }
  return (name) => {
    const [, layer = '', side] = /^(.*)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (side === undefined) return known.get(name) ?? name;
    const own = (known.get(`${layer}.weight`) ?? `${layer}.weight`).replace(/\.weight$/, '');
    return side === 'A' ? loraA(own) : loraB(own);
  };
}

/** One of each kind that fits the family; sizes do not matter. */
const someHeads = (model: Model): Head[] =>
  model.heads.map((kind) =>
    kind === 'classification' || kind === 'token-classification'
      ? { kind, labels: 1 }
      : kind === 'regression'
        ? { kind, targets: 1 }
        : { kind },
  );

async function readTensors(path: string, ownName: (name: string) => string): Promise<Map<string, FloatTensor>> {
  const file = await openSafetensors(path);
  const read = new Map<string, FloatTensor>();
  for (const name of file.tensors.keys()) {
    if (!name.startsWith(peft_prefix)) {
      throw new UserError(`${path}: tensor ${name} is not a PEFT weight.`, `PEFT’s names start with ${peft_prefix}.`);
    }
    read.set(ownName(name.slice(peft_prefix.length)), await readFloats(file, name));
  }
  return read;
}

/** The layers that have A and B, each checked against the base; anything the model has no place for is refused. */
function adaptedLayers(read: ReadonlyMap<string, FloatTensor>, base: AnyBase, path: string): Set<string> {
  const { model } = base;
  const layers = new Map<string, LinearTarget>();
  const parameters = new Set<string>();
  for (const head of someHeads(model)) {
    for (const layer of linearLayers(model, head)) layers.set(layer.name, layer);
    for (const name of model.parameters(head).keys()) parameters.add(name);
  }
  const targets = new Set<string>();
  for (const [name, { shape }] of read) {
    const [, layerName = '', side] = /^(.*)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (side === undefined) {
      if (parameters.has(name)) continue;
      throw misfit(path, name, `${base.source} has no such weight`);
    }
    const layer = layers.get(layerName);
    if (!layer) throw misfit(path, name, `${base.source} has no such linear layer`);
    targets.add(layerName);
    const other = read.get((side === 'A' ? loraB : loraA)(layerName));
    const stored = base.weights.get(`${layerName}.weight`)?.shape ?? [];
    const [out = 0, input = 0] = layer.layout === 'in-out' ? stored.toReversed() : stored;
    const rank = shape[side === 'A' ? 0 : 1] ?? 0;
    const asked = side === 'A' ? [rank, input] : [out, rank];
    if (!sameShape(shape, asked)) {
      throw misfit(path, name, `${base.source} asks for ${describeShape(asked)}, and it is ${describeShape(shape)}`);
    }
    if (!other || other.shape[side === 'A' ? 1 : 0] !== rank) {
      throw misfit(
        path,
        name,
        `its other half is ${other ? `of another rank, ${describeShape(other.shape)}` : 'missing'}`,
      );
    }
  }
  return targets;
}

const misfit = (path: string, name: string, why: string) =>
  new UserError(`${path}: tensor ${name} does not fit: ${why}.`, 'The adapter belongs to another base model.');
