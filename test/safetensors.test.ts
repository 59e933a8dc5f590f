// Safetensors files: written ones read back, and a header that lies is refused by name before any data is trusted.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../engine/errors.ts';
import { openSafetensors, readFloats, writeSafetensors } from '../engine/models/safetensors.ts';
import { createRandom } from '../engine/random.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-safetensors-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A file as the format describes it, written here byte by byte. */
async function writeRaw(name: string, header: unknown, data: Uint8Array): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([length, json, data]));
  return path;
}

test('what is written reads back, and lies in the file as the format says', async () => {
  const path = join(folder, 'good.safetensors');
  const tensors = new Map([
    ['b', { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 1e-30) }],
    ['a', { shape: [], data: Float32Array.of(7) }],
  ]);
  await writeSafetensors(path, tensors);
  const file = await openSafetensors(path);
  expect(file.metadata).toEqual({ format: 'pt' });
  for (const [name, tensor] of tensors) expect(await readFloats(file, name)).toEqual(tensor);
  const bytes = await readFile(path);
  const headerBytes = Number(bytes.readBigUInt64LE());
  expect(headerBytes % 8).toBe(0);
  expect(JSON.parse(bytes.subarray(8, 8 + headerBytes).toString())).toEqual({
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
    b: { dtype: 'F32', shape: [2, 2], data_offsets: [4, 20] },
  });
  expect(bytes.readFloatLE(8 + headerBytes + 4 + 8)).toBe(3.5);
});

test('half precision of both kinds is widened exactly', async () => {
  const halves = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x3555];
  const brains = [0x3f80, 0xc000, 0x7f7f, 0x0001];
  const path = await writeRaw(
    'half.safetensors',
    {
      h: { dtype: 'F16', shape: [7], data_offsets: [0, 14] },
      b: { dtype: 'BF16', shape: [4], data_offsets: [14, 22] },
      i: { dtype: 'I32', shape: [1], data_offsets: [22, 26] },
    },
    Buffer.concat([Buffer.from(Uint16Array.from([...halves, ...brains]).buffer), Buffer.alloc(4)]),
  );
  const file = await openSafetensors(path);
  // The values of IEEE 754 binary16 and of bfloat16's published definition.
  expect(Array.from((await readFloats(file, 'h')).data)).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    -0,
    Number.POSITIVE_INFINITY,
    0.333251953125,
  ]);
  expect(Array.from((await readFloats(file, 'b')).data)).toEqual([1, -2, 3.3895313892515355e38, 2 ** -133]);
  await expect(readFloats(file, 'i')).rejects.toThrow('tensor i is I32, not floating-point');
});

describe('a damaged file is refused, naming it and what does not fit', () => {
  const four = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
  const cases: readonly (readonly [string, unknown, number, string])[] = [
    ['offsets past the end', { w: { ...four, data_offsets: [0, 8], shape: [2] } }, 4, 'tensor w ends at byte'],
    ['offsets backwards', { w: { ...four, data_offsets: [4, 0] } }, 4, 'tensor w has the offsets [4,0]'],
    ['a negative offset', { w: { ...four, data_offsets: [-4, 0] } }, 4, 'tensor w has the offsets [-4,0]'],
    ['a shape that needs more bytes', { w: { ...four, shape: [3] } }, 4, 'takes 12 bytes; its offsets span 4'],
    ['a shape that is no shape', { w: { ...four, shape: [1.5] } }, 4, 'tensor w has the shape [1.5]'],
    ['an unknown type', { w: { ...four, dtype: 'F7' } }, 4, 'tensor w has the unknown type "F7"'],
    ['an inherited name as a type', { w: { ...four, dtype: 'toString' } }, 4, 'has the unknown type "toString"'],
    ['two tensors on the same bytes', { v: four, w: four }, 4, 'tensor w overlaps'],
    ['a gap', { w: { ...four, data_offsets: [4, 8] } }, 8, 'before tensor w, belong to no tensor'],
    ['bytes nobody owns', { w: four }, 9, 'the tensors end at byte'],
    ['a header that is no JSON', '{"w":', 0, 'the header is not JSON'],
    ['a header that is a list', '[]', 0, 'the header is not a JSON object'],
  ];
  for (const [title, header, bytes, message] of cases) {
    test(title, async () => {
      const path = await writeRaw('bad.safetensors', header, new Uint8Array(bytes));
      const failure = await openSafetensors(path).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UserError);
      expect(failure).toMatchObject({ message: expect.stringContaining(message) });
      expect(failure).toMatchObject({ message: expect.stringContaining(path) });
    });
  }

  test('a header length that claims more than the file, or more than any header', async () => {
    const path = join(folder, 'length.safetensors');
    const length = Buffer.alloc(16);
    length.writeBigUInt64LE(1000n);
    await writeFile(path, length);
    await expect(openSafetensors(path)).rejects.toThrow('claims 1000 bytes; the file has 16');
    length.writeBigUInt64LE(2n ** 63n);
    await writeFile(path, length);
    await expect(openSafetensors(path)).rejects.toThrow('more than allowed');
    await writeFile(path, 'x');
    await expect(openSafetensors(path)).rejects.toThrow('1 bytes are too few');
  });
});

test('ten thousand mutated files either read within bounds or are refused, never a crash', async () => {
  const good = join(folder, 'seed.safetensors');
  const tensors = new Map(['x', 'y', 'z'].map((name) => [name, { shape: [2, 3], data: new Float32Array(6).fill(1) }]));
  await writeSafetensors(good, tensors);
  const original = await readFile(good);
  const random = createRandom(11);
  const path = join(folder, 'mutated.safetensors');
  let refused = 0;
  for (let round = 0; round < 10_000; round++) {
    let bytes = Buffer.from(original);
    for (let edit = random.below(4); edit >= 0; edit--) bytes[random.below(bytes.length)] = random.below(256);
    if (random.below(4) === 0) bytes = bytes.subarray(0, random.below(bytes.length + 1));
    await writeFile(path, bytes);
    try {
      const file = await openSafetensors(path);
      for (const [name, { range }] of file.tensors) {
        expect(range.offset + range.bytes).toBeLessThanOrEqual(bytes.length);
        await readFloats(file, name);
      }
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(5000);
  expect(refused).toBeLessThan(10_000);
});
