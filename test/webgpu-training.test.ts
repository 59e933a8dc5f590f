// Training on WebGPU ends where training on the CPU ends; SwiftShader's software adapter counts.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** Debian's Chromium carries SwiftShader, a Vulkan driver in software; its own loader lies beside it. */
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';
const numbers = z.array(z.number());
const answer = z.union([
  z.object({ unavailable: z.string() }),
  z.object({ losses: z.object({ cpu: numbers, webgpu: numbers }), furthest: z.number() }),
]);

test('a few steps on WebGPU give the losses and weights of the CPU', async ({ skip }) => {
  const vulkan = existsSync(swiftshader)
    ? { VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: dirname(swiftshader) }
    : {};
  const script = fileURLToPath(new URL('./support/train-webgpu.ts', import.meta.url));
  const options = { env: { ...vulkan, ...process.env }, timeout: 120_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], options);
  const found = answer.parse(JSON.parse(stdout));
  if ('unavailable' in found) {
    skip(`no WebGPU adapter: ${found.unavailable}`);
    return;
  }
  const { losses, furthest } = found;
  expect(losses.cpu[0]).not.toBe(losses.cpu.at(-1));
  losses.webgpu.forEach((loss, step) => {
    expect(loss).toBeCloseTo(losses.cpu[step] ?? Number.NaN, 4);
  });
  expect(furthest).toBeLessThan(1e-3);
}, 120_000);
