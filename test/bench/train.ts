// `npm run bench train`: a training step of ours and one of PyTorch's in turn, in one run, on the same shapes and threads.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createGraph } from '../../engine/graph/graph.ts';
import { createSession } from '../../engine/graph/session.ts';
import { type Workload, workloads } from './train/workloads.ts';

const threads = Math.min(2, availableParallelism());
const python = '/usr/bin/python3';
const warmups = 2;
const steps = 5;

const stepSchema = z.object({
  ms: z.number(),
  peakRssBytes: z.number(),
  loss: z.number(),
  updateMs: z.number().optional(),
});
type Step = z.output<typeof stepSchema>;

interface Side {
  readonly startMs: number;
  step(): Promise<Step>;
  close(): void;
}

/** A process that prints a line when it is ready, and one for each step it is asked for. */
async function startSide(command: string, args: readonly string[]): Promise<Side> {
  const started = performance.now();
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error(`${command} has no pipes`);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done) throw new Error(`${command} ${args[0]} ended early (exit code ${child.exitCode})`);
    return JSON.parse(line.value);
  };
  z.object({ ready: z.literal(true) }).parse(await read());
  return {
    startMs: performance.now() - started,
    async step() {
      stdin.write('step\n');
      return stepSchema.parse(await read());
    },
    close: () => child.kill(),
  };
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const startOurs = (id: string) =>
  startSide(process.execPath, ['--import', 'tsx', here('./train/ours.ts'), id, String(threads)]);
const startTorch = (workload: Workload) =>
  startSide(python, [here('./train/torch_side.py'), JSON.stringify({ ...workload, threads })]);

const hasTorch = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;

/** GFLOP/s of a large product: what the machine can do at best. */
async function measurePeak(): Promise<number> {
  const size = 1024;
  const g = createGraph();
  const a = g.input('a', 'float32', [size, size]);
  g.output('b', g.op('MatMul', [a, a]));
  const session = await createSession(g.graph, { device: 'cpu', threads });
  const feeds = { a: { type: 'float32', shape: [size, size], data: new Float32Array(size * size).fill(0.5) } } as const;
  const times: number[] = [];
  for (let at = 0; at < 20; at++) {
    const started = performance.now();
    await session.run(feeds);
    times.push(performance.now() - started);
  }
  await session.close();
  return (2 * size ** 3) / (Math.min(...times) / 1000) / 1e9;
}

const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

interface Result {
  readonly id: string;
  readonly name: string;
  readonly bar: number;
  readonly ours: {
    readonly medianMs: number;
    readonly updateMs: number;
    readonly firstMs: number;
    readonly peakRssBytes: number;
  };
  readonly torch: { readonly medianMs: number; readonly peakRssBytes: number } | undefined;
  readonly ratio: number | undefined;
}

async function measure(id: string, workload: Workload): Promise<Result> {
  const ours = await startOurs(id);
  const torch = hasTorch ? await startTorch(workload) : undefined;
  try {
    const mine: Step[] = [];
    const theirs: Step[] = [];
    let firstMs = 0;
    for (let at = 0; at < warmups + steps; at++) {
      const own = await ours.step();
      const other = await torch?.step();
      if (at === 0) firstMs = own.ms;
      if (at < warmups) continue;
      mine.push(own);
      if (other) theirs.push(other);
    }
    const peak = (all: readonly Step[]) => Math.max(...all.map(({ peakRssBytes }) => peakRssBytes));
    const medianMs = median(mine.map(({ ms }) => ms));
    const torchMs = median(theirs.map(({ ms }) => ms));
    return {
      id,
      name: workload.name,
      bar: workload.bar,
      ours: { medianMs, updateMs: median(mine.map(({ updateMs = 0 }) => updateMs)), firstMs, peakRssBytes: peak(mine) },
      torch: torch ? { medianMs: torchMs, peakRssBytes: peak(theirs) } : undefined,
      ratio: torch ? torchMs / medianMs : undefined,
    };
  } finally {
    ours.close();
    torch?.close();
  }
}

const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const asJson = process.argv.includes('--json');
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
const peakGflops = await measurePeak();
if (!asJson) {
  console.log(
    `${threads} threads, matmul peak ${peakGflops.toFixed(0)} GFLOP/s, medians of ${steps} steps after ${warmups}`,
  );
  if (!hasTorch)
    console.log('PyTorch is not installed (Debian: apt-get install python3-torch): only our side is measured.');
}
const results: Result[] = [];
for (const [id, workload] of Object.entries(workloads)) {
  if (asked.length > 0 && !asked.includes(id)) continue;
  const result = await measure(id, workload);
  results.push(result);
  if (asJson) continue;
  const { ours, torch, ratio, bar } = result;
  const beside = torch
    ? `PyTorch ${torch.medianMs.toFixed(0)} ms, ${gigabytes(torch.peakRssBytes)}; ratio ${ratio?.toFixed(2)} (bar ${bar}), memory ${(ours.peakRssBytes / torch.peakRssBytes).toFixed(2)} ×`
    : '';
  console.log(
    `${workload.name}: ours ${ours.medianMs.toFixed(0)} ms (update ${ours.updateMs.toFixed(0)}, first step with its graph ${ours.firstMs.toFixed(0)}), ${gigabytes(ours.peakRssBytes)}; ${beside}`,
  );
}
if (asJson) console.log(JSON.stringify({ threads, peakGflops, steps, results }));
