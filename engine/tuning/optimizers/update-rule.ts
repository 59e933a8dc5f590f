// What an optimizer is as a graph: the same step for weights that lie on a device, one weight at a time.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Value } from '../../graph/ops.ts';
import type { StepSettings } from './optimizer.ts';

/** What one weight's update is made of; the gradient is scaled already. */
interface UpdateInputs {
  readonly weight: Value;
  readonly gradient: Value;
  /** By the prefix that its name has in a checkpoint: `first` of `first.layer.weight`. */
  readonly state: (prefix: string) => Value;
  readonly scalar: (name: string) => Value;
  /** Whether weight decay is for this weight. */
  readonly decays: boolean;
}

export interface UpdateRule {
  /** The numbers that differ from step to step. */
  scalars(settings: StepSettings): { readonly [name: string]: number };
  /** @returns the weight and each part of its state after the step. */
  build(
    g: GraphBuilder,
    inputs: UpdateInputs,
  ): { readonly weight: Value; readonly state: { readonly [prefix: string]: Value } };
}
