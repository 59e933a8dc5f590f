// Every text family against an independent one in PyTorch (test/oracle): weights' names, answers, losses, every gradient.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  largestError,
  modelOf,
  type OracleCase,
  readCases,
  relativeError,
  solve,
  trueAnswer,
  unpack,
  withoutEffect,
} from './support/oracle.ts';
import { runOnWebgpu } from './support/webgpu.ts';

const tolerance = 1e-4;

function agrees(one: OracleCase) {
  test(`${one.name}: weights, answer, loss and the gradient of every parameter agree with PyTorch to 1e-4`, async () => {
    const specs = modelOf(one).parameters(one.head);
    const shapes = Object.fromEntries(Array.from(specs, ([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual(Object.fromEntries(Object.entries(one.gradients).map(([name, { shape }]) => [name, shape])));
    const { answer, loss, gradients } = await solve(one);
    expect(relativeError(answer, trueAnswer(one))).toBeLessThan(tolerance);
    expect(relativeError([loss], [one.loss])).toBeLessThan(tolerance);
    for (const [name, { data }] of Object.entries(one.gradients)) {
      const ours = gradients.get(name) ?? [];
      if (withoutEffect(name)) expect(Math.max(...Array.from(ours, Math.abs)), name).toBeLessThan(1e-6);
      else expect(relativeError(ours, unpack(data)), name).toBeLessThan(tolerance);
    }
  });
}

describe('encoders', () => {
  for (const one of readCases('encoders.json')) agrees(one);
});

describe('decoders', () => {
  for (const one of [...readCases('gpt2.json'), ...readCases('llama.json')]) agrees(one);
});

describe('texts packed into one row', () => {
  const cases = [...readCases('gpt2.json'), ...readCases('llama.json')].filter(
    (one) => one.head.kind === 'causal-lm' && one.texts.flat().length <= modelOf(one).maxLength,
  );
  test('are of both families, one that looks back only so far among them', () => {
    expect(cases.map(({ config }) => config.model_type)).toEqual(expect.arrayContaining(['gpt2', 'llama', 'qwen3']));
    expect(cases.some(({ config }) => typeof config.sliding_window === 'number')).toBe(true);
  });
  for (const one of cases) {
    test(`${one.name}: answer, loss and every gradient are those of PyTorch on each text alone`, async () => {
      expect(one.texts.length).toBeGreaterThan(1);
      expect(largestError(one, await solve(one, 'cpu', { packed: true }))).toBeLessThan(tolerance);
    });
  }
});

test('on WebGPU alone, three families agree too', async (context) => {
  const answer = z
    .union([z.object({ unavailable: z.string() }), z.object({ errors: z.record(z.string(), z.number()) })])
    .parse(await runOnWebgpu(new URL('./support/oracle-webgpu.ts', import.meta.url)));
  if ('unavailable' in answer) return context.skip(`there is no adapter: ${answer.unavailable.slice(0, 120)}`);
  expect(Object.keys(answer.errors)).toHaveLength(3);
  expect(Math.max(...Object.values(answer.errors))).toBeLessThan(tolerance);
}, 240_000);
