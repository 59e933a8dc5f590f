// AdamW with decoupled weight decay (Loshchilov and Hutter 2019) and global-norm clipping.
import type { FloatTensor } from '../graph/tensor.ts';

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export const adamw_defaults: AdamWOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/** First and second moments of each trained weight. */
export interface Moments {
  readonly first: ReadonlyMap<string, Float32Array>;
  readonly second: ReadonlyMap<string, Float32Array>;
}

export function createMoments(trainable: ReadonlyMap<string, FloatTensor>): Moments {
  const zeros = () => new Map(Array.from(trainable, ([name, { data }]) => [name, new Float32Array(data.length)]));
  return { first: zeros(), second: zeros() };
}

/** Biases and the weights of norms are not decayed: they have one axis. */
const decays = ({ shape }: FloatTensor) => shape.length > 1;

/** √Σg² over all gradients; NaN or infinite when any is. */
export function globalNorm(gradients: Iterable<Float32Array>): number {
  let sum = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) sum += (gradient[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/**
 * One step, in place. Gradients are multiplied by `gradientScale` (clipping) on the way.
 * @param step counts from 1: the moments are corrected for their start at zero by 1 − βᵗ.
 */
export function stepAdamW(
  trainable: ReadonlyMap<string, FloatTensor>,
  gradients: ReadonlyMap<string, Float32Array>,
  moments: Moments,
  { step, learningRate, gradientScale }: { step: number; learningRate: number; gradientScale: number },
  { beta1, beta2, epsilon, weightDecay }: AdamWOptions,
): void {
  const stepSize = learningRate / (1 - beta1 ** step);
  const secondCorrection = 1 / Math.sqrt(1 - beta2 ** step);
  for (const [name, tensor] of trainable) {
    const { data: weights } = tensor;
    const gradient = gradients.get(name);
    const first = moments.first.get(name);
    const second = moments.second.get(name);
    if (!gradient || !first || !second || gradient.length !== weights.length) throw new Error(`no gradient of ${name}`);
    const shrink = decays(tensor) ? 1 - learningRate * weightDecay : 1;
    for (let i = 0; i < weights.length; i++) {
      const g = (gradient[i] ?? 0) * gradientScale;
      const m = beta1 * (first[i] ?? 0) + (1 - beta1) * g;
      const v = beta2 * (second[i] ?? 0) + (1 - beta2) * g * g;
      first[i] = m;
      second[i] = v;
      weights[i] = (weights[i] ?? 0) * shrink - (stepSize * m) / (Math.sqrt(v) * secondCorrection + epsilon);
    }
  }
}

/** What to multiply gradients by so that their global norm is at most `limit` (as PyTorch's clip_grad_norm_). */
export function clippingScale(norm: number, limit: number): number {
  return Math.min(1, limit / (norm + 1e-6));
}
