// Writes a graph as the bytes of an ONNX model (protocol buffers, onnx.proto3), without the onnx package.
import { dirname, relative } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { type FileRange, type Graph, type Initializer, pruneGraph } from './graph.ts';
import type { Convolution, GraphNode, Op, OpAttributes, Pooling, Value } from './ops.ts';
import type { DataType, Shape } from './tensor.ts';

const ir_version = 10;
const opset_version = 21;
const microsoft = 'com.microsoft';

/** TensorProto.DataType. */
const type_codes: { readonly [T in DataType]: number } = {
  float32: 1,
  int32: 6,
  int64: 7,
  uint8: 2,
  uint4: 21,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** One ONNX attribute, by the field of AttributeProto that holds it. */
type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

interface OnnxForm {
  readonly type: string;
  /** Of onnxruntime's own ops; the standard's unless said. */
  readonly domain?: typeof microsoft;
  readonly attributes?: { readonly [name: string]: OnnxAttribute };
  /** Attributes of ours that ONNX takes as further int64 inputs, after the node's own. */
  readonly constants?: readonly (readonly number[])[];
  /** How many of the node's own inputs stand before the constants; all, unless said. */
  readonly constantsAt?: number;
  /** onnxruntime crashes when one is left out. */
  readonly everyOutput?: true;
  /** Attributes of ours that ONNX takes as further float32 inputs of no axes. */
  readonly scalars?: readonly number[];
}

const plain = (type: string) => (): OnnxForm => ({ type });
const reduce =
  (type: string) =>
  ({ axes, keepDims }: OpAttributes['ReduceSum']): OnnxForm => ({
    type,
    attributes: { keepdims: { int: Number(keepDims) } },
    constants: [axes],
  });

const window = ({ strides, pads }: Pick<Pooling, 'strides' | 'pads'>) => ({
  strides: { ints: strides },
  pads: { ints: pads },
});
const convolution = ({ dilations, groups, ...rest }: Convolution) => ({
  ...window(rest),
  dilations: { ints: dilations },
  group: { int: groups },
});

const onnx_forms: { readonly [O in Op]: (attributes: OpAttributes[O]) => OnnxForm } = {
  Add: plain('Add'),
  Sub: plain('Sub'),
  Mul: plain('Mul'),
  Div: plain('Div'),
  Equal: plain('Equal'),
  Neg: plain('Neg'),
  Exp: plain('Exp'),
  Log: plain('Log'),
  Erf: plain('Erf'),
  Tanh: plain('Tanh'),
  Sqrt: plain('Sqrt'),
  Sigmoid: plain('Sigmoid'),
  Clip: ({ min, max }) => ({ type: 'Clip', scalars: [min, max] }),
  Relu: plain('Relu'),
  Gelu: plain('Gelu'),
  GeluTanh: () => ({ type: 'Gelu', attributes: { approximate: { string: 'tanh' } } }),
  // x·σ(αx) with α = 1.
  Silu: () => ({ type: 'QuickGelu', domain: microsoft, attributes: { alpha: { float: 1 } } }),
  Identity: plain('Identity'),
  Cast: ({ to }) => ({ type: 'Cast', attributes: { to: { int: type_codes[to] } } }),
  ReduceSum: reduce('ReduceSum'),
  ReduceMax: reduce('ReduceMax'),
  Softmax: plain('Softmax'),
  LayerNormalization: ({ epsilon }) => ({ type: 'LayerNormalization', attributes: { epsilon: { float: epsilon } } }),
  // onnxruntime keeps this op of its own in the standard domain.
  RmsNormalization: ({ epsilon }) => ({
    type: 'SimplifiedLayerNormalization',
    attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
  }),
  MatMul: plain('MatMul'),
  Gemm: ({ transA, transB }) => ({
    type: 'Gemm',
    attributes: { transA: { int: Number(transA) }, transB: { int: Number(transB) } },
  }),
  // accuracy_level 1: computed in float32.
  MatMulNBits: ({ out, in: input, blockSize }) => ({
    type: 'MatMulNBits',
    domain: microsoft,
    attributes: {
      K: { int: input },
      N: { int: out },
      bits: { int: 4 },
      block_size: { int: blockSize },
      accuracy_level: { int: 1 },
    },
  }),
  DequantizeLinear: ({ blockSize }) => ({
    type: 'DequantizeLinear',
    attributes: { axis: { int: 1 }, block_size: { int: blockSize } },
  }),
  Conv: (attributes) => ({ type: 'Conv', attributes: convolution(attributes) }),
  ConvTranspose: ({ outputPadding, ...attributes }) => ({
    type: 'ConvTranspose',
    attributes: { ...convolution(attributes), output_padding: { ints: outputPadding } },
  }),
  // The places count from 0.
  RotaryEmbedding: () => ({ type: 'RotaryEmbedding', domain: microsoft, constants: [[0]], constantsAt: 1 }),
  MaxPool: ({ kernel, ...rest }) => ({
    type: 'MaxPool',
    attributes: { ...window(rest), kernel_shape: { ints: kernel } },
  }),
  Transpose: ({ perm }) => ({ type: 'Transpose', attributes: { perm: { ints: perm } } }),
  Reshape: ({ shape }) => ({ type: 'Reshape', constants: [shape] }),
  Expand: ({ shape }) => ({ type: 'Expand', constants: [shape] }),
  Concat: ({ axis }) => ({ type: 'Concat', attributes: { axis: { int: axis } } }),
  Split: ({ axis, parts }) => ({
    type: 'Split',
    attributes: { axis: { int: axis }, num_outputs: { int: parts } },
    everyOutput: true,
  }),
  Slice: ({ axis, start, end, step = 1 }) => ({ type: 'Slice', constants: [[start], [end], [axis], [step]] }),
  // Pad takes an optional value (left out: zero) between the sizes and the axes; an empty name stands for it.
  Pad: ({ axis, before, after }) => ({ type: 'Pad', constants: [[before, after], [], [axis]] }),
  Gather: plain('Gather'),
  GatherElements: ({ axis }) => ({ type: 'GatherElements', attributes: { axis: { int: axis } } }),
  ScatterElements: ({ axis }) => ({
    type: 'ScatterElements',
    attributes: { axis: { int: axis }, reduction: { string: 'add' } },
  }),
};

function formOf<O extends Op>(node: GraphNode<O>): OnnxForm {
  return onnx_forms[node.op](node.attributes);
}

type Write = (writer: protobuf.Writer) => void;

/** Writes a length-delimited field (wire type 2). */
function message(writer: protobuf.Writer, field: number, write: Write): void {
  writer.uint32((field << 3) | 2).fork();
  write(writer);
  writer.ldelim();
}
const text = (writer: protobuf.Writer, field: number, value: string) => writer.uint32((field << 3) | 2).string(value);
const whole = (writer: protobuf.Writer, field: number, value: number) => writer.uint32(field << 3).int64(value);
const packed = (writer: protobuf.Writer, field: number, values: readonly number[]) =>
  message(writer, field, (w) => {
    for (const value of values) w.int64(value);
  });

// AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20 (FLOAT 1, INT 2, STRING 3, INTS 7).
function writeAttribute(writer: protobuf.Writer, name: string, attribute: OnnxAttribute): void {
  text(writer, 1, name);
  if ('float' in attribute) whole(writer.uint32((2 << 3) | 5).float(attribute.float), 20, 1);
  else if ('int' in attribute) whole(whole(writer, 3, attribute.int), 20, 2);
  else if ('string' in attribute) whole(text(writer, 4, attribute.string), 20, 3);
  else {
    packed(writer, 8, attribute.ints);
    whole(writer, 20, 7);
  }
}

// ValueInfoProto: name 1, type 2 → TypeProto.tensor_type 1 → elem_type 1, shape 2 → dim 1 → dim_value 1.
function writeValueInfo(writer: protobuf.Writer, name: string, type: DataType, shape: Shape): void {
  text(writer, 1, name);
  message(writer, 2, (typeProto) =>
    message(typeProto, 1, (tensorType) => {
      whole(tensorType, 1, type_codes[type]);
      message(tensorType, 2, (shapeProto) => {
        for (const size of shape) message(shapeProto, 1, (dimension) => whole(dimension, 1, size));
      });
    }),
  );
}

const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

// TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13 (key 1, value 2), data_location 14 (EXTERNAL 1).
function writeTensor(writer: protobuf.Writer, name: string, code: number, shape: Shape, data: ArrayBufferView): void {
  packed(writer, 1, shape);
  text(whole(writer, 2, code), 8, name);
  writer.uint32((9 << 3) | 2).bytes(bytesOf(data));
}

function writeInitializer(writer: protobuf.Writer, { value, source }: Initializer, folder: string): void {
  const code = type_codes[value.type];
  if ('inline' in source) {
    writeTensor(writer, value.name, code, value.shape, source.inline);
    return;
  }
  packed(writer, 1, value.shape);
  text(whole(writer, 2, code), 8, value.name);
  const { path, offset, bytes } = source.external;
  const entries = { location: relative(folder, path), offset: String(offset), length: String(bytes) };
  for (const [key, entry] of Object.entries(entries)) {
    message(writer, 13, (w) => text(text(w, 1, key), 2, entry));
  }
  whole(writer, 14, 1);
}

// NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7.
function writeNode(
  writer: protobuf.Writer,
  inputs: readonly string[],
  outputs: readonly string[],
  form: OnnxForm,
): void {
  for (const name of inputs) text(writer, 1, name);
  for (const name of outputs) text(writer, 2, name);
  text(writer, 4, form.type);
  if (form.domain) text(writer, 7, form.domain);
  for (const [name, attribute] of Object.entries(form.attributes ?? {})) {
    message(writer, 5, (w) => writeAttribute(w, name, attribute));
  }
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Where external data is looked for; undefined when there is none. All of it lies in one folder. */
  readonly externalFolder: string | undefined;
}

/** Frozen weights of several folders cannot be used in place in one model: they must lie in one. */
function folderOf(ranges: readonly FileRange[]): string | undefined {
  const folders = new Set(ranges.map((range) => dirname(range.path)));
  if (folders.size > 1) throw new Error(`external weights lie in several folders: ${[...folders].join(', ')}`);
  return folders.values().next().value;
}

/** @returns the model of what the graph's outputs need. */
export function writeOnnx(wholeGraph: Graph): OnnxModel {
  const graph = pruneGraph(wholeGraph);
  const externalFolder = folderOf(
    graph.initializers.flatMap(({ source }) => ('external' in source ? [source.external] : [])),
  );
  const writer = protobuf.Writer.create();
  // ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8 (domain 1, version 2).
  text(whole(writer, 1, ir_version), 2, 'finetutor');
  message(writer, 8, (w) => whole(text(w, 1, ''), 2, opset_version));
  message(writer, 8, (w) => whole(text(w, 1, microsoft), 2, 1));
  // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
  message(writer, 7, (graphWriter) => {
    const read = new Set(
      [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values()].map(({ name }) => name),
    );
    const shapeConstants = new Map<string, readonly number[]>();
    const scalarConstants = new Map<string, number>();
    for (const node of graph.nodes) {
      const form = formOf(node);
      const nodeInputs: readonly Value[] = node.inputs;
      const nodeOutputs: readonly Value[] = node.outputs;
      const scalars = (form.scalars ?? []).map((number) => {
        const name = `f_${number}`;
        scalarConstants.set(name, number);
        return name;
      });
      const constants = (form.constants ?? []).map((numbers) => {
        if (numbers.length === 0 && form.type !== 'Reshape' && form.type !== 'Expand') return '';
        const name = `i_${numbers.join('_')}`;
        shapeConstants.set(name, numbers);
        return name;
      });
      const ownNames = nodeInputs.map((value) => value.name);
      const isWanted = ({ name }: Value) => form.everyOutput === true || read.has(name);
      const at = form.constantsAt ?? ownNames.length;
      message(graphWriter, 1, (w) =>
        writeNode(
          w,
          [...ownNames.slice(0, at), ...constants, ...scalars, ...ownNames.slice(at)],
          // What nobody reads is not asked for: some devices cannot make it.
          nodeOutputs
            .slice(0, Math.max(1, nodeOutputs.findLastIndex(isWanted) + 1))
            .map((value, at) => (at === 0 || isWanted(value) ? value.name : '')),
          form,
        ),
      );
    }
    for (const [name, value] of graph.outputs) {
      message(graphWriter, 1, (w) => writeNode(w, [value.name], [name], { type: 'Identity' }));
    }
    text(graphWriter, 2, 'finetutor');
    for (const [name, numbers] of shapeConstants) {
      const data = BigInt64Array.from(numbers, BigInt);
      message(graphWriter, 5, (w) => writeTensor(w, name, type_codes.int64, [numbers.length], data));
    }
    for (const [name, number] of scalarConstants) {
      message(graphWriter, 5, (w) => writeTensor(w, name, type_codes.float32, [], Float32Array.of(number)));
    }
    for (const initializer of graph.initializers) {
      message(graphWriter, 5, (w) => writeInitializer(w, initializer, externalFolder ?? ''));
    }
    for (const value of graph.inputs) {
      message(graphWriter, 11, (w) => writeValueInfo(w, value.name, value.type, value.shape));
    }
    for (const [name, value] of graph.outputs) {
      message(graphWriter, 12, (w) => writeValueInfo(w, name, value.type, value.shape));
    }
  });
  return { bytes: writer.finish(), externalFolder };
}
