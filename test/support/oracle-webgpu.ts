// Run as a process of its own, with a Vulkan driver in its environment: solves a few oracle cases on WebGPU alone and prints
// `{ errors: { case: largest relative error } }`, or `{ unavailable: reason }` where there is no adapter.
import { largestError, readCases, solve } from './oracle.ts';
import { missingAdapter } from './webgpu-adapter.ts';

const chosen = ['bert classification', 'gpt2 classification', 'qwen3 causal-lm'];
const unavailable = await missingAdapter();
const errors: { [name: string]: number } = {};
if (unavailable === undefined) {
  const cases = ['encoders.json', 'gpt2.json', 'llama.json'].flatMap(readCases);
  for (const one of cases.filter(({ name }) => chosen.includes(name))) {
    errors[one.name] = largestError(one, await solve(one, 'webgpu'));
  }
}
process.stdout.write(JSON.stringify(unavailable === undefined ? { errors } : { unavailable }));
// The WebGPU device keeps the process alive.
process.exit(0);
