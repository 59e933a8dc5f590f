// Reads what a run trains on and is measured on, and refuses at the door what could not be learnt.
import { type Example, readExamples } from '../data/examples.ts';
import { normalizeText } from '../data/normalize.ts';
import { refuseUnseenLabels, splitExamples } from '../data/split.ts';
import type { SpecOf } from '../runs/spec.ts';

export interface RunExamples {
  readonly train: readonly Example[];
  readonly held: readonly Example[];
  /** The training labels; their order is that of the logits. */
  readonly labels: readonly string[];
  readonly warnings: readonly string[];
}

/** @throws UserError for a dataset that cannot be used, or labels to be measured on that training never shows. */
export async function readRunExamples({
  data,
  hyper,
}: Pick<SpecOf<'text-classification'>, 'data' | 'hyper'>): Promise<RunExamples> {
  const { maxLength, seed } = hyper;
  const { examples, report } = await readExamples(data.train, data.columns, { maxLength });
  const warnings = [...report.warnings];
  let train = examples;
  let held: Example[];
  if (typeof data.eval === 'number') ({ train, held } = splitExamples(examples, data.eval, seed));
  else {
    const evaluation = await readExamples(data.eval, data.columns, { purpose: 'evaluation', maxLength });
    held = evaluation.examples;
    warnings.push(...evaluation.report.warnings.map((warning) => `Evaluation file: ${warning}`));
    const known = new Set(train.map(({ text }) => normalizeText(text)));
    const leaked = held.filter(({ text }) => known.has(normalizeText(text))).length;
    if (leaked > 0) {
      warnings.push(
        `${leaked} of the ${held.length} evaluation texts also stand in the training file: the figures will flatter.`,
      );
    }
  }
  refuseUnseenLabels(train, held);
  const trained = new Set(train.map(({ label }) => label));
  const labels = report.labels.map(({ label }) => label).filter((label) => trained.has(label));
  return { train, held, labels, warnings };
}
