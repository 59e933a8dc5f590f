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
  const picked = g.op('GatherElements', [logits, given(targetIds)], { axis: 1 });
  let compared = picked;
  if (smoothing > 0) {
    const sum = g.op('ReduceSum', [logits], last);
    const mean = g.op('Mul', [sum, g.scalar(smoothing / (logits.shape[1] ?? 1))]);
    compared = g.op('Add', [g.op('Mul', [picked, g.scalar(1 - smoothing)]), mean]);
  }
  // Last to read the logits, a table of a vocabulary, so that the powers can be written in their place.
  const powers = g.op('Exp', [g.op('Sub', [logits, highest])]);
  const logSum = g.op('Add', [g.op('Log', [g.op('ReduceSum', [powers], last)]), highest]);
  return { losses: g.op('Sub', [logSum, compared]), picked, highest };
}

/**
 * InfoNCE in both directions (Radford et al. 2021), similarities [texts, images], of which those on the diagonal belong
 * together. `pairs` [n, n] holds ½ there, 0 for a row of padding; `pairBias` [n, n] is 0, and very negative where two that
 * are not on the diagonal also belong together, or one is padding: such count neither for nor against.
 */
export const contrastObjective: Objective = {
  loss(g, similarities, { pairs, pairBias }) {
    const counted = g.op('Add', [similarities, given(pairBias)]);
    const turned = g.op('Transpose', [counted], { perm: [1, 0] });
    return g.op('Add', [crossEntropy(g, counted, given(pairs)), crossEntropy(g, turned, given(pairs))]);
  },
};

/** What is added to the similarity of two that count neither for nor against. */
const uncounted = -10_000;

/**
 * The targets of `contrastObjective` for pairs in `rows` rows.
 * @param belong whether the text of one pair also fits the image of another; symmetric.
 */
export function contrastTargets(
  count: number,
  rows: number,
  belong: (text: number, image: number) => boolean,
): { readonly targets: Feeds; readonly weight: number } {
  const pairs = new Float32Array(rows * rows);
  const pairBias = new Float32Array(rows * rows);
  for (let text = 0; text < rows; text++) {
    if (text < count) pairs[text * rows + text] = 0.5;
    for (let image = 0; image < rows; image++) {
      if (text !== image && (Math.max(text, image) >= count || belong(text, image)))
        pairBias[text * rows + image] = uncounted;
    }
  }
  const shape = [rows, rows];
  const targets: Feeds = {
    pairs: { type: 'float32', shape, data: pairs },
    pairBias: { type: 'float32', shape, data: pairBias },
  };
  return { targets, weight: count };
}

function given(value: Value | undefined): Value {
  if (!value) throw new Error('the loss is missing its targets');
  return value;
}
