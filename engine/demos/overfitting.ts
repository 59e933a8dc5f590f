// Overfitting by polynomial degree: one noisy sample, one curve through it, and the error on points it never saw.
import { axisAround, hues, type Point } from '../charts/figure.ts';
import { defineDemo, real, whole } from './demo.ts';
import { argmin, clampY, range, rootMeanSquare, short, spread } from './numbers.ts';
import { fitPolynomial, type Sample } from './polynomial.ts';

const highestDegree = 15;
const held = 200;
const truth = (x: number) => Math.sin(2 * Math.PI * x);

interface Fit {
  readonly degree: number;
  readonly trainError: number;
  readonly testError: number;
}

export const overfitting = defineDemo({
  id: 'overfitting',
  title: 'Overfitting by polynomial degree',
  summary: 'a curve of degree 0 to 15 through noisy points: too stiff, right, too wild',
  home: 'overfitting-underfitting#overfitting',
  alsoFor: ['generalization', 'bias-variance'],
  controls: {
    degree: whole('Degree', { standard: 15, stops: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15] }),
    points: whole('Training points', { standard: 20, stops: [10, 15, 20, 30, 50, 100, 200] }),
    noise: real('Noise', { standard: 0.3, stops: [0, 0.1, 0.2, 0.3, 0.5, 0.8] }),
  },

  async compute({ degree, points, noise }, { random }) {
    const draw = (count: number): Sample[] =>
      range(count).map(() => {
        const x = random.next();
        return { x, y: truth(x) + noise * random.normal() };
      });
    const train = draw(points);
    const test = draw(held);
    const fits = await Promise.all(
      range(highestDegree + 1).map(async (each) => {
        const curve = await fitPolynomial(train, each);
        const error = (samples: readonly Sample[]) => rootMeanSquare(samples.map(({ x, y }) => curve(x) - y));
        return { degree: each, curve, trainError: error(train), testError: error(test) };
      }),
    );
    const chosen = fits[degree] ?? fits[0];
    const curve: Point[] = spread(0, 1, 301).map((x) => [x, chosen?.curve(x) ?? 0]);
    const best = argmin(fits.map(({ testError }) => testError));
    return { train, test: test.slice(0, 60), curve, best, fits: fits.map(({ curve: _, ...fit }): Fit => fit) };
  },

  picture({ train, test, curve, fits, best }, { degree, points }) {
    const chosen = at(fits, degree);
    const toPoint = ({ x, y }: Sample): Point => [x, y];
    const errors = axisAround('error (RMSE)', [0, 1.6 * Math.max(at(fits, 0).testError, at(fits, 0).trainError)]);
    const line = (pick: (fit: Fit) => number): Point[] =>
      fits.map((fit) => [fit.degree, Math.min(pick(fit), errors.max)]);
    const y = { label: 'y', min: -2, max: 2 };
    return {
      title: `Degree ${degree} through ${points} points`,
      legend: [
        { label: 'training', color: hues.blue, shape: 'dot' },
        { label: 'unseen', color: hues.orange, shape: 'ring' },
        { label: 'truth', color: hues.grey, shape: 'dashed' },
        { label: 'fitted curve', color: hues.purple, shape: 'line' },
      ],
      panels: [
        {
          title: 'The fit',
          x: { label: 'x', min: 0, max: 1 },
          y,
          marks: [
            {
              kind: 'line',
              points: spread(0, 1, 101).map((x) => [x, truth(x)]),
              color: hues.grey,
              width: 2,
              dashed: true,
            },
            {
              kind: 'points',
              points: clampY(test.map(toPoint), -2, 2),
              color: hues.orange,
              size: 7,
              hollow: true,
              opacity: 0.7,
            },
            // Beyond the frame it is cut off, not drawn along the edge: a wild curve must look wild.
            { kind: 'line', points: clampY(curve, -20, 20), color: hues.purple },
            { kind: 'points', points: clampY(train.map(toPoint), -2, 2), color: hues.blue, size: 10 },
          ],
        },
        {
          title: 'Error by degree',
          x: {
            label: 'degree',
            min: 0,
            max: highestDegree,
            ticks: [0, 3, 6, 9, 12, 15].map((n) => ({ at: n, text: String(n) })),
          },
          y: errors,
          marks: [
            { kind: 'rule', along: 'y', at: degree, color: hues.purple },
            { kind: 'line', points: line((fit) => fit.trainError), color: hues.blue },
            { kind: 'line', points: line((fit) => fit.testError), color: hues.orange },
            { kind: 'points', points: [[degree, Math.min(chosen.trainError, errors.max)]], color: hues.blue, size: 11 },
            {
              kind: 'points',
              points: [[degree, Math.min(chosen.testError, errors.max)]],
              color: hues.orange,
              size: 11,
              hollow: true,
            },
          ],
        },
      ],
      alt:
        `A polynomial of degree ${degree} through ${points} noisy points of a sine wave. Error on the training points ` +
        `${short(chosen.trainError)}, on unseen points ${short(chosen.testError)}; over all degrees from 0 to 15 the unseen error is least, ` +
        `${short(at(fits, best).testError)}, at degree ${best}.`,
    };
  },

  explain({ fits, best }, { degree, points, noise }) {
    const { trainError, testError } = at(fits, degree);
    const least = at(fits, best).testError;
    const numbers = `training error **${short(trainError)}**, error on unseen points **${short(testError)}**`;
    if (testError <= least * 1.08 + 1e-9) {
      return {
        markdown:
          `**A good fit:** ${numbers}; no degree does much better (degree ${best}: ${short(least)}). ` +
          `What is left is mostly the noise, ${short(noise)}, which no curve can predict.`,
        cites: ['overfitting-underfitting#generalization', 'overfitting-underfitting#diagnosis'],
      };
    }
    if (degree < best) {
      return {
        markdown:
          `**Degree ${degree} underfits:** ${numbers}. Both are far above what degree ${best} reaches (${short(least)}): ` +
          `the curve is too stiff for the wave, and more points would not help it.`,
        cites: ['overfitting-underfitting#underfitting', 'bias-variance#bias'],
      };
    }
    const passes =
      degree + 1 >= points
        ? ` With ${degree + 1} coefficients for ${points} points it can pass through every one of them.`
        : '';
    return {
      markdown:
        `**Degree ${degree} overfits:** ${numbers}, ${short(testError / Math.max(1e-9, trainError))} times as much. ` +
        `It bends after the noise of these ${points} points.${passes} Degree ${best} has ${short(least)} on unseen points; ` +
        `more points tame the same degree, too.`,
      cites: ['overfitting-underfitting#overfitting', 'overfitting-underfitting#more-data', 'bias-variance#variance'],
    };
  },
});

function at(fits: readonly Fit[], degree: number): Fit {
  const fit = fits[degree];
  if (fit === undefined) throw new RangeError(`no fit of degree ${degree}`);
  return fit;
}
