// Writes a folder that Transformers.js runs from disk: config, tokenizer or image preprocessing, and onnx/model*.onnx.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeOnnx } from '../graph/onnx-bytes.ts';
import { writeFileAtomically, writeJson } from '../models/files.ts';
import { compress, type ExportDtype } from './compress.ts';
import { moveOut } from './external-data.ts';
import { type ExportSource, exportNetwork } from './network.ts';
import { checkParity, type Parity } from './parity.ts';

/** The files' names are those that Transformers.js looks for, by `dtype`. */
const file_names: { readonly [D in ExportDtype]: string } = {
  fp32: 'model.onnx',
  q8: 'model_quantized.onnx',
  q4: 'model_q4.onnx',
};

export interface ExportedFile {
  readonly dtype: ExportDtype;
  readonly path: string;
  readonly bytes: number;
  readonly parity: Parity;
}

export interface TransformersJsExport extends ExportSource {
  /** What else the folder holds, by file name: `config.json`, `tokenizer.json`, `preprocessor_config.json`… */
  readonly files: { readonly [name: string]: object };
}

/** Below the 2 GB of a protocol buffer, with room for the graph itself. */
const mostModelBytes = 1.5e9;

/**
 * @param mostBytes a model larger than this keeps its weights in files beside it.
 * @returns what was written, each file with its distance from the trained model.
 * @throws UserError when a file answers otherwise than the trained model; that file is removed.
 */
export async function exportTransformersJs(
  source: TransformersJsExport,
  folder: string,
  dtypes: readonly ExportDtype[],
  mostBytes = mostModelBytes,
): Promise<readonly ExportedFile[]> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const network = exportNetwork(source);
  const written: ExportedFile[] = [];
  /** How many files of weights lie beside each model. */
  const dataFiles: { [model: string]: number } = {};
  for (const dtype of dtypes) {
    const path = join(folder, 'onnx', file_names[dtype]);
    const { parts, files } = moveOut(compress(network, dtype), path, mostBytes);
    const { bytes } = encodeOnnx(parts);
    for (const file of files) await writeFileAtomically(file.path, file.chunks());
    await writeFileAtomically(path, [bytes]);
    if (files.length > 0) dataFiles[file_names[dtype]] = files.length;
    try {
      const sizes = await Promise.all([path, ...files.map((file) => file.path)].map((one) => stat(one)));
      const total = sizes.reduce((sum, { size }) => sum + size, 0);
      written.push({ dtype, path, bytes: total, parity: await checkParity(source, path, dtype) });
    } catch (error) {
      for (const one of [path, ...files.map((file) => file.path)]) await rm(one, { force: true });
      throw error;
    }
  }
  for (const [name, content] of Object.entries(source.files)) {
    await writeJson(join(folder, name), name === 'config.json' ? configFor(source, content, dataFiles) : content);
  }
  return written;
}

/** config.json as Transformers.js is to read it. */
function configFor({ model, head }: ExportSource, config: object, dataFiles: { readonly [model: string]: number }) {
  const reads = model.modality === 'text' && model.direction === 'decoder' && head.kind !== 'causal-lm';
  return {
    ...config,
    // It has no class for a decoder that reads and answers once. By this name it takes one that feeds ids and mask and
    // leaves the rest to the graph, which is what this model wants.
    ...(reads ? { model_type: 'bert', original_model_type: model.modelType } : {}),
    ...(Object.keys(dataFiles).length > 0 ? { 'transformers.js_config': { use_external_data_format: dataFiles } } : {}),
  };
}
