// What a graph will take, counted by hand on graphs small enough to count.
import { expect, test } from 'vitest';
import { costOf, weightBytes } from '../engine/graph/cost.ts';
import { createGraph } from '../engine/graph/graph.ts';
import { measureSpeed } from '../engine/graph/speed.ts';

test('products are two operations for each pair of numbers, whichever way the matrices lie', () => {
  const flops = (
    build: (g: ReturnType<typeof createGraph>) => Parameters<ReturnType<typeof createGraph>['output']>[1],
  ) => {
    const g = createGraph();
    g.output('y', build(g));
    return costOf(g.graph).flops;
  };
  const input = (g: ReturnType<typeof createGraph>, name: string, shape: number[]) => g.input(name, 'float32', shape);
  expect(flops((g) => g.op('MatMul', [input(g, 'a', [5, 2, 3]), input(g, 'b', [5, 3, 4])]))).toBe(2 * 5 * 2 * 3 * 4);
  for (const [a, transA] of [
    [[2, 3], false],
    [[3, 2], true],
  ] as const)
    expect(flops((g) => g.op('Gemm', [input(g, 'a', [...a]), input(g, 'b', [3, 4])], { transA, transB: false }))).toBe(
      2 * 2 * 3 * 4,
    );
  const window = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const;
  const convolution = flops((g) => g.op('Conv', [input(g, 'x', [2, 3, 8, 8]), input(g, 'k', [6, 3, 3, 3])], window));
  expect(convolution).toBe(2 * (2 * 6 * 8 * 8) * (3 * 3 * 3));
});

test('a value takes memory from its making to its last reading; a view takes none; what nobody needs is not counted', () => {
  const g = createGraph();
  const x = g.input('x', 'float32', [100]);
  const a = g.op('Exp', [x]);
  const b = g.op('Exp', [g.op('Reshape', [a], { shape: [10, 10] })]);
  const c = g.op('Exp', [b]);
  g.op('Exp', [c]);
  g.output('y', g.op('ReduceSum', [c], { axes: [0, 1], keepDims: false }));
  // Two of a, b and c at a time; then c and one number.
  expect(costOf(g.graph)).toEqual({ flops: 0, movedBytes: 3 * 800 + 404, peakBytes: 800, answerBytes: 4 });
});

test('a frozen weight lies in memory once, or once for each product that it is packed for; of a large table as far as rows are looked up', () => {
  const range = (bytes: number) => ({ path: '/nowhere', offset: 0, bytes });
  const bytesOf = (
    packs: boolean,
    build: (g: ReturnType<typeof createGraph>) => Parameters<ReturnType<typeof createGraph>['output']>[1],
  ) => {
    const g = createGraph();
    g.output('y', build(g));
    return weightBytes(g.graph, { device: 'cpu', packs });
  };
  const side = [1000, 1000];
  const twice = (g: ReturnType<typeof createGraph>) => {
    const w = g.external(side, range(4e6));
    return g.op('MatMul', [g.op('MatMul', [g.input('x', 'float32', [8, 1000]), w]), w]);
  };
  expect(bytesOf(true, twice)).toBe(2 * 4e6);
  expect(bytesOf(false, twice)).toBe(4e6);
  const widened = (g: ReturnType<typeof createGraph>) =>
    g.op('MatMul', [g.input('x', 'float32', [8, 1000]), g.external(side, range(2e6), 'bfloat16')]);
  expect(bytesOf(true, widened)).toBe(4e6);
  expect(bytesOf(false, widened)).toBe(4e6);
  const table = (g: ReturnType<typeof createGraph>) =>
    g.op('Gather', [g.external(side, range(4e6)), g.input('ids', 'int32', [3])]);
  expect(bytesOf(true, table)).toBe(3 * 64e3);
  expect(bytesOf(false, table)).toBe(4e6);
  // 1.2 GB: no copies, the file itself is used.
  const large = bytesOf(true, (g) => {
    const w = g.external([300_000, 1000], range(1.2e9));
    return g.op('Gemm', [g.input('x', 'float32', [8, 1000]), w], { transA: false, transB: true });
  });
  expect(large).toBe(1.2e9);
});

test('the processor’s speed is measured, within what any machine can do', async () => {
  const { matmulGflops, bandwidthGBs } = await measureSpeed('cpu');
  expect(matmulGflops).toBeGreaterThan(0.5);
  expect(matmulGflops).toBeLessThan(100_000);
  expect(bandwidthGBs).toBeGreaterThan(0.05);
  expect(bandwidthGBs).toBeLessThan(10_000);
});
