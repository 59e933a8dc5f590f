// Takes a finished run's artifact elsewhere: adapters merged into their base, as a Hugging Face folder or for Transformers.js.
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { makeFolder, writeJson } from '../models/files.ts';
import type { HubOptions } from '../models/hub-options.ts';
import type { AnyBase } from '../models/image-base.ts';
import { writeCheckpoint } from '../models/write-checkpoint.ts';
import { modelConfig, writeInputFiles } from '../tuning/artifact.ts';
import { type LoadedArtifact, loadArtifact } from '../tuning/load-artifact.ts';
import { mergeAdapters } from '../tuning/parameters.ts';
import type { ExportDtype } from './compress.ts';
import { type ExportedFile, exportTransformersJs } from './transformers-js.ts';

export const export_formats = ['transformers.js', 'huggingface'] as const;
type ExportFormat = (typeof export_formats)[number];

export interface ExportOptions {
  readonly format: ExportFormat;
  /** Of the ONNX files; a Hugging Face folder is always float32. */
  readonly dtypes: readonly ExportDtype[];
  readonly hub?: HubOptions | undefined;
}

/**
 * @returns the ONNX files with their distance from the trained model; none for a Hugging Face folder.
 * @throws UserError when the artifact cannot be read, `out` is the artifact itself, or an exported file answers otherwise.
 */
export async function exportArtifact(
  artifact: string,
  out: string,
  { format, dtypes, hub }: ExportOptions,
): Promise<readonly ExportedFile[]> {
  if (resolve(artifact) === resolve(out)) {
    throw new UserError(`${out} is the artifact itself.`, 'Give another folder to write to.');
  }
  const loaded = await loadArtifact(artifact, hub);
  const weights = await mergeAdapters(loaded.base, loaded.parameters);
  const { base, parameters, labels, task, maxLength } = loaded;
  const { model, head } = parameters;
  const config = modelConfig(base, head, labels, task);
  await makeFolder(out);
  await writeInputFiles(out, head.kind === 'causal-lm' ? base : withPadding(base), maxLength);
  if (format === 'huggingface') {
    await writeCheckpoint(out, weights);
    await writeJson(join(out, 'config.json'), config);
    return [];
  }
  const files = { 'config.json': config, ...generationConfig(loaded) };
  return exportTransformersJs({ model, head, weights, files }, out, dtypes);
}

/** GPT-2's tokenizer has no token to pad with: its end stands in, so that several texts can be answered at once. */
function withPadding(base: AnyBase): AnyBase {
  if (!('tokenizerFiles' in base)) return base;
  const { tokenizer, config } = base.tokenizerFiles;
  if (config.pad_token || !config.eos_token) return base;
  return { ...base, tokenizerFiles: { tokenizer, config: { ...config, pad_token: config.eos_token } } };
}

/** Where a model that writes texts begins and ends them. */
function generationConfig({ base, parameters }: LoadedArtifact): { readonly [name: string]: object } {
  if (parameters.head.kind !== 'causal-lm') return {};
  const known = ['bos_token_id', 'eos_token_id', 'pad_token_id'].filter((key) => base.rawConfig[key] !== undefined);
  const meant = 'generationConfig' in base ? base.generationConfig : undefined;
  return {
    'generation_config.json': { ...Object.fromEntries(known.map((key) => [key, base.rawConfig[key]])), ...meant },
  };
}
