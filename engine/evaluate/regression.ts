// Scores numbers against the truth: squared and absolute error, the share of the variance explained, rank correlation.
import type { RegressionMetrics } from '../runs/events.ts';

const mean = (values: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return values.length === 0 ? 0 : sum / values.length;
};

/** Ranks from 1; equal values share the mean of theirs. */
function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (const index of order.slice(start, end)) ranks[index] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/** Pearson's r; 0 where either side does not vary. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const meanA = mean(a);
  const meanB = mean(b);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const da = (a[i] ?? 0) - meanA;
    const db = (b[i] ?? 0) - meanB;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/**
 * Spearman's coefficient is Pearson's over ranks. R² is 0 where the truth does not vary.
 * @param scale of the numbers that the model learns: (value − mean) / deviation.
 * @throws RangeError when the sizes do not fit together.
 */
export function regressionMetrics(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  scale: { readonly mean: number; readonly deviation: number },
): RegressionMetrics {
  const n = actual.length;
  if (predicted.length !== n) throw new RangeError(`${predicted.length} predictions for ${n} numbers`);
  const center = mean(actual);
  let squared = 0;
  let absolute = 0;
  let spread = 0;
  let baseline = 0;
  for (let i = 0; i < n; i++) {
    const truth = actual[i] ?? 0;
    const error = (predicted[i] ?? 0) - truth;
    squared += error * error;
    absolute += Math.abs(error);
    spread += (truth - center) ** 2;
    baseline += Math.abs(truth - scale.mean);
  }
  const count = Math.max(1, n);
  return {
    kind: 'regression',
    loss: squared / count / scale.deviation ** 2,
    meanSquaredError: squared / count,
    meanAbsoluteError: absolute / count,
    baselineAbsoluteError: baseline / count,
    r2: spread === 0 ? 0 : 1 - squared / spread,
    spearman: correlation(ranksOf(actual), ranksOf(predicted)),
    examples: n,
  };
}
