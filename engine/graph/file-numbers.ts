// Numbers that a file holds, as float32, whatever width they have there.
import { open } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import type { FileRange } from './graph.ts';

/** Number formats that are widened to float32. */
export type StoredFloat = 'float32' | 'float16' | 'bfloat16';

/** @throws UserError when the file ends before the range does. */
export async function readBytes(range: FileRange): Promise<Buffer> {
  const buffer = Buffer.alloc(range.bytes);
  await readInto(buffer, range);
  return buffer;
}

/** @returns the range's numbers, in an array of their own. @throws UserError when the file ends before the range does. */
export async function readNumbers(range: FileRange, type: StoredFloat): Promise<Float32Array> {
  if (type === 'float32') {
    const numbers = new Float32Array(range.bytes / 4);
    await readInto(new Uint8Array(numbers.buffer), range);
    return numbers;
  }
  const halves = new Uint16Array(range.bytes / 2);
  await readInto(new Uint8Array(halves.buffer), range);
  return type === 'bfloat16' ? widenBfloat16(halves) : widenFloat16(halves);
}

async function readInto(buffer: Uint8Array, { path, offset }: FileRange): Promise<void> {
  const handle = await open(path, 'r');
  try {
    for (let done = 0; done < buffer.length; ) {
      // One read is limited to 2 GiB.
      const bytes = Math.min(buffer.length - done, 2 ** 30);
      const { bytesRead } = await handle.read(buffer, done, bytes, offset + done);
      if (bytesRead === 0)
        throw new UserError(
          `${path} ends at byte ${offset + done}.`,
          'Download or export the file again; it is damaged.',
        );
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let at = 0; at < halves.length; at++) bits[at] = (halves[at] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

function widenFloat16(halves: Uint16Array): Float32Array {
  const table = float16Values();
  const numbers = new Float32Array(halves.length);
  for (let at = 0; at < halves.length; at++) numbers[at] = table[halves[at] ?? 0] ?? 0;
  return numbers;
}

let known: Float32Array | undefined;
const float16Values = (): Float32Array => {
  known ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => float16Value(half));
  return known;
};

/** IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10. */
function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
