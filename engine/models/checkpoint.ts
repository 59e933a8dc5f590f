// The weights of a checkpoint folder, in one file or in shards, by name; none is read before it is needed.
import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { FileRange } from '../graph/graph.ts';
import type { FloatTensor, Shape } from '../graph/tensor.ts';
import { readJsonObject } from './files.ts';
import { type ElementType, openSafetensors, readFloats, type SafetensorsFile } from './safetensors.ts';

export interface StoredTensor {
  readonly shape: Shape;
  readonly dtype: ElementType;
  /** The file that holds it, for messages. */
  readonly path: string;
  readonly range: FileRange;
  /** As float32. */
  load(): Promise<FloatTensor>;
}

export type StoredTensors = ReadonlyMap<string, StoredTensor>;

const single = 'model.safetensors';
const index = 'model.safetensors.index.json';
const convert =
  'Convert it to model.safetensors: in Python, AutoModel.from_pretrained(folder).save_pretrained(folder).';

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** @throws UserError naming the file when it is missing, damaged, or a pickle. */
export async function openCheckpoint(folder: string): Promise<StoredTensors> {
  if (await exists(join(folder, single))) return storedTensors(await openSafetensors(join(folder, single)));
  if (await exists(join(folder, index))) return openShards(folder);
  for (const pickle of ['pytorch_model.bin', 'pytorch_model.bin.index.json']) {
    if (!(await exists(join(folder, pickle)))) continue;
    throw new UserError(`${folder} holds ${pickle}: a pickle may run any code and is never loaded.`, convert);
  }
  throw new UserError(`${folder} holds no ${single}.`, 'Give a folder with the weights in safetensors.');
}

function storedTensors(file: SafetensorsFile): Map<string, StoredTensor> {
  return new Map(
    Array.from(file.tensors, ([name, { shape, dtype, range }]) => [
      name,
      { shape, dtype, range, path: file.path, load: () => readFloats(file, name) },
    ]),
  );
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** The index says which file holds each tensor; what else a file holds is not looked at. */
async function openShards(folder: string): Promise<Map<string, StoredTensor>> {
  const path = join(folder, index);
  const parsed = indexSchema.safeParse(await readJsonObject(path));
  if (!parsed.success) {
    throw new UserError(`${path} has no weight_map of tensors to files.`, 'Download the index again.');
  }
  const { weight_map: places } = parsed.data;
  const shards = new Map<string, ReadonlyMap<string, StoredTensor>>();
  for (const name of new Set(Object.values(places))) {
    if (basename(name) !== name || !name.endsWith('.safetensors')) {
      throw new UserError(`${path} names the file ${JSON.stringify(name)}.`, 'Shards lie beside the index.');
    }
    if (!(await exists(join(folder, name)))) {
      throw new UserError(
        `${folder} lacks the shard ${name}, which ${index} names.`,
        'Download all files of the model.',
      );
    }
    shards.set(name, storedTensors(await openSafetensors(join(folder, name))));
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [tensor, name] of Object.entries(places)) {
    const stored = shards.get(name)?.get(tensor);
    if (!stored) {
      throw new UserError(
        `${join(folder, name)} has no tensor ${tensor}, though ${index} says so.`,
        'The shards belong to different versions of the model; download all of them again.',
      );
    }
    tensors.set(tensor, stored);
  }
  return tensors;
}
