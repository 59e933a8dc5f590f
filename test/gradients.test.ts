// Every gradient rule against finite differences, on the processor and, where an adapter is found, on WebGPU.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { addGradients } from '../engine/autodiff/gradients.ts';
import { gradient_rules } from '../engine/autodiff/rules.ts';
import { createGraph } from '../engine/graph/graph.ts';
import { largestGradientError } from './support/gradcheck.ts';
import { gradient_cases } from './support/gradient-cases.ts';

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

/** Debian's Chromium carries SwiftShader, a Vulkan driver in software; its own loader lies beside it. */
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';
const answer = z.union([
  z.object({ unavailable: z.string() }),
  z.object({ errors: z.record(z.string(), z.union([z.number(), z.string()])) }),
]);

async function checkOnWebgpu(): Promise<z.output<typeof answer>> {
  const vulkan = existsSync(swiftshader)
    ? { VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: dirname(swiftshader) }
    : {};
  const script = fileURLToPath(new URL('./support/gradcheck-webgpu.ts', import.meta.url));
  const options = { env: { ...vulkan, ...process.env }, timeout: 120_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], options);
  return answer.parse(JSON.parse(stdout));
}

const webgpu = await checkOnWebgpu();
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
