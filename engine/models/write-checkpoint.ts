// Writes a model's weights as Hugging Face's classes save them.
import { join } from 'node:path';
import type { FloatTensor } from '../graph/tensor.ts';
import { floatTensors, streamSafetensors, type TensorToWrite } from './safetensors.ts';

/** Writes `model.safetensors` into the folder. @returns its SHA-256. */
export function writeCheckpoint(folder: string, weights: ReadonlyMap<string, FloatTensor>): Promise<string> {
  const tensors = [...floatTensors(weights), ...batchCounters(weights.keys())];
  return streamSafetensors(
    join(folder, 'model.safetensors'),
    tensors.sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
}

/** PyTorch keeps, beside running statistics, a count of their batches that only another kind of average reads: zero. */
function* batchCounters(names: Iterable<string>): Generator<TensorToWrite> {
  for (const name of names) {
    const [, norm] = /^(.*)\.running_mean$/.exec(name) ?? [];
    if (norm === undefined) continue;
    yield { name: `${norm}.num_batches_tracked`, dtype: 'I64', shape: [], load: () => new Uint8Array(8) };
  }
}
