// Every text family against an independent one in PyTorch (test/oracle): weights' names, answers, losses, every gradient.
import { describe, expect, test } from 'vitest';
import { modelOf, type OracleCase, readCases, relativeError, solve, trueAnswer, unpack } from './support/oracle.ts';

const tolerance = 1e-4;

/** Softmax does not see a shift of all scores: such a bias has the gradient 0, and only rounding moves it. */
const withoutEffect = (name: string) => /\.(key|k_lin|attn\.k)\.bias$/.test(name);

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
