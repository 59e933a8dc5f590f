// Run as a process of its own, with a Vulkan driver in its environment: two sessions on WebGPU share a file's weight. Prints
// the largest error of each against a product in float64 and the bytes that crossed, or `{ unavailable: reason }`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGraph } from '../../engine/graph/graph.ts';
import { createSession } from '../../engine/graph/session.ts';
import { createRandom } from '../../engine/random.ts';
import { missingAdapter } from './webgpu-adapter.ts';

const [inner, columns] = [64, 96];
const random = createRandom(3);
const weight = Float32Array.from({ length: inner * columns }, random.normal);

async function multiply(path: string, rows: number) {
  const g = createGraph('webgpu');
  const w = g.external([inner, columns], { path, offset: 0, bytes: weight.byteLength });
  g.output('y', g.op('MatMul', [g.input('x', 'float32', [rows, inner]), w]));
  const traffic = { toDeviceBytes: 0, fromDeviceBytes: 0 };
  const session = await createSession(g.graph, { device: 'webgpu', onlyOnDevice: true, traffic });
  const x = Float32Array.from({ length: rows * inner }, random.normal);
  const { y } = await session.run({ x: { type: 'float32', shape: [rows, inner], data: x } });
  const errors = Array.from(y?.data ?? [], (value, at) => {
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += (x[Math.floor(at / columns) * inner + k] ?? 0) * (weight[k * columns + (at % columns)] ?? 0);
    return Math.abs(Number(value) - sum);
  });
  return { session, error: Math.max(...errors), answers: errors.length, crossedBytes: traffic.toDeviceBytes };
}

const unavailable = await missingAdapter();
if (unavailable !== undefined) process.stdout.write(JSON.stringify({ unavailable }));
else {
  const folder = await mkdtemp(join(tmpdir(), 'finetutor-held-'));
  const path = join(folder, 'weights.bin');
  await writeFile(path, Buffer.from(weight.buffer));
  const opened = [await multiply(path, 4), await multiply(path, 16)];
  await opened[0]?.session.close();
  // What the second uses must not have gone with the first.
  opened.push(await multiply(path, 8));
  for (const { session } of opened.slice(1)) await session.close();
  await rm(folder, { recursive: true });
  process.stdout.write(JSON.stringify({ opened: opened.map(({ session: _, ...measured }) => measured) }));
}
// The WebGPU device keeps the process alive.
process.exit(0);
