// Accuracy, precision, recall, F1, specificity and MCC from counts, from a confusion matrix, or F1 from precision and recall.
import { type Calculation, type Calculator, computed, missing, type SectionKey } from './calculation.ts';
import { readField, readFields } from './read-numbers.ts';
import { show } from './show.ts';

export interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number | undefined;
}

/** Each is NaN where its denominator is 0. MCC: Matthews 1975. */
export function scoreCounts({ tp, fp, fn, tn }: Counts) {
  const precision = tp / (tp + fp);
  const recall = tp / (tp + fn);
  const f1 = (2 * tp) / (2 * tp + fp + fn);
  if (tn === undefined) return { precision, recall, f1 };
  return {
    precision,
    recall,
    f1,
    accuracy: (tp + tn) / (tp + fp + fn + tn),
    specificity: tn / (tn + fp),
    mcc: (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
  };
}

type Metric = 'precision' | 'recall' | 'f1' | 'accuracy' | 'specificity' | 'mcc';

const metrics: { readonly [metric in Metric]: { names: RegExp; title: string; section: SectionKey; needs: string } } = {
  f1: {
    names: /\bf[\s-]?1\b|\bf[\s-]?(?:score|measure)\b/,
    title: 'F1',
    section: 'evaluation-metrics#f1-score',
    needs: 'TP, FP and FN',
  },
  precision: {
    names: /\bprecision\b|\bpresicion\b|\bppv\b/,
    title: 'precision',
    section: 'evaluation-metrics#precision-and-recall',
    needs: 'TP and FP',
  },
  recall: {
    names: /\brecall\b|\bsensitivity\b|\btpr\b|\btrue positive rate\b/,
    title: 'recall',
    section: 'evaluation-metrics#precision-and-recall',
    needs: 'TP and FN',
  },
  accuracy: {
    names: /\bacc?ura?c[yi]\w*\b|\bacc\b/,
    title: 'accuracy',
    section: 'evaluation-metrics#accuracy',
    needs: 'TP, FP, FN and TN',
  },
  specificity: {
    names: /\bspecificity\b|\btnr\b|\btrue negative rate\b/,
    title: 'specificity',
    section: 'evaluation-metrics#confusion-matrix',
    needs: 'TN and FP',
  },
  mcc: {
    names: /\bmcc\b|\bmatthews\b/,
    title: 'MCC',
    section: 'evaluation-metrics#mcc',
    needs: 'TP, FP, FN and TN',
  },
};

const metricNames = Object.keys(metrics).filter((name): name is Metric => name in metrics);

const countNames = {
  tp: String.raw`tps?|true[\s-]?pos(?:itive)?s?|true[\s-]?postives?|hits`,
  fp: String.raw`fps?|false[\s-]?pos(?:itive)?s?|false[\s-]?postives?|false alarms?`,
  fn: String.raw`fns?|false[\s-]?neg(?:ative)?s?|miss(?:es|ed)?`,
  tn: String.raw`tns?|true[\s-]?neg(?:ative)?s?`,
};

export const classification: Calculator = ({ text, asksForNumber }) => {
  const asked = metricNames.filter((metric) => metrics[metric].names.test(text));
  const matrix = readMatrix(text);
  if (matrix && (asked.length > 0 || /confusion/.test(text))) return computed(fromMatrix(matrix, asked));
  const counts = readFields(text, countNames);
  const given = Object.keys(counts).length;
  if (given === 0) return fromRates(text, asked);
  if (given === 1 && !asksForNumber) return undefined;
  const { tp, fp, fn, tn } = counts;
  if (tp === undefined || ((fp === undefined || fn === undefined) && asked.length !== 1)) return lacking(asked, counts);
  if (asked.length === 1 && asked[0] === 'precision' && fp !== undefined && fn === undefined) {
    return computed(one('precision', 'TP / (TP + FP)', `${tp} / (${tp} + ${fp})`, tp / (tp + fp)));
  }
  if (asked.length === 1 && asked[0] === 'recall' && fn !== undefined && fp === undefined) {
    return computed(one('recall', 'TP / (TP + FN)', `${tp} / (${tp} + ${fn})`, tp / (tp + fn)));
  }
  if (fp === undefined || fn === undefined) return lacking(asked, counts);
  const needsAll = asked.some((metric) => metric === 'accuracy' || metric === 'specificity' || metric === 'mcc');
  if (needsAll && tn === undefined && asked.length > 0) return lacking(asked, counts);
  return computed(fromCounts({ tp, fp, fn, tn }, asked));
};

function one(metric: Metric, formula: string, sum: string, value: number): Calculation {
  const { title, section } = metrics[metric];
  return {
    result: `**${capitalise(title)} = ${show(value)}**.`,
    working: [`${title} = ${formula} = ${sum} = ${show(value)}`],
    section,
  };
}

function lacking(asked: readonly Metric[], counts: { readonly [key in keyof typeof countNames]?: number }) {
  const wants = asked[0] ?? 'f1';
  const needed = metrics[wants].needs.match(/[TF][PN]/g) ?? [];
  const known = Object.keys(counts).map((name) => name.toUpperCase());
  const names: { readonly [count: string]: string } = {
    TP: 'TP (true positives)',
    FP: 'FP (false positives)',
    FN: 'FN (false negatives)',
    TN: 'TN (true negatives)',
  };
  return missing({
    what: metrics[wants].title,
    missing: needed.filter((count) => !known.includes(count)).map((count) => names[count] ?? count),
    example: `${wants} with TP=40 FP=10 FN=5 TN=945`,
    section: metrics[wants].section,
  });
}

function fromCounts(counts: Counts, asked: readonly Metric[]): Calculation {
  const { tp, fp, fn, tn } = counts;
  const scores = scoreCounts(counts);
  const lines: { readonly [metric in Metric]: string | undefined } = {
    precision: `precision   = TP / (TP + FP) = ${tp} / ${tp + fp} = ${show(scores.precision)}`,
    recall: `recall      = TP / (TP + FN) = ${tp} / ${tp + fn} = ${show(scores.recall)}`,
    f1: `F1          = 2·TP / (2·TP + FP + FN) = ${2 * tp} / ${2 * tp + fp + fn} = ${show(scores.f1)}`,
    accuracy:
      tn === undefined || scores.accuracy === undefined
        ? undefined
        : `accuracy    = (TP + TN) / all = ${tp + tn} / ${tp + fp + fn + tn} = ${show(scores.accuracy)}`,
    specificity:
      tn === undefined || scores.specificity === undefined
        ? undefined
        : `specificity = TN / (TN + FP) = ${tn} / ${tn + fp} = ${show(scores.specificity)}`,
    mcc:
      tn === undefined || scores.mcc === undefined
        ? undefined
        : `MCC         = (TP·TN − FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)) = ${tp * tn - fp * fn} / ${show(
            Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
          )} = ${show(scores.mcc)}`,
  };
  const wanted = asked.length > 0 ? asked : metricNames;
  const results = wanted.flatMap((metric) => {
    const value = scores[metric as keyof typeof scores];
    return value === undefined ? [] : [`${capitalise(metrics[metric].title)} = ${show(value)}`];
  });
  const shown = metricNames.filter(
    (metric) => wanted.includes(metric) || (metric !== 'mcc' && metric !== 'specificity'),
  );
  const impossible = [scores.precision, scores.recall].some(Number.isNaN);
  return {
    result: `**${results.join(', ')}**, from TP = ${tp}, FP = ${fp}, FN = ${fn}${tn === undefined ? '' : `, TN = ${tn}`}.`,
    working: ['precision', 'recall', ...shown.filter((name) => name !== 'precision' && name !== 'recall')].flatMap(
      (name) => lines[name as Metric] ?? [],
    ),
    ...(impossible ? { note: 'A division by zero (NaN) means that the metric is undefined for these counts.' } : {}),
    section: metrics[asked[0] ?? 'f1'].section,
  };
}

/** F1 from precision and recall, or precision/recall from the others. */
function fromRates(text: string, asked: readonly Metric[]) {
  if (!asked.includes('f1')) return undefined;
  const precision = readField(text, { names: 'precision|presicion|p' });
  const recall = readField(text, { names: 'recall|r|sensitivity' });
  if (precision === undefined || recall === undefined) {
    if (precision === undefined && recall === undefined) return undefined;
    return missing({
      what: 'F1',
      missing: [precision === undefined ? 'precision' : 'recall'],
      example: 'F1 with precision 0.8 and recall 0.5',
      section: metrics.f1.section,
    });
  }
  const [p, r] = [asShare(precision), asShare(recall)];
  if (p > 1 || r > 1) return undefined;
  const f1 = (2 * p * r) / (p + r);
  return computed({
    result: `**F1 = ${show(f1)}**, from precision ${show(p)} and recall ${show(r)}.`,
    working: [`F1 = 2·P·R / (P + R) = 2 · ${show(p)} · ${show(r)} / (${show(p)} + ${show(r)}) = ${show(f1)}`],
    section: metrics.f1.section,
  });
}

/** People write 80 for 80 %. */
const asShare = (value: number) => (value > 1 && value <= 100 ? value / 100 : value);

/** "[[50, 10], [5, 35]]", rows actual, columns predicted. */
function readMatrix(text: string): readonly (readonly number[])[] | undefined {
  const match = /\[\s*(\[[\d\s,.]+\](?:\s*[,;]?\s*\[[\d\s,.]+\])+)\s*\]/.exec(text);
  if (!match?.[1]) return undefined;
  const rows = [...match[1].matchAll(/\[([^\]]+)\]/g)].map((row) =>
    (row[1] ?? '').split(/[\s,]+/).flatMap((n) => (n === '' ? [] : [Number(n)])),
  );
  return rows.every((row) => row.length === rows.length && row.every(Number.isFinite)) ? rows : undefined;
}

function fromMatrix(matrix: readonly (readonly number[])[], asked: readonly Metric[]): Calculation {
  const at = (row: number, column: number) => matrix[row]?.[column] ?? 0;
  if (matrix.length === 2) {
    const counts = { tn: at(0, 0), fp: at(0, 1), fn: at(1, 0), tp: at(1, 1) };
    return {
      ...fromCounts(counts, asked),
      note: 'The matrix is read as scikit-learn prints it: rows actual, columns predicted, the negative class first.',
    };
  }
  const classes = matrix.map((_, index) => index);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const total = sum(matrix.flat());
  const right = sum(classes.map((index) => at(index, index)));
  const scores = classes.map((index) => {
    const tp = at(index, index);
    const precision = tp / sum(classes.map((row) => at(row, index)));
    const recall = tp / sum(classes.map((column) => at(index, column)));
    return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
  });
  const macro = sum(scores.map(({ f1 }) => f1)) / scores.length;
  return {
    result: `**Accuracy = ${show(right / total)}, macro F1 = ${show(macro)}** over ${matrix.length} classes.`,
    working: [
      `accuracy = diagonal / all = ${right} / ${total} = ${show(right / total)}`,
      ...scores.map(
        ({ precision, recall, f1 }, index) =>
          `class ${index}: precision ${show(precision)}, recall ${show(recall)}, F1 ${show(f1)}`,
      ),
      `macro F1 = (${scores.map(({ f1 }) => show(f1)).join(' + ')}) / ${scores.length} = ${show(macro)}`,
    ],
    note: 'Rows are read as the actual classes, columns as the predicted ones.',
    section: 'evaluation-metrics#averages',
  };
}

const capitalise = (title: string) => title.charAt(0).toUpperCase() + title.slice(1);
