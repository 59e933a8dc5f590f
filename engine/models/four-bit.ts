// Four bits a weight: each block of a row is cut into sixteen equal steps, and each number becomes the nearest of them.
// The layout is that of onnxruntime's MatMulNBits, which is also what four-bit models for Transformers.js use.

export const four_bit_block_size = 32;

/** The number stored for a weight of zero. */
export const four_bit_zero = 8;

export interface FourBit {
  /** [rows, columns/2]: two numbers a byte, the first in the lower half. */
  readonly packed: Uint8Array;
  /** [rows, columns/blockSize]: a stored number n stands for (n − 8)·step. */
  readonly steps: Float32Array;
}

/**
 * The number of largest magnitude is stored as 0, which makes it exact; the others move by at most half a step, except
 * those beyond seven steps on the other side, which move by at most one.
 * @param data rows of `columns`, which is a multiple of `blockSize`.
 * @throws Error when a number is not finite.
 */
export function quantizeFourBit(data: Float32Array, blockSize = four_bit_block_size): FourBit {
  if (data.length % blockSize !== 0) throw new Error(`${data.length} numbers do not fill blocks of ${blockSize}`);
  const packed = new Uint8Array(data.length / 2);
  const steps = new Float32Array(data.length / blockSize);
  for (let block = 0; block < steps.length; block++) {
    const from = block * blockSize;
    let extreme = 0;
    for (let at = from; at < from + blockSize; at++) {
      const value = data[at] ?? 0;
      if (!Number.isFinite(value)) throw new Error('a weight is not finite');
      if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    }
    const step = extreme === 0 ? 0 : Math.fround(extreme / -four_bit_zero);
    steps[block] = step;
    const inverse = step === 0 ? 0 : 1 / step;
    for (let at = from; at < from + blockSize; at += 2) {
      const low = Math.min(15, Math.max(0, Math.round((data[at] ?? 0) * inverse) + four_bit_zero));
      const high = Math.min(15, Math.max(0, Math.round((data[at + 1] ?? 0) * inverse) + four_bit_zero));
      packed[at >> 1] = low | (high << 4);
    }
  }
  return { packed, steps };
}

/** The numbers that a graph computes with. */
export function dequantizeFourBit({ packed, steps }: FourBit, blockSize = four_bit_block_size): Float32Array {
  return Float32Array.from({ length: packed.length * 2 }, (_, at) => {
    const byte = packed[at >> 1] ?? 0;
    const stored = at % 2 === 0 ? byte & 15 : byte >> 4;
    return (stored - four_bit_zero) * (steps[Math.floor(at / blockSize)] ?? 0);
  });
}
