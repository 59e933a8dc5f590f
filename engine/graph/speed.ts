// How fast a device is here and now, as far as a training step's time follows from it: each kind of work, tried for a moment.
import { createGraph, type GraphBuilder } from './graph.ts';
import type { Value } from './ops.ts';
import { createSession, type Device, physicalCores, type Session } from './session.ts';
import { elementCount, type Shape } from './tensor.ts';

export interface Speed {
  /** How many work at once; everything below is of all of them. */
  readonly cores: number;
  /** 10⁹ operations a second in large matrix products. */
  readonly matmulGflops: number;
  /** The same where the first matrix lies on its side, as in the gradient of a weight. */
  readonly transposedGflops: number;
  /** The same in many small ones side by side, as attention's heads are. */
  readonly batchedGflops: number;
  /** The same in convolutions of 3 × 3. */
  readonly convolutionGflops: number;
  /** 10⁹ bytes a second, read and written, by what does next to nothing with each. */
  readonly bandwidthGBs: number;
  /** The same with values so large that their memory is fresh from the system each time. */
  readonly freshGBs: number;
  /** What a node costs however small its values. */
  readonly nodeMicroseconds: number;
}

/** Seconds that have passed, by whichever clock. */
export type SecondsClock = () => number;

export const wallClock: SecondsClock = () => performance.now() / 1000;

/** One kind of work: a chain of `repeats` nodes that each do `work` of it. */
interface Trial {
  readonly shape: Shape;
  readonly repeats: number;
  readonly work: number;
  next(g: GraphBuilder, previous: Value, start: Value): Value;
}

const side = 1024;
const heads = { count: 48, length: 128, depth: 64 };
const picture = { channels: 128, side: 28 };
const long = 1 << 22;
/** glibc keeps what is given back up to 32 MB, and gives larger pieces back to the system. */
const fresh = 10 << 20;

const trials: { readonly [Name in Exclude<keyof Speed, 'cores'>]: Trial } = {
  matmulGflops: {
    shape: [side, side],
    repeats: 2,
    work: 2 * side ** 3,
    next: (g, previous, start) => g.op('MatMul', [previous, start]),
  },
  transposedGflops: {
    shape: [side, side],
    repeats: 2,
    work: 2 * side ** 3,
    next: (g, previous, start) => g.op('Gemm', [previous, start], { transA: true, transB: false }),
  },
  batchedGflops: {
    shape: [heads.count, heads.length, heads.depth],
    repeats: 4,
    // Scores, and what is summed by them.
    work: 4 * heads.count * heads.length ** 2 * heads.depth,
    next: (g, previous, start) =>
      g.op('MatMul', [g.op('MatMul', [previous, g.op('Transpose', [start], { perm: [0, 2, 1] })]), start]),
  },
  convolutionGflops: {
    shape: [4, picture.channels, picture.side, picture.side],
    repeats: 2,
    work: 2 * 4 * 9 * picture.channels ** 2 * picture.side ** 2,
    next: (g, previous) => {
      const kernels = [picture.channels, picture.channels, 3, 3];
      const data = new Float32Array(elementCount(kernels)).fill(1e-3);
      return g.op('Conv', [previous, g.constant({ type: 'float32', shape: kernels, data })], {
        strides: [1, 1],
        pads: [1, 1, 1, 1],
        dilations: [1, 1],
        groups: 1,
      });
    },
  },
  bandwidthGBs: {
    shape: [long],
    repeats: 8,
    // Two are read, one is written.
    work: 3 * 4 * long,
    next: (g, previous, start) => g.op('Mul', [previous, start]),
  },
  freshGBs: {
    shape: [fresh],
    repeats: 2,
    work: 3 * 4 * fresh,
    next: (g, previous, start) => g.op('Mul', [previous, start]),
  },
  nodeMicroseconds: {
    shape: [1],
    repeats: 200,
    work: 1,
    next: (g, previous, start) => g.op('Mul', [previous, start]),
  },
};

const known = new Map<string, Promise<Speed>>();

/** Takes about a second on a processor, once a process and device. @throws UserError when the device cannot be used here. */
export function measureSpeed(device: Device): Promise<Speed> {
  const measured = known.get(device) ?? measureSpeedNow(device);
  known.set(device, measured);
  return measured;
}

/** @throws UserError when the device cannot be used here. */
export async function measureSpeedNow(device: Device, clock: SecondsClock = wallClock): Promise<Speed> {
  const rate = async (name: keyof typeof trials) =>
    trials[name].work / (await timeOne(device, trials[name], clock)) / 1e9;
  return {
    cores: device === 'cpu' ? physicalCores() : 1,
    matmulGflops: await rate('matmulGflops'),
    transposedGflops: await rate('transposedGflops'),
    batchedGflops: await rate('batchedGflops'),
    convolutionGflops: await rate('convolutionGflops'),
    bandwidthGBs: await rate('bandwidthGBs'),
    freshGBs: await rate('freshGBs'),
    nodeMicroseconds: 1e6 * (await timeOne(device, trials.nodeMicroseconds, clock)),
  };
}

/** Seconds of one node, the median of a few runs: what else is at work on the machine will be at work then too. */
async function timeOne(device: Device, trial: Trial, clock: SecondsClock): Promise<number> {
  const chain = await openChain(device, trial);
  try {
    await chain.run();
    const times: number[] = [];
    for (let run = 0; run < 3; run++) times.push(await secondsOf(chain, clock));
    return (times.sort((a, b) => a - b)[1] ?? Number.NaN) / trial.repeats;
  } finally {
    await chain.close();
  }
}

interface Chain {
  run(): Promise<unknown>;
  close(): Promise<void>;
}

async function openChain(device: Device, { shape, next, repeats }: Trial): Promise<Chain> {
  const g = createGraph(device);
  const start = g.input('start', 'float32', shape);
  let last = start;
  for (let repeat = 0; repeat < repeats; repeat++) last = next(g, last, start);
  // One number comes back: the way to the device and back is not what is measured.
  for (const axis of shape.keys()) last = g.op('Slice', [last], { axis, start: 0, end: 1 });
  g.output('one', last);
  const session: Session = await createSession(g.graph, { device });
  const data = new Float32Array(elementCount(shape)).fill(1 / side);
  return { run: () => session.run({ start: { type: 'float32', shape, data } }), close: () => session.close() };
}

async function secondsOf(chain: Chain, clock: SecondsClock): Promise<number> {
  const startedAt = clock();
  await chain.run();
  return clock() - startedAt;
}
