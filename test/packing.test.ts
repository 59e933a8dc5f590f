// Several texts in one row of a language model's batch: each learns what it would have learnt alone.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadBaseFolder } from '../engine/models/base.ts';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { prepareParameters } from '../engine/tuning/parameters.ts';
import { causalLm } from '../engine/tuning/tasks/causal-lm.ts';
import { relativeError } from './support/oracle.ts';
import { writeToyDecoder } from './support/toy-models.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-packing-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const texts = [
  'what is overfitting',
  'a model that learns the noise',
  'how is it seen',
  'by heart',
  'User',
  'of its data',
];

/** Weight, loss and gradients of all training texts at once. */
async function learnAll(model: string, packing: boolean) {
  const spec = runSpecSchema.parse({
    task: 'causal-lm',
    model,
    data: { train: join(folder, 'texts.jsonl'), eval: 0.2 },
    hyper: { packing, maxLength: 32 },
    out: join(folder, 'out'),
  });
  if (spec.task !== 'causal-lm') throw new Error('another task');
  const data = await causalLm.read(spec);
  if (!('encode' in data)) throw new Error('no texts');
  const base = await loadBaseFolder(model);
  const encoded = data.encode(base, { maxLength: 32 });
  const parameters = await prepareParameters(base, data.head, spec);
  const network = createNetwork(parameters, encoded.objective, { device: 'cpu', threads: 1 });
  const rows = encoded.lengths.length;
  const batch = await encoded.trainingBatch(
    encoded.lengths.map((_, at) => at),
    rows + 1,
    1,
  );
  const { loss, gradients } = await network.computeGradients(batch, undefined);
  await network.close();
  return { rows, weight: batch.weight, loss, gradients };
}

test.each(['gpt2', 'llama'] as const)(
  '%s: packed rows give the loss and gradients of the texts apart',
  async (family) => {
    const lines = texts.map((text) => JSON.stringify({ text }));
    await writeFile(join(folder, 'texts.jsonl'), lines.join('\n'));
    const model = join(folder, family);
    await writeToyDecoder(model, { family });
    const apart = await learnAll(model, false);
    const packed = await learnAll(model, true);
    expect(apart.rows).toBe(5);
    expect(packed.rows).toBeLessThan(4);
    expect(packed.weight).toBe(apart.weight);
    expect(relativeError([packed.loss], [apart.loss])).toBeLessThan(1e-5);
    for (const [name, gradient] of apart.gradients) {
      const largest = Math.max(...gradient.map(Math.abs));
      // A key's bias moves nothing: only rounding is there.
      if (largest > 1e-4) expect(relativeError(packed.gradients.get(name) ?? [], gradient), name).toBeLessThan(1e-3);
    }
  },
);
