// Classifies with a finished run's artifact, a Hugging Face folder or a PEFT adapter.
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { chooseDevice, devices } from '../graph/session.ts';
import { describeShape, type FloatTensor, sameShape } from '../graph/tensor.ts';
import { type Base, loadBaseFolder, resolveBase } from '../models/base.ts';
import { readJsonObject } from '../models/files.ts';
import type { HubOptions } from '../models/hub-options.ts';
import { type LoraLayers, loraA, loraB } from '../models/layers.ts';
import { openSafetensors, readFloats } from '../models/safetensors.ts';
import { peft_prefix } from './artifact.ts';
import { createClassifier, probabilities } from './classifier.ts';
import type { FrozenWeight, Parameters } from './parameters.ts';

interface LabelPrediction {
  readonly label: string;
  /** Probability of each label, summing to 1. */
  readonly scores: Record<string, number>;
}

export interface TextClassifier {
  readonly labels: readonly string[];
  /** In the order of the texts. */
  predict(texts: readonly string[]): Promise<LabelPrediction[]>;
  close(): Promise<void>;
}

/** Rows of a batch: one for a single text, this many for more. */
const manyRows = 16;

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** @throws UserError when the folder holds no classifier, one that is damaged, or an unknown device is asked for. */
export async function loadClassifier(folder: string, { device, hub }: { device: string; hub?: HubOptions | undefined },
): Promise<TextClassifier> {
  const asked = z.enum(['auto', ...devices]).safeParse(device);
  if (!asked.success) {
    throw new UserError(`There is no device ${JSON.stringify(device)}.`, `Use auto, ${devices.join(', ')}.`);
  }
  const isAdapter = await exists(join(folder, 'adapter_config.json'));
  if (!isAdapter && !(await exists(join(folder, 'config.json')))) {
    throw new UserError(`${folder} holds no finished model.`, 'Wait until its run is done, or give another folder.');
  }
  const { base, parameters, labels: labelCount } = isAdapter ? await loadAdapter(folder, hub) : await loadWhole(folder);
  const record = await readRecord(folder);
  const labels = record.labels ?? labelsOf(base.rawConfig, labelCount);
  if (labels.length !== labelCount) {
    throw new UserError(
      `${folder}: ${labels.length} labels are named; the classifier has ${labelCount}.`,
      'The files belong to different models; take all from the same run.',
    );
  }
  const maxLength = Math.min(record.maxLength ?? 512, base.model.maxLength);
  const { padId } = base.tokenizer;
  const classifier = createClassifier(parameters, { device: chooseDevice(asked.data), padId, maxLength });
  return {
    labels,
    async predict(texts) {
      const ids = texts.map((text) => base.tokenizer.encode(text, maxLength));
      const logits = await classifier.computeLogits(ids, texts.length === 1 ? 1 : manyRows);
      if (!logits.every(Number.isFinite)) {
        throw new UserError(
          `${folder}: the model answers with numbers that are not finite.`,
          'Its weights are damaged.',
        );
      }
      return probabilities(logits, labels.length).map((row) => ({
        label: labels[row.indexOf(Math.max(...row))] ?? '',
        scores: Object.fromEntries(labels.map((label, index) => [label, row[index] ?? 0])),
      }));
    },
    close: () => classifier.close(),
  };
}

const recordSchema = z.object({
  labels: z.array(z.string()).optional(),
  maxLength: z.number().int().positive().optional(),
});

/** What Finetutor noted beside the model; a folder made elsewhere has no such file. */
async function readRecord(folder: string): Promise<z.output<typeof recordSchema>> {
  const path = join(folder, 'finetutor.json');
  if (!(await exists(path))) return {};
  const record = recordSchema.safeParse(await readJsonObject(path));
  if (record.success) return record.data;
  throw new UserError(`${path} does not name labels.`, 'Restore the file, or remove it to use the model’s own labels.');
}

function labelsOf(config: { readonly [key: string]: unknown }, count: number): string[] {
  const named = z.record(z.string(), z.string()).safeParse(config.id2label);
  return Array.from({ length: count }, (_, id) => (named.success ? named.data[id] : undefined) ?? `LABEL_${id}`);
}

interface Loaded {
  readonly base: Base;
  readonly parameters: Parameters;
  readonly labels: number;
}

async function loadWhole(folder: string): Promise<Loaded> {
  const base = await loadBaseFolder(folder);
  const labels = base.weights.get('classifier.bias')?.shape[0];
  if (labels === undefined || !base.weights.has('bert.pooler.dense.weight')) {
    throw new UserError(`${folder} holds an encoder without a classifier.`, 'Fine-tune it first.');
  }
  return { base, parameters: await freeze(base, labels, new Map(), undefined), labels };
}

const adapterSchema = z.object({
  peft_type: z.literal('LORA'),
  base_model_name_or_path: z.string(),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  bias: z.literal('none').default('none'),
  fan_in_fan_out: z.literal(false).nullish(),
  use_rslora: z.literal(false).nullish(),
  use_dora: z.literal(false).nullish(),
});

async function loadAdapter(folder: string, hub: HubOptions | undefined): Promise<Loaded> {
  const configPath = join(folder, 'adapter_config.json');
  const parsed = adapterSchema.safeParse(await readJsonObject(configPath));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(
      `${configPath}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not understood'}.`,
      'Supported are plain LoRA adapters: no DoRA, no rsLoRA, no trained biases.',
    );
  }
  const { base_model_name_or_path: named, r, lora_alpha: alpha } = parsed.data;
  const inside = join(folder, named);
  const base = (await exists(join(inside, 'config.json')))
    ? await loadBaseFolder(inside)
    : await resolveBase(named, [], hub);
  const path = join(folder, 'adapter_model.safetensors');
  const file = await openSafetensors(path);
  const own = new Map<string, FloatTensor>();
  const targets = new Set<string>();
  for (const name of file.tensors.keys()) {
    if (!name.startsWith(peft_prefix)) {
      throw new UserError(`${path}: tensor ${name} is not a PEFT weight.`, `PEFT’s names start with ${peft_prefix}.`);
    }
    const inner = name.slice(peft_prefix.length);
    own.set(inner, await readFloats(file, name));
    if (inner.endsWith('.lora_A.weight')) targets.add(inner.slice(0, -'.lora_A.weight'.length));
  }
  const labels = own.get('classifier.bias')?.shape[0];
  if (labels === undefined) {
    throw new UserError(`${path} holds no classifier.`, 'The adapter must be one for sequence classification.');
  }
  const specs = base.model.parameters({ kind: 'classification', labels });
  const expect = (name: string, shape: readonly number[]) => {
    const tensor = own.get(name);
    if (tensor && sameShape(tensor.shape, shape)) return;
    throw new UserError(
      `${path}: tensor ${name} is ${tensor ? describeShape(tensor.shape) : 'missing'}; the base ${base.source} asks for ${describeShape(shape)}.`,
      'The adapter belongs to another base model.',
    );
  };
  for (const target of targets) {
    const [out, input] = specs.get(`${target}.weight`)?.shape ?? [];
    expect(loraA(target), [r, input ?? 0]);
    expect(loraB(target), [out ?? 0, r]);
  }
  for (const name of own.keys()) {
    const spec = specs.get(name);
    if (spec) expect(name, spec.shape);
  }
  return { base, parameters: await freeze(base, labels, own, { targets, scale: alpha / r }), labels };
}

/** All weights as parts of the model: those of `own` first, then the base's. */
async function freeze(
  base: Base,
  labels: number,
  own: ReadonlyMap<string, FloatTensor>,
  lora: LoraLayers | undefined,
): Promise<Parameters> {
  const frozen = new Map<string, FrozenWeight>(own);
  for (const [name, weight] of base.weights) {
    if (frozen.has(name)) continue;
    frozen.set(name, weight.inPlace ? { shape: weight.shape, inPlace: weight.inPlace } : await weight.load());
  }
  const count = [...frozen.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return {
    model: base.model,
    head: { kind: 'classification', labels },
    lora,
    trainable: new Map(),
    frozen,
    modulesToSave: [],
    count,
  };
}
