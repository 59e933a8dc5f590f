// What a finished run leaves behind: a Hugging Face folder, or a PEFT adapter, with the tokenizer, the record and a model card.
import { rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { FloatTensor } from '../graph/tensor.ts';
import type { Base } from '../models/base.ts';
import { makeFolder, writeFileAtomically, writeJson } from '../models/files.ts';
import type { AnyBase } from '../models/image-base.ts';
import type { Head } from '../models/model.ts';
import { writeSafetensors } from '../models/safetensors.ts';
import { writeCheckpoint } from '../models/write-checkpoint.ts';
import type { Metrics } from '../runs/events.ts';
import type { RunSpec, TaskName } from '../runs/spec.ts';
import { modelCard } from './model-card.ts';
import { liveTensors, mergeAdapters, type Parameters } from './parameters.ts';
import { tasks } from './tasks/index.ts';

interface History {
  readonly steps: { step: number; loss: number; learningRate: number }[];
  readonly evaluations: { readonly step: number; readonly loss: number; readonly [figure: string]: number }[];
}

export interface ArtifactContent {
  readonly spec: RunSpec;
  readonly base: AnyBase;
  readonly parameters: Parameters;
  readonly labels: readonly string[];
  readonly epochs: number;
  readonly maxLength: number;
  readonly metrics: Metrics;
  /** What predicting needs beyond labels. */
  readonly record: { readonly [key: string]: unknown };
  readonly bestStep: number;
  readonly history: History;
}

/** Where a fresh base lies that an adapter belongs to, inside the artifact. */
export const base_folder = 'base';
const adapterConfigFile = 'adapter_config.json';
const adapterFile = 'adapter_model.safetensors';
/** PEFT writes every adapter weight under this prefix. */
export const peft_prefix = 'base_model.model.';

export async function writeTokenizer(
  folder: string,
  base: Pick<Base, 'tokenizerFiles'>,
  maxLength: number,
): Promise<void> {
  await writeJson(join(folder, 'tokenizer.json'), base.tokenizerFiles.tokenizer);
  await writeJson(join(folder, 'tokenizer_config.json'), {
    ...base.tokenizerFiles.config,
    model_max_length: maxLength,
  });
}

/** What turns texts or pictures into the model's numbers. */
export async function writeInputFiles(folder: string, base: AnyBase, maxLength: number): Promise<void> {
  if ('tokenizer' in base) await writeTokenizer(folder, base, maxLength);
  if ('generationConfig' in base && base.generationConfig)
    await writeJson(join(folder, 'generation_config.json'), base.generationConfig);
  if ('preprocessor' in base) await writeJson(join(folder, 'preprocessor_config.json'), base.preprocessing);
}

/** Writes the artifact; each file appears whole. */
export async function writeArtifact(folder: string, content: ArtifactContent): Promise<void> {
  const { spec, base, parameters, labels, maxLength, metrics, record, bestStep, history } = content;
  await makeFolder(folder);
  if (parameters.lora) await writeAdapter(folder, content);
  else {
    // An adapter left by an earlier run into this folder would be taken for this one's.
    for (const name of [adapterConfigFile, adapterFile]) await rm(join(folder, name), { force: true });
    // With what stayed as it was: a body under a new head, running statistics.
    const whole = parameters.frozen.size > 0 ? await mergeAdapters(base, parameters) : liveTensors(parameters);
    await writeCheckpoint(folder, whole);
    await writeJson(join(folder, 'config.json'), modelConfig(base, parameters.head, labels, spec.task));
  }
  await writeInputFiles(folder, base, maxLength);
  await writeFileAtomically(join(folder, 'README.md'), [modelCard(content)]);
  // Last: a folder with this file is complete.
  await writeJson(join(folder, 'finetutor.json'), {
    format: 2,
    task: spec.task,
    base: base.source,
    labels,
    ...record,
    maxLength,
    bestStep,
    metrics,
    spec,
    history,
  });
}

/** config.json of the base with this head, as Transformers reads it. */
export function modelConfig(base: AnyBase, head: Head, labels: readonly string[], task: TaskName): object {
  const { problemType } = tasks[task];
  return {
    ...base.rawConfig,
    architectures: [base.model.architecture(head)],
    ...(problemType === undefined ? {} : { problem_type: problemType }),
    ...labelsInConfig(head, labels),
  };
}

/** What Transformers needs to build a head of the right size. */
function labelsInConfig(head: Head, labels: readonly string[]): object {
  if (head.kind === 'regression') return { num_labels: 1, id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } };
  if (labels.length === 0) return {};
  return {
    id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
  };
}

/** adapter_config.json and adapter_model.safetensors as PEFT's `save_pretrained` writes them. */
async function writeAdapter(folder: string, { spec, base, parameters }: ArtifactContent): Promise<void> {
  const tensors = new Map<string, FloatTensor>();
  // Under both names where the library's versions differ: each finds its own.
  for (const [name, tensor] of parameters.trainable) {
    for (const one of [name, base.model.renamed?.(name) ?? name]) tensors.set(peft_prefix + one, tensor);
  }
  await writeSafetensors(join(folder, adapterFile), tensors);
  const targets = base.model.loraTargets.flatMap(({ name }) => {
    const weight = `${name}.weight`;
    return [weight, base.model.renamed?.(weight) ?? weight].map((one) => one.split('.').at(-2));
  });
  const source = base.fresh ? base_folder : base.source;
  const [name, revision = null] = isAbsolute(source) ? [source] : source.split('@');
  await writeJson(join(folder, adapterConfigFile), {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: name,
    bias: 'none',
    fan_in_fan_out: base.model.loraTargets.some(({ layout }) => layout === 'in-out'),
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: spec.hyper.loraAlpha,
    lora_dropout: 0,
    modules_to_save: parameters.modulesToSave.length > 0 ? parameters.modulesToSave : null,
    peft_type: 'LORA',
    r: spec.hyper.loraRank,
    rank_pattern: {},
    revision,
    target_modules: [...new Set(targets)],
    task_type: tasks[spec.task].peftType,
    use_dora: false,
    use_rslora: false,
  });
}
