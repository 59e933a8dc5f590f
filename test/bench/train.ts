// `npm run bench -- train`: a training step of ours and one of PyTorch's in turn, in one run, on the same shapes and threads.
// `--only distilbert-lora,growth` runs some rows; `--json` prints everything as one line of JSON and nothing else.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createGraph } from '../../engine/graph/graph.ts';
import { createSession } from '../../engine/graph/session.ts';
import type { Changes } from './train/open.ts';
import { hasTorch, runToEnd, type Side, type Step, startOurs, startTorch } from './train/sides.ts';
import { type Workload, workloads } from './train/workloads.ts';

const threads = Math.min(2, availableParallelism());
/** Steps follow one another in a run, so each side takes a few in its turn; the first turn is to get warm. */
const turns = 4;
const stepsOfTurn = 3;
/** Not counted in each turn: what a process gave back while the other worked is fetched again. */
const uncounted = 1;
const steps = (turns - 1) * (stepsOfTurn - uncounted);
const memoryBar = 1.1;

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

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const startSchema = z.object({ buildMs: z.number(), sessionMs: z.number(), nodes: z.number(), flops: z.number() });

async function takeTurn(side: Side): Promise<Step[]> {
  const taken: Step[] = [];
  for (let at = 0; at < stepsOfTurn; at++) taken.push(await side.step());
  return taken;
}

async function measureWorkload(id: string, workload: Workload, peakGflops: number, besideTorch: boolean) {
  const start = startSchema.parse(runToEnd('./start.ts', [id, String(threads)]));
  const ours = await startOurs(id, threads);
  const torch = besideTorch ? await startTorch(workload, threads) : undefined;
  try {
    const mine: Step[] = [];
    const theirs: Step[] = [];
    let firstMs = 0;
    for (let turn = 0; turn < turns; turn++) {
      const own = await takeTurn(ours);
      firstMs ||= own[0]?.ms ?? 0;
      const other = torch ? await takeTurn(torch) : [];
      if (turn === 0) continue;
      mine.push(...own.slice(uncounted));
      theirs.push(...other.slice(uncounted));
    }
    const summarize = (all: readonly Step[]) => ({
      medianMs: median(all.map(({ ms }) => ms)),
      peakRssBytes: Math.max(...all.map(({ peakRssBytes }) => peakRssBytes)),
    });
    const own = summarize(mine);
    const other = torch ? summarize(theirs) : undefined;
    return {
      id,
      name: workload.name,
      bar: workload.bar,
      ours: {
        ...own,
        updateMs: median(mine.map(({ updateMs = 0 }) => updateMs)),
        firstMs,
        ...start,
        /** Of the products of a step, at the machine's measured best. */
        ofPeak: start.flops / (own.medianMs / 1000) / 1e9 / peakGflops,
      },
      torch: other,
      ratio: other && other.medianMs / own.medianMs,
      memoryRatio: other && own.peakRssBytes / other.peakRssBytes,
      memoryBar,
    };
  } finally {
    ours.close();
    torch?.close();
  }
}
type Row = Awaited<ReturnType<typeof measureWorkload>>;

const cachedSchema = z.object({
  pictures: z.number(),
  onceMs: z.number(),
  cachedMs: z.number(),
  uncachedMs: z.number(),
  ratio: z.number(),
});
const measureCached = () => ({ bar: 20, ...cachedSchema.parse(runToEnd('./cached-features.ts', [String(threads)])) });

/** DistilBERT with LoRA, one size at a time. */
const grown = 'distilbert-lora';
const growths: readonly { readonly by: string; readonly sizes: readonly number[]; change(size: number): Changes }[] = [
  { by: 'batch', sizes: [2, 4, 8, 16], change: (rows) => ({ rows }) },
  { by: 'length', sizes: [32, 64, 128, 256], change: (length) => ({ length }) },
  { by: 'depth', sizes: [2, 4, 6, 8], change: (n_layers) => ({ config: { ...workloads[grown]?.config, n_layers } }) },
];

async function measureGrowth() {
  const rows: { by: string; size: number; medianMs: number }[] = [];
  for (const { by, sizes, change } of growths) {
    for (const size of sizes) {
      const side = await startOurs(grown, threads, change(size));
      const times: number[] = [];
      for (let at = 0; at < 5; at++) times.push((await side.step()).ms);
      side.close();
      rows.push({ by, size, medianMs: median(times.slice(1)) });
    }
  }
  return { workload: grown, rows };
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
const verdict = (met: boolean) => (met ? 'met' : 'missed');

function describeRow({ name, bar, ours, torch, ratio = 0, memoryRatio = 0 }: Row): string {
  const own = [
    `ours ${ours.medianMs.toFixed(0)} ms (update ${ours.updateMs.toFixed(0)})`,
    `${(100 * ours.ofPeak).toFixed(0)} % of the matmul peak`,
    `graph of ${ours.nodes} nodes built in ${ours.buildMs.toFixed(0)} ms, session made in ${ours.sessionMs.toFixed(0)}`,
    gigabytes(ours.peakRssBytes),
  ].join(', ');
  if (!torch) return `${name}: ${own}`;
  return `${name}: ${own}; PyTorch ${torch.medianMs.toFixed(0)} ms, ${gigabytes(torch.peakRssBytes)}; ratio ${ratio.toFixed(2)} (bar ${bar}: ${verdict(ratio >= bar)}), memory ${memoryRatio.toFixed(2)} × (bar ${memoryBar}: ${verdict(memoryRatio <= memoryBar)})`;
}

function describeCached({ pictures, onceMs, cachedMs, uncachedMs, ratio, bar }: ReturnType<typeof measureCached>) {
  return `ResNet-50, a head alone on ${pictures} pictures: an epoch on kept features ${cachedMs.toFixed(1)} ms, without them ${uncachedMs.toFixed(0)} ms (computed once in ${onceMs.toFixed(0)} ms); ratio ${ratio.toFixed(0)} (bar ${bar}: ${verdict(ratio >= bar)})`;
}

function describeGrowth({ rows }: Awaited<ReturnType<typeof measureGrowth>>): string {
  const lines = growths.map(({ by, sizes }) => {
    const cells = sizes.map((size) => {
      const found = rows.find((row) => row.by === by && row.size === size);
      return `${size}: ${found?.medianMs.toFixed(0)} ms`;
    });
    return `  by ${by.padEnd(6)}  ${cells.join(' · ')}`;
  });
  return [`${workloads[grown]?.name}, one size changed:`, ...lines].join('\n');
}

const { values, positionals } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const all = [...Object.keys(workloads), 'resnet50-head', 'growth'];
const asked = [...positionals, ...(values.only ?? [])].flatMap((list) => list.split(','));
const unknown = asked.find((id) => !all.includes(id));
if (unknown !== undefined) throw new Error(`there is no row ${unknown}; there are ${all.join(', ')}`);
const wanted = (id: string) => asked.length === 0 || asked.includes(id);
const say = (line: string) => {
  if (!values.json) console.log(line);
};

const peakGflops = await measurePeak();
const besideTorch = hasTorch();
say(
  `${threads} threads, matmul peak ${peakGflops.toFixed(0)} GFLOP/s, medians of ${steps} steps, in turns of ${stepsOfTurn} of which the first is not counted`,
);
if (!besideTorch) say('PyTorch is not installed (Debian: apt-get install python3-torch libopenblas0): only our side.');
const results: Row[] = [];
for (const [id, workload] of Object.entries(workloads)) {
  if (!wanted(id)) continue;
  const row = await measureWorkload(id, workload, peakGflops, besideTorch);
  results.push(row);
  say(describeRow(row));
}
const headOnly = wanted('resnet50-head') ? measureCached() : undefined;
if (headOnly) say(describeCached(headOnly));
const growth = wanted('growth') ? await measureGrowth() : undefined;
if (growth) say(describeGrowth(growth));
if (values.json) console.log(JSON.stringify({ threads, peakGflops, steps, results, headOnly, growth }));
