// The figures of a run in words, by their kind: in a list, in a sentence, and as the blocks of a finished run's card.
import type { ClassificationMetrics, Metrics, MetricsOf } from '../../engine/index.ts';
import type { Block } from './message.ts';

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const count = (n: number) => n.toLocaleString('en');
/** Three significant digits, without the exponent of a large number. */
export const short = (value: number) =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

interface Words<Kind extends Metrics['kind']> {
  /** One number, for a column of a list. */
  readonly brief: (metrics: MetricsOf<Kind>) => string;
  /** What it scored and what any model has to beat, for a line while it runs. */
  readonly soFar: (metrics: MetricsOf<Kind>) => string;
  readonly result: (metrics: MetricsOf<Kind>) => string;
  readonly tables: (metrics: MetricsOf<Kind>) => readonly Block[];
}

const words: { readonly [Kind in Metrics['kind']]: Words<Kind> } = {
  classification: {
    brief: ({ accuracy }) => percent(accuracy),
    soFar: (metrics) => `accuracy ${percent(metrics.accuracy)} (${baseline(metrics)})`,
    result: (metrics) =>
      `**Accuracy ${percent(metrics.accuracy)}** on ${count(metrics.examples)} held-out ${metrics.entities === undefined ? 'examples' : 'words'} (${baseline(metrics)}). ` +
      `Macro precision ${percent(metrics.macroPrecision)}, recall ${percent(metrics.macroRecall)}, F1 ${percent(metrics.macroF1)}.${namesFound(metrics)}`,
    tables: (metrics) => [classTable(metrics)],
  },
  regression: {
    brief: ({ meanAbsoluteError }) => `± ${short(meanAbsoluteError)}`,
    soFar: (metrics) =>
      `mean error ${short(metrics.meanAbsoluteError)} (always answering the mean: ${short(metrics.baselineAbsoluteError)})`,
    result: (metrics) =>
      `**Mean error ${short(metrics.meanAbsoluteError)}** on ${count(metrics.examples)} held-out examples (always answering the mean: ${short(metrics.baselineAbsoluteError)}). ` +
      `Mean squared error ${short(metrics.meanSquaredError)}, R² ${short(metrics.r2)}, Spearman’s rank correlation ${short(metrics.spearman)}.`,
    tables: () => [],
  },
  'language-model': {
    brief: ({ perplexity }) => `ppl ${short(perplexity)}`,
    soFar: (metrics) =>
      `perplexity ${short(metrics.perplexity)}, ${percent(metrics.tokenAccuracy)} of the tokens guessed`,
    result: (metrics) =>
      `**Perplexity ${short(metrics.perplexity)}** on ${count(metrics.tokens)} tokens of ${count(metrics.examples)} held-out texts (loss ${metrics.loss.toFixed(3)}). ` +
      `Its first guess is right for ${percent(metrics.tokenAccuracy)} of the tokens.`,
    tables: () => [],
  },
  retrieval: {
    brief: ({ textToImage }) => `R@1 ${percent(textToImage.recallAt1)}`,
    soFar: ({ imageToText, textToImage }) =>
      `the right caption first for ${percent(imageToText.recallAt1)}, the right picture for ${percent(textToImage.recallAt1)} (by chance ${percent(imageToText.chanceAt1)} and ${percent(textToImage.chanceAt1)})`,
    result: ({ imageToText, textToImage, images, texts, loss, chanceLoss }) =>
      `**The right picture first for ${percent(textToImage.recallAt1)}** of ${count(texts)} held-out captions (by chance ${percent(textToImage.chanceAt1)}), ` +
      `the right caption for ${percent(imageToText.recallAt1)} of ${count(images)} pictures (${percent(imageToText.chanceAt1)}). Loss ${loss.toFixed(3)}, knowing nothing ${chanceLoss.toFixed(3)}.`,
    tables: (metrics) => [recallTable(metrics)],
  },
};

export function metricsInWords<Kind extends Metrics['kind']>(
  metrics: MetricsOf<Kind>,
  how: 'brief' | 'soFar' | 'result',
): string {
  return words[metrics.kind as Kind][how](metrics);
}

export function metricsTables<Kind extends Metrics['kind']>(metrics: MetricsOf<Kind>): readonly Block[] {
  return words[metrics.kind as Kind].tables(metrics);
}

/** The score that any model has to beat, beside the one it got. */
function baseline({ majorityAccuracy }: ClassificationMetrics): string {
  return `always answering the commonest class: ${percent(majorityAccuracy)}`;
}

function namesFound({ entities }: ClassificationMetrics): string {
  if (entities === undefined) return '';
  const { precision, recall, f1, support } = entities;
  return ` Of ${count(support)} whole names it finds ${percent(recall)}, and ${percent(precision)} of what it finds is right (F1 ${percent(f1)}).`;
}

function recallTable({ imageToText, textToImage }: MetricsOf<'retrieval'>): Block {
  const row = (name: string, { recallAt1, recallAt5, chanceAt1, chanceAt5 }: typeof imageToText) => [
    name,
    ...[recallAt1, chanceAt1, recallAt5, chanceAt5].map(percent),
  ];
  return {
    kind: 'table',
    caption: 'Found among all held-out ones',
    columns: [
      { label: 'Looked for', align: 'left' },
      { label: 'First', align: 'right' },
      { label: 'By chance', align: 'right' },
      { label: 'Among five', align: 'right' },
      { label: 'By chance', align: 'right' },
    ],
    rows: [row('The caption of a picture', imageToText), row('The picture of a caption', textToImage)],
  };
}

function classTable({ perClass }: ClassificationMetrics): Block {
  return {
    kind: 'table',
    caption: 'Each class',
    columns: [
      { label: 'Class', align: 'left' },
      { label: 'Precision', align: 'right' },
      { label: 'Recall', align: 'right' },
      { label: 'F1', align: 'right' },
      { label: 'Examples', align: 'right' },
    ],
    rows: perClass.map(({ label, precision, recall, f1, support }) => [
      label,
      percent(precision),
      percent(recall),
      percent(f1),
      String(support),
    ]),
  };
}
