// AdamW's arithmetic in WebAssembly, four float32 numbers at a time: a loop in JavaScript has doubles, one at a time.
import { adamw_wasm } from './adamw-wasm.ts';

declare global {
  // What of it is used here: TypeScript knows it only with the browser's types, which Node's code should not see.
  namespace WebAssembly {
    class Module {
      constructor(bytes: Uint8Array);
    }
    class Memory {
      private constructor();
      readonly buffer: ArrayBuffer;
    }
    class Instance {
      constructor(module: Module);
      readonly exports: { readonly [name: string]: unknown };
    }
  }
}

/** Numbers at a time: the four blocks stay in the processor's cache while they are copied in, updated and copied out. */
const blockLength = 8192;

export interface AdamWArrays {
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly firsts: Float32Array;
  readonly seconds: Float32Array;
}

/** Rounded to float32. */
export interface AdamWSettings {
  readonly gradientScale: number;
  readonly beta1: number;
  readonly beta2: number;
  /** The learning rate over 1 − β₁ᵗ. */
  readonly stepSize: number;
  /** 1/√(1 − β₂ᵗ). */
  readonly secondCorrection: number;
  readonly epsilon: number;
  /** The share of each weight that is taken away. */
  readonly decay: number;
}

/** Updates weights and moments in place; all arrays are equally long. */
export type AdamWKernel = (arrays: AdamWArrays, settings: AdamWSettings) => void;

export function createAdamWKernel(): AdamWKernel {
  const { memory, update } = instantiate();
  const block = (at: number) => new Float32Array(memory.buffer, 4 * at * blockLength, blockLength);
  const [weights, gradients, firsts, seconds] = [block(0), block(1), block(2), block(3)];
  return (arrays, { gradientScale, beta1, beta2, stepSize, secondCorrection, epsilon, decay }) => {
    const total = arrays.weights.length;
    for (let start = 0; start < total; start += blockLength) {
      const end = Math.min(total, start + blockLength);
      weights.set(arrays.weights.subarray(start, end));
      gradients.set(arrays.gradients.subarray(start, end));
      firsts.set(arrays.firsts.subarray(start, end));
      seconds.set(arrays.seconds.subarray(start, end));
      const length = end - start;
      update(
        ...[weights.byteOffset, gradients.byteOffset, firsts.byteOffset, seconds.byteOffset],
        // Up to three numbers beyond the end are updated too, and never read.
        16 * Math.ceil(length / 4),
        ...[gradientScale, beta1, 1 - beta1, beta2, 1 - beta2, stepSize, secondCorrection, epsilon, decay],
      );
      arrays.weights.set(weights.subarray(0, length), start);
      arrays.firsts.set(firsts.subarray(0, length), start);
      arrays.seconds.set(seconds.subarray(0, length), start);
    }
  };
}

function instantiate() {
  const module = new WebAssembly.Module(Buffer.from(adamw_wasm, 'base64'));
  const { memory, update } = new WebAssembly.Instance(module).exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof update !== 'function') throw new Error('not the kernel');
  return { memory, update: update as (...numbers: readonly number[]) => void };
}
