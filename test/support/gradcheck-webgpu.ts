// Run as a process of its own, with a Vulkan driver in its environment: checks every gradient on WebGPU and prints
// `{ errors: { op: largest relative error } }`, or `{ unavailable: reason }` where there is no adapter.
import { createGraph } from '../../engine/graph/graph.ts';
import { createSession } from '../../engine/graph/session.ts';
import { largestGradientError } from './gradcheck.ts';
import { gradient_cases } from './gradient-cases.ts';

async function probe(): Promise<string | undefined> {
  const g = createGraph();
  g.output('y', g.op('Exp', [g.input('x', 'float32', [1])]));
  try {
    await (await createSession(g.graph, { device: 'webgpu' })).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const unavailable = await probe();
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
