// What a finished run leaves behind: a Hugging Face folder, or a PEFT adapter, with the tokenizer, the record and a model card.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FloatTensor } from '../graph/tensor.ts';
import type { Base } from '../models/base.ts';
import { makeFolder, writeFileAtomically, writeJson } from '../models/files.ts';
import { writeSafetensors } from '../models/safetensors.ts';
import type { ClassificationMetrics } from '../runs/events.ts';
import type { RunSpec } from '../runs/spec.ts';
import type { Parameters } from './parameters.ts';

interface History {
  readonly steps: { step: number; loss: number; learningRate: number }[];
  readonly evaluations: { step: number; loss: number; accuracy: number }[];
}

export interface ArtifactContent {
  readonly spec: RunSpec;
  readonly base: Base;
  readonly parameters: Parameters;
  readonly labels: readonly string[];
  readonly epochs: number;
  readonly maxLength: number;
  readonly metrics: ClassificationMetrics;
  readonly bestStep: number;
  readonly history: History;
}

/** Where a fresh base lies that an adapter belongs to, inside the artifact. */
export const base_folder = 'base';
const adapterConfigFile = 'adapter_config.json';
const adapterFile = 'adapter_model.safetensors';
/** PEFT writes every adapter weight under this prefix. */
export const peft_prefix = 'base_model.model.';

export async function writeTokenizer(folder: string, base: Base, maxLength: number): Promise<void> {
  await writeJson(join(folder, 'tokenizer.json'), base.tokenizerFiles.tokenizer);
  await writeJson(join(folder, 'tokenizer_config.json'), {
    ...base.tokenizerFiles.config,
    model_max_length: maxLength,
  });
}

/** Writes the artifact; each file appears whole. */
export async function writeArtifact(folder: string, content: ArtifactContent): Promise<void> {
  const { spec, base, parameters, labels, maxLength, metrics, bestStep, history } = content;
  await makeFolder(folder);
  if (parameters.lora) await writeAdapter(folder, content);
  else {
    // An adapter left by an earlier run into this folder would be taken for this one's.
    for (const name of [adapterConfigFile, adapterFile]) await rm(join(folder, name), { force: true });
    await writeSafetensors(join(folder, 'model.safetensors'), parameters.trainable);
    await writeJson(join(folder, 'config.json'), {
      ...base.rawConfig,
      architectures: [base.model.architecture(parameters.head)],
      problem_type: 'single_label_classification',
      id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])),
      label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    });
  }
  await writeTokenizer(folder, base, maxLength);
  await writeFileAtomically(join(folder, 'README.md'), [modelCard(content)]);
  // Last: a folder with this file is complete.
  await writeJson(join(folder, 'finetutor.json'), {
    format: 1,
    base: base.source,
    labels,
    maxLength,
    bestStep,
    metrics,
    spec,
    history,
  });
}

/** adapter_config.json and adapter_model.safetensors as PEFT's `save_pretrained` writes them. */
async function writeAdapter(folder: string, { spec, base, parameters }: ArtifactContent): Promise<void> {
  const tensors = new Map<string, FloatTensor>();
  for (const [name, tensor] of parameters.trainable) tensors.set(peft_prefix + name, tensor);
  await writeSafetensors(join(folder, adapterFile), tensors);
  const targets = new Set(base.model.loraTargets.map(({ name }) => name.split('.').at(-1)));
  await writeJson(join(folder, adapterConfigFile), {
    peft_type: 'LORA',
    task_type: 'SEQ_CLS',
    base_model_name_or_path: base.fresh ? base_folder : base.source,
    r: spec.hyper.loraRank,
    lora_alpha: spec.hyper.loraAlpha,
    lora_dropout: 0,
    target_modules: [...targets],
    modules_to_save: parameters.modulesToSave,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    use_rslora: false,
    use_dora: false,
  });
}

/** Label names are a stranger's text: shown as code, where Markdown and HTML mean nothing. */
const asCode = (text: string) => `\`${text.replace(/[`|\r\n]/g, ' ').slice(0, 80)}\``;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function modelCard({ spec, base, labels, epochs, metrics, bestStep, parameters }: ArtifactContent): string {
  const { hyper } = spec;
  const method = parameters.lora ? `LoRA, rank ${hyper.loraRank}, alpha ${hyper.loraAlpha}` : 'all weights';
  const rows = metrics.perClass.map(
    ({ label, precision, recall, f1, support }) =>
      `| ${asCode(label)} | ${percent(precision)} | ${percent(recall)} | ${percent(f1)} | ${support} |`,
  );
  return `---
pipeline_tag: text-classification
library_name: ${parameters.lora ? 'peft' : 'transformers'}
---
# A text classifier

Trained by Finetutor from ${asCode(base.source)} (${method}) to tell ${labels.slice(0, 20).map(asCode).join(', ')} apart.

- Epochs ${epochs}, batch size ${hyper.batchSize}, at most ${hyper.maxLength} tokens, seed ${hyper.seed}
- Weights of step ${bestStep}, where the held-out macro F1 was highest
- Held-out examples ${metrics.examples}: accuracy ${percent(metrics.accuracy)} (always the most frequent class: ${percent(metrics.majorityAccuracy)}), macro F1 ${percent(metrics.macroF1)}

| label | precision | recall | F1 | examples |
|---|---|---|---|---|
${rows.join('\n')}

The held-out examples also chose the step that is kept, so they flatter a little; measure on data of your own before relying on it.
`;
}
