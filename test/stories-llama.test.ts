// A real trained Llama (260 thousand weights) against its oracle: tokens, logits, loss, greedy text; and it fine-tunes.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { FloatTensor } from '../engine/graph/tensor.ts';
import { loadBaseFolder } from '../engine/models/base.ts';
import { tokenObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { adamw_defaults, createAdamW } from '../engine/tuning/optimizers/adamw.ts';
import { textInputs } from '../engine/tuning/tasks/text-batches.ts';
import { createWriter } from '../engine/tuning/writer.ts';

const folder = fileURLToPath(new URL('../../shared/data/stories260k-llama', import.meta.url));
const numbers = z.array(z.number());
const oracleSchema = z.object({
  suggested_atol_logits_fp32: z.number(),
  prompts: z.array(
    z.object({
      prompt: z.string(),
      input_ids: numbers,
      mean_ce: z.number(),
      greedy_ids: numbers,
      greedy_text: z.string(),
      last_logits: numbers,
    }),
  ),
});

async function open() {
  const oracle = oracleSchema.parse(JSON.parse(readFileSync(`${folder}/oracle.json`, 'utf8')));
  const { model, tokenizer, weights } = await loadBaseFolder(folder);
  const trainable = new Map<string, FloatTensor>();
  const head = { kind: 'causal-lm' } as const;
  for (const name of model.parameters(head).keys()) {
    const weight = await weights.get(name)?.load();
    if (weight) trainable.set(name, weight);
  }
  const parameters = { model, head, lora: undefined, trainable, frozen: new Map(), modulesToSave: [], count: 0 };
  const network = createNetwork(parameters, tokenObjective(0), { device: 'cpu', threads: 1 });
  return { oracle, tokenizer, parameters, network };
}

/** The texts as a batch in which every token but a text's first is to be foretold. */
function lessonOf(texts: readonly (readonly number[])[]) {
  const { inputs, length } = textInputs(texts, texts.length, { padId: 0, maxLength: 512 });
  const ids = new Int32Array(texts.length * length);
  const shares = new Float32Array(ids.length);
  const count = texts.reduce((sum, text) => sum + text.length - 1, 0);
  texts.forEach((text, row) => {
    ids.set(text.slice(1), row * length);
    shares.fill(1 / count, row * length, row * length + text.length - 1);
  });
  const shape = [ids.length, 1];
  return {
    inputs,
    targets: {
      targetIds: { type: 'int32', shape, data: ids },
      targetWeights: { type: 'float32', shape, data: shares },
    },
    weight: 1,
  } as const;
}

const title = 'stories260k-llama';
describe.skipIf(!existsSync(folder))(existsSync(folder) ? title : `${title} (skipped: ${folder} is not there)`, () => {
  test('encodes as its tokenizer, and answers its logits and loss', async () => {
    const { oracle, tokenizer, network } = await open();
    for (const { prompt, input_ids, last_logits, mean_ce } of oracle.prompts) {
      expect(tokenizer.encode(prompt, 512)).toEqual(input_ids);
      const { inputs } = textInputs([input_ids], 1, { padId: 0, maxLength: 512 });
      const logits = await network.answer(inputs, Int32Array.of(input_ids.length - 1));
      const error = Math.max(...last_logits.map((logit, token) => Math.abs(logit - (logits[token] ?? Number.NaN))));
      expect(error).toBeLessThan(oracle.suggested_atol_logits_fp32);
      const { loss } = await network.computeGradients(lessonOf([input_ids]), undefined);
      expect(loss).toBeCloseTo(mean_ce, 4);
    }
    await network.close();
  });

  test('writes its greedy text, token for token', async () => {
    const { oracle, tokenizer, parameters, network } = await open();
    const writer = createWriter(parameters, { device: 'cpu', threads: 1 });
    for (const { prompt, input_ids, greedy_ids, greedy_text } of oracle.prompts) {
      const written: number[] = [];
      const asked = { temperature: 0, maxTokens: greedy_ids.length, stopIds: [1, 2], seed: 0 };
      for await (const token of writer.write(input_ids, asked)) written.push(token);
      expect(written).toEqual(greedy_ids);
      expect(tokenizer.decode([...input_ids, ...written])).toBe(prompt + greedy_text);
    }
    await writer.close();
    await network.close();
  });

  test('a few steps lower its loss', async () => {
    const { oracle, parameters, network } = await open();
    const lesson = lessonOf(oracle.prompts.map(({ input_ids }) => input_ids));
    const optimizer = createAdamW(parameters.trainable, adamw_defaults);
    const losses: number[] = [];
    for (let step = 1; step <= 8; step++) {
      const { loss, gradients } = await network.computeGradients(lesson, undefined);
      optimizer.step(gradients, { step, learningRate: 1e-3, gradientScale: 1 });
      losses.push(loss);
    }
    losses.slice(1).forEach((loss, at) => {
      expect(loss).toBeLessThan(losses[at] ?? 0);
    });
    expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] ?? 0));
    await network.close();
  });
});
