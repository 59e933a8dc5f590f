// Looks for NaN and infinity in a base's weights before anything is trained on them.
import { UserError } from '../errors.ts';
import { readBytes } from '../graph/file-numbers.ts';
import type { Base, InPlace } from '../models/base.ts';

const pieceBytes = 1 << 24;

/** The bits of the exponent: all ones in NaN and infinity, and nowhere else (IEEE 754; bfloat16 is half a float32). */
const exponents: { readonly [type: string]: number } = { float32: 0x7f800000, float16: 0x7c00, bfloat16: 0x7f80 };

/** @throws UserError naming the tensor, the place and the value. */
export async function refuseBrokenWeights({ source, weights }: Pick<Base, 'source' | 'weights'>): Promise<void> {
  for (const [name, weight] of weights) {
    if (weight.inPlace) await refuseBrokenFile(source, name, weight.inPlace);
    else refuseBrokenNumbers(source, name, (await weight.load()).data);
  }
}

function refuseBrokenNumbers(source: string, name: string, data: Float32Array): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0;
    // Of a number that is not finite the difference to itself is NaN.
    if (value - value !== 0) throw broken(source, name, i, String(value));
  }
}

/** The same for numbers that are used where they lie, read piece by piece. */
async function refuseBrokenFile(source: string, name: string, { range, type }: InPlace): Promise<void> {
  const size = type === 'float32' ? 4 : 2;
  const mask = exponents[type];
  if (mask === undefined) return;
  for (let done = 0; done < range.bytes; done += pieceBytes) {
    const bytes = Math.min(pieceBytes, range.bytes - done);
    const piece = await readBytes({ path: range.path, offset: range.offset + done, bytes });
    const bits =
      size === 4
        ? new Uint32Array(piece.buffer, piece.byteOffset, bytes / 4)
        : new Uint16Array(piece.buffer, piece.byteOffset, bytes / 2);
    for (let i = 0; i < bits.length; i++) {
      if (((bits[i] ?? 0) & mask) === mask) throw broken(source, name, done / size + i, 'NaN or infinite');
    }
  }
}

function broken(source: string, name: string, place: number, value: string): UserError {
  return new UserError(
    `The weights of ${source} are broken: number ${place} of ${name} is ${value}.`,
    'Download or export the model again; training cannot mend it.',
  );
}
