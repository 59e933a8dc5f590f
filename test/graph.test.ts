// Graphs: shapes are checked where an op is written, frozen weights are read in place, and batches keep to few shapes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assembleBatch, bucketLength, planEpoch, planEvaluation } from '../engine/data/batches.ts';
import { createGraph } from '../engine/graph/graph.ts';
import { writeOnnx } from '../engine/graph/onnx.ts';
import { createSession } from '../engine/graph/session.ts';
import { openSafetensors, writeSafetensors } from '../engine/models/safetensors.ts';
import { createRandom } from '../engine/random.ts';

test('a mistake of shape is an error that names the op and the shapes', () => {
  const g = createGraph();
  const x = g.input('x', 'float32', [2, 3]);
  const y = g.input('y', 'float32', [2, 4]);
  const ids = g.input('ids', 'int32', [2]);
  expect(() => g.op('Add', [x, y])).toThrow('Add: shapes [2, 3] and [2, 4] do not broadcast');
  expect(() => g.op('MatMul', [x, y])).toThrow('MatMul: matrices [2, 3] and [2, 4] do not multiply');
  expect(() => g.op('Gemm', [x, y], { transA: true, transB: true })).toThrow('Gemm: Gemm of [2, 3]ᵀ and [2, 4]ᵀ');
  expect(() => g.op('Reshape', [x], { shape: [4] })).toThrow('Reshape: [2, 3] cannot take the shape [4]');
  expect(() => g.op('Slice', [x], { axis: 1, start: 0, end: 4 })).toThrow('Slice: slice 0…4 of axis 1 leaves [2, 3]');
  expect(() => g.op('Transpose', [x], { perm: [0, 0] })).toThrow('does not permute [2, 3]');
  expect(() => g.op('Mul', [x, ids])).toThrow('types float32 and int32 differ');
  expect(() => g.constant({ type: 'float32', shape: [3], data: new Float32Array(2) })).toThrow('do not fill [3]');
  expect(g.op('Gemm', [x, y], { transA: true, transB: false }).shape).toEqual([3, 4]);
});

test('a frozen weight is read where it lies in a safetensors file, and is no part of the model’s bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'finetutor-graph-'));
  try {
    const path = join(folder, 'model.safetensors');
    const weight = Float32Array.from({ length: 64 * 64 }, (_, index) => Math.sin(index));
    await writeSafetensors(
      path,
      new Map([
        ['a', { shape: [5], data: new Float32Array(5) }],
        ['w', { shape: [64, 64], data: weight }],
      ]),
    );
    const range = (await openSafetensors(path)).tensors.get('w')?.range;
    if (!range) throw new Error('the file has no w');
    const g = createGraph();
    const x = g.input('x', 'float32', [1, 64]);
    g.output('y', g.op('MatMul', [x, g.external([64, 64], range)]));
    g.op('Exp', [x]);
    const { bytes } = writeOnnx(g.graph);
    expect(bytes.length).toBeLessThan(600);
    const session = await createSession(g.graph, { device: 'cpu' });
    const row = Float32Array.from({ length: 64 }, (_, index) => index / 64);
    const { y } = await session.run({ x: { type: 'float32', shape: [1, 64], data: row } });
    await session.close();
    for (let column = 0; column < 64; column++) {
      const truth = row.reduce((sum, value, index) => sum + value * (weight[index * 64 + column] ?? 0), 0);
      expect(y?.data[column]).toBeCloseTo(truth, 4);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('an epoch holds every example once, similar lengths together, and follows from its seed', () => {
  const random = createRandom(5);
  const lengths = Array.from({ length: 1003 }, () => 3 + random.below(60));
  const plan = planEpoch(lengths, 16, createRandom(1));
  expect(plan.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
  expect(plan).toHaveLength(63);
  expect(plan.filter((batch) => batch.length !== 16)).toHaveLength(1);
  expect(planEpoch(lengths, 16, createRandom(1))).toEqual(plan);
  expect(planEpoch(lengths, 16, createRandom(2))).not.toEqual(plan);
  const padded = plan.reduce((sum, batch) => sum + 16 * Math.max(...batch.map((index) => lengths[index] ?? 0)), 0);
  const real = lengths.reduce((sum, length) => sum + length, 0);
  expect(padded / real).toBeLessThan(1.15);
  expect(planEvaluation([5, 3, 9], 2)).toEqual([[1, 0], [2]]);
});

test('lengths fall into few buckets, and padding is masked', () => {
  expect([1, 8, 9, 32, 33, 65, 200].map((length) => bucketLength(length, 512))).toEqual([8, 8, 16, 32, 48, 96, 256]);
  expect(bucketLength(61, 62)).toBe(62);
  const buckets = new Set(Array.from({ length: 512 }, (_, index) => bucketLength(index + 1, 512)));
  expect(buckets.size).toBe(12);
  const batch = assembleBatch(
    [
      [2, 7, 3],
      [2, 3],
    ],
    { rows: 3, padId: 0, maxLength: 64 },
  );
  expect(batch).toMatchObject({ rows: 3, length: 8, examples: 2 });
  expect(Array.from(batch.inputIds.subarray(0, 12))).toEqual([2, 7, 3, 0, 0, 0, 0, 0, 2, 3, 0, 0]);
  expect(Array.from(batch.attentionBias, (bias) => (bias === 0 ? 1 : 0)).join('')).toBe('111000001100000000000000');
});
