// Precision, recall and ROC: one classifier's scores, and what a threshold and the share of positives make of them.
import { hues, type Point } from '../charts/figure.ts';
import { defineDemo, real } from './demo.ts';
import { mean, percentOf, range, short } from './numbers.ts';

const cases = 2000;
const bins = 25;

export interface Scored {
  /** From 0 to 1. */
  readonly score: number;
  readonly positive: boolean;
}

interface Counts {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

export function count(scored: readonly Scored[], threshold: number): Counts {
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (const { score, positive } of scored) {
    if (score >= threshold) counts[positive ? 'truePositives' : 'falsePositives'] += 1;
    else counts[positive ? 'falseNegatives' : 'trueNegatives'] += 1;
  }
  return { threshold, ...counts };
}

/** Counts at every threshold that changes them, from "nobody is positive" to "everybody is". */
export function sweep(scored: readonly Scored[]): readonly Counts[] {
  const sorted = [...scored].sort((a, b) => b.score - a.score);
  const positives = scored.filter(({ positive }) => positive).length;
  const counts: Counts[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  const add = (threshold: number) =>
    counts.push({
      threshold,
      truePositives,
      falsePositives,
      falseNegatives: positives - truePositives,
      trueNegatives: scored.length - positives - falsePositives,
    });
  add(Number.POSITIVE_INFINITY);
  sorted.forEach(({ score, positive }, index) => {
    if (positive) truePositives += 1;
    else falsePositives += 1;
    if (sorted[index + 1]?.score !== score) add(score);
  });
  return counts;
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
export const recall = (c: Counts) => ratio(c.truePositives, c.truePositives + c.falseNegatives);
const falseAlarms = (c: Counts) => ratio(c.falsePositives, c.falsePositives + c.trueNegatives);
/** 1 where nobody is called positive, by convention. */
export const precision = (c: Counts) =>
  c.truePositives + c.falsePositives === 0 ? 1 : c.truePositives / (c.truePositives + c.falsePositives);

/** Area under the ROC curve by trapezia (Fawcett 2006). */
export function rocArea(curve: readonly Counts[]): number {
  return curve.slice(1).reduce((area, next, index) => {
    const before = curve[index];
    if (before === undefined) return area;
    return area + ((falseAlarms(next) - falseAlarms(before)) * (recall(next) + recall(before))) / 2;
  }, 0);
}

/** Average precision: precision at each rise of recall, weighted by the rise. */
export function averagePrecision(curve: readonly Counts[]): number {
  return curve.slice(1).reduce((sum, next, index) => {
    const before = curve[index];
    return before === undefined ? sum : sum + (recall(next) - recall(before)) * precision(next);
  }, 0);
}

export const threshold = defineDemo({
  id: 'threshold',
  title: 'Precision, recall and ROC by threshold',
  summary: 'move the threshold, thin out the positives, and see which metric notices',
  home: 'evaluation-metrics#threshold',
  alsoFor: ['project-pneumonia-xray'],
  controls: {
    threshold: real('Threshold', {
      standard: 0.5,
      min: 0,
      max: 1,
      stops: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95],
    }),
    positives: real('Positives, %', { standard: 20, min: 0.5, max: 90, stops: [1, 2, 5, 10, 20, 30, 50, 70, 90] }),
    separation: real('How well the classes part', { standard: 1.5, min: 0, max: 5, stops: [0, 0.5, 1, 1.5, 2, 3, 4] }),
  },

  compute({ threshold: chosen, positives, separation }, { random }) {
    const sure = Math.max(1, Math.round((cases * positives) / 100));
    // Two bell curves `separation` apart, squeezed into 0 … 1 around their middle.
    const scored = range(cases).map((index): Scored => {
      const positive = index < sure;
      const place = random.normal() + (positive ? separation / 2 : -separation / 2);
      return { positive, score: 1 / (1 + Math.exp(-1.2 * place)) };
    });
    const curve = sweep(scored);
    const histogram = (wanted: boolean) => {
      const some = scored.filter(({ positive }) => positive === wanted);
      return range(bins).map((bin) =>
        ratio(some.filter(({ score }) => Math.min(bins - 1, Math.floor(score * bins)) === bin).length, some.length),
      );
    };
    return {
      here: count(scored, chosen),
      area: rocArea(curve),
      average: averagePrecision(curve),
      histograms: { positive: histogram(true), negative: histogram(false) },
      curve: thin(curve),
    };
  },

  picture({ here, area, average, histograms, curve }, { threshold: chosen, positives }) {
    const share = positives / 100;
    const unit = (label: string) => ({
      label,
      min: 0,
      max: 1,
      ticks: [0, 0.5, 1].map((n) => ({ at: n, text: String(n) })),
    });
    const boxes = (shares: readonly number[]) =>
      shares.map((height, bin) => ({ from: [bin / bins, 0] as const, to: [(bin + 1) / bins, height] as const }));
    const highest = Math.max(...histograms.positive, ...histograms.negative);
    return {
      title: `Threshold ${short(chosen)}, ${short(positives)} % positives`,
      legend: [
        { label: 'positives', color: hues.orange, shape: 'box' },
        { label: 'negatives', color: hues.blue, shape: 'box' },
        { label: 'this threshold', color: hues.purple, shape: 'dot' },
        { label: 'guessing', color: hues.grey, shape: 'dashed' },
      ],
      columns: 3,
      panelHeight: 280,
      panels: [
        {
          title: 'Scores of each class',
          x: unit('score'),
          y: { label: '', min: 0, max: highest * 1.05, ticks: [] },
          marks: [
            { kind: 'boxes', boxes: boxes(histograms.negative), color: hues.blue, opacity: 0.55 },
            { kind: 'boxes', boxes: boxes(histograms.positive), color: hues.orange, opacity: 0.55 },
            { kind: 'rule', along: 'y', at: chosen, color: hues.purple },
          ],
        },
        {
          title: `ROC, area ${area.toFixed(2)}`,
          x: unit('false-alarm rate'),
          y: unit('recall'),
          marks: [
            {
              kind: 'line',
              points: [
                [0, 0],
                [1, 1],
              ],
              color: hues.grey,
              width: 2,
              dashed: true,
            },
            { kind: 'line', points: curve.map((c): Point => [falseAlarms(c), recall(c)]), color: hues.ink },
            { kind: 'points', points: [[falseAlarms(here), recall(here)]], color: hues.purple, size: 14 },
          ],
        },
        {
          title: `PR, area ${average.toFixed(2)}`,
          x: unit('recall'),
          y: unit('precision'),
          marks: [
            {
              kind: 'line',
              points: [
                [0, share],
                [1, share],
              ],
              color: hues.grey,
              width: 2,
              dashed: true,
            },
            { kind: 'line', points: curve.slice(1).map((c): Point => [recall(c), precision(c)]), color: hues.ink },
            { kind: 'points', points: [[recall(here), precision(here)]], color: hues.purple, size: 14 },
          ],
        },
      ],
      alt:
        `Scores of ${cases} cases, ${short(positives)} % of them positive, cut at ${short(chosen)}: precision ${percentOf(precision(here))}, ` +
        `recall ${percentOf(recall(here))}, false alarms ${percentOf(falseAlarms(here), 1)}. Area under the ROC curve ${area.toFixed(2)}, ` +
        `under the precision-recall curve ${average.toFixed(2)}.`,
    };
  },

  explain({ here, area, average }, { positives, separation }) {
    const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = here;
    const accuracy = (tp + tn) / cases;
    const baseline = Math.max(positives, 100 - positives) / 100;
    const f1 = ratio(2 * tp, 2 * tp + fp + fn);
    const numbers = `precision ${tp} / (${tp} + ${fp}) = **${percentOf(precision(here))}**, recall ${tp} / (${tp} + ${fn}) = **${percentOf(recall(here))}**, F1 **${f1.toFixed(2)}**`;
    const areas = `ROC-AUC ${area.toFixed(2)}, average precision ${average.toFixed(2)} (guessing: 0.50 and ${mean([positives / 100]).toFixed(2)})`;
    if (separation < 0.25) {
      return {
        markdown: `**These scores know nothing:** ${areas}. Moving the threshold only trades one mistake for the other: ${numbers}.`,
        cites: ['evaluation-metrics#roc-auc-and-pr-auc', 'evaluation-metrics#threshold'],
      };
    }
    if (tp + fp === 0) {
      return {
        markdown: `**Nobody is called positive** at this threshold: all ${fn} positives are missed, and accuracy is still ${percentOf(accuracy, 1)}.`,
        cites: ['evaluation-metrics#accuracy', 'evaluation-metrics#threshold'],
      };
    }
    if (positives <= 5) {
      return {
        markdown:
          `**Rare positives:** ${numbers}. Accuracy is ${percentOf(accuracy, 1)}, but never saying "positive" would reach ${percentOf(baseline, 1)}. ` +
          `ROC-AUC does not notice the rarity (${area.toFixed(2)}); average precision does (${average.toFixed(2)}).`,
        cites: [
          'evaluation-metrics#class-imbalance',
          'evaluation-metrics#roc-auc-and-pr-auc',
          'evaluation-metrics#accuracy',
        ],
      };
    }
    const lean =
      recall(here) - precision(here) > 0.15
        ? '**Generous:** it finds most positives and raises false alarms. '
        : precision(here) - recall(here) > 0.15
          ? '**Strict:** what it calls positive mostly is, but it misses many. '
          : '**Balanced:** about as many missed as falsely raised. ';
    return {
      markdown: `${lean}${numbers.replace(/^p/, 'P')}. ${areas}: those two do not depend on the threshold.`,
      cites: [
        'evaluation-metrics#precision-and-recall',
        'evaluation-metrics#threshold',
        'evaluation-metrics#roc-auc-and-pr-auc',
      ],
    };
  },
});

/** About 200 points of a curve, its ends among them. */
function thin(curve: readonly Counts[]): readonly Counts[] {
  const step = Math.max(1, Math.floor(curve.length / 200));
  return curve.filter((_, index) => index % step === 0 || index === curve.length - 1);
}
