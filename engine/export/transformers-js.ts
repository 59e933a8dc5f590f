// Writes a folder that Transformers.js runs from disk: config, tokenizer or image preprocessing, and onnx/model*.onnx.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeOnnx } from '../graph/onnx-bytes.ts';
import { writeFileAtomically, writeJson } from '../models/files.ts';
import { compress, type ExportDtype } from './compress.ts';
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

/**
 * @returns what was written, each file with its distance from the trained model.
 * @throws UserError when a file answers otherwise than the trained model; that file is removed.
 */
export async function exportTransformersJs(
  source: TransformersJsExport,
  folder: string,
  dtypes: readonly ExportDtype[],
): Promise<readonly ExportedFile[]> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  for (const [name, content] of Object.entries(source.files)) await writeJson(join(folder, name), content);
  const network = exportNetwork(source);
  const written: ExportedFile[] = [];
  for (const dtype of dtypes) {
    const { bytes } = encodeOnnx(compress(network, dtype));
    const path = join(folder, 'onnx', file_names[dtype]);
    await writeFileAtomically(path, [bytes]);
    try {
      written.push({ dtype, path, bytes: bytes.length, parity: await checkParity(source, path, dtype) });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }
  return written;
}
