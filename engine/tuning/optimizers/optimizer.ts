// What every optimizer is to the loop: live state by name, and one step in place.
import type { FloatTensor } from '../../graph/tensor.ts';

export interface StepSettings {
  /** Counts from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** What gradients are multiplied by on the way: clipping, and the mean over a batch. */
  readonly gradientScale: number;
}

export type Trainable = ReadonlyMap<string, FloatTensor>;

export interface Optimizer {
  /** The arrays that a checkpoint must keep; they change at each step. */
  readonly state: ReadonlyMap<string, FloatTensor>;
  /** Updates the weights in place. @throws Error when a gradient is missing or of another size. */
  step(gradients: ReadonlyMap<string, Float32Array>, settings: StepSettings): void;
}

/** Biases and the weights of norms are not decayed: they have one axis. */
export const decays = ({ shape }: Pick<FloatTensor, 'shape'>) => shape.length > 1;

/** A state as large as each weight, of zeros. */
export function zerosLike(trainable: Trainable, prefix: string): Map<string, FloatTensor> {
  return new Map(
    Array.from(trainable, ([name, { shape, data }]) => [
      `${prefix}.${name}`,
      { shape, data: new Float32Array(data.length) },
    ]),
  );
}

export function gradientFor(
  gradients: ReadonlyMap<string, Float32Array>,
  name: string,
  weights: Float32Array,
): Float32Array {
  const gradient = gradients.get(name);
  if (gradient?.length !== weights.length) throw new Error(`no gradient of ${name}`);
  return gradient;
}
