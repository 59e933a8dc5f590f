// The one table of optimizers, by the name a spec gives.
import type { RunSpec } from '../../runs/spec.ts';
import { adafactorRule, createAdafactor } from './adafactor.ts';
import { adamWRule, adamw_defaults, createAdamW } from './adamw.ts';
import type { Optimizer, Trainable } from './optimizer.ts';
import { createSgd, sgdRule } from './sgd.ts';
import type { UpdateRule } from './update-rule.ts';

type Hyper = RunSpec['hyper'];

interface Kind {
  create(trainable: Trainable, hyper: Hyper): Optimizer;
  /** The same step as a graph. */
  rule(hyper: Hyper): UpdateRule;
}

const adamWOptions = ({ weightDecay = adamw_defaults.weightDecay }: Hyper) => ({ ...adamw_defaults, weightDecay });
const sgdOptions = ({ momentum, nesterov, weightDecay = 0 }: Hyper) => ({ momentum, nesterov, weightDecay });

const kinds: { readonly [Name in Hyper['optimizer']]: Kind } = {
  adamw: {
    create: (trainable, hyper) => createAdamW(trainable, adamWOptions(hyper)),
    rule: (hyper) => adamWRule(adamWOptions(hyper)),
  },
  sgd: {
    create: (trainable, hyper) => createSgd(trainable, sgdOptions(hyper)),
    rule: (hyper) => sgdRule(sgdOptions(hyper)),
  },
  adafactor: {
    create: (trainable, { weightDecay = 0 }) => createAdafactor(trainable, { weightDecay }),
    rule: ({ weightDecay = 0 }) => adafactorRule({ weightDecay }),
  },
};

export function createOptimizer(trainable: Trainable, hyper: Hyper): Optimizer {
  return kinds[hyper.optimizer].create(trainable, hyper);
}

export function updateRule(hyper: Hyper): UpdateRule {
  return kinds[hyper.optimizer].rule(hyper);
}
