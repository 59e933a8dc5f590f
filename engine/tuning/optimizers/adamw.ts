// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019).
import type { Value } from '../../graph/ops.ts';
import { createAdamWKernel, momentsFor } from './adamw-kernel.ts';
import { decays, gradientFor, type Optimizer, type Trainable } from './optimizer.ts';
import type { UpdateRule } from './update-rule.ts';

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export const adamw_defaults: AdamWOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

export function createAdamW(trainable: Trainable, options: AdamWOptions): Optimizer {
  const { beta1, beta2, epsilon, weightDecay } = options;
  const moments = Array.from(trainable, ([name, { shape, data }]) => ({ name, shape, data: momentsFor(data) }));
  const state = new Map([
    ...moments.map(({ name, shape, data: [first] }) => [`first.${name}`, { shape, data: first }] as const),
    ...moments.map(({ name, shape, data: [, second] }) => [`second.${name}`, { shape, data: second }] as const),
  ]);
  const update = createAdamWKernel();
  return {
    state,
    step(gradients, { step, learningRate, gradientScale }) {
      // The moments are corrected for their start at zero by 1 − βᵗ.
      const stepSize = learningRate / (1 - beta1 ** step);
      const secondCorrection = 1 / Math.sqrt(1 - beta2 ** step);
      for (const [name, tensor] of trainable) {
        const gradient = gradientFor(gradients, name, tensor.data);
        const first = state.get(`first.${name}`)?.data;
        const second = state.get(`second.${name}`)?.data;
        if (!first || !second) throw new Error(`no moments of ${name}`);
        const decay = decays(tensor) ? learningRate * weightDecay : 0;
        update(
          { weights: tensor.data, gradients: gradient, firsts: first, seconds: second },
          { gradientScale, beta1, beta2, stepSize, secondCorrection, epsilon, decay },
        );
      }
    },
  };
}

export function adamWRule({ beta1, beta2, epsilon, weightDecay }: AdamWOptions): UpdateRule {
  return {
    scalars: ({ step, learningRate }) => ({
      stepSize: learningRate / (1 - beta1 ** step),
      secondCorrection: 1 / Math.sqrt(1 - beta2 ** step),
      shrink: 1 - learningRate * weightDecay,
    }),
    build(g, { weight, gradient, state, scalar, decays: shrinks }) {
      const follow = (old: Value, now: Value, keep: number) =>
        g.op('Add', [g.op('Mul', [old, g.scalar(keep)]), g.op('Mul', [now, g.scalar(1 - keep)])]);
      const first = follow(state('first'), gradient, beta1);
      const second = follow(state('second'), g.op('Mul', [gradient, gradient]), beta2);
      const size = g.op('Add', [g.op('Mul', [g.op('Sqrt', [second]), scalar('secondCorrection')]), g.scalar(epsilon)]);
      const move = g.op('Mul', [g.op('Div', [first, size]), scalar('stepSize')]);
      const kept = shrinks ? g.op('Mul', [weight, scalar('shrink')]) : weight;
      return { weight: g.op('Sub', [kept, move]), state: { first, second } };
    },
  };
}
