// Counts what a report needs while rows stream by, so that a big file does not hold up the process in one long stretch.
import type { Example } from './examples.ts';
import { normalizeText } from './normalize.ts';
import type { DatasetReport } from './report.ts';
import { count, shown } from './text-file.ts';

const shownSamples = 5;
const reportedSkips = 20;
const fewExamples = 5;

type Counted = Pick<
  DatasetReport,
  'rows' | 'labels' | 'duplicates' | 'skipped' | 'skippedCount' | 'textLength' | 'warnings' | 'samples'
>;

interface Tally {
  add(example: Example): void;
  skip(line: number, reason: string): void;
  finish(): Counted;
}

const collator = new Intl.Collator('en', { numeric: true });
const compareLabels = (a: string, b: string) => collator.compare(a, b) || (a < b ? -1 : 1);

/** Words and punctuation marks: a lower bound of what a BERT-style tokenizer makes of a text. */
const countWords = (text: string) => text.match(/[^\s\p{P}]+|\p{P}/gu)?.length ?? 0;

const quantile = (sorted: Uint32Array, fraction: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;

const are = (n: number, one: string, many: string) => `${count(n)} ${n === 1 ? one : many}`;

/** @param maxLength tokens after which a text is cut in training; it only decides a warning. */
export function createTally(maxLength: number): Tally {
  /** By label: how many, and the first few. */
  const byLabel = new Map<string, { count: number; first: Example[] }>();
  /** By normalised text: its label, or several. */
  const labelOfText = new Map<string, string>();
  const contradicted = new Set<string>();
  const lengths: number[] = [];
  const skipped: { line: number; reason: string }[] = [];
  let skippedCount = 0;
  let duplicates = 0;
  let long = 0;

  function warn(labels: DatasetReport['labels']): string[] {
    const warnings: string[] = [];
    const largest = labels.reduce((a, b) => (b.count > a.count ? b : a), { label: '', count: 0 });
    const percent = ((100 * largest.count) / lengths.length).toFixed(1);
    if (largest.count > 0.8 * lengths.length && labels.length > 1) {
      warnings.push(
        `Imbalanced: ${percent} % of the rows are ${shown(largest.label)}, so always answering that already scores ${percent} % accuracy. Watch macro F1.`,
      );
    }
    const few = labels.filter((label) => label.count < fewExamples);
    if (few.length > 0) {
      const named = few.slice(0, 5).map((label) => `${shown(label.label)} (${label.count})`);
      warnings.push(
        `Fewer than ${fewExamples} examples of ${named.join(', ')}${few.length > 5 ? ` and ${few.length - 5} more labels` : ''}: too few to learn from or to measure.`,
      );
    }
    if (duplicates > 0) {
      warnings.push(
        `${are(duplicates, 'row repeats', 'rows repeat')} the text of an earlier row; equal texts are kept on one side of the split.`,
      );
    }
    if (contradicted.size > 0) {
      warnings.push(
        `${are(contradicted.size, 'text occurs', 'texts occur')} with different labels; check which one is right.`,
      );
    }
    if (long > 0) {
      warnings.push(
        `${are(long, 'text is', 'texts are')} longer than ${maxLength} tokens and will be cut there; raise the maximum length to read more.`,
      );
    }
    if (skippedCount > 0) {
      warnings.push(`${are(skippedCount, 'row was', 'rows were')} left out for want of a text or a label.`);
    }
    return warnings;
  }

  return {
    add(example) {
      const { text, label } = example;
      const same = byLabel.get(label);
      if (same) {
        same.count++;
        if (same.first.length < shownSamples) same.first.push(example);
      } else byLabel.set(label, { count: 1, first: [example] });
      const key = normalizeText(text);
      const earlier = labelOfText.get(key);
      if (earlier === undefined) labelOfText.set(key, label);
      else {
        duplicates++;
        if (earlier !== label) contradicted.add(key);
      }
      lengths.push(text.length);
      if (countWords(text) > maxLength - 2) long++;
    },
    skip(line, reason) {
      skippedCount++;
      if (skipped.length < reportedSkips) skipped.push({ line, reason });
    },
    finish() {
      const groups = [...byLabel].sort(([a], [b]) => compareLabels(a, b));
      const labels = groups.map(([label, group]) => ({ label, count: group.count }));
      const sorted = Uint32Array.from(lengths).sort();
      // Going round the labels, so that each is shown.
      const samples = Array.from({ length: shownSamples }, (_, round) =>
        groups.slice(0, shownSamples).flatMap(([, { first }]) => first[round] ?? []),
      ).flat();
      return {
        rows: lengths.length,
        labels,
        duplicates,
        skipped,
        skippedCount,
        textLength: { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: sorted.at(-1) ?? 0 },
        warnings: warn(labels),
        samples: samples.slice(0, shownSamples),
      };
    },
  };
}
