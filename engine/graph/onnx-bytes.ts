// Encodes the parts of an ONNX model as bytes (protocol buffers, onnx.proto3), without the onnx package.
import { dirname, relative } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import type { FileRange, Initializer } from './graph.ts';
import type { DataType, Shape } from './tensor.ts';

const ir_version = 10;
const opset_version = 21;
/** The domain of onnxruntime's own ops. */
export const microsoft = 'com.microsoft';

/** TensorProto.DataType. */
export const type_codes: { readonly [T in DataType]: number } = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
  uint4: 21,
};

/** One ONNX attribute, by the field of AttributeProto that holds it. */
export type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

/** What a node reads: a value by its name ('' for none), or numbers that become a constant of the model. */
export type OnnxInput = string | { readonly ints: readonly number[] } | { readonly float: number };

export interface OnnxNode {
  readonly type: string;
  /** The standard's unless said. */
  readonly domain?: typeof microsoft | undefined;
  readonly attributes: { readonly [name: string]: OnnxAttribute };
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
  readonly source: Initializer['source'];
}

/** An input or output of the model; an axis with a name may have any size. */
export interface OnnxPort {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxParts {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Where external data is looked for; undefined when there is none. All of it lies in one folder. */
  readonly externalFolder: string | undefined;
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

// ValueInfoProto: name 1, type 2 → TypeProto.tensor_type 1 → elem_type 1, shape 2 → dim 1 → dim_value 1, dim_param 2.
function writePort(writer: protobuf.Writer, { name, type, shape }: OnnxPort): void {
  text(writer, 1, name);
  message(writer, 2, (typeProto) =>
    message(typeProto, 1, (tensorType) => {
      whole(tensorType, 1, type_codes[type]);
      message(tensorType, 2, (shapeProto) => {
        for (const size of shape) {
          message(shapeProto, 1, (axis) => (typeof size === 'number' ? whole(axis, 1, size) : text(axis, 2, size)));
        }
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

function writeInitializer(writer: protobuf.Writer, { name, type, shape, source }: OnnxTensor, folder: string): void {
  if ('inline' in source) {
    writeTensor(writer, name, type_codes[type], shape, source.inline);
    return;
  }
  packed(writer, 1, shape);
  text(whole(writer, 2, type_codes[type]), 8, name);
  const { path, offset, bytes } = source.external;
  const entries = { location: relative(folder, path), offset: String(offset), length: String(bytes) };
  for (const [key, entry] of Object.entries(entries)) {
    message(writer, 13, (w) => text(text(w, 1, key), 2, entry));
  }
  whole(writer, 14, 1);
}

// NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7.
function writeNode(writer: protobuf.Writer, { type, domain, attributes, inputs, outputs }: OnnxNode): void {
  for (const input of inputs) text(writer, 1, nameOf(input));
  for (const name of outputs) text(writer, 2, name);
  text(writer, 4, type);
  if (domain) text(writer, 7, domain);
  for (const [name, attribute] of Object.entries(attributes)) {
    message(writer, 5, (w) => writeAttribute(w, name, attribute));
  }
}

function nameOf(input: OnnxInput): string {
  if (typeof input === 'string') return input;
  return 'ints' in input ? `i_${input.ints.join('_')}` : `f_${input.float}`;
}

/** The numbers that nodes read, each list once. */
function constantsOf(nodes: readonly OnnxNode[]): Map<string, Exclude<OnnxInput, string>> {
  const constants = new Map<string, Exclude<OnnxInput, string>>();
  for (const { inputs } of nodes) {
    for (const input of inputs) if (typeof input !== 'string') constants.set(nameOf(input), input);
  }
  return constants;
}

/** Frozen weights of several folders cannot be used in place in one model: they must lie in one. */
function folderOf(ranges: readonly FileRange[]): string | undefined {
  const folders = new Set(ranges.map((range) => dirname(range.path)));
  if (folders.size > 1) throw new Error(`external weights lie in several folders: ${[...folders].join(', ')}`);
  return folders.values().next().value;
}

export function encodeOnnx({ nodes, tensors, inputs, outputs }: OnnxParts): OnnxModel {
  const externalFolder = folderOf(tensors.flatMap(({ source }) => ('external' in source ? [source.external] : [])));
  const writer = protobuf.Writer.create();
  // ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8 (domain 1, version 2).
  text(whole(writer, 1, ir_version), 2, 'finetutor');
  message(writer, 8, (w) => whole(text(w, 1, ''), 2, opset_version));
  message(writer, 8, (w) => whole(text(w, 1, microsoft), 2, 1));
  // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
  message(writer, 7, (graph) => {
    for (const node of nodes) message(graph, 1, (w) => writeNode(w, node));
    text(graph, 2, 'finetutor');
    for (const [name, constant] of constantsOf(nodes)) {
      message(graph, 5, (w) => {
        if ('float' in constant) writeTensor(w, name, type_codes.float32, [], Float32Array.of(constant.float));
        else writeTensor(w, name, type_codes.int64, [constant.ints.length], BigInt64Array.from(constant.ints, BigInt));
      });
    }
    for (const tensor of tensors) message(graph, 5, (w) => writeInitializer(w, tensor, externalFolder ?? ''));
    for (const input of inputs) message(graph, 11, (w) => writePort(w, input));
    for (const output of outputs) message(graph, 12, (w) => writePort(w, output));
  });
  return { bytes: writer.finish(), externalFolder };
}
