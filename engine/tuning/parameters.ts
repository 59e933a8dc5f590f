// Which weights a run trains and which stay frozen, for each method; the trained ones are live arrays, updated in place.
import { UserError } from '../errors.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import type { FloatTensor, Shape, Tensor } from '../graph/tensor.ts';
import type { Base, FourBitMatrix, InPlace } from '../models/base.ts';
import { type FourBitValue, type LoraLayers, loraA, loraB } from '../models/layers.ts';
import { drawInitial, type Head, type LinearTarget, type Model, type ParameterSpecs } from '../models/model.ts';
import { createRandom, type Random } from '../random.ts';
import type { RunSpec } from '../runs/spec.ts';
import { moveWithinReach } from './optimizers/adamw-kernel.ts';

export type FrozenWeight = { readonly shape: Shape } & (
  | { readonly data: Float32Array }
  | { readonly inPlace: InPlace }
  | { readonly fourBit: FourBitMatrix }
);

export const usesAdapters = (method: RunSpec['method']): method is 'lora' | 'qlora' =>
  method === 'lora' || method === 'qlora';

/** What training needs of a base. */
export type WeightSource = Pick<Base, 'fresh' | 'weights' | 'fourBit'> & { readonly model: Model };

export interface Parameters {
  readonly model: Model;
  readonly head: Head;
  readonly lora: LoraLayers | undefined;
  readonly trainable: ReadonlyMap<string, FloatTensor>;
  readonly frozen: ReadonlyMap<string, FrozenWeight>;
  /** Running statistics that follow the batches of training, where they are not frozen. Live arrays too. */
  readonly statistics?: ReadonlyMap<string, FloatTensor>;
  /** Modules that a LoRA artifact keeps whole beside its adapters, as PEFT names them. */
  readonly modulesToSave: readonly string[];
  /** How many numbers the model has, trained and frozen. */
  readonly count: number;
}

/** Loads what is to be trained and draws at random, from the seed, what the base does not have. */
export async function prepareParameters(
  base: WeightSource,
  head: Head,
  { method, hyper }: { readonly method: RunSpec['method']; readonly hyper: AdapterSize },
): Promise<Parameters> {
  const random = createRandom(hyper.seed);
  const specs = base.model.parameters(head);
  // A new task gets a new head; a pooler that was never trained is trained too.
  const isNew = (name: string, part: string) => part === 'head' || base.fresh || !base.weights.has(name);
  const isKept = choosePrefixes(hyper.freeze ?? [], [...specs.keys()]);
  const moves = (hyper.batchNorm ?? (base.fresh && method === 'full' ? 'train' : 'frozen')) === 'train';
  if (moves && method !== 'full') {
    throw new UserError(
      `batchNorm is train, which the method ${method} does not do: its body stays as it is.`,
      'Use the method full, or leave batchNorm at frozen.',
    );
  }
  const statistics = new Map<string, FloatTensor>();
  const trainable = new Map<string, FloatTensor>();
  const frozen = new Map<string, FrozenWeight>();
  for (const [name, spec] of specs) {
    const { shape, part, isBuffer } = spec;
    const trains = !isBuffer && ((method === 'full' && !isKept(name)) || (part !== 'body' && isNew(name, part)));
    const stored = part === 'head' ? undefined : base.weights.get(name);
    const fourBit = trains ? undefined : base.fourBit?.get(name);
    if (fourBit) frozen.set(name, { shape, fourBit });
    else if (isBuffer && moves) statistics.set(name, (await stored?.load()) ?? drawInitial(spec, random));
    else if (!trains && stored?.inPlace) frozen.set(name, { shape, inPlace: stored.inPlace });
    else (trains ? trainable : frozen).set(name, (await stored?.load()) ?? drawInitial(spec, random));
  }
  const lora = usesAdapters(method) ? addAdapters(base, hyper, specs, trainable, random) : undefined;
  const count = [...trainable.values(), ...frozen.values(), ...statistics.values()].reduce(
    (sum, { shape }) => sum + sizeOf(shape),
    0,
  );
  const modulesToSave = modulesOf([...specs].filter(([name, { part }]) => part !== 'body' && isNew(name, part)));
  const live = moveWithinReach(trainable);
  const kept = { model: base.model, head, lora, trainable: live, frozen, modulesToSave, count };
  return statistics.size > 0 ? { ...kept, statistics } : kept;
}

/** All that training changes: what a checkpoint keeps. */
export const liveTensors = ({ trainable, statistics }: Pick<Parameters, 'trainable' | 'statistics'>) =>
  statistics ? new Map([...trainable, ...statistics]) : trainable;

/** @throws UserError when a prefix names no part of the model. */
function choosePrefixes(prefixes: readonly string[], names: readonly string[]): (name: string) => boolean {
  const within = (name: string, prefix: string) => name === prefix || name.startsWith(`${prefix}.`);
  const unknown = prefixes.find((prefix) => !names.some((name) => within(name, prefix)));
  if (unknown !== undefined) {
    throw new UserError(
      `freeze names ${JSON.stringify(unknown)}, which is no part of this model.`,
      `Its weights are called ${names.slice(0, 3).join(', ')}, …; give the beginning of such a name, up to a dot.`,
    );
  }
  return (name) => prefixes.some((prefix) => within(name, prefix));
}

/** The modules that these weights belong to, as PEFT names them: `classifier`, or `pooler` for `bert.pooler.dense.weight`. */
function modulesOf(specs: Iterable<readonly [string, unknown]>): string[] {
  const modules = Array.from(specs, ([name]) => name.split('.').find((part) => part !== 'bert') ?? name);
  return [...new Set(modules)].sort();
}

type AdapterSize = Pick<RunSpec['hyper'], 'loraRank' | 'loraAlpha' | 'seed' | 'freeze'> & {
  readonly batchNorm?: 'frozen' | 'train' | undefined;
};

const sizeOf = (shape: Shape) => shape.reduce((product, size) => product * size, 1);

/** A as PEFT draws it (Kaiming uniform with a = √5: within ±1/√in), B zero, so that training starts from the base. */
function addAdapters(
  base: WeightSource,
  { loraRank, loraAlpha }: AdapterSize,
  specs: ParameterSpecs,
  trainable: Map<string, FloatTensor>,
  random: Random,
): LoraLayers {
  const targets = base.model.loraTargets.map(({ name }) => name);
  for (const { name: target, layout } of base.model.loraTargets) {
    const shape = specs.get(`${target}.weight`)?.shape ?? [];
    const [out = 0, input = 0] = layout === 'out-in' ? shape : shape.toReversed();
    const bound = 1 / Math.sqrt(input);
    const a = Float32Array.from({ length: loraRank * input }, () => bound * (2 * random.next() - 1));
    trainable.set(loraA(target), { shape: [loraRank, input], data: a });
    trainable.set(loraB(target), { shape: [out, loraRank], data: new Float32Array(out * loraRank) });
  }
  return { targets: new Set(targets), scale: loraAlpha / loraRank };
}

/** W + (alpha/r)·B·A for every adapted layer. @returns the weights of the same model without adapters. */
export async function mergeAdapters(
  base: Pick<WeightSource, 'model' | 'weights'>,
  parameters: Parameters,
): Promise<Map<string, FloatTensor>> {
  const { lora, frozen } = parameters;
  const live = liveTensors(parameters);
  /** A weight that lies in memory: trained, or read with a finished adapter. */
  const inMemory = (name: string): FloatTensor | undefined => {
    const kept = frozen.get(name);
    return live.get(name) ?? (kept && 'data' in kept ? kept : undefined);
  };
  const layouts = new Map(base.model.loraTargets.map(({ name, layout }) => [name, layout]));
  const merged = new Map<string, FloatTensor>();
  for (const name of parameters.model.parameters(parameters.head).keys()) {
    const tensor = inMemory(name) ?? (await base.weights.get(name)?.load());
    if (!tensor) throw new Error(`no weight ${name}`);
    const target = name.replace(/\.weight$/, '');
    const a = inMemory(loraA(target));
    const b = inMemory(loraB(target));
    if (!lora || !a || !b) {
      merged.set(name, { shape: tensor.shape, data: tensor.data.slice() });
      continue;
    }
    const data = tensor.data.slice();
    addProduct(data, a, b, lora.scale, layouts.get(target) ?? 'out-in');
    merged.set(name, { shape: tensor.shape, data });
  }
  return merged;
}

/** Adds scale · B·A to a weight [out, in], or its transpose to one that lies [in, out]. */
function addProduct(
  weight: Float32Array,
  { data: a, shape: [rank = 0, input = 0] }: FloatTensor,
  { data: b, shape: [out = 0] }: FloatTensor,
  scale: number,
  layout: LinearTarget['layout'],
): void {
  const [outStride, inStride] = layout === 'out-in' ? [input, 1] : [1, out];
  for (let row = 0; row < out; row++) {
    for (let k = 0; k < rank; k++) {
      const factor = scale * (b[row * rank + k] ?? 0);
      for (let column = 0; column < input; column++) {
        const at = row * outStride + column * inStride;
        weight[at] = (weight[at] ?? 0) + factor * (a[k * input + column] ?? 0);
      }
    }
  }
}

/** Weights as graph values: trained ones are inputs, frozen ones part of the model. Each is made once, when asked for. */
export function weightValues(
  g: GraphBuilder,
  { frozen, ...changing }: Pick<Parameters, 'trainable' | 'frozen' | 'statistics'>,
): (name: string) => Value {
  const live = liveTensors(changing);
  const values = new Map<string, Value>();
  const make = (name: string): Value => {
    const trained = live.get(name);
    if (trained) return g.input(name, 'float32', trained.shape);
    const weight = frozen.get(name);
    if (!weight) throw new Error(`no weight ${name}`);
    if ('fourBit' in weight) throw new Error(`${name} is kept in four bits`);
    if ('inPlace' in weight) return g.external(weight.shape, weight.inPlace.range, weight.inPlace.type);
    return g.constant({ type: 'float32', shape: weight.shape, data: weight.data });
  };
  return (name) => {
    const known = values.get(name) ?? make(name);
    values.set(name, known);
    return known;
  };
}

/** The frozen matrices that are kept in four bits. */
export function fourBitValues(
  g: GraphBuilder,
  { frozen }: Pick<Parameters, 'frozen'>,
): (name: string) => FourBitValue | undefined {
  return (name) => {
    const weight = frozen.get(name);
    if (!weight || !('fourBit' in weight)) return undefined;
    const { packed, steps, ...blocks } = weight.fourBit;
    const perRow = blocks.in / blocks.blockSize;
    return {
      numbers: g.external([blocks.out, blocks.in], packed, 'uint4'),
      steps: g.external([blocks.out, perRow], steps),
      blocks,
    };
  };
}

/** The trained weights as feeds; they share the live arrays. */
export function weightFeeds(trainable: ReadonlyMap<string, FloatTensor>): { readonly [name: string]: Tensor } {
  return Object.fromEntries(
    Array.from(trainable, ([name, { shape, data }]) => [name, { type: 'float32', shape, data } as const]),
  );
}
