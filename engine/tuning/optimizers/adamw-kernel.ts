// AdamW's arithmetic in WebAssembly, four float32 numbers at a time: a loop in JavaScript has doubles, one at a time.
import type { FloatTensor } from '../../graph/tensor.ts';
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
      /** By pages of 64 kB. */
      grow(pages: number): void;
    }
    class Instance {
      constructor(module: Module);
      readonly exports: { readonly [name: string]: unknown };
    }
  }
}

/** Numbers at a time: the four blocks stay in the processor's cache while they are copied in, updated and copied out. */
const blockLength = 8192;

interface AdamWArrays {
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly firsts: Float32Array;
  readonly seconds: Float32Array;
}

/** Rounded to float32. */
interface AdamWSettings {
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
type AdamWKernel = (arrays: AdamWArrays, settings: AdamWSettings) => void;

export function createAdamWKernel(): AdamWKernel {
  const ownInstance = instantiate(0);
  return (arrays, { gradientScale, beta1, beta2, stepSize, secondCorrection, epsilon, decay }) => {
    const { memory, update } = instances.get(arrays.weights.buffer) ?? ownInstance;
    const { weights, gradients, firsts, seconds } = blocksOf(memory);
    const isHere = (array: Float32Array) => array.buffer === memory.buffer;
    const total = arrays.weights.length;
    for (let start = 0; start < total; start += blockLength) {
      const end = Math.min(total, start + blockLength);
      const enter = (array: Float32Array, block: Float32Array) => {
        if (isHere(array)) return array.byteOffset + 4 * start;
        block.set(array.subarray(start, end));
        return block.byteOffset;
      };
      const leave = (array: Float32Array, block: Float32Array) => {
        if (!isHere(array)) array.set(block.subarray(0, end - start), start);
      };
      update(
        enter(arrays.weights, weights),
        enter(arrays.gradients, gradients),
        enter(arrays.firsts, firsts),
        enter(arrays.seconds, seconds),
        // Up to three numbers beyond the end are updated too, and never read.
        roundUp(4 * (end - start)),
        ...[gradientScale, beta1, 1 - beta1, beta2, 1 - beta2, stepSize, secondCorrection, epsilon, decay],
      );
      leave(arrays.weights, weights);
      leave(arrays.firsts, firsts);
      leave(arrays.seconds, seconds);
    }
  };
}

/** The kernel's instances that hold weights, by their memory. */
const instances = new WeakMap<ArrayBufferLike, ReturnType<typeof instantiate>>();

/** Weights whose room for moments has been taken. */
const taken = new WeakSet<Float32Array>();

/** Bytes of one memory, unless one weight needs more. */
const memoryBytes = 2 ** 30;
const mostMemoryBytes = 2 ** 32 - 2 ** 16;

const roundUp = (bytes: number) => 16 * Math.ceil(bytes / 16);
/** What a weight and its two moments take. */
const roomOf = (weights: Float32Array) => 3 * roundUp(weights.byteLength);

/**
 * Copies weights to where the kernel reaches them, each with room for its moments behind it: then a step copies gradients
 * alone. A weight too large for that stays where it is, and so do all where they and their
 * moments are less than `leastBytes`: copies of those cost nothing.
 */
export function moveWithinReach(
  trainable: ReadonlyMap<string, FloatTensor>,
  leastBytes = 2 ** 25,
): Map<string, FloatTensor> {
  let left = [...trainable.values()].reduce((sum, { data }) => sum + roomOf(data), 0);
  if (left < leastBytes) return new Map(trainable);
  let free = { buffer: new ArrayBuffer(0), from: 0 };
  const move = (data: Float32Array): Float32Array => {
    const room = roomOf(data);
    left -= room;
    if (room + blocksBytes > mostMemoryBytes) return data;
    if (free.from + room > free.buffer.byteLength) {
      const instance = instantiate(Math.max(room, Math.min(memoryBytes, room + left)));
      free = { buffer: instance.memory.buffer, from: blocksBytes };
      instances.set(free.buffer, instance);
    }
    const weights = new Float32Array(free.buffer, free.from, data.length);
    free.from += room;
    weights.set(data);
    return weights;
  };
  return new Map(Array.from(trainable, ([name, { shape, data }]) => [name, { shape, data: move(data) }]));
}

/** Two arrays of zeros as long as `weights`, behind them where there is room that nobody has taken. */
export function momentsFor(weights: Float32Array): readonly [Float32Array, Float32Array] {
  const { buffer, byteOffset, byteLength, length } = weights;
  if (!instances.has(buffer) || taken.has(weights)) return [new Float32Array(length), new Float32Array(length)];
  taken.add(weights);
  const behind = (times: number) => new Float32Array(buffer, byteOffset + times * roundUp(byteLength), length);
  return [behind(1), behind(2)];
}

const blocksBytes = 4 * 4 * blockLength;

function blocksOf({ buffer }: WebAssembly.Memory) {
  const block = (at: number) => new Float32Array(buffer, 4 * at * blockLength, blockLength);
  return { weights: block(0), gradients: block(1), firsts: block(2), seconds: block(3) };
}

/** @param bytes of room behind the blocks. */
function instantiate(bytes: number) {
  const module = new WebAssembly.Module(Buffer.from(adamw_wasm, 'base64'));
  const { memory, update } = new WebAssembly.Instance(module).exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof update !== 'function') throw new Error('not the kernel');
  memory.grow(Math.ceil(bytes / 2 ** 16));
  return { memory, update: update as (...numbers: readonly number[]) => void };
}
