// How fast a device is here and now: matrix products, and moving numbers about.
import { createGraph } from './graph.ts';
import { createSession, type Device, type Session } from './session.ts';

export interface Speed {
  /** 10⁹ operations a second in matrix products. */
  readonly matmulGflops: number;
  /** 10⁹ bytes a second, read and written. */
  readonly bandwidthGBs: number;
}

const side = 512;
const movedLength = 1 << 22;
const repeats = 4;

/** Takes well under a second on a processor. @throws UserError when the device cannot be used here. */
export async function measureSpeed(device: Device): Promise<Speed> {
  const matmulSeconds = await timeMatmul(device);
  const addSeconds = await timeAdd(device);
  return {
    matmulGflops: (2 * side ** 3) / matmulSeconds / 1e9,
    // Two are read, one is written.
    bandwidthGBs: (3 * 4 * movedLength) / addSeconds / 1e9,
  };
}

async function timeMatmul(device: Device): Promise<number> {
  const g = createGraph(device);
  const a = g.input('a', 'float32', [side, side]);
  let product = a;
  for (let repeat = 0; repeat < repeats; repeat++) product = g.op('MatMul', [product, a]);
  // One number comes back: the way to the device and back is not what is measured.
  g.output('sum', g.op('ReduceSum', [product], { axes: [0, 1], keepDims: false }));
  const data = new Float32Array(side * side).fill(1 / side);
  const session = await createSession(g.graph, { device });
  return (await fastest(session, { a: { type: 'float32', shape: [side, side], data } })) / repeats;
}

async function timeAdd(device: Device): Promise<number> {
  const g = createGraph(device);
  const start = g.op('Expand', [g.input('a', 'float32', [1])], { shape: [movedLength] });
  const other = g.op('Expand', [g.input('b', 'float32', [1])], { shape: [movedLength] });
  let sum = start;
  for (let repeat = 0; repeat < repeats; repeat++) sum = g.op('Mul', [sum, other]);
  g.output('sum', g.op('Slice', [sum], { axis: 0, start: 0, end: 1 }));
  const one = { type: 'float32', shape: [1], data: Float32Array.of(1) } as const;
  const session = await createSession(g.graph, { device });
  // The two expansions write once each: two thirds of a product.
  return (await fastest(session, { a: one, b: one })) / (repeats + 2 / 3);
}

/** Seconds of the quickest of a few runs: others may be at work on the machine. */
async function fastest(session: Session, feeds: Parameters<Session['run']>[0]): Promise<number> {
  try {
    await session.run(feeds);
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 3; run++) {
      const startedAt = performance.now();
      await session.run(feeds);
      best = Math.min(best, (performance.now() - startedAt) / 1000);
    }
    return best;
  } finally {
    await session.close();
  }
}
