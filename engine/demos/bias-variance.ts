// Bias and variance as a dart board: one model fitted again and again on fresh samples, each fit one dart.
import { hues, type Point } from '../charts/figure.ts';
import { defineDemo, real, whole } from './demo.ts';
import { clamp, mean, range, short, spread } from './numbers.ts';
import { fitPolynomial, type Sample } from './polynomial.ts';

const fits = 60;
const grid = spread(0.04, 0.96, 47);
/** A dart's place: how far the fit is off here (across) and there (up). */
const aims = { across: 0.25, up: 0.75 } as const;
const board = 1.5;
const truth = (x: number) => Math.sin(2 * Math.PI * x);

/** Bias², and variance, each the mean over the grid: predictions[fit][place] against the truth there. */
export function decompose(predictions: readonly (readonly number[])[], truths: readonly number[]) {
  const middles = truths.map((_, place) => mean(predictions.map((one) => one[place] ?? 0)));
  const squaredBias = mean(truths.map((value, place) => ((middles[place] ?? 0) - value) ** 2));
  const variance = mean(
    truths.map((_, place) => mean(predictions.map((one) => ((one[place] ?? 0) - (middles[place] ?? 0)) ** 2))),
  );
  return { squaredBias, variance, middles };
}

export const biasVariance = defineDemo({
  id: 'bias-variance',
  title: 'Bias and variance on the dart board',
  summary: 'sixty fits on sixty samples: off the centre is bias, scattered is variance',
  home: 'bias-variance#dart-board',
  controls: {
    degree: whole('Degree of the model', { standard: 1, stops: [0, 1, 2, 3, 4, 5, 6, 8, 10, 12] }),
    points: whole('Points in a sample', { standard: 20, stops: [15, 20, 30, 50, 100, 200] }),
    noise: real('Noise', { standard: 0.3, stops: [0, 0.1, 0.2, 0.3, 0.5, 0.8] }),
  },

  async compute({ degree, points, noise }, { random }) {
    const curves = await Promise.all(
      range(fits).map(() => {
        const sample = range(points).map((index): Sample => {
          const x = (index + random.next()) / points;
          return { x, y: truth(x) + noise * random.normal() };
        });
        return fitPolynomial(sample, degree);
      }),
    );
    const predictions = curves.map((curve) => grid.map(curve));
    const darts = curves.map(
      (curve): Point => [curve(aims.across) - truth(aims.across), curve(aims.up) - truth(aims.up)],
    );
    return { darts, predictions: predictions.slice(0, 25), ...decompose(predictions, grid.map(truth)) };
  },

  picture({ darts, predictions, squaredBias, variance, middles }, { degree, points, noise }) {
    const circle = (radius: number): Point[] =>
      spread(0, 2 * Math.PI, 73).map((angle) => [radius * Math.cos(angle), radius * Math.sin(angle)]);
    const toLine = (values: readonly number[]): Point[] => values.map((y, at) => [grid[at] ?? 0, clamp(y, -9, 9)]);
    const side = { label: '', min: -board * 1.04, max: board * 1.04 };
    return {
      title: `Degree ${degree}, ${points} points a sample`,
      legend: [
        { label: 'one fit', color: hues.blue, shape: 'dot' },
        { label: 'mean of all fits', color: hues.orange, shape: 'line' },
        { label: 'truth', color: hues.ink, shape: 'dashed' },
      ],
      panelHeight: 344,
      panels: [
        {
          title: 'Dart board: the centre is the truth',
          bare: true,
          x: side,
          y: side,
          marks: [
            ...[0.3, 0.6, 0.9, 1.2, 1.5].map((radius) => ({
              kind: 'line' as const,
              points: circle(radius),
              color: hues.axis,
              width: radius === 1.5 ? 2.5 : 1.2,
            })),
            { kind: 'points', points: [[0, 0]], color: hues.ink, size: 13 },
            { kind: 'points', points: darts.map(ontoBoard), color: hues.blue, size: 10, opacity: 0.7 },
            {
              kind: 'points',
              points: [ontoBoard([mean(darts.map(([x]) => x)), mean(darts.map(([, y]) => y))])],
              color: hues.orange,
              size: 17,
              shape: 'diamond',
            },
          ],
        },
        {
          title: 'The fits behind 25 of the darts',
          x: { label: 'x', min: 0, max: 1 },
          y: { label: 'y', min: -2, max: 2 },
          marks: [
            ...predictions.map((values) => ({
              kind: 'line' as const,
              points: toLine(values),
              color: hues.blue,
              width: 1.5,
              opacity: 0.35,
            })),
            { kind: 'line', points: toLine(grid.map(truth)), color: hues.ink, width: 2.5, dashed: true },
            { kind: 'line', points: toLine(middles), color: hues.orange, width: 3.5 },
          ],
        },
      ],
      alt:
        `Dart board of ${fits} fits of degree ${degree} on samples of ${points} points with noise ${short(noise)}. ` +
        `Squared bias ${short(squaredBias)}, variance ${short(variance)}, noise ${short(noise ** 2)}.`,
    };
  },

  explain({ squaredBias, variance }, { degree, points, noise }) {
    const total = squaredBias + variance + noise ** 2;
    const sum = `bias² **${short(squaredBias)}** + variance **${short(variance)}** + noise ${short(noise ** 2)} = ${short(total)}, the expected squared error on new data`;
    if (squaredBias > 2 * variance) {
      return {
        markdown: `**High bias:** the darts sit together, away from the centre. ${upper(sum)}. All ${fits} models of degree ${degree} make the same mistake; more points per sample would not move them.`,
        cites: ['bias-variance#dart-board', 'bias-variance#bias', 'bias-variance#decomposition'],
      };
    }
    if (variance > 2 * squaredBias && variance > 0.02) {
      return {
        markdown: `**High variance:** the darts scatter around the centre. ${upper(sum)}. Each sample of ${points} gives another curve; more points, or a lower degree, pull them together.`,
        cites: ['bias-variance#dart-board', 'bias-variance#variance', 'bias-variance#controls'],
      };
    }
    return {
      markdown: `**A fair balance:** the darts gather near the centre. ${upper(sum)}. The noise is the part no model can remove.`,
      cites: ['bias-variance#tradeoff', 'bias-variance#decomposition', 'bias-variance#noise'],
    };
  },
});

/** A dart that misses the board sticks in its rim. */
function ontoBoard([x, y]: Point): Point {
  const shrink = Math.min(1, board / Math.max(1e-9, Math.hypot(x, y)));
  return [x * shrink, y * shrink];
}

const upper = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);
