// Regularisation paths: what L1 and L2 do to eight coefficients as the penalty grows.
import { axisAround, hues, type Point } from '../charts/figure.ts';
import type { Random } from '../random.ts';
import { choice, defineDemo, real, whole } from './demo.ts';
import { argmin, deviation, mean, range, rootMeanSquare, short } from './numbers.ts';

/** Three features matter; each of the first two has a shadow that goes along with it. */
const truth = [3, -2, 1.5, 0, 0, 0, 0, 0] as const;
const shadows: { readonly [feature: number]: number } = { 3: 0, 4: 1 };
const strengths = range(41).map((index) => 10 ** (-3 + (4 * index) / 40));
const penalties = { l1: 'L1 (lasso)', l2: 'L2 (ridge)', both: 'both (elastic net)' } as const;
const shareOfL1 = { l1: 1, l2: 0, both: 0.5 } as const;
const colours = [hues.blue, hues.blue, hues.blue, hues.gold, hues.gold, hues.axis, hues.axis, hues.axis];

export interface Rows {
  /** Features, standardised: mean 0, deviation 1. */
  readonly x: readonly (readonly number[])[];
  /** Mean 0. */
  readonly y: readonly number[];
}

/**
 * Elastic net by coordinate descent (Friedman, Hastie & Tibshirani 2010):
 * min over w of 1/(2n)·‖y − Xw‖² + λ·(a·‖w‖₁ + (1 − a)/2·‖w‖²), from the weights given.
 */
export function descendCoordinates(
  { x, y }: Rows,
  strength: number,
  l1: number,
  from: readonly number[],
): readonly number[] {
  const weights = [...from];
  const columns = weights.map((_, feature) => x.map((row) => row[feature] ?? 0));
  const sizes = columns.map((column) => mean(column.map((value) => value * value)));
  const left = y.map(
    (value, row) => value - weights.reduce((sum, weight, at) => sum + weight * (x[row]?.[at] ?? 0), 0),
  );
  for (let round = 0; round < 500; round++) {
    let largest = 0;
    columns.forEach((column, feature) => {
      const before = weights[feature] ?? 0;
      const size = sizes[feature] ?? 1;
      const pull = mean(column.map((value, row) => value * (left[row] ?? 0))) + size * before;
      const shrunk = Math.sign(pull) * Math.max(0, Math.abs(pull) - strength * l1);
      const after = shrunk / (size + strength * (1 - l1));
      if (after === before) return;
      weights[feature] = after;
      column.forEach((value, row) => {
        left[row] = (left[row] ?? 0) - (after - before) * value;
      });
      largest = Math.max(largest, Math.abs(after - before));
    });
    if (largest < 1e-7) break;
  }
  return weights;
}

export function drawRows(count: number, noise: number, random: Random): Rows {
  const raw = range(count).map(() => {
    const free = truth.map(() => random.normal());
    return free.map((value, feature) => {
      const source = shadows[feature];
      return source === undefined ? value : 0.85 * (free[source] ?? 0) + 0.53 * value;
    });
  });
  const y = raw.map((row) => row.reduce((sum, value, at) => sum + value * (truth[at] ?? 0), noise * random.normal()));
  const standard = truth.map((_, feature) => {
    const column = raw.map((row) => row[feature] ?? 0);
    return { middle: mean(column), size: deviation(column, 'population') };
  });
  const middle = mean(y);
  return {
    x: raw.map((row) => row.map((value, at) => (value - (standard[at]?.middle ?? 0)) / (standard[at]?.size ?? 1))),
    y: y.map((value) => value - middle),
  };
}

export const regularisation = defineDemo({
  id: 'regularisation',
  title: 'Regularisation paths, L1 and L2',
  summary: 'L1 sets coefficients to zero one by one, L2 shrinks them all',
  home: 'overfitting-underfitting#regularization',
  alsoFor: ['feature-engineering'],
  controls: {
    penalty: choice('Penalty', 'l1', penalties),
    strength: real('Strength λ', {
      standard: 0.1,
      min: 0.001,
      max: 10,
      stops: [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10],
    }),
    noise: real('Noise', { standard: 1, min: 0, max: 10, stops: [0, 0.5, 1, 2, 4, 8] }),
    rows: whole('Training rows', { standard: 25, min: 12, max: 500, stops: [12, 15, 20, 25, 40, 80, 200] }),
  },

  compute({ penalty, strength, noise, rows }, { random }) {
    const train = drawRows(rows, noise, random);
    const unseen = drawRows(500, noise, random);
    const error = (weights: readonly number[], { x, y }: Rows) =>
      rootMeanSquare(
        y.map((value, row) => value - weights.reduce((sum, weight, at) => sum + weight * (x[row]?.[at] ?? 0), 0)),
      );
    // From strong to weak, each from the one before: the path is smooth, so few rounds are needed.
    let weights: readonly number[] = truth.map(() => 0);
    const path = strengths.toReversed().map((each) => {
      weights = descendCoordinates(train, each, shareOfL1[penalty], weights);
      return { strength: each, weights, trainError: error(weights, train), testError: error(weights, unseen) };
    });
    const chosen = descendCoordinates(
      train,
      strength,
      shareOfL1[penalty],
      truth.map(() => 0),
    );
    return {
      path: path.toReversed(),
      weights: chosen,
      trainError: error(chosen, train),
      testError: error(chosen, unseen),
    };
  },

  picture({ path, weights, trainError, testError }, { penalty, strength }) {
    const x = {
      label: 'strength λ',
      min: 0.001,
      max: 10,
      scale: 'log' as const,
      ticks: [0.001, 0.01, 0.1, 1, 10].map((at) => ({ at, text: String(at) })),
    };
    const line = (pick: (step: (typeof path)[number]) => number): Point[] =>
      path.map((step) => [step.strength, pick(step)]);
    return {
      title: `${penalties[penalty]}, λ = ${short(strength)}`,
      legend: [
        { label: '3 that matter', color: hues.blue, shape: 'line' },
        { label: '2 shadows', color: hues.gold, shape: 'line' },
        { label: '3 useless', color: hues.axis, shape: 'line' },
        { label: 'training', color: hues.purple, shape: 'dashed' },
        { label: 'unseen', color: hues.pink, shape: 'line' },
      ],
      panels: [
        {
          title: 'Coefficients',
          x,
          y: axisAround(
            'coefficient',
            path.flatMap((step) => step.weights),
            { zero: true },
          ),
          marks: [
            { kind: 'rule', along: 'y', at: strength, color: hues.ink },
            { kind: 'rule', along: 'x', at: 0, color: hues.axis },
            ...truth.map((_, feature) => ({
              kind: 'line' as const,
              points: line((step) => step.weights[feature] ?? 0),
              color: colours[feature] ?? hues.grey,
              width: feature < 3 ? 3 : 2.2,
            })),
            ...weights.map((weight, feature) => ({
              kind: 'points' as const,
              points: [[strength, weight]] as const,
              color: colours[feature] ?? hues.grey,
              size: 9,
            })),
          ],
        },
        {
          title: 'Error',
          x,
          y: axisAround(
            'error (RMSE)',
            path.flatMap((step) => [step.trainError, step.testError]),
            { zero: true },
          ),
          marks: [
            { kind: 'rule', along: 'y', at: strength, color: hues.ink },
            { kind: 'line', points: line((step) => step.trainError), color: hues.purple, dashed: true },
            { kind: 'line', points: line((step) => step.testError), color: hues.pink },
            { kind: 'points', points: [[strength, trainError]], color: hues.purple, size: 10, hollow: true },
            { kind: 'points', points: [[strength, testError]], color: hues.pink, size: 10 },
          ],
        },
      ],
      alt:
        `Paths of eight coefficients under ${penalties[penalty]}. At λ = ${short(strength)} ${countZeros(weights)} of 8 are exactly zero; ` +
        `training error ${short(trainError)}, on unseen rows ${short(testError)}.`,
    };
  },

  explain({ path, weights, trainError, testError }, { penalty, strength, rows }) {
    const zeros = countZeros(weights);
    const best = path[argmin(path.map((step) => step.testError))];
    const numbers = `training error **${short(trainError)}**, on unseen rows **${short(testError)}** (best ${short(best?.testError ?? 0)}, near λ = ${short(best?.strength ?? 0)})`;
    const lost = weights.slice(0, 3).filter((weight) => weight === 0).length;
    const sparse =
      penalty === 'l2'
        ? `L2 has shrunk all eight, and set ${zeros === 0 ? 'none' : zeros} to zero: it shares the weight between a feature and its shadow.`
        : `${zeros} of 8 coefficients are exactly zero${lost > 0 ? `, ${lost} of them ${lost === 1 ? 'one that matters' : 'ones that matter'}` : ''}${penalty === 'both' ? '; the L2 part keeps a feature and its shadow together' : ''}.`;
    const much = testError > 1.1 * (best?.testError ?? 0);
    if (much && strength > (best?.strength ?? 0)) {
      return {
        markdown: `**Too strong:** ${numbers}. ${sparse} The model now underfits.`,
        cites: [
          'overfitting-underfitting#regularization',
          'algorithms#ridge-lasso',
          'overfitting-underfitting#underfitting',
        ],
      };
    }
    if (much) {
      return {
        markdown: `**Too weak:** ${numbers}. ${sparse} With ${rows} rows the coefficients still follow the noise.`,
        cites: [
          'overfitting-underfitting#regularization',
          'algorithms#ridge-lasso',
          'overfitting-underfitting#overfitting',
        ],
      };
    }
    return {
      markdown: `**About right:** ${numbers}. ${sparse}`,
      cites: [
        'overfitting-underfitting#regularization',
        'algorithms#ridge-lasso',
        ...(penalty === 'l1' ? (['feature-engineering#selection'] as const) : []),
      ],
    };
  },
});

const countZeros = (weights: readonly number[]) => weights.filter((weight) => weight === 0).length;
