// Weights of a file, wherever they lie while a session runs: the same numbers, and one copy for all sessions that share them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createGraph, type Graph } from '../engine/graph/graph.ts';
import { createShelf } from '../engine/graph/held-weights.ts';
import { createSession } from '../engine/graph/session.ts';
import { placeWeights, type StoredWeight } from '../engine/graph/weight-places.ts';
import { createRandom } from '../engine/random.ts';
import { runOnWebgpu } from './support/webgpu.ts';

const rows = 5;
const [inner, columns] = [48, 80];
let folder = '';
let path = '';
const weight = Float32Array.from({ length: inner * columns }, createRandom(3).normal);
const bf16 = Uint16Array.from(new Uint32Array(weight.buffer), (bits) => bits >>> 16);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-held-'));
  path = join(folder, 'weights.bin');
  await writeFile(path, Buffer.concat([Buffer.from(weight.buffer), Buffer.from(bf16.buffer)]));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ranges = {
  float32: () => ({ path, offset: 0, bytes: weight.byteLength }),
  bfloat16: () => ({ path, offset: weight.byteLength, bytes: bf16.byteLength }),
} as const;
type Type = keyof typeof ranges;

/** y = x·W, and a row of W looked up. */
function graphOf(type: Type): Graph {
  const g = createGraph();
  const w = g.external([inner, columns], ranges[type](), type);
  g.output('y', g.op('MatMul', [g.input('x', 'float32', [rows, inner]), w]));
  g.output('row', g.op('Gather', [w, g.constant({ type: 'int32', shape: [1], data: Int32Array.of(7) })]));
  return g.graph;
}

const x = Float32Array.from({ length: rows * inner }, createRandom(4).normal);
const feeds = { x: { type: 'float32', shape: [rows, inner], data: x } } as const;

/** In float64, one number after the other. */
function product(numbers: ArrayLike<number>): number[] {
  return Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += (x[Math.floor(at / columns) * inner + k] ?? 0) * (numbers[k * columns + (at % columns)] ?? 0);
    return sum;
  });
}

const widened = Float32Array.from(bf16, (half) => new Float32Array(Uint32Array.of(half << 16).buffer)[0] ?? 0);

test.each([
  ['float32', false, weight],
  ['float32', true, weight],
  ['bfloat16', false, widened],
  ['bfloat16', true, widened],
] as const)(
  'a weight of %s gives the same numbers held for all sessions or packed for one (packs: %s)',
  async (type, packs, numbers) => {
    const graph = graphOf(type);
    expect(placeWeights(graph, { device: 'cpu', packs })).toBe(packs ? 'packed' : 'held');
    const session = await createSession(graph, { device: 'cpu', packs });
    const { y, row } = await session.run(feeds);
    const expected = product(numbers);
    const largest = Math.max(
      ...Array.from(y?.data ?? [], (value, at) => Math.abs(Number(value) - (expected[at] ?? 0))),
    );
    expect(y?.data).toHaveLength(rows * columns);
    expect(largest).toBeLessThan(1e-4);
    expect(row?.data).toEqual(numbers.slice(7 * columns, 8 * columns));
    await session.close();
  },
);

test('a large file stays where it is, and half precision that is large stays half', () => {
  const g = createGraph();
  const place = (shape: number[], type: Type) => {
    const bytes = (shape[0] ?? 0) * (shape[1] ?? 0) * (type === 'float32' ? 4 : 2);
    g.external(shape, { path, offset: 0, bytes }, type);
    return placeWeights(g.graph, { device: 'cpu', packs: true });
  };
  expect(place([200_000, 1000], 'float32')).toBe('packed');
  expect(place([100_000, 1000], 'float32')).toBe('in place');
});

const stored = (offset: number): StoredWeight => ({
  name: `w${offset}`,
  shape: [1],
  type: 'float32',
  range: { path: 'weights', offset, bytes: 4 },
});

test('what two use is read once, kept until neither does, and read anew when the file has changed', async () => {
  const read: number[] = [];
  let stamp = 'first';
  const forgotten: Float32Array[] = [];
  const shelf = createShelf({
    async bring({ range: { offset } }) {
      read.push(offset);
      return Float32Array.of(offset);
    },
    stampOf: async () => stamp,
    forget: (numbers) => forgotten.push(numbers),
  });
  const [one, two] = await Promise.all([shelf.hold([stored(0), stored(4)]), shelf.hold([stored(4), stored(8)])]);
  expect(read.toSorted()).toEqual([0, 4, 8]);
  expect(one.values.get('w4')).toBe(two.values.get('w4'));
  one.release();
  const three = await shelf.hold([stored(4)]);
  expect(read).toHaveLength(3);
  two.release();
  three.release();
  await Promise.resolve();
  expect(forgotten.map(([offset]) => offset).toSorted()).toEqual([0, 4, 8]);
  const four = await shelf.hold([stored(4)]);
  expect(read).toHaveLength(4);
  stamp = 'second';
  await shelf.hold([stored(4)]);
  expect(read).toHaveLength(5);
  four.release();
});

test('a weight that cannot be read is no memory of a later session', async () => {
  let broken = true;
  const shelf = createShelf({
    async bring({ range: { offset } }) {
      if (broken && offset === 4) throw new Error('weights ends at byte 4');
      return Float32Array.of(offset);
    },
    stampOf: async () => '',
    forget() {},
  });
  await expect(shelf.hold([stored(0), stored(4)])).rejects.toThrow('ends at byte 4');
  broken = false;
  const { values } = await shelf.hold([stored(0), stored(4)]);
  expect(values.get('w4')).toEqual(Float32Array.of(4));
});

const measured = z.object({ error: z.number(), answers: z.number(), crossedBytes: z.number() });
const webgpu = z
  .union([z.object({ unavailable: z.string() }), z.object({ opened: z.array(measured) })])
  .parse(await runOnWebgpu(new URL('./support/held-webgpu.ts', import.meta.url)));

if ('unavailable' in webgpu) {
  test.skip(`on WebGPU: skipped, there is no adapter (${webgpu.unavailable.slice(0, 120)})`, () => {});
} else {
  test('on WebGPU a weight is put on the device once for all sessions', () => {
    expect(webgpu.opened.map(({ answers }) => answers)).toEqual([4, 16, 8].map((rows) => rows * 96));
    for (const { error } of webgpu.opened) expect(error).toBeLessThan(1e-4);
    // Only x crosses.
    expect(webgpu.opened.map(({ crossedBytes }) => crossedBytes)).toEqual([4, 16, 8].map((rows) => rows * 64 * 4));
  });
}
