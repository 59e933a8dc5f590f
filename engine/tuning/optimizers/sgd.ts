// Stochastic gradient descent with momentum, Nesterov's too, as PyTorch defines them (Sutskever et al. 2013).
import { decays, gradientFor, type Optimizer, type Trainable, zerosLike } from './optimizer.ts';
import type { UpdateRule } from './update-rule.ts';

export interface SgdOptions {
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Added to the gradient, as PyTorch does. */
  readonly weightDecay: number;
}

export function createSgd(trainable: Trainable, { momentum, nesterov, weightDecay }: SgdOptions): Optimizer {
  const state = momentum > 0 ? zerosLike(trainable, 'velocity') : new Map();
  return {
    state,
    step(gradients, { learningRate, gradientScale }) {
      for (const [name, tensor] of trainable) {
        const { data: weights } = tensor;
        const gradient = gradientFor(gradients, name, weights);
        const decay = decays(tensor) ? weightDecay : 0;
        const velocity: Float32Array | undefined = state.get(`velocity.${name}`)?.data;
        for (let i = 0; i < weights.length; i++) {
          const slope = (gradient[i] ?? 0) * gradientScale + decay * (weights[i] ?? 0);
          let move = slope;
          if (velocity) {
            const speed = momentum * (velocity[i] ?? 0) + slope;
            velocity[i] = speed;
            move = nesterov ? slope + momentum * speed : speed;
          }
          weights[i] = (weights[i] ?? 0) - learningRate * move;
        }
      }
    },
  };
}

export function sgdRule({ momentum, nesterov, weightDecay }: SgdOptions): UpdateRule {
  return {
    scalars: ({ learningRate }) => ({ learningRate }),
    build(g, { weight, gradient, state, scalar, decays: shrinks }) {
      const slope = shrinks ? g.op('Add', [gradient, g.op('Mul', [weight, g.scalar(weightDecay)])]) : gradient;
      if (momentum === 0) {
        return { weight: g.op('Sub', [weight, g.op('Mul', [slope, scalar('learningRate')])]), state: {} };
      }
      const velocity = g.op('Add', [g.op('Mul', [state('velocity'), g.scalar(momentum)]), slope]);
      const move = nesterov ? g.op('Add', [slope, g.op('Mul', [velocity, g.scalar(momentum)])]) : velocity;
      return { weight: g.op('Sub', [weight, g.op('Mul', [move, scalar('learningRate')])]), state: { velocity } };
    },
  };
}
