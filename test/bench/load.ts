// `npm run bench -- load`: how much memory a checkpoint of 2 GB adds before the first step, in each float format.
// Each is made sparse in a temporary folder and opened by a process of its own, which reads its own /proc/self/status.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createSession } from '../../engine/graph/session.ts';
import { elementCount } from '../../engine/graph/tensor.ts';
import { openWeights } from '../../engine/models/base.ts';
import { createModel } from '../../engine/models/families.ts';
import { refuseBrokenWeights } from '../../engine/tuning/check-weights.ts';
import { tokenObjective } from '../../engine/tuning/losses.ts';
import { createNetwork } from '../../engine/tuning/network.ts';
import { prepareParameters } from '../../engine/tuning/parameters.ts';

const barBytes = 300e6;
/** Layers that make about 2 GB of weights; the last is small enough to be widened to float32 once, which the bar is not about. */
const cases = {
  F32: { dtype: 'F32', layers: 8, bytes: 4, bar: barBytes },
  BF16: { dtype: 'BF16', layers: 18, bytes: 2, bar: barBytes },
  'BF16-widened': { dtype: 'BF16', layers: 9, bytes: 2, bar: undefined },
} as const;
type Case = keyof typeof cases;
const isCase = (name: string | undefined): name is Case => name !== undefined && Object.hasOwn(cases, name);

const configOf = (name: Case) => ({
  model_type: 'llama',
  vocab_size: 32000,
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: cases[name].layers,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
});
const head = { kind: 'causal-lm' } as const;

/** A whole file by the published format whose numbers are zeros: on disk it takes its header alone, to its readers 2 GB. */
async function makeCheckpoint(folder: string, name: Case): Promise<number> {
  const { dtype, bytes: each } = cases[name];
  const header: { [name: string]: object } = {};
  let end = 0;
  for (const [tensor, { shape }] of createModel(configOf(name), name).parameters(head)) {
    const bytes = elementCount(shape) * each;
    header[tensor] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 64) * 64 + 56));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));
  await mkdir(folder, { recursive: true });
  const file = await open(join(folder, 'model.safetensors'), 'w');
  await file.write(Buffer.concat([size, padded]));
  await file.truncate(8 + padded.length + end);
  await file.close();
  await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(name)));
  return end;
}

const memorySchema = z.object({ rss: z.number(), anonymous: z.number(), mapped: z.number(), peak: z.number() });
type Memory = z.output<typeof memorySchema>;

/** As the kernel counts it; `mapped`: pages of files, which it takes back when it needs them. */
async function readMemory(): Promise<Memory> {
  const status = await readFile('/proc/self/status', 'utf8');
  const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { rss: bytes('VmRSS'), anonymous: bytes('RssAnon'), mapped: bytes('RssFile'), peak: bytes('VmHWM') };
}

const measuredSchema = z.object({ before: memorySchema, loaded: memorySchema, ready: memorySchema });

/** Opens the checkpoint for LoRA and makes the session of a first step, which is not taken. */
async function load(folder: string, name: Case) {
  const model = createModel(configOf(name), name);
  // What any process that trains has in memory: onnxruntime itself.
  const { createGraph } = await import('../../engine/graph/graph.ts');
  const g = createGraph();
  g.output('y', g.op('Neg', [g.input('x', 'float32', [1])]));
  await (await createSession(g.graph, { device: 'cpu' })).close();
  global.gc?.();
  const before = await readMemory();
  const base = { source: folder, model, fresh: false, weights: await openWeights(folder, model) };
  await refuseBrokenWeights(base);
  const hyper = { seed: 1, loraRank: 16, loraAlpha: 32 };
  const parameters = await prepareParameters(base, head, { method: 'lora', hyper });
  const loaded = await readMemory();
  const network = createNetwork(parameters, tokenObjective(0), { device: 'cpu', threads: 2 });
  const shape = [32, 1];
  const graph = network.trainingGraph({
    inputs: {
      inputIds: { type: 'int32', shape: [1, 32], data: new Int32Array(32) },
      attentionBias: { type: 'float32', shape: [1, 1, 1, 32], data: new Float32Array(32) },
    },
    targets: {
      targetIds: { type: 'int32', shape, data: new Int32Array(32) },
      targetWeights: { type: 'float32', shape, data: new Float32Array(32).fill(1) },
    },
    weight: 32,
  });
  const session = await createSession(graph, { device: 'cpu', threads: 2 });
  const ready = await readMemory();
  await session.close();
  console.log(JSON.stringify({ before, loaded, ready }));
}

const [name, given] = process.argv.slice(2);
const asJson = process.argv.includes('--json');
if (isCase(name) && given !== undefined) await load(given, name);
else {
  const home = await mkdtemp(join(tmpdir(), 'finetutor-bench-load-'));
  const results: object[] = [];
  try {
    for (const one of Object.keys(cases).filter(isCase)) {
      const folder = join(home, one);
      const bytes = await makeCheckpoint(folder, one);
      const args = ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), one, folder];
      const { status, stdout } = spawnSync(process.execPath, args, {
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`loading ${one} failed (exit code ${status})`);
      const { before, loaded, ready } = measuredSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
      const added = (name: keyof Memory) => ready[name] - before[name];
      const addedBytes = added('peak');
      const { bar } = cases[one];
      results.push({ name: one, checkpointBytes: bytes, before, loaded, ready, addedBytes, barBytes: bar });
      const mega = (value: number) => `${(value / 1e6).toFixed(0)} MB`;
      if (!asJson) {
        console.log(
          `${one}, ${(bytes / 1e9).toFixed(2)} GB: opened ${mega(loaded.rss - before.rss)}, with its session ${mega(added('rss'))} (anonymous ${mega(added('anonymous'))}, mapped ${mega(added('mapped'))}), at its peak ${mega(addedBytes)}${bar === undefined ? '' : ` (bar ${mega(bar)}: ${addedBytes < bar ? 'met' : 'missed'})`}`,
        );
      }
    }
    if (asJson) console.log(JSON.stringify({ results }));
  } finally {
    await rm(home, { recursive: true });
  }
}
