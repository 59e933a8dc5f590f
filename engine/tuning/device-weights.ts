// Trained weights, their gradients and the optimizer's state, kept on the device between steps: a step is a few graphs over
// them, and what crosses to the host is a handful of numbers, until somebody asks for the weights.
import { createGraph, type GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import { createSession, type DeviceTensor, type Session, type SessionOptions } from '../graph/session.ts';
import { describeShape, type FloatTensor, type Shape } from '../graph/tensor.ts';
import { sumOfSquares } from './network.ts';
import { decays, type Optimizer, type StepSettings, type Trainable } from './optimizers/optimizer.ts';
import type { UpdateRule } from './optimizers/update-rule.ts';

export type DeviceTensors = ReadonlyMap<string, DeviceTensor>;

export interface DeviceWeights {
  /** The weights as they are now, as feeds. */
  feeds(): { readonly [name: string]: DeviceTensor };
  /** a + b, which are both given up. @returns the sums and √Σ of their squares. */
  add(a: DeviceTensors, b: DeviceTensors): Promise<{ readonly sums: DeviceTensors; readonly norm: number }>;
  /** The optimizer's step; the gradients are given up. */
  step(gradients: DeviceTensors, settings: StepSettings): Promise<void>;
  read(tensor: DeviceTensor): Promise<Float32Array>;
  /** Copies into the live arrays of the host: the weights, or the optimizer's state too. */
  pull(what: 'weights' | 'everything'): Promise<void>;
  /** Copies the live arrays of the host to the device. */
  push(): Promise<void>;
  close(): Promise<void>;
}

/** Old and new lie side by side while a group is updated: it is no larger than this, or a single weight. */
const largestGroupBytes = 64e6;

export async function createDeviceWeights(
  trainable: Trainable,
  { state }: Pick<Optimizer, 'state'>,
  rule: UpdateRule,
  options: SessionOptions,
): Promise<DeviceWeights> {
  const weights = new Map<string, DeviceTensor>();
  const states = new Map<string, DeviceTensor>();
  const sessions = new Map<string, Promise<Session>>();
  const groups = groupBySize(trainable);
  const prefixes = prefixesOf(state);

  /** @param build adds nodes and outputs, and says which of those stay on the device. */
  function obtain(name: string, build: (g: GraphBuilder) => readonly string[]): Promise<Session> {
    const known = sessions.get(name) ?? compile(build);
    sessions.set(name, known);
    return known;
  }

  async function compile(build: (g: GraphBuilder) => readonly string[]): Promise<Session> {
    const g = createGraph(options.device);
    const kept = build(g);
    return createSession(g.graph, { ...options, kept });
  }

  const copier = (shape: Shape, kept: readonly string[]) =>
    obtain(`copy ${kept.join(' ')} ${describeShape(shape)}`, (g) => {
      g.output('copy', g.op('Identity', [g.input('value', 'float32', shape)]));
      return kept;
    });

  async function write({ shape, data }: FloatTensor): Promise<DeviceTensor> {
    const { kept } = await (await copier(shape, ['copy'])).runKeeping({ value: { type: 'float32', shape, data } });
    return given(kept, 'copy');
  }

  async function read(tensor: DeviceTensor): Promise<Float32Array> {
    const { copy } = await (await copier(tensor.shape, [])).run({ value: tensor });
    if (!(copy?.data instanceof Float32Array)) throw new Error('the device gave no numbers');
    return copy.data;
  }

  async function push(): Promise<void> {
    for (const [live, held] of [
      [trainable, weights],
      [state, states],
    ] as const) {
      for (const [name, tensor] of live) replace(held, name, await write(tensor));
    }
  }

  function buildUpdate(g: GraphBuilder, group: readonly string[], names: readonly string[]): readonly string[] {
    const kept: string[] = [];
    const scalars = new Map(names.map((name) => [name, g.input(name, 'float32', [])]));
    const scalar = (name: string): Value => {
      const value = scalars.get(name);
      if (!value) throw new Error(`the optimizer has no number ${name}`);
      return value;
    };
    const keep = (name: string, value: Value) => {
      g.output(`new ${name}`, value);
      kept.push(`new ${name}`);
    };
    for (const name of group) {
      const { shape } = given(weights, name);
      const scaled = g.op('Mul', [g.input(`gradient of ${name}`, 'float32', shape), scalar('gradientScale')]);
      const next = rule.build(g, {
        weight: g.input(name, 'float32', shape),
        gradient: scaled,
        state: (prefix) => g.input(`${prefix}.${name}`, 'float32', given(states, `${prefix}.${name}`).shape),
        scalar,
        decays: decays({ shape }),
      });
      keep(name, next.weight);
      for (const [prefix, value] of Object.entries(next.state)) keep(`${prefix}.${name}`, value);
    }
    return kept;
  }

  async function updateGroup(
    group: readonly string[],
    at: number,
    gradients: DeviceTensors,
    scalars: { readonly [name: string]: number },
  ): Promise<void> {
    const session = await obtain(`update ${at}`, (g) => buildUpdate(g, group, Object.keys(scalars)));
    const stateNames = group.flatMap((name) => (prefixes.get(name) ?? []).map((prefix) => `${prefix}.${name}`));
    const { kept } = await session.runKeeping({
      ...Object.fromEntries(Object.entries(scalars).map(([name, number]) => [name, scalarFeed(number)])),
      ...Object.fromEntries(group.map((name) => [name, given(weights, name)])),
      ...Object.fromEntries(group.map((name) => [`gradient of ${name}`, given(gradients, name)])),
      ...Object.fromEntries(stateNames.map((name) => [name, given(states, name)])),
    });
    for (const name of group) {
      replace(weights, name, given(kept, `new ${name}`));
      given(gradients, name).release();
    }
    for (const name of stateNames) replace(states, name, given(kept, `new ${name}`));
  }

  await push();
  return {
    feeds: () => Object.fromEntries(weights),
    async add(a, b) {
      const sums = new Map<string, DeviceTensor>();
      let squares = 0;
      for (const [at, group] of groups.entries()) {
        const session = await obtain(`add ${at}`, (g) => {
          const added = group.map((name) => {
            const { shape } = given(weights, name);
            return g.op('Add', [g.input(`a ${name}`, 'float32', shape), g.input(`b ${name}`, 'float32', shape)]);
          });
          added.forEach((value, index) => {
            g.output(group[index] ?? '', value);
          });
          g.output('squaredNorm', sumOfSquares(g, added));
          return group;
        });
        const { answers, kept } = await session.runKeeping(
          Object.fromEntries(
            group.flatMap((name) => [
              [`a ${name}`, given(a, name)],
              [`b ${name}`, given(b, name)],
            ]),
          ),
        );
        squares += answers.squaredNorm?.data[0] ?? Number.NaN;
        for (const name of group) {
          given(a, name).release();
          given(b, name).release();
          sums.set(name, given(kept, name));
        }
      }
      return { sums, norm: Math.sqrt(squares) };
    },
    async step(gradients, settings) {
      const scalars = { ...rule.scalars(settings), gradientScale: settings.gradientScale };
      for (const [at, group] of groups.entries()) await updateGroup(group, at, gradients, scalars);
    },
    read,
    async pull(what) {
      for (const [name, { data }] of trainable) data.set(await read(given(weights, name)));
      if (what === 'everything') for (const [name, { data }] of state) data.set(await read(given(states, name)));
    },
    push,
    async close() {
      for (const held of [weights, states]) {
        for (const tensor of held.values()) tensor.release();
        held.clear();
      }
      for (const session of await Promise.all(sessions.values())) await session.close();
      sessions.clear();
    },
  };
}

const scalarFeed = (number: number) => ({ type: 'float32', shape: [], data: Float32Array.of(number) }) as const;

function replace(held: Map<string, DeviceTensor>, name: string, tensor: DeviceTensor): void {
  held.get(name)?.release();
  held.set(name, tensor);
}

function given(tensors: DeviceTensors, name: string): DeviceTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`${name} is not on the device`);
  return tensor;
}

/** By weight, what its state is called before the first dot. */
function prefixesOf(state: Optimizer['state']): ReadonlyMap<string, readonly string[]> {
  const prefixes = new Map<string, string[]>();
  for (const key of state.keys()) {
    const dot = key.indexOf('.');
    const name = key.slice(dot + 1);
    prefixes.set(name, [...(prefixes.get(name) ?? []), key.slice(0, dot)]);
  }
  return prefixes;
}

function groupBySize(trainable: Trainable): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [name, { data }] of trainable) {
    if (bytes + data.byteLength > largestGroupBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(name);
    bytes += data.byteLength;
  }
  return groups;
}
