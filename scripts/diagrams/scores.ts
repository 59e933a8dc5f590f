// Diagrams of scores: the confusion matrix with what is read off it, ROC and precision–recall curves of ten cases.
import {
  type Axes,
  area,
  arrow,
  axes,
  circle,
  curve,
  type Drawing,
  line,
  type Point,
  rect,
  toPixels,
  words,
} from './draw.ts';

function drawConfusion(): Drawing {
  // The guide's spam filter: 1,000 mails, 50 of them spam, 100 flagged.
  const [tp, fn, fp, tn] = [40, 10, 60, 890];
  const precision = tp / (tp + fp);
  const recall = tp / (tp + fn);
  const f1 = (2 * tp) / (2 * tp + fp + fn);
  const accuracy = (tp + tn) / (tp + fn + fp + tn);
  const cells = [
    [0, 0, 'true positive', tp, 'green'],
    [1, 0, 'false negative', fn, 'red'],
    [0, 1, 'false positive', fp, 'red'],
    [1, 1, 'true negative', tn, 'green'],
  ] as const;
  return {
    name: 'confusion-matrix',
    title: 'A confusion matrix, and what is read off it',
    desc: `Confusion matrix of a spam filter on 1,000 mails. Spam: ${tp} caught (true positives), ${fn} missed (false negatives). Fine mails: ${fp} flagged (false positives), ${tn} passed (true negatives). Precision, down the first column: ${tp} of ${tp + fp} = ${precision.toFixed(2)}. Recall, along the first row: ${tp} of ${tp + fn} = ${recall.toFixed(2)}. F1 ${f1.toFixed(3)}, accuracy ${accuracy.toFixed(2)}.`,
    height: 480,
    body: [
      words(298, 72, 'predicted', { color: 'soft' }),
      words(199, 98, 'spam', { bold: true }),
      words(389, 98, 'fine', { bold: true }),
      words(32, 234, 'actual', { color: 'soft', turn: -90 }),
      words(72, 190, 'spam', { bold: true, turn: -90 }),
      words(72, 306, 'fine', { bold: true, turn: -90 }),
      ...cells.flatMap(([column, row, name, count, hue]) => [
        rect(108 + column * 190, 136 + row * 116, 182, 108, { fill: `${hue}Wash`, stroke: hue }),
        words(199 + column * 190, 174 + row * 116, String(count), { bold: true, size: 32, color: hue }),
        words(199 + column * 190, 214 + row * 116, name),
      ]),
      rect(102, 130, 194, 236, { stroke: 'blue', width: 3, dashed: true }, 12),
      rect(96, 124, 400, 126, { stroke: 'purple', width: 3, dashed: true }, 12),
      words(516, 158, 'recall', { bold: true, color: 'purple', anchor: 'start', size: 22 }),
      words(516, 188, `${tp} / (${tp} + ${fn})`, { anchor: 'start' }),
      words(516, 216, `= ${recall.toFixed(2)}`, { anchor: 'start', bold: true }),
      words(199, 392, 'precision', { bold: true, color: 'blue', size: 22 }),
      words(199, 420, `${tp} / (${tp} + ${fp})`),
      words(199, 448, `= ${precision.toFixed(2)}`, { bold: true }),
      words(360, 408, `F1 = ${2 * tp} / ${2 * tp + fp + fn} = ${f1.toFixed(3)}`, { anchor: 'start' }),
      words(360, 440, `accuracy = ${tp + tn} / 1000 = ${accuracy.toFixed(2)}`, { anchor: 'start' }),
    ],
  };
}

function drawCurves(): Drawing {
  // The guide's ten cases by falling score.
  const cases = [1, 1, 0, 1, 0, 1, 0, 0, 0, 0];
  const positives = cases.filter((one) => one === 1).length;
  const negatives = cases.length - positives;
  let [hits, alarms] = [0, 0];
  const roc: Point[] = [[0, 0]];
  const pr: Point[] = [];
  let [auc, ap] = [0, 0];
  for (const one of cases) {
    if (one === 1) {
      hits += 1;
      ap += hits / (hits + alarms) / positives;
    } else {
      alarms += 1;
      auc += hits / positives / negatives;
    }
    roc.push([alarms / negatives, hits / positives]);
    pr.push([hits / positives, hits / (hits + alarms)]);
  }
  const frames = [0, 1].map(
    (index): Axes => ({ left: 84 + index * 350, top: 104, width: 260, height: 260, x: [0, 1], y: [0, 1] }),
  );
  const [left, right] = frames;
  if (left === undefined || right === undefined) throw new Error('two frames were made');
  const ticks = [0, 0.5, 1].map((value) => [value, String(value)] as const);
  const share = positives / cases.length;
  // The precision–recall curve as average precision counts it: a step to each recall at that positive's precision.
  const steps = pr
    .filter((_, index) => cases[index] === 1)
    .flatMap(([recall, precision]): Point[] => [
      [recall - 1 / positives, precision],
      [recall, precision],
    ]);
  return {
    name: 'roc-pr-curves',
    title: 'Ten cases, every threshold: ROC and PR',
    desc: `Ten cases by falling score: positive, positive, negative, positive, negative, positive, then four negatives. Left, ROC curve: true positive rate over false positive rate, area ${auc.toFixed(3)}; the diagonal is guessing. Right, precision over recall: average precision ${ap.toFixed(3)}; guessing would give the share of positives, ${share}.`,
    height: 450,
    body: [
      words(214, 80, `ROC: area ${auc.toFixed(3)}`, { bold: true, color: 'blue', size: 21 }),
      words(564, 80, `PR: average ${ap.toFixed(3)}`, { bold: true, color: 'orange', size: 21 }),
      area(
        [...roc, [1, 0] as const].map(([x, y]) => toPixels(left)(x, y)),
        { fill: 'blueWash' },
      ),
      area(
        [...steps, [1, 0] as const, [0, 0] as const].map(([x, y]) => toPixels(right)(x, y)),
        { fill: 'orangeWash' },
      ),
      axes(left, { x: 'false positive rate', y: 'recall', xTicks: ticks, yTicks: ticks }),
      axes(right, { x: 'recall', y: 'precision', xTicks: ticks, yTicks: ticks }),
      line([toPixels(left)(0, 0), toPixels(left)(1, 1)], { stroke: 'soft', dashed: true }),
      line([toPixels(right)(0, share), toPixels(right)(1, share)], { stroke: 'soft', dashed: true }),
      curve(left, roc, { stroke: 'blue' }),
      curve(right, steps, { stroke: 'orange' }),
      ...roc.map(([x, y]) => circle(...toPixels(left)(x, y), 5, { fill: 'blue' })),
      ...pr.flatMap(([x, y], index) =>
        cases[index] === 1 ? [circle(...toPixels(right)(x, y), 5, { fill: 'orange' })] : [],
      ),
      words(...toPixels(left)(0.66, 0.5), 'guessing', { color: 'soft' }),
      words(...toPixels(right)(0.5, share - 0.08), 'guessing', { color: 'soft' }),
    ],
  };
}

const pipelineSteps = [
  ['collect', 'rights, source'],
  ['look', 'types, ranges'],
  ['remove', 'duplicates'],
  ['split', 'before fitting!'],
  ['fill gaps', 'median, mode'],
  ['encode', 'as numbers'],
  ['scale', 'mean 0, std 1'],
  ['train', 'and evaluate'],
] as const;

const preparation: Drawing = {
  name: 'data-preparation',
  title: 'Preparing data, in this order',
  desc: 'Eight steps in order: collect; look at types and ranges; remove duplicates; split. Only then, fitted on the training part alone: fill gaps, encode categories, scale; then train and evaluate. Statistics that are fitted before the split leak from the test set.',
  height: 400,
  body: [
    rect(20, 216, 680, 150, { fill: 'greenWash', stroke: 'green', dashed: true }, 12),
    words(360, 348, 'fitted on the training part only', { bold: true, color: 'green' }),
    ...pipelineSteps.flatMap(([name, detail], index) => {
      const [x, y] = [36 + (index % 4) * 166, index < 4 ? 78 : 236];
      const hue = index === 3 ? 'red' : 'line';
      return [
        rect(x, y, 150, 88, { fill: index === 3 ? 'redWash' : 'card', stroke: hue }),
        words(x + 75, y + 30, name, { bold: true, color: index === 3 ? 'red' : 'ink' }),
        words(x + 75, y + 60, detail, { color: 'soft', size: detail.length > 14 ? 17 : 19 }),
        ...(index % 4 < 3
          ? [
              arrow([
                [x + 150, y + 44],
                [x + 166, y + 44],
              ]),
            ]
          : []),
      ];
    }),
    arrow([
      [609, 166],
      [609, 192],
      [111, 192],
      [111, 234],
    ]),
  ],
};

export const scores: readonly Drawing[] = [drawConfusion(), drawCurves(), preparation];
