// Reads and writes safetensors files; a header that lies is refused before a byte of data is trusted.
// Format: 8 bytes little-endian header length, a JSON header, then the data (https://huggingface.co/docs/safetensors).
import { stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { readBytes, readNumbers } from '../graph/file-numbers.ts';
import type { FileRange } from '../graph/graph.ts';
import { describeShape, elementCount, type FloatTensor, type Shape } from '../graph/tensor.ts';
import { isObject, writeFileAtomically } from './files.ts';

/** The limit of the reference implementation. */
const largestHeaderBytes = 100_000_000;

const element_bytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const;
export type ElementType = keyof typeof element_bytes;

interface TensorEntry {
  readonly dtype: ElementType;
  readonly shape: Shape;
  /** Absolute place in the file. */
  readonly range: FileRange;
}

export interface SafetensorsFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: { readonly [key: string]: string };
}

const again = 'Download or export the file again; it is damaged or not a safetensors file.';

/** Reads the header only. @throws UserError naming the file, the tensor and the values that do not fit. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const refuse = (what: string, cause?: unknown) => new UserError(`${path}: ${what}`, again, { cause });
  const { size } = await stat(path).catch((error: unknown) => {
    throw new UserError(`${path} cannot be read.`, 'Check the path and its permissions.', { cause: error });
  });
  if (size < 8) throw refuse(`${size} bytes are too few for a safetensors file.`);
  const headerBytes = Number((await readBytes({ path, offset: 0, bytes: 8 })).readBigUInt64LE());
  if (headerBytes > largestHeaderBytes) throw refuse(`the header claims ${headerBytes} bytes, more than allowed.`);
  if (8 + headerBytes > size) throw refuse(`the header claims ${headerBytes} bytes; the file has ${size}.`);
  let header: unknown;
  try {
    const text = await readBytes({ path, offset: 8, bytes: headerBytes });
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw refuse('the header is not JSON.', error);
  }
  if (!isObject(header)) throw refuse('the header is not a JSON object.');

  const start = 8 + headerBytes;
  const tensors = new Map<string, TensorEntry>();
  let metadata: { [key: string]: string } = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(entry)) throw refuse('the metadata is not an object.');
      metadata = Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, String(value)]));
    } else tensors.set(name, readEntry(path, name, entry, start, size));
  }
  const ordered = [...tensors].sort(([, a], [, b]) => a.range.offset - b.range.offset || a.range.bytes - b.range.bytes);
  let end = start;
  for (const [name, { range }] of ordered) {
    if (range.offset < end) throw refuse(`tensor ${name} overlaps the one before it, at byte ${range.offset}.`);
    if (range.offset > end)
      throw refuse(`bytes ${end} to ${range.offset}, before tensor ${name}, belong to no tensor.`);
    end = range.offset + range.bytes;
  }
  if (end !== size) throw refuse(`the tensors end at byte ${end}; the file has ${size}.`);
  return { path, tensors, metadata };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isElementType = (value: unknown): value is ElementType =>
  typeof value === 'string' && Object.hasOwn(element_bytes, value);

function readEntry(path: string, name: string, entry: unknown, start: number, size: number): TensorEntry {
  const refuse = (what: string) => new UserError(`${path}: tensor ${name} ${what}`, again);
  if (!isObject(entry)) throw refuse('has no description.');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isElementType(dtype)) throw refuse(`has the unknown type ${JSON.stringify(dtype)}.`);
  if (!Array.isArray(shape) || !shape.every(isWhole)) throw refuse(`has the shape ${JSON.stringify(shape)}.`);
  const [from, to]: unknown[] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isWhole(from) || !isWhole(to) || from > to) throw refuse(`has the offsets ${JSON.stringify(offsets)}.`);
  if (start + to > size) throw refuse(`ends at byte ${start + to}; the file has ${size}.`);
  const bytes = elementCount(shape) * element_bytes[dtype];
  if (bytes !== to - from) {
    throw refuse(`of ${dtype} ${describeShape(shape)} takes ${bytes} bytes; its offsets span ${to - from}.`);
  }
  return { dtype, shape, range: { path, offset: start + from, bytes } };
}

const stored_floats = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** Reads one tensor as float32. @throws UserError when there is none, or it holds no floating-point numbers. */
export async function readFloats(file: SafetensorsFile, name: string): Promise<FloatTensor> {
  const entry = file.tensors.get(name);
  if (!entry) throw new UserError(`${file.path} has no tensor ${name}.`, 'The file belongs to another model.');
  const { dtype, shape, range } = entry;
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16')
    return { shape, data: await readNumbers(range, stored_floats[dtype]) };
  if (dtype === 'F64') {
    const { buffer, byteOffset } = await readBytes(range);
    return { shape, data: Float32Array.from(new Float64Array(buffer.slice(byteOffset, byteOffset + range.bytes))) };
  }
  throw new UserError(`${file.path}: tensor ${name} is ${dtype}, not floating-point.`, 'Weights are F32, F16 or BF16.');
}

/** A tensor to be written; its bytes are asked for when their turn comes. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: Shape;
  load(): Promise<Uint8Array> | Uint8Array;
}

/**
 * Writes tensors in the order given, one at a time in memory, atomically.
 * @returns the SHA-256 of the file.
 * @throws Error when a tensor's bytes do not fill its shape.
 */
export async function streamSafetensors(path: string, tensors: readonly TensorToWrite[]): Promise<string> {
  const header: { [name: string]: unknown } = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    const bytes = elementCount(shape) * element_bytes[dtype];
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  // Spaces fill the header so that the data starts at a multiple of 8 bytes.
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return writeFileAtomically(
    path,
    (async function* () {
      yield length;
      yield padded;
      for (const { name, dtype, shape, load } of tensors) {
        const bytes = await load();
        if (bytes.length !== elementCount(shape) * element_bytes[dtype]) {
          throw new Error(`${name}: ${bytes.length} bytes in ${dtype} ${describeShape(shape)}`);
        }
        yield bytes;
      }
    })(),
  );
}

export const floatTensors = (tensors: ReadonlyMap<string, FloatTensor>): TensorToWrite[] =>
  Array.from(tensors, ([name, { shape, data }]) => ({
    name,
    dtype: 'F32',
    shape,
    load: () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }));

/**
 * Writes float32 tensors, sorted by name (equal tensors give equal bytes), atomically.
 * @returns the SHA-256 of the file.
 */
export async function writeSafetensors(path: string, tensors: ReadonlyMap<string, FloatTensor>): Promise<string> {
  return streamSafetensors(
    path,
    floatTensors(tensors).sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
}
