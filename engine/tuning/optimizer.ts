// AdamW with decoupled weight decay (Loshchilov and Hutter 2019), global-norm clipping and the learning-rate schedule.
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

/** Biases and LayerNorm weights are not decayed. */
function decays(name: string): boolean {
  return !name.endsWith('.bias') && !name.includes('LayerNorm');
}

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
  for (const [name, { data: weights }] of trainable) {
    const gradient = gradients.get(name);
    const first = moments.first.get(name);
    const second = moments.second.get(name);
    if (!gradient || !first || !second || gradient.length !== weights.length) throw new Error(`no gradient of ${name}`);
    const shrink = decays(name) ? 1 - learningRate * weightDecay : 1;
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

export interface Schedule {
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** Rises linearly over the warmup, then falls linearly to reach 0 after the last step. `step` counts from 1. */
export function learningRateAt(step: number, { peak, warmupSteps, totalSteps }: Schedule): number {
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  return (peak * (totalSteps - step + 1)) / (totalSteps - warmupSteps);
}
