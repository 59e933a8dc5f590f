// Training on WebGPU ends where training on the CPU ends, and leaves the weights on the device; SwiftShader's software adapter counts.
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { runOnWebgpu } from './support/webgpu.ts';

const numbers = z.array(z.number());
const compared = z.object({
  losses: z.object({ cpu: numbers, webgpu: numbers }),
  /** Of all weights and optimizer state, relative to the largest number of each tensor. */
  furthest: z.number(),
  answers: z.number(),
  /** What each step moved between host and device. */
  crossed: z.array(z.object({ toDeviceBytes: z.number(), fromDeviceBytes: z.number() })),
});
const whole = z.object({
  batchBytes: z.number(),
  adamw: compared,
  sgd: compared,
  adafactor: compared,
  resumesExactly: z.boolean(),
});
const answer = z.union([z.object({ unavailable: z.string() }), whole]);

let found: z.output<typeof answer>;
beforeAll(async () => {
  found = answer.parse(await runOnWebgpu(new URL('./support/train-webgpu.ts', import.meta.url)));
}, 240_000);

function given(skip: (why: string) => void): z.output<typeof whole> | undefined {
  if ('unavailable' in found) skip(`no WebGPU adapter: ${found.unavailable}`);
  return 'unavailable' in found ? undefined : found;
}

for (const optimizer of ['adamw', 'sgd', 'adafactor'] as const) {
  test(`a few steps of ${optimizer} on WebGPU give the losses, weights and state of the CPU`, ({ skip }) => {
    const seen = given(skip);
    if (!seen) return;
    const { losses, furthest, answers } = seen[optimizer];
    expect(losses.cpu[0]).not.toBe(losses.cpu.at(-1));
    losses.webgpu.forEach((loss, step) => {
      expect(loss).toBeCloseTo(losses.cpu[step] ?? Number.NaN, 4);
    });
    expect(furthest).toBeLessThan(1e-3);
    expect(answers).toBeLessThan(1e-3);
  });
}

test('between steps the weights stay on WebGPU: the batch and a few numbers go in, the loss and the norm come out', ({
  skip,
}) => {
  const seen = given(skip);
  if (!seen) return;
  const float = 4;
  // SGD's two numbers: the learning rate and the gradients' scale.
  for (const { toDeviceBytes, fromDeviceBytes } of seen.sgd.crossed) {
    expect(toDeviceBytes).toBe(seen.batchBytes + 2 * float);
    expect(fromDeviceBytes).toBe(2 * float);
  }
  // Two batches, each with its loss and norm; the norm of their sum; Adafactor's four numbers and the scale.
  for (const { toDeviceBytes, fromDeviceBytes } of seen.adafactor.crossed) {
    expect(toDeviceBytes).toBe(2 * seen.batchBytes + 5 * float);
    expect(fromDeviceBytes).toBe(5 * float);
  }
});

test('training on WebGPU that is read back, closed and opened again goes on bit for bit', ({ skip }) => {
  expect(given(skip)?.resumesExactly).toBe(true);
});
