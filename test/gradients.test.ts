// Every gradient rule against finite differences, on the processor and, where an adapter is found, on WebGPU.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { addGradients } from '../engine/autodiff/gradients.ts';
import { gradient_rules } from '../engine/autodiff/rules.ts';
import { createGraph } from '../engine/graph/graph.ts';
import { largestGradientError } from './support/gradcheck.ts';
import { gradient_cases } from './support/gradient-cases.ts';
import { runOnWebgpu } from './support/webgpu.ts';

const tolerance = 2e-3;
const checked = Object.entries(gradient_cases).filter(([, cases]) => cases.length > 0);

describe('on the processor', () => {
  for (const [op, cases] of checked) {
    test(`the gradient of ${op} agrees with finite differences`, async () => {
      for (const one of cases) expect(await largestGradientError(one, 'cpu')).toBeLessThan(tolerance);
    });
  }

  test('an op without a gradient says why, and every other one is checked', () => {
    const refused = Object.entries(gradient_rules).flatMap(([op, rule]) => (typeof rule === 'function' ? [] : [op]));
    const unchecked = Object.entries(gradient_cases).flatMap(([op, cases]) => (cases.length === 0 ? [op] : []));
    expect(unchecked).toEqual(refused);
    const g = createGraph();
    const x = g.input('x', 'float32', [2]);
    const mask = g.op('Cast', [g.op('Equal', [x, g.scalar(1)])], { to: 'float32' });
    const loss = g.op('ReduceSum', [mask], { axes: [0], keepDims: false });
    expect(() => addGradients(g, loss, [x])).toThrow(/Cast has no gradient: it makes numbers of/);
  });

  test('a value the loss does not depend on is an error, not a zero', () => {
    const g = createGraph();
    const x = g.input('x', 'float32', [2]);
    const other = g.input('other', 'float32', [2]);
    const loss = g.op('ReduceSum', [x], { axes: [0], keepDims: false });
    expect(() => addGradients(g, loss, [other])).toThrow('the loss does not depend on other');
  });
});

const answer = z.union([
  z.object({ unavailable: z.string() }),
  z.object({ errors: z.record(z.string(), z.union([z.number(), z.string()])) }),
]);

const webgpu = answer.parse(await runOnWebgpu(new URL('./support/gradcheck-webgpu.ts', import.meta.url)));
if ('unavailable' in webgpu) {
  test.skip(`on WebGPU: skipped, there is no adapter (${webgpu.unavailable.slice(0, 120)})`, () => {});
} else {
  describe('on WebGPU', () => {
    for (const [op] of checked) {
      test(`the gradient of ${op} agrees with finite differences`, () => {
        expect(webgpu.errors[op]).toBeTypeOf('number');
        expect(webgpu.errors[op]).toBeLessThan(tolerance);
      });
    }
  });
}
