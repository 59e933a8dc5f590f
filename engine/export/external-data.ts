// Weights beside the model instead of in it, once a model outgrows what a protocol buffer holds (2 GB): model.onnx_data,
// model.onnx_data_1, … as Transformers.js looks for them.
import type { OnnxParts, OnnxTensor } from '../graph/onnx-bytes.ts';

interface DataFile {
  readonly path: string;
  /** The bytes, one tensor at a time. */
  chunks(): Iterable<Uint8Array>;
}

/** Smaller ones, such as shapes, stay in the model, where they are looked at while it is opened. */
const smallestBytes = 1024;
/** Where a tensor may begin, as the ONNX standard advises. */
const alignment = 4096;

const bytesOf = ({ source }: OnnxTensor): Uint8Array => {
  if (!('inline' in source)) throw new Error('an exported weight lies elsewhere already');
  return new Uint8Array(source.inline.buffer, source.inline.byteOffset, source.inline.byteLength);
};

/**
 * @param path of the model. @param mostBytes that the model, and each file of data, may have.
 * @returns the model with what has no room in it taken out, and the files to be written beside it; none for a small one.
 */
export function moveOut(
  parts: OnnxParts,
  path: string,
  mostBytes: number,
): { readonly parts: OnnxParts; readonly files: readonly DataFile[] } {
  const total = parts.tensors.reduce((sum, tensor) => sum + bytesOf(tensor).length, 0);
  if (total <= mostBytes) return { parts, files: [] };
  const files: { path: string; tensors: { offset: number; bytes: Uint8Array }[]; end: number }[] = [];
  const tensors = parts.tensors.map((tensor): OnnxTensor => {
    const bytes = bytesOf(tensor);
    if (bytes.length < smallestBytes) return tensor;
    const last = files.at(-1);
    let offset = Math.ceil((last?.end ?? 0) / alignment) * alignment;
    let file = last;
    if (!file || (offset > 0 && offset + bytes.length > mostBytes)) {
      file = { path: `${path}_data${files.length === 0 ? '' : `_${files.length}`}`, tensors: [], end: 0 };
      files.push(file);
      offset = 0;
    }
    file.tensors.push({ offset, bytes });
    file.end = offset + bytes.length;
    return { ...tensor, source: { external: { path: file.path, offset, bytes: bytes.length } } };
  });
  return {
    parts: { ...parts, tensors },
    files: files.map((file) => ({
      path: file.path,
      *chunks() {
        let at = 0;
        for (const { offset, bytes } of file.tensors) {
          if (offset > at) yield new Uint8Array(offset - at);
          yield bytes;
          at = offset + bytes.length;
        }
      },
    })),
  };
}
