// Builds a graph of ops with static shapes; every mistake of shape is an error here, where it was written.
import type { AttributeArguments, GraphNode, Op, OpAttributes, OpInputs, OpOutputs, Value } from './ops.ts';
import type { Device } from './session.ts';
import { shape_rules, type ValueType } from './shapes.ts';
import { type DataType, describeShape, elementCount, type Shape, sameShape, type Tensor } from './tensor.ts';

/** Bytes of a file, used in place. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Number formats that a file may hold and a graph may use where they lie. */
export type ExternalType = 'float32' | 'float16' | 'bfloat16' | 'uint4';

const bytes_of: { readonly [T in ExternalType]: number } = { float32: 4, float16: 2, bfloat16: 2, uint4: 0.5 };

export interface Initializer {
  readonly value: Value;
  readonly source: { readonly inline: Tensor['data'] } | { readonly external: FileRange };
}

export interface Graph {
  readonly inputs: readonly Value[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly GraphNode[];
  /** By the name the session will answer them under. */
  readonly outputs: ReadonlyMap<string, Value>;
}

export interface GraphBuilder {
  readonly graph: Graph;
  /** What it is built for: a few gradients are made of other ops where a device lacks one. */
  readonly device: Device;
  input(name: string, type: DataType, shape: Shape): Value;
  /** A tensor written into the model. */
  constant(tensor: Tensor): Value;
  /** A float32 number, shared by all who ask for the same one. */
  scalar(number: number): Value;
  /** A tensor read in place from a file: half precision is widened to float32 each time it is used, four bits stay four bits. */
  external(shape: Shape, range: FileRange, type?: ExternalType): Value;
  /** A constant of four-bit numbers, all the same, shared by all who ask for that shape. */
  nibbles(shape: Shape, value: number): Value;
  /** Adds a node. @returns its first output. @throws Error when shapes or types do not fit. */
  op<O extends Op>(op: O, inputs: OpInputs[O], ...attributes: AttributeArguments<O>): Value;
  /** Adds a node. @returns all its outputs. */
  ops<O extends Op>(op: O, inputs: OpInputs[O], ...attributes: AttributeArguments<O>): OpOutputs[O];
  output(name: string, value: Value): void;
}

/** They repeat their operands themselves. */
const broadcasts: ReadonlySet<Op> = new Set(['Add', 'Sub', 'Mul', 'Div']);

export function createGraph(device: Device = 'cpu'): GraphBuilder {
  const inputs: Value[] = [];
  const initializers: Initializer[] = [];
  const nodes: GraphNode[] = [];
  const outputs = new Map<string, Value>();
  const scalars = new Map<number, Value>();
  const nibbles = new Map<string, Value>();
  /** What each `Expand` repeated, by the name of what it made. */
  const repeated = new Map<string, Value>();
  let count = 0;

  const add = (type: ValueType, prefix: string): Value => ({
    name: `${prefix}${count++}`,
    type: type.type,
    shape: type.shape,
  });

  const constant = (tensor: Tensor): Value => {
    if (elementCount(tensor.shape) !== tensor.data.length) {
      throw new Error(`${tensor.data.length} numbers do not fill ${describeShape(tensor.shape)}`);
    }
    const value = add(tensor, 'c');
    initializers.push({ value, source: { inline: tensor.data } });
    return value;
  };

  /** Two operands of `shape` when broadcast, each as it was before it was repeated if the other has that shape by itself. */
  const withoutRepeats = (a: Value, b: Value, shape: Shape): readonly [Value, Value] => {
    const [before, after] = [repeated.get(a.name), repeated.get(b.name)];
    if (before && sameShape(b.shape, shape)) return [before, b];
    return after && sameShape(a.shape, shape) ? [a, after] : [a, b];
  };

  const ops = <O extends Op>(op: O, nodeInputs: OpInputs[O], ...rest: AttributeArguments<O>): OpOutputs[O] => {
    const attributes = (rest[0] ?? {}) as OpAttributes[O];
    try {
      const types: readonly ValueType[] = shape_rules[op](nodeInputs, attributes);
      const nodeOutputs = types.map((type) => add(type, `${op}_`)) as readonly Value[] as OpOutputs[O];
      const [first, second] = nodeInputs;
      if (op === 'Expand' && nodeOutputs[0]) repeated.set(nodeOutputs[0].name, first);
      const shape = nodeOutputs[0]?.shape ?? [];
      const inputs =
        broadcasts.has(op) && second
          ? (withoutRepeats(first, second, shape) as readonly Value[] as OpInputs[O])
          : nodeInputs;
      nodes.push({ op, inputs, attributes, outputs: nodeOutputs });
      return nodeOutputs;
    } catch (error) {
      throw new Error(`${op}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };

  return {
    graph: { inputs, initializers, nodes, outputs },
    device,
    input(name, type, shape) {
      const value = { name, type, shape };
      inputs.push(value);
      return value;
    },
    constant,
    scalar(number) {
      const known = scalars.get(number);
      if (known) return known;
      const value = constant({ type: 'float32', shape: [], data: Float32Array.of(number) });
      scalars.set(number, value);
      return value;
    },
    external(shape, range, type = 'float32') {
      if (elementCount(shape) * bytes_of[type] !== range.bytes) {
        throw new Error(`${range.path}: ${range.bytes} bytes do not fill ${describeShape(shape)} of ${type}`);
      }
      const value = add({ type, shape }, 'w');
      initializers.push({ value, source: { external: range } });
      return type === 'float32' || type === 'uint4' ? value : ops('Cast', [value], { to: 'float32' })[0];
    },
    nibbles(shape, number) {
      const key = `${shape.join('×')} of ${number}`;
      const known = nibbles.get(key);
      if (known) return known;
      const value = add({ type: 'uint4', shape }, 'c');
      const inline = new Uint8Array(Math.ceil(elementCount(shape) / 2)).fill(number * 0x11);
      initializers.push({ value, source: { inline } });
      nibbles.set(key, value);
      return value;
    },
    op: (op, nodeInputs, ...rest) => ops(op, nodeInputs, ...rest)[0],
    ops,
    output(name, value) {
      outputs.set(name, value);
    },
  };
}

/** The part of a graph that its outputs need: gradient rules may build more than is used. Inputs are kept. */
export function pruneGraph(graph: Graph): Graph {
  const needed = new Set(Array.from(graph.outputs.values(), (value) => value.name));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    const nodeOutputs: readonly Value[] = node.outputs;
    if (!nodeOutputs.some((value) => needed.has(value.name))) continue;
    nodes.unshift(node);
    for (const value of node.inputs) needed.add(value.name);
  }
  return { ...graph, nodes, initializers: graph.initializers.filter(({ value }) => needed.has(value.name)) };
}
