// Nearest vectors by a rough look at their signs: held against the exact search.
import { expect, test } from 'vitest';
import { createRandom } from '../engine/random.ts';
import { createExactIndex } from '../knowledge/search/vectors/exact.ts';
import { createSignedVectors, nearestBySigns } from '../knowledge/search/vectors/signs.ts';

test('among 20,000 vectors in two tables the ten nearest are those of the exact search, 99 of 100 times', () => {
  const dimensions = 128;
  const random = createRandom(4);
  const draw = () =>
    Float32Array.from({ length: dimensions }, () => random.next() + random.next() + random.next() - 1.5);
  const unit = (vector: Float32Array) => {
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  };
  // Around 200 subjects, as texts are.
  const subjects = Array.from({ length: 200 }, draw);
  const pick = () => {
    const noise = draw();
    const subject = subjects[random.below(subjects.length)] ?? noise;
    return unit(noise.map((value, index) => value + (subject[index] ?? 0)));
  };
  const data = Float32Array.from(Array.from({ length: 20_000 }, pick).flatMap((vector) => [...vector]));
  const exact = createExactIndex({ dimensions, data });
  const half = data.length / 2;
  const tables = [data.slice(0, half), data.slice(half)].map((part) => createSignedVectors({ dimensions, data: part }));
  let found = 0;
  for (let question = 0; question < 50; question++) {
    const query = pick();
    const rough = [...nearestBySigns(query, tables, 3000)].sort((a, b) => b.similarity - a.similarity).slice(0, 10);
    const places = new Set(rough.map(({ table, at }) => table * 10_000 + at));
    found += exact.nearest(query, 10).filter(({ at }) => places.has(at)).length;
  }
  expect(found / 500).toBeGreaterThanOrEqual(0.99);
});

test('a few vectors are all compared', () => {
  const data = Float32Array.from([1, 0, -1, 0, 0, 1]);
  const table = createSignedVectors({ dimensions: 2, data });
  expect([...nearestBySigns(Float32Array.from([0.6, 0.8]), [table], 10)].map(({ similarity }) => similarity)).toEqual([
    expect.closeTo(0.6),
    expect.closeTo(-0.6),
    expect.closeTo(0.8),
  ]);
});
