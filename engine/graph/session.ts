// The only file that imports onnxruntime-node: makes a session of a graph, feeds it by name and hands back numbers.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, availableParallelism, platform } from 'node:os';
import { dirname, join } from 'node:path';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { UserError } from '../errors.ts';
import { describeMissing, lookForCuda } from './cuda.ts';
import { readNumbers } from './file-numbers.ts';
import { createGraph, type Graph, pruneGraph } from './graph.ts';
import { createShelf } from './held-weights.ts';
import { writeOnnx } from './onnx.ts';
import type { Shape, Tensor } from './tensor.ts';
import { feedWeights, keepsHalves, type Placing, placeWeights, type StoredWeight } from './weight-places.ts';

export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

export interface SessionOptions extends Placing {
  readonly threads?: number;
  /** Two nodes that compute the same stay two: activations that are recomputed must not be kept instead. */
  readonly keepDuplicates?: boolean;
  /** Makes it an error that the device cannot run some op, instead of running that op on the processor. */
  readonly onlyOnDevice?: boolean;
  /** Outputs that stay on the device, for `runKeeping`; WebGPU only. */
  readonly kept?: readonly string[];
  /** Counts what crosses between host and device. */
  readonly traffic?: Traffic | undefined;
}

/** Bytes that runs have moved, added up. */
interface Traffic {
  toDeviceBytes: number;
  fromDeviceBytes: number;
}

/** A float32 value that lies on the device: any session of that device in this process can be fed with it. */
export interface DeviceTensor {
  readonly shape: Shape;
  /** Gives its memory back at once; nothing else does. */
  release(): void;
}

type SessionFeeds = { readonly [name: string]: Tensor | DeviceTensor };

export interface Session {
  /** Feeds every input by name. @returns the named outputs; the arrays belong to the caller. */
  run(feeds: SessionFeeds, outputs?: readonly string[]): Promise<{ [name: string]: Tensor }>;
  /** The same, for a session with `kept` outputs: those belong to the caller too, who releases them. */
  runKeeping(feeds: SessionFeeds): Promise<{
    readonly answers: { readonly [name: string]: Tensor };
    readonly kept: ReadonlyMap<string, DeviceTensor>;
  }>;
  close(): Promise<void>;
}

/** Whether trained weights can stay there between steps: onnxruntime's Node binding keeps outputs on WebGPU alone. */
export const keepsValues = (device: Device): boolean => device === 'webgpu';

/**
 * The execution providers whose code is installed: built in, or a library beside onnxruntime's own (CUDA, TensorRT).
 * Whether one finds its hardware shows only when it is used.
 */
export async function listProviders(): Promise<readonly string[]> {
  const ort = await import('onnxruntime-node');
  const names = existsSync(librariesFolder()) ? readdirSync(librariesFolder()) : [];
  const isInstalled = (name: string) => names.some((file) => file.includes(`onnxruntime_providers_${name}.`));
  return ort.listSupportedBackends().flatMap(({ name, bundled }) => (bundled || isInstalled(name) ? name : []));
}

/** Where onnxruntime's own libraries lie. */
export function librariesFolder(): string {
  const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(home, 'bin', 'napi-v6', platform(), arch());
}

const stampOf = async (path: string): Promise<string> => {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs} ${size} ${ino}`;
};
const readWeight = async ({ shape, range, type }: StoredWeight) =>
  ({ type: 'float32', shape, data: await readNumbers(range, type) }) as const;

/** The weights of files that sessions of this process are fed with, where their device reads them. */
const hostShelf = createShelf<Tensor>({ bring: readWeight, stampOf, forget() {} });
const deviceShelf = createShelf<DeviceTensor>({
  bring: async (weight) => upload(await readWeight(weight)),
  stampOf,
  forget: (tensor) => tensor.release(),
});

/** One for each shape, and as long as the process: what a session has kept may not outlive it. */
const uploaders = new Map<string, Promise<Session>>();

async function upload(tensor: Tensor): Promise<DeviceTensor> {
  const key = tensor.shape.join('×');
  const known = uploaders.get(key) ?? createUploader(tensor.shape);
  uploaders.set(key, known);
  const { kept } = await (await known).runKeeping({ weight: tensor });
  const held = kept.get('held');
  if (!held) throw new Error('the device has kept nothing');
  return held;
}

function createUploader(shape: Shape): Promise<Session> {
  const g = createGraph('webgpu');
  g.output('held', g.op('Identity', [g.input('weight', 'float32', shape)]));
  return openSession(g.graph, { device: 'webgpu', kept: ['held'] }, false);
}

/** @throws UserError when the device cannot be used here. */
export async function createSession(graph: Graph, options: SessionOptions): Promise<Session> {
  const place = placeWeights(graph, options);
  if (place !== 'held') return openSession(graph, options, place === 'packed');
  const { graph: fed, weights } = feedWeights(pruneGraph(graph));
  const shelf = options.device === 'cpu' ? hostShelf : deviceShelf;
  const { values, release } = await shelf.hold(weights);
  const feeds: SessionFeeds = Object.fromEntries(values);
  try {
    const session = await openSession(fed, options, false);
    return {
      run: (others, outputs) => session.run({ ...feeds, ...others }, outputs),
      runKeeping: (others) => session.runKeeping({ ...feeds, ...others }),
      async close() {
        await session.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function openSession(graph: Graph, options: SessionOptions, packs: boolean): Promise<Session> {
  // Loaded at first use: 40 MB of native code that most processes of the house never need.
  const ort = await import('onnxruntime-node');
  const { bytes, externalFolder } = writeOnnx(graph);
  const sessionOptions: InferenceSession.SessionOptions = {
    executionProviders: options.device === 'cpu' ? ['cpu'] : [options.device, 'cpu'],
    intraOpNumThreads: options.threads ?? physicalCores(),
    interOpNumThreads: 1,
    // Each length bucket has a session; an arena in each would keep its largest batch for ever.
    enableCpuMemArena: false,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(options.kept
      ? { preferredOutputLocation: Object.fromEntries(options.kept.map((name) => [name, 'gpu-buffer'] as const)) }
      : {}),
    extra: {
      // Folded constants would keep a second, full-precision copy of every weight that a file holds in half precision.
      ...disabledOptimizers(graph, options),
      session: {
        use_deterministic_compute: '1',
        // Threads that wait by spinning gain about 5 % on an idle machine and double a step's time on a busy one.
        intra_op: { allow_spinning: '0' },
        ...(packs ? {} : { disable_prepacking: '1' }),
        ...(options.onlyOnDevice ? { disable_cpu_ep_fallback: '1' } : {}),
        ...(externalFolder === undefined ? {} : { model_external_initializers_file_folder_path: externalFolder }),
      },
    },
  };
  const session = await ort.InferenceSession.create(bytes, sessionOptions).catch((error: unknown) => {
    if (options.device === 'cpu') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `The device ${options.device} cannot be used here: ${reason.slice(0, 600)}`,
      [
        ...(options.device === 'cuda' ? describeMissing(lookForCuda(librariesFolder())) : []),
        'Or use the device auto or cpu.',
      ].join(' '),
      { cause: error },
    );
  });
  return wrap(ort, session, options.traffic);
}

/** A model made elsewhere, or exported by us. @throws Error when onnxruntime cannot read it. */
export async function openModelFile(path: string): Promise<Session> {
  const ort = await import('onnxruntime-node');
  return wrap(ort, await ort.InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3 }));
}

function wrap(ort: typeof import('onnxruntime-node'), session: InferenceSession, traffic?: Traffic): Session {
  const toOrt = (value: Tensor | DeviceTensor): OrtTensor => {
    if (!('data' in value)) return heldTensor(value);
    const tensor = copyIn(ort, value);
    if (traffic) traffic.toDeviceBytes += byteLength(tensor);
    return tensor;
  };
  const fromDevice = (name: string, value: OrtTensor): Tensor => {
    const tensor = fromOrt(name, value);
    if (traffic) traffic.fromDeviceBytes += tensor.data.byteLength;
    return tensor;
  };
  async function runSession(feeds: SessionFeeds, outputs?: readonly string[]) {
    const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toOrt(value)]));
    const answers = await (outputs ? session.run(ortFeeds, outputs) : session.run(ortFeeds));
    return Object.entries(answers);
  }
  return {
    async run(feeds, outputs) {
      const answers = await runSession(feeds, outputs);
      return Object.fromEntries(answers.map(([name, value]) => [name, fromDevice(name, value)]));
    },
    async runKeeping(feeds) {
      const all = await runSession(feeds);
      const stays = ([, value]: readonly [string, OrtTensor]) => value.location === 'gpu-buffer';
      return {
        answers: Object.fromEntries(
          all.filter((one) => !stays(one)).map(([name, value]) => [name, fromDevice(name, value)]),
        ),
        kept: new Map(all.filter(stays).map(([name, tensor]) => [name, hold(tensor)])),
      };
    },
    async close() {
      await session.release();
    },
  };
}

/** What lies behind each device tensor, known to this file alone. */
const heldTensors = new WeakMap<DeviceTensor, OrtTensor>();

function hold(tensor: OrtTensor): DeviceTensor {
  const held = { shape: tensor.dims, release: () => tensor.dispose() };
  heldTensors.set(held, tensor);
  return held;
}

function heldTensor(value: DeviceTensor): OrtTensor {
  const tensor = heldTensors.get(value);
  if (!tensor) throw new Error('this is no value that a session has kept');
  return tensor;
}

function copyIn(ort: typeof import('onnxruntime-node'), { type, data, shape }: Tensor): OrtTensor {
  if (type === 'bool') return new ort.Tensor('bool', Uint8Array.from(data), shape);
  if (type === 'int64') return new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  return new ort.Tensor(type, data, shape);
}

function byteLength({ data }: OrtTensor): number {
  return Array.isArray(data) ? 0 : data.byteLength;
}

function disabledOptimizers(graph: Graph, { keepDuplicates }: SessionOptions): object {
  const names = [
    ...(keepsHalves(graph) ? ['ConstantFolding'] : []),
    ...(keepDuplicates ? ['CommonSubexpressionElimination'] : []),
  ];
  return names.length === 0 ? {} : { optimization: { disable_specified_optimizers: names.join(';') } };
}

/** Two threads on one core share its arithmetic: one a core is faster. Where it cannot be told, every processor counts. */
export function physicalCores(): number {
  const processors = availableParallelism();
  try {
    const shared = readFileSync('/sys/devices/system/cpu/smt/active', 'utf8').trim() === '1';
    return shared ? Math.ceil(processors / 2) : processors;
  } catch {
    return processors;
  }
}

function fromOrt(name: string, tensor: OrtTensor): Tensor {
  const { data, dims } = tensor;
  if (data instanceof Float32Array) return { type: 'float32', shape: dims, data };
  if (data instanceof Int32Array) return { type: 'int32', shape: dims, data };
  if (data instanceof Uint8Array) return { type: 'bool', shape: dims, data };
  throw new Error(`output ${name} has the type ${tensor.type}, which no graph of ours makes`);
}
