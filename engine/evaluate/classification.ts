// Scores a classifier's logits against the truth. Definitions as in scikit-learn, with zero_division = 0.
import type { ClassificationMetrics } from '../runs/events.ts';

export interface ScoredExamples {
  /** Index into `labels` for each of the n examples. */
  readonly actual: ArrayLike<number>;
  /** n × labels.length, row-major, unnormalised. */
  readonly logits: Float32Array;
  readonly labels: readonly string[];
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/**
 * Loss is the mean cross-entropy, log Σ exp(z) − z[actual], stable for any logits. Precision, recall and F1 are 0 where
 * they would divide by zero; macro averages are over the classes that occur (support > 0). Ties go to the first class.
 * @throws RangeError when the sizes do not fit together.
 */
export function classificationMetrics({ actual, logits, labels }: ScoredExamples): ClassificationMetrics {
  const n = actual.length;
  const k = labels.length;
  if (logits.length !== n * k) throw new RangeError(`${logits.length} logits are not ${n} × ${k}`);
  const confusion = labels.map(() => new Array<number>(k).fill(0));
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * k, (i + 1) * k);
    const truth = actual[i] ?? -1;
    const counts = confusion[truth];
    const truthLogit = row[truth];
    if (!counts || truthLogit === undefined) throw new RangeError(`example ${i} has class ${truth} of ${k}`);
    let highest = Number.NEGATIVE_INFINITY;
    let predicted = 0;
    row.forEach((logit, index) => {
      if (logit > highest) {
        highest = logit;
        predicted = index;
      }
    });
    const exponentials = row.reduce((total, logit) => total + Math.exp(logit - highest), 0);
    loss += highest + Math.log(exponentials) - truthLogit;
    counts[predicted] = (counts[predicted] ?? 0) + 1;
  }
  const perClass = labels.map((label, index) => {
    const hits = confusion[index]?.[index] ?? 0;
    const support = sum(confusion[index] ?? []);
    const precision = ratio(hits, sum(confusion.map((row) => row[index] ?? 0)));
    const recall = ratio(hits, support);
    return { label, precision, recall, f1: ratio(2 * precision * recall, precision + recall), support };
  });
  const occurring = perClass.filter(({ support }) => support > 0);
  const macro = (of: 'precision' | 'recall' | 'f1') =>
    ratio(sum(occurring.map((scores) => scores[of])), occurring.length);
  return {
    kind: 'classification',
    loss: ratio(loss, n),
    accuracy: ratio(sum(confusion.map((row, index) => row[index] ?? 0)), n),
    majorityAccuracy: ratio(Math.max(0, ...perClass.map(({ support }) => support)), n),
    macroPrecision: macro('precision'),
    macroRecall: macro('recall'),
    macroF1: macro('f1'),
    perClass,
    confusion,
    examples: n,
  };
}
