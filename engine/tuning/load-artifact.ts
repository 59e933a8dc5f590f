// Opens a finished model for answering: a Hugging Face folder or a PEFT adapter, ours or made elsewhere.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { describeShape, type FloatTensor, type Shape, sameShape } from '../graph/tensor.ts';
import type { Base } from '../models/base.ts';
import { readJsonObject } from '../models/files.ts';
import { fetchFromHub, parseHubModel } from '../models/hub.ts';
import type { HubOptions } from '../models/hub-options.ts';
import { type AnyBase, loadAnyBase } from '../models/image-base.ts';
import type { LoraLayers } from '../models/layers.ts';
import type { Head, Model } from '../models/model.ts';
import type { TaskName } from '../runs/spec.ts';
import type { FrozenWeight, Parameters } from './parameters.ts';
import { openPeftAdapter } from './peft-adapter.ts';
import { tasks } from './tasks/index.ts';
import type { BaseOf, TextTaskName } from './tasks/task.ts';

interface CommonArtifact {
  readonly parameters: Parameters;
  readonly labels: readonly string[];
  readonly maxLength: number;
  /** finetutor.json; empty for a folder made elsewhere. */
  readonly record: { readonly [key: string]: unknown };
}

export type LoadedArtifact = CommonArtifact &
  (
    | { readonly task: 'image-classification'; readonly base: BaseOf<'image-classification'> }
    | { readonly task: 'image-text'; readonly base: BaseOf<'image-text'> }
    | { readonly task: TextTaskName; readonly base: Base }
  );

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * @param artifact a folder, or a repository of the hub: an adapter or a whole model, with `@revision` or without.
 * @throws UserError when it holds no finished model, or one that is damaged.
 */
export async function loadArtifact(artifact: string, hub: HubOptions | undefined): Promise<LoadedArtifact> {
  const onHub = hub && !(await exists(artifact)) ? parseHubModel(artifact) : undefined;
  const folder = onHub && hub ? await fetchFromHub(onHub, hub) : artifact;
  const isAdapter = await exists(join(folder, 'adapter_config.json'));
  if (!isAdapter && !(await exists(join(folder, 'config.json')))) {
    throw new UserError(`${folder} holds no finished model.`, 'Wait until its run is done, or give another folder.');
  }
  const record = await readRecord(folder);
  const opened = isAdapter ? await openAdapter(folder, hub, record.task) : await openWhole(folder);
  const { base, own, lora } = opened;
  const task = record.task ?? opened.task;
  const head = headOf(task, base.model, (name) => own.get(name)?.shape ?? base.weights.get(name)?.shape);
  if (head === undefined) {
    throw new UserError(
      isAdapter
        ? `${opened.path} holds no head for ${task}.`
        : `${folder} holds ${base.model.modality === 'text' && base.model.direction === 'encoder' ? 'an encoder' : 'a model'} without a classifier.`,
      isAdapter ? `The adapter must be one for ${task}.` : 'Fine-tune it first.',
    );
  }
  const parameters = await freeze(base, head, own, lora, opened.path);
  const count = 'labels' in head ? head.labels : 0;
  const labels = count === 0 ? [] : (record.labels ?? labelsOf(base.rawConfig, count));
  if (labels.length !== count) {
    throw new UserError(
      `${folder}: ${labels.length} labels are named; the classifier has ${count}.`,
      'The files belong to different models; take all from the same run.',
    );
  }
  const longest = base.model.modality === 'image' ? Number.POSITIVE_INFINITY : base.model.maxLength;
  const common = { parameters, labels, maxLength: Math.min(record.maxLength ?? 512, longest), record };
  if ('preprocessor' in base) {
    if (task === 'image-text' && 'tokenizer' in base) return { ...common, task, base };
    if (task === 'image-classification' && !('tokenizer' in base)) return { ...common, task, base };
  } else if (task !== 'image-classification' && task !== 'image-text') return { ...common, task, base };
  throw new UserError(
    `${folder}: ${base.model.modelType} is no model for ${task}.`,
    'Its files belong to different models.',
  );
}

const isTask = (name: string): name is TaskName => Object.hasOwn(tasks, name);
const recordSchema = z.looseObject({
  task: z.string().refine(isTask).optional(),
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

interface Opened {
  readonly base: AnyBase;
  /** Where its weights lie, for errors. */
  readonly path: string;
  /** Weights of the artifact that come before the base's. */
  readonly own: ReadonlyMap<string, FloatTensor>;
  readonly lora: LoraLayers | undefined;
  /** What the files themselves say of the task. */
  readonly task: TaskName;
}

/** By the ending of the class that config.json names. */
const task_of_class: readonly (readonly [ending: RegExp, task: TaskName])[] = [
  [/ForTokenClassification$/, 'token-classification'],
  [/ForMaskedLM$/, 'masked-lm'],
  [/(ForCausalLM|LMHeadModel)$/, 'causal-lm'],
];

/** What a model that sees is for, unless its record says. */
const usualTasks: { readonly [M in Model['modality']]: TaskName | undefined } = {
  text: undefined,
  image: 'image-classification',
  'image-text': 'image-text',
};

async function openWhole(folder: string): Promise<Opened> {
  const base = await loadAnyBase(folder);
  const names = z.array(z.string()).catch([]).parse(base.rawConfig.architectures);
  const known = task_of_class.find(([ending]) => names.some((name) => ending.test(name)))?.[1];
  const usual =
    base.rawConfig.problem_type === 'regression'
      ? 'regression'
      : (usualTasks[base.model.modality] ?? 'text-classification');
  return { base, path: folder, own: new Map(), lora: undefined, task: known ?? usual };
}

async function openAdapter(folder: string, hub: HubOptions | undefined, wanted: TaskName | undefined): Promise<Opened> {
  const { base, path, own, lora, taskType } = await openPeftAdapter(folder, hub, wanted);
  const fitting = Object.keys(tasks)
    .filter(isTask)
    .find((name) => tasks[name].peftType === taskType && base.model.heads.includes(sized_heads[name](1).kind));
  return { base, path, own, lora, task: usualTasks[base.model.modality] ?? fitting ?? 'text-classification' };
}

function expectShape(
  own: ReadonlyMap<string, FloatTensor>,
  name: string,
  shape: Shape,
  path: string,
  base: Pick<Base, 'source'>,
): void {
  const tensor = own.get(name);
  if (tensor && sameShape(tensor.shape, shape)) return;
  throw new UserError(
    `${path}: tensor ${name} is ${tensor ? describeShape(tensor.shape) : 'missing'}; the base ${base.source} asks for ${describeShape(shape)}.`,
    'The adapter belongs to another base model.',
  );
}

const sized_heads = {
  'text-classification': (labels: number): Head => ({ kind: 'classification', labels }),
  'token-classification': (labels: number): Head => ({ kind: 'token-classification', labels }),
  'image-classification': (labels: number): Head => ({ kind: 'classification', labels }),
  regression: (): Head => ({ kind: 'regression', targets: 1 }),
  'masked-lm': (): Head => ({ kind: 'masked-lm' }),
  'causal-lm': (): Head => ({ kind: 'causal-lm' }),
  'image-text': (): Head => ({ kind: 'contrast' }),
} as const satisfies { readonly [T in TaskName]: (labels: number) => Head };

/** The head with as many labels as its stored weights have; undefined when a weight of it is missing. */
function headOf(task: TaskName, model: Model, shapeOf: (name: string) => Shape | undefined): Head | undefined {
  const make = sized_heads[task];
  if (!model.heads.includes(make(1).kind)) return undefined;
  const one = model.parameters(make(1));
  const two = model.parameters(make(2));
  let labels = 1;
  for (const [name, { shape }] of one) {
    const axis = shape.findIndex((size, at) => size !== two.get(name)?.shape[at]);
    if (axis >= 0) labels = shapeOf(name)?.[axis] ?? 0;
  }
  if (labels === 0) return undefined;
  const head = make(labels);
  const specs = [...model.parameters(head)];
  return specs.every(([name, { part }]) => part === 'body' || shapeOf(name)) ? head : undefined;
}

/** All weights as parts of the model: those of `own` first, then the base's. */
async function freeze(
  base: AnyBase,
  head: Head,
  own: ReadonlyMap<string, FloatTensor>,
  lora: LoraLayers | undefined,
  path: string,
): Promise<Parameters> {
  const frozen = new Map<string, FrozenWeight>(own);
  for (const [name, { shape }] of base.model.parameters(head)) {
    if (own.has(name)) {
      expectShape(own, name, shape, path, base);
      continue;
    }
    const weight = base.weights.get(name);
    if (!weight) throw new UserError(`${path} has no tensor ${name}.`, 'Its files belong to different models.');
    frozen.set(name, weight.inPlace ? { shape: weight.shape, inPlace: weight.inPlace } : await weight.load());
  }
  const count = [...frozen.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { model: base.model, head, lora, trainable: new Map(), frozen, modulesToSave: [], count };
}
