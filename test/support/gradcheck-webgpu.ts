// Run as a process of its own, with a Vulkan driver in its environment: checks every gradient on WebGPU and prints
// `{ errors: { op: largest relative error } }`, or `{ unavailable: reason }` where there is no adapter.
import { largestGradientError } from './gradcheck.ts';
import { gradient_cases } from './gradient-cases.ts';
import { missingAdapter } from './webgpu-adapter.ts';

const unavailable = await missingAdapter();
const errors: { [op: string]: number | string } = {};
if (unavailable === undefined) {
  for (const [op, cases] of Object.entries(gradient_cases)) {
    try {
      for (const one of cases)
        errors[op] = Math.max(Number(errors[op] ?? 0), await largestGradientError(one, 'webgpu'));
    } catch (error) {
      errors[op] = error instanceof Error ? error.message : String(error);
    }
  }
}
process.stdout.write(JSON.stringify(unavailable === undefined ? { errors } : { unavailable }));
// The WebGPU device keeps the process alive.
process.exit(0);
