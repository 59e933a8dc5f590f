// The one table of optimizers, by the name a spec gives.
import type { RunSpec } from '../../runs/spec.ts';
import { createAdafactor } from './adafactor.ts';
import { adamw_defaults, createAdamW } from './adamw.ts';
import type { Optimizer, Trainable } from './optimizer.ts';
import { createSgd } from './sgd.ts';

type Hyper = RunSpec['hyper'];

const creators: { readonly [Name in Hyper['optimizer']]: (trainable: Trainable, hyper: Hyper) => Optimizer } = {
  adamw: (trainable, { weightDecay = adamw_defaults.weightDecay }) =>
    createAdamW(trainable, { ...adamw_defaults, weightDecay }),
  sgd: (trainable, { momentum, nesterov, weightDecay = 0 }) =>
    createSgd(trainable, { momentum, nesterov, weightDecay }),
  adafactor: (trainable, { weightDecay = 0 }) => createAdafactor(trainable, { weightDecay }),
};

export function createOptimizer(trainable: Trainable, hyper: Hyper): Optimizer {
  return creators[hyper.optimizer](trainable, hyper);
}
