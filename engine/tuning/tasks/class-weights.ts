// What an example of each label counts in the loss.
import { UserError } from '../../errors.ts';

/**
 * One number a label. `balanced` is n / (k · count), as scikit-learn has it: every label counts as much as any other.
 * @throws UserError when a weight is given for a label that is not there.
 */
export function chooseClassWeights(
  asked: 'balanced' | { readonly [label: string]: number } | undefined,
  labels: readonly string[],
  classes: readonly number[],
): number[] {
  if (asked === undefined) return labels.map(() => 1);
  if (asked === 'balanced') {
    const counts = labels.map(() => 0);
    for (const index of classes) counts[index] = (counts[index] ?? 0) + 1;
    return counts.map((count) => classes.length / (labels.length * Math.max(1, count)));
  }
  const unknown = Object.keys(asked).find((label) => !labels.includes(label));
  if (unknown !== undefined) {
    throw new UserError(
      `classWeights names the label ${JSON.stringify(unknown)}, which the training data never shows.`,
      `Its labels are ${labels.slice(0, 10).join(', ')}; a label that is not named counts 1.`,
    );
  }
  return labels.map((label) => asked[label] ?? 1);
}
