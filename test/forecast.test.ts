// What is said of a run before it starts: refused where it cannot fit, with ways that fit; and roughly as much memory as it takes.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../engine/errors.ts';
import { secondsOf } from '../engine/graph/cost.ts';
import { createGraph } from '../engine/graph/graph.ts';
import type { Speed } from '../engine/graph/speed.ts';
import { createBert } from '../engine/models/bert.ts';
import { drawInitial } from '../engine/models/model.ts';
import { writeSafetensors } from '../engine/models/safetensors.ts';
import { createRandom } from '../engine/random.ts';
import { type RunSpecInput, runSpecSchema, type SpecOf } from '../engine/runs/spec.ts';
import { train } from '../engine/tuning/train.ts';

let folder = '';
let data = '';
let weights = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-forecast-'));
  data = join(folder, 'toy.csv');
  const words = Array.from({ length: 150 }, (_, at) => `word${at % 40}`).join(' ');
  const lines = Array.from({ length: 96 }, (_, row) => `${words} ${row},${row % 2 === 0 ? 'even' : 'odd'}`);
  await writeFile(data, `text,label\n${lines.join('\n')}\n`);
  await startOf(specOf('base', { epochs: 1, batchSize: 64, maxLength: 8 }), Number.POSITIVE_INFINITY, true);
  await writeWideModel(join(folder, 'base'), join(folder, 'wide'));
}, 60_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The same tokenizer, and 13 million weights. */
async function writeWideModel(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !path.includes('checkpoints') });
  const config = z.looseObject({}).parse(JSON.parse(await readFile(join(from, 'config.json'), 'utf8')));
  const wide = { ...config, hidden_size: 512, num_hidden_layers: 4, num_attention_heads: 8, intermediate_size: 2048 };
  await writeFile(join(to, 'config.json'), JSON.stringify(wide));
  const random = createRandom(1);
  const specs = createBert(wide, 'the test').parameters({ kind: 'classification', labels: 2 });
  const tensors = new Map(Array.from(specs, ([name, spec]) => [name, drawInitial(spec, random)]));
  weights = [...tensors.values()].reduce((sum, { data: numbers }) => sum + numbers.length, 0);
  await writeSafetensors(join(to, 'model.safetensors'), tensors);
}

type Input = Extract<RunSpecInput, { task: 'text-classification' }>;
type Spec = SpecOf<'text-classification'>;

function specOf(out: string, hyper: Input['hyper'], changes: Partial<Input> = {}): Spec {
  const spec = runSpecSchema.parse({
    task: 'text-classification',
    data: { train: data, eval: 0.2 },
    hyper: { seed: 7, ...hyper },
    out: join(folder, out),
    ...changes,
  });
  if (spec.task !== 'text-classification') throw new Error(`a spec of ${spec.task}`);
  return spec;
}

/** The event that a run starts with, which says what it will take. */
async function startOf(spec: Spec, availableBytes: number, toItsEnd = false) {
  const events = train(spec, { signal: new AbortController().signal, resume: false, now: () => 0, availableBytes });
  const first = await events.next();
  if (toItsEnd) for await (const _ of events);
  else await events.return(undefined);
  if (first.done || first.value.type !== 'start') throw new Error('the run did not start');
  return first.value;
}

/** What a run adds to the process, found by how much room it asks for. */
async function needOf(spec: Spec): Promise<number> {
  const before = process.memoryUsage().rss;
  return ((await startOf(spec, Number.POSITIVE_INFINITY)).forecast?.peakBytes ?? 0) - before;
}

interface Proposal {
  readonly hyper: Input['hyper'];
  readonly method?: 'lora' | 'qlora';
}

/** The ways that a refusal names, as changes to the spec. */
function readProposals(hint: string): readonly Proposal[] {
  return hint
    .replace('What would fit: ', '')
    .split('; ')
    .map((way) => {
      const rows = /batchSize (\d+) with accumulate (\d+)/.exec(way);
      const method = /the method (lora|qlora)/.exec(way)?.[1];
      return {
        hyper: {
          ...(rows ? { batchSize: Number(rows[1]), accumulate: Number(rows[2]) } : {}),
          ...(way.includes('recompute true') ? { recompute: true } : {}),
          ...(way.includes('the optimizer adafactor') ? { optimizer: 'adafactor' as const } : {}),
        },
        ...(method === 'lora' || method === 'qlora' ? { method } : {}),
      };
    });
}

const shapes = {
  'whose activations are the most': { base: 'base', hyper: { batchSize: 64, maxLength: 128 }, shares: [0.8, 0.6] },
  'whose weights are the most': { base: 'wide', hyper: { batchSize: 2, maxLength: 8 }, shares: [0.75] },
} as const;

for (const [name, { base, hyper: whole, shares }] of Object.entries(shapes)) {
  test(`what a refusal of a run ${name} proposes is forecast to fit, and starts`, async () => {
    const model = join(folder, base);
    const spec = specOf('large', whole, { model });
    const need = await needOf(spec);
    for (const share of shares) {
      const room = share * need;
      const refused = await startOf(spec, room).catch((error: unknown) => error);
      if (!(refused instanceof UserError)) throw new Error('it was not refused');

      const proposals = readProposals(refused.hint);
      expect(refused.hint).toMatch(/^What would fit: /);
      for (const [at, { hyper, method }] of proposals.entries()) {
        const smaller = specOf(`way-${share}-${at}`, { ...whole, ...hyper }, { model, ...(method ? { method } : {}) });
        // The weights that LoRA does not load are room too, in a process of its own.
        const loaded = method === undefined ? 0 : 4 * weights;
        await expect(startOf(smaller, room + loaded), refused.hint).resolves.toMatchObject({ type: 'start' });
      }
    }
  }, 60_000);
}

test('where nothing would fit, a refusal says so', async () => {
  const refused = await startOf(specOf('hopeless', { batchSize: 16 }), 1_000_000).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    message: expect.stringMatching(/^This run would need about \d\.\d GiB of memory; there is room for \d\.\d GiB\.$/),
    hint: expect.stringContaining('take a smaller model or a shorter maxLength'),
  });
});

test('a node takes as long as the slower of its arithmetic and its bytes, and a transposed product its own rate', () => {
  const speed: Speed = {
    cores: 1,
    matmulGflops: 100,
    transposedGflops: 50,
    batchedGflops: 25,
    convolutionGflops: 100,
    bandwidthGBs: 1e9,
    freshGBs: 1e9,
    nodeMicroseconds: 0,
  };
  const gemm = (transA: boolean) => {
    const g = createGraph();
    const a = g.input('a', 'float32', [100, 100]);
    g.output('y', g.op('Gemm', [a, a], { transA, transB: false }));
    return g.graph;
  };
  expect(secondsOf(gemm(false), speed, false)).toBeCloseTo(2e6 / (100e9 * (100 / 116)), 12);
  expect(secondsOf(gemm(true), speed, false)).toBeCloseTo(2e6 / (50e9 * (100 / 116)), 12);
  // Three matrices of 40 kB at 10⁶ bytes a second.
  const slow = { ...speed, bandwidthGBs: 1e-3 };
  expect(secondsOf(gemm(false), slow, false)).toBeCloseTo(0.12, 6);
  expect(secondsOf(gemm(false), { ...speed, nodeMicroseconds: 1e6 }, false)).toBeCloseTo(1, 3);
});
