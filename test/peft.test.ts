// Adapters of PEFT: those its library made (test/oracle/adapters.py) answer here as there, and ours are written as its own are.

import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { openSafetensors } from '../engine/models/safetensors.ts';
import { runSpecSchema } from '../engine/runs/spec.ts';
import { loadArtifact } from '../engine/tuning/load-artifact.ts';
import { tokenObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { textInputs } from '../engine/tuning/tasks/text-batches.ts';
import { train } from '../engine/tuning/train.ts';
import { startHubServer } from './support/hub-server.ts';
import { relativeError, seededWeight, unpack } from './support/oracle.ts';
import { writeSeededFolder } from './support/seeded-folder.ts';
import { safetensorsBytes } from './support/tiny-model.ts';

const numbers = z.array(z.number());
const caseSchema = z.object({
  name: z.string(),
  config: z.record(z.string(), z.unknown()),
  head: z.union([
    z.object({ kind: z.literal(['classification', 'token-classification']), labels: z.number() }),
    z.object({ kind: z.literal('causal-lm') }),
  ]),
  adapterConfig: z.record(z.string(), z.unknown()),
  tensors: z.record(z.string(), numbers),
  texts: z.array(numbers),
  shape: numbers,
  answer: z.string(),
});
type PeftCase = z.output<typeof caseSchema>;
const { cases } = z
  .object({ cases: z.array(caseSchema) })
  .parse(JSON.parse(readFileSync(new URL('./oracle/fixtures/peft.json', import.meta.url), 'utf8')));
const caseOf = (name: string): PeftCase => {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`no case ${name}`);
  return found;
};

const home = await mkdtemp(join(tmpdir(), 'finetutor-peft-'));
afterAll(() => rm(home, { recursive: true }));

/** The adapter's folder with its base inside. */
async function writeAdapter(
  one: PeftCase,
  changes: { readonly config?: object; readonly tensors?: (name: string, tensor: FloatTensor) => FloatTensor } = {},
): Promise<string> {
  const folder = await mkdtemp(join(home, 'adapter-'));
  await writeSeededFolder(join(folder, 'base'), { ...one.config, pad_token_id: 0 }, one.head);
  const settings = { ...one.adapterConfig, base_model_name_or_path: 'base', ...changes.config };
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(settings));
  const { tensors = (_, tensor) => tensor } = changes;
  const weights = Object.entries(one.tensors).map(
    ([name, shape]) => [name, tensors(name, seededWeight(name, shape))] as const,
  );
  await writeFile(join(folder, 'adapter_model.safetensors'), safetensorsBytes(weights));
  return folder;
}

const maxLength = 16;

/** For each text, or for each of its own tokens. */
async function answer(folder: string, { texts, shape }: PeftCase): Promise<number[]> {
  const { parameters } = await loadArtifact(folder, undefined);
  const network = createNetwork(parameters, tokenObjective(0), { device: 'cpu', threads: 1 });
  const { inputs, length } = textInputs(texts, texts.length, { padId: 0, maxLength });
  const answered = await network.answer(inputs);
  await network.close();
  return shape.length === 3 ? ownTokens(answered, texts, length) : Array.from(answered);
}

/** @param answered [texts, length, n]. */
function ownTokens(answered: Float32Array, texts: readonly (readonly number[])[], length: number): number[] {
  const width = answered.length / texts.length / length;
  return texts.flatMap((text, row) =>
    Array.from(answered.subarray(row * length * width, (row * length + text.length) * width)),
  );
}

describe('an adapter that PEFT made', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s: answers here as there', async (_, one) => {
    const ours = await answer(await writeAdapter(one), one);
    const truth = unpack(one.answer);
    const theirs = one.shape.length === 3 ? ownTokens(truth, one.texts, one.shape[1] ?? 0) : Array.from(truth);
    expect(relativeError(ours, theirs)).toBeLessThan(1e-4);
    // The adapter matters: without it the answer is another.
    const without = await writeAdapter(one, {
      tensors: (name, { shape, data }) => ({ shape, data: name.includes('lora_B') ? data.map(() => 0) : data }),
    });
    expect(relativeError(await answer(without, one), theirs)).toBeGreaterThan(1e-3);
  });
});

describe('an adapter is refused, naming what it is,', () => {
  const llama = caseOf('llama, as PEFT chooses');
  const refused = async (changes: Parameters<typeof writeAdapter>[1], message: string | RegExp, one = llama) =>
    expect(loadArtifact(await writeAdapter(one, changes), undefined)).rejects.toThrow(message);

  test('when it is of another kind than LoRA, or changes more than it says', async () => {
    await refused({ config: { peft_type: 'IA3' } }, 'peft_type is "IA3", which is not supported');
    await refused({ config: { use_dora: true } }, 'use_dora is true, which is not supported');
    await refused({ config: { bias: 'lora_only' } }, 'bias is "lora_only", which is not supported');
    await refused({ config: { init_lora_weights: 'pissa_niter_4' } }, 'init_lora_weights is "pissa_niter_4"');
    await refused({ config: { alora_invocation_tokens: [1, 2] } }, 'alora_invocation_tokens is [1,2]');
    await refused({ config: { layer_replication: [[0, 2]] } }, 'layer_replication is [[0,2]]');
    await refused({ config: { base_model_name_or_path: null } }, 'base_model_name_or_path is null');
    await refused(
      { config: { alpha_pattern: { '(a+)+$': 3 } } },
      'alpha_pattern has the key "(a+)+$", a regular expression',
    );
  });

  test('when it belongs to another base', async () => {
    const other = { ...llama, config: { ...llama.config, hidden_size: 32 } };
    await refused({}, /lora_A\.weight does not fit: .* asks for \[3, 32\], and it is \[3, 16\]/, other);
    await refused({}, /layers\.1\..*lora_A\.weight does not fit: .* has no such linear layer/, {
      ...llama,
      config: { ...llama.config, num_hidden_layers: 1 },
    });
    await refused({ config: { r: 4 } }, 'is of rank 3; adapter_config.json says 4');
  });

  test('when a tensor has no place in the model, or lacks its other half', async () => {
    const prefix = 'base_model.model.model.layers.0.self_attn.q_proj';
    const more = { ...llama, tensors: { ...llama.tensors, [`${prefix}.lora_magnitude_vector`]: [16] } };
    await refused({}, 'lora_magnitude_vector does not fit', more);
    const { [`${prefix}.lora_B.weight`]: _, ...rest } = llama.tensors;
    await refused({}, 'its other half is missing', { ...llama, tensors: rest });
    await refused({}, 'is not a PEFT weight', { ...llama, tensors: { 'model.norm.weight': [16] } });
  });

  test('when its weights are a pickle', async () => {
    const folder = await writeAdapter(llama);
    await rename(join(folder, 'adapter_model.safetensors'), join(folder, 'adapter_model.bin'));
    await expect(loadArtifact(folder, undefined)).rejects.toThrow('a pickle may run any code and is never loaded');
  });
});

test('an adapter and its base are fetched from the hub by the adapter’s name', async () => {
  const one = caseOf('bert, as PEFT chooses');
  const folder = await writeAdapter(one, { config: { base_model_name_or_path: 'people/base' } });
  const hub = await startHubServer({
    id: 'people/adapter',
    folder,
    others: { 'people/base': join(folder, 'base') },
  });
  const options = { endpoint: hub.url, cacheDir: join(home, 'cache'), offline: false };
  const { parameters, labels, base } = await loadArtifact('people/adapter', options);
  await hub.close();
  expect(labels).toHaveLength(3);
  expect(base.source).toBe('people/base');
  expect(parameters.lora?.targets.size).toBe(4);
});

describe('a run of ours', () => {
  const sentences = ['a b c', 'b c a', 'c a b', 'a a b', 'b b', 'c c', 'a', 'b', 'c', 'a c', 'c b', 'b a'];
  const labelled = sentences.map((text, at) => `${'xyz'[at % 3]},${text}`);
  test.each([
    ['bert, as PEFT chooses', 'text-classification', ['label,text', ...labelled]],
    ['gpt2, as PEFT chooses', 'causal-lm', ['text', ...sentences]],
    ['llama, as PEFT chooses', 'causal-lm', ['text', ...sentences]],
  ] as const)('%s: writes the files that PEFT writes', async (name, task, lines) => {
    const one = caseOf(name);
    const folder = await mkdtemp(join(home, 'run-'));
    const data = join(folder, 'data.csv');
    await writeFile(data, `${lines.join('\n')}\n`);
    await writeSeededFolder(join(folder, 'base'), { ...one.config, pad_token_id: 0 }, one.head);
    const spec = runSpecSchema.parse({
      task,
      method: 'lora',
      model: join(folder, 'base'),
      data: { train: data, eval: 0.3 },
      hyper: { epochs: 1, maxLength: 8, loraRank: 3, loraAlpha: 7 },
      out: join(folder, 'adapter'),
    });
    for await (const event of train(spec, { signal: new AbortController().signal, resume: false, now: () => 0 })) {
      if (event.type === 'error') throw new Error(event.message);
    }
    const written = JSON.parse(await readFile(join(spec.out, 'adapter_config.json'), 'utf8'));
    const { base_model_name_or_path: base, ...settings } = written;
    expect(base).toBe(join(folder, 'base'));
    // Of the names that PEFT itself adds for any classifier, one is ours.
    const { modules_to_save: kept, ...theirs } = one.adapterConfig;
    const { modules_to_save: ours, ...rest } = settings;
    if (kept === null) expect(ours).toBeNull();
    else expect(kept).toEqual(expect.arrayContaining(['classifier']));
    expect(rest).toEqual(Object.fromEntries(Object.keys(rest).map((key) => [key, theirs[key]])));
    const file = await openSafetensors(join(spec.out, 'adapter_model.safetensors'));
    const shapes = Object.fromEntries(Array.from(file.tensors, ([tensor, { shape }]) => [tensor, [...shape]]));
    expect(shapes).toEqual(one.tensors);
  });
});
