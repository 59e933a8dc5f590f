// Plain tensors: a type, a static shape and the numbers, as they cross every border of the training core.

export type Shape = readonly number[];

/**
 * Element types of graph values. Whole numbers are int32: JavaScript reads and writes them without BigInt. int64 is what
 * max-pooling counts places in; it never crosses a border;
 * half precision is how weights lie in files, and is widened before use.
 */
export type DataType = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'uint8' | 'uint4' | 'bool';

export interface Tensor {
  readonly type: Exclude<DataType, 'float16' | 'bfloat16' | 'uint4'>;
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** A tensor of float32: weights, gradients, activations. */
export interface FloatTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

export function describeShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
