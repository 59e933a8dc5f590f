// What training makes small, as a sum over the batch; targets carry what each row counts, 0 for padding.
import type { GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import { asMatrix, crossEntropy } from '../models/layers.ts';
import type { Feeds, Objective } from './tasks/task.ts';

/** −Σ target · log softmax(logits), for classes few enough to give each its own target: targets [rows, classes]. */
export const classObjective: Objective = {
  loss: (g, logits, { targets }) => crossEntropy(g, asMatrix(g, logits), given(targets)),
};

/**
 * The targets of `classObjective`. With smoothing ε a row's target is (1 − ε) at its label and ε/k at each class, every
 * class times its own weight (as PyTorch's CrossEntropyLoss; Szegedy et al. 2016).
 */
export function classTargets(
  chosen: readonly { readonly row: number; readonly label: number }[],
  rows: number,
  classWeights: readonly number[],
  smoothing: number,
): { readonly targets: Feeds; readonly weight: number } {
  const classes = classWeights.length;
  const data = new Float32Array(rows * classes);
  let weight = 0;
  for (const { row, label } of chosen) {
    weight += classWeights[label] ?? 1;
    for (let index = 0; index < classes; index++) {
      const share = (index === label ? 1 - smoothing : 0) + smoothing / classes;
      data[row * classes + index] = (classWeights[index] ?? 1) * share;
    }
  }
  return { targets: { targets: { type: 'float32', shape: [rows, classes], data } }, weight };
}

/** Σ weight · (answer − target)², targets and weights [rows, 1]. */
export const squaredErrorObjective: Objective = {
  loss(g, answer, { targets, weights }) {
    const error = g.op('Sub', [asMatrix(g, answer), given(targets)]);
    const weighted = g.op('Mul', [g.op('Mul', [error, error]), given(weights)]);
    return g.op('ReduceSum', [weighted], { axes: [0, 1], keepDims: false });
  },
};

/** Cross-entropy over a vocabulary, the truth given as token ids: targetIds and targetWeights [rows · length, 1]. */
export function tokenObjective(smoothing: number): Objective {
  return {
    loss(g, logits, targets) {
      const { losses } = tokenLosses(g, logits, targets, smoothing);
      const weighted = g.op('Mul', [losses, given(targets.targetWeights)]);
      return g.op('ReduceSum', [weighted], { axes: [0, 1], keepDims: false });
    },
    measure(g, logits, targets) {
      const { losses, picked, highest } = tokenLosses(g, logits, targets, 0);
      return { losses, hits: g.op('Cast', [g.op('Equal', [picked, highest])], { to: 'float32' }) };
    },
  };
}

/** log Σ exp(z) − z[target] for each token [rows · length, 1]; smoothing takes ε of it from the mean of all logits. */
function tokenLosses(
  g: GraphBuilder,
  answer: Value,
  { targetIds }: { readonly [name: string]: Value },
  smoothing: number,
) {
  const logits = asMatrix(g, answer);
  const last = { axes: [1], keepDims: true };
  // Any shift leaves the loss as it is, so the largest logit counts as a constant.
  const highest = g.op('Detach', [g.op('ReduceMax', [logits], last)]);
  const powers = g.op('Exp', [g.op('Sub', [logits, highest])]);
  const logSum = g.op('Add', [g.op('Log', [g.op('ReduceSum', [powers], last)]), highest]);
  const picked = g.op('GatherElements', [logits, given(targetIds)], { axis: 1 });
  let compared = picked;
  if (smoothing > 0) {
    const sum = g.op('ReduceSum', [logits], last);
    const mean = g.op('Mul', [sum, g.scalar(smoothing / (logits.shape[1] ?? 1))]);
    compared = g.op('Add', [g.op('Mul', [picked, g.scalar(1 - smoothing)]), mean]);
  }
  return { losses: g.op('Sub', [logSum, compared]), picked, highest };
}

function given(value: Value | undefined): Value {
  if (!value) throw new Error('the loss is missing its targets');
  return value;
}
