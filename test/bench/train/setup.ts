// What a bench trains: a checkpoint of random weights on disk, and a batch of random inputs.
import { mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elementCount, type Tensor } from '../../../engine/graph/tensor.ts';
import { drawInitial, type Model } from '../../../engine/models/model.ts';
import { streamSafetensors } from '../../../engine/models/safetensors.ts';
import { createRandom } from '../../../engine/random.ts';
import { classTargets } from '../../../engine/tuning/losses.ts';
import type { TaskBatch } from '../../../engine/tuning/tasks/task.ts';
import type { Workload } from './workloads.ts';

/** Writes a checkpoint of random weights, one tensor at a time, unless it is there from an earlier run. */
export async function makeCheckpoint(model: Model, { head, dtype }: Pick<Workload, 'head' | 'dtype'>): Promise<string> {
  const size = Array.from(model.parameters(head).values()).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const folder = join(tmpdir(), 'finetutor-bench-train', `${model.modelType}-${size}-${dtype}`);
  const path = join(folder, 'model.safetensors');
  if (await stat(path).catch(() => undefined)) return folder;
  await mkdir(folder, { recursive: true });
  const random = createRandom(1);
  await streamSafetensors(
    path,
    Array.from(model.parameters(head), ([name, spec]) => ({
      name,
      dtype,
      shape: spec.shape,
      load() {
        const { data } = drawInitial(spec, random);
        if (dtype === 'F32') return new Uint8Array(data.buffer);
        const bits = new Uint32Array(data.buffer);
        const halves = new Uint16Array(bits.length);
        for (let at = 0; at < bits.length; at++) halves[at] = (bits[at] ?? 0) >>> 16;
        return new Uint8Array(halves.buffer);
      },
    })),
  );
  return folder;
}

export function makeBatch(model: Model, { head, rows, length }: Pick<Workload, 'head' | 'rows' | 'length'>): TaskBatch {
  const random = createRandom(2);
  if (model.modality === 'image') {
    const shape = [rows, model.channels, length, length];
    const data = Float32Array.from({ length: rows * model.channels * length * length }, () => random.normal());
    return { inputs: { pixelValues: { type: 'float32', shape, data } }, ...classes(rows) };
  }
  const ids = Int32Array.from({ length: rows * length }, () => random.below(model.vocabularySize));
  const inputs: { [name: string]: Tensor } = {
    inputIds: { type: 'int32', shape: [rows, length], data: ids },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: new Float32Array(rows * length) },
  };
  if (head.kind !== 'causal-lm') return { inputs, ...classes(rows) };
  const shape = [rows * length, 1];
  const isLast = (at: number) => at % length === length - 1;
  return {
    inputs,
    targets: {
      targetIds: { type: 'int32', shape, data: Int32Array.from(ids, (_, at) => ids[at + 1] ?? 0) },
      targetWeights: { type: 'float32', shape, data: Float32Array.from(ids, (_, at) => (isLast(at) ? 0 : 1)) },
    },
    weight: rows * (length - 1),
  };
}

function classes(rows: number) {
  const chosen = Array.from({ length: rows }, (_, row) => ({ row, label: row % 2 }));
  return classTargets(chosen, rows, [1, 1], 0);
}
