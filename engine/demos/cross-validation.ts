// Cross-validation, fold by fold: every point is held out once, and the folds disagree.
import { axisAround, hues } from '../charts/figure.ts';
import type { Random } from '../random.ts';
import { choice, defineDemo, whole } from './demo.ts';
import { deviation, mean, range, rootMeanSquare, short } from './numbers.ts';
import { fitPolynomial, type Sample } from './polynomial.ts';

const noise = 0.3;
const orders = { shuffled: 'shuffled', sorted: 'as sorted by x' } as const;

/** Which fold holds each of `count` rows out: sizes differ by one at most. */
export function assignFolds(count: number, folds: number, random: Random | undefined): readonly number[] {
  const inOrder = range(count).map((row) => Math.floor((row * folds) / count));
  return random === undefined ? inOrder : random.shuffle(inOrder);
}

export const crossValidation = defineDemo({
  id: 'cross-validation',
  title: 'Cross-validation, fold by fold',
  summary: 'each fold is held out once; the spread of their scores is the news',
  home: 'overfitting-underfitting#splits-and-cross-validation',
  alsoFor: ['generalization', 'data-preparation'],
  controls: {
    folds: whole('Folds', { standard: 5, stops: [2, 3, 4, 5, 8, 10] }),
    rows: whole('Rows', { standard: 40, stops: [20, 30, 40, 60, 100, 200] }),
    degree: whole('Degree of the model', { standard: 4, stops: [0, 1, 2, 3, 4, 5, 6, 8] }),
    order: choice('Rows are', 'shuffled', orders),
  },

  async compute({ folds, rows, degree, order }, { random }) {
    const draw = (x: number): Sample => ({ x, y: Math.sin(2 * Math.PI * x) + noise * random.normal() });
    const sample = range(rows).map((row) => draw((row + random.next()) / rows));
    const foldOf = assignFolds(rows, folds, order === 'shuffled' ? random : undefined);
    const errorOn = async (train: readonly Sample[], test: readonly Sample[]) => {
      const curve = await fitPolynomial(train, degree);
      return rootMeanSquare(test.map(({ x, y }) => curve(x) - y));
    };
    const scores = await Promise.all(
      range(folds).map((fold) =>
        errorOn(
          sample.filter((_, row) => foldOf[row] !== fold),
          sample.filter((_, row) => foldOf[row] === fold),
        ),
      ),
    );
    const unseen = range(2000).map(() => draw(random.next()));
    return { foldOf, scores, average: mean(scores), spread: deviation(scores), real: await errorOn(sample, unseen) };
  },

  picture({ foldOf, scores, average, real }, { folds, rows, degree, order }) {
    const scale = axisAround('error (RMSE)', [0, Math.min(3, Math.max(...scores, real))]);
    const names = range(folds).map((fold) => ({ at: folds - fold - 0.5, text: String(fold + 1) }));
    return {
      title: `${folds} folds of ${rows} rows, degree ${degree}, ${orders[order]}`,
      legend: [
        { label: 'held out', color: hues.orange, shape: 'box' },
        { label: 'trained on', color: '#d3dff8', shape: 'box' },
        { label: 'mean of the folds', color: hues.purple, shape: 'dashed' },
        { label: 'on 2,000 unseen', color: hues.green, shape: 'line' },
      ],
      panels: [
        {
          title: 'Rows, by x',
          x: { label: 'row', min: 0, max: rows },
          y: { label: 'fold', min: 0, max: folds, ticks: names },
          marks: [
            {
              kind: 'boxes',
              boxes: range(folds).map((fold) => ({ from: [0, folds - fold - 0.88], to: [rows, folds - fold - 0.12] })),
              color: '#d3dff8',
            },
            {
              kind: 'boxes',
              boxes: foldOf.map((fold, row) => ({
                from: [row, folds - fold - 0.88],
                to: [row + 1, folds - fold - 0.12],
              })),
              color: hues.orange,
            },
          ],
        },
        {
          title: 'Error on the held-out rows',
          x: scale,
          y: { label: '', min: 0, max: folds, ticks: names },
          marks: [
            {
              kind: 'boxes',
              boxes: scores.map((score, fold) => ({
                from: [0, folds - fold - 0.82],
                to: [Math.min(score, scale.max), folds - fold - 0.18],
              })),
              color: hues.orange,
            },
            { kind: 'rule', along: 'y', at: Math.min(average, scale.max), color: hues.purple },
            {
              kind: 'line',
              points: [
                [Math.min(real, scale.max), 0],
                [Math.min(real, scale.max), folds],
              ],
              color: hues.green,
            },
          ],
        },
      ],
      alt:
        `${folds}-fold cross-validation of a polynomial of degree ${degree} on ${rows} rows, ${orders[order]}: errors ` +
        `${scores.map(short).join(', ')}; mean ${short(average)}. On 2,000 unseen rows the error is ${short(real)}.`,
    };
  },

  explain({ scores, average, spread, real }, { folds, rows, order }) {
    const numbers = `mean error **${short(average)} ± ${short(spread)}** over ${folds} folds (${short(Math.min(...scores))} to ${short(Math.max(...scores))}); on 2,000 unseen rows it is **${short(real)}**`;
    if (order === 'sorted' && average > 1.3 * real) {
      return {
        markdown: `**The split misleads:** ${numbers}. Sorted rows make each fold a stretch of x that training never saw, so it must extrapolate. Shuffle first; for time series keep the order and expect this.`,
        cites: [
          'overfitting-underfitting#splits-and-cross-validation',
          'generalization#cross-validation',
          'generalization#extrapolation',
        ],
      };
    }
    const size = Math.floor(rows / folds);
    if (spread > 0.25 * average) {
      return {
        markdown: `**The folds disagree:** ${numbers}. With ${size} rows in a fold one score says little; report the mean with its spread.`,
        cites: [
          'generalization#cross-validation',
          'overfitting-underfitting#splits-and-cross-validation',
          'generalization#test-set-size',
        ],
      };
    }
    return {
      markdown: `**${Math.abs(average - real) > 0.25 * real ? 'The folds agree, yet the estimate is off' : 'A steady estimate'}:** ${numbers}. Each of the ${rows} rows was held out exactly once, ${size} at a time.`,
      cites: ['overfitting-underfitting#splits-and-cross-validation', 'generalization#cross-validation'],
    };
  },
});
