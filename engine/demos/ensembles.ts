// Bagging and boosting, round by round: averaging deep trees, or adding shallow ones that mend what is left.
import { axisAround, hues, type Point } from '../charts/figure.ts';
import { choice, defineDemo, real, shownWhen, whole } from './demo.ts';
import { argmin, clampY, mean, range, rootMeanSquare, short, spread } from './numbers.ts';
import type { Sample } from './polynomial.ts';

const most = 100;
const grid = spread(0, 1, 161);
const methods = { bagging: 'bagging', boosting: 'gradient boosting' } as const;
const truth = (x: number) => Math.sin(2 * Math.PI * x) + (x > 0.6 ? 0.8 : 0);

type Predictions = readonly number[];

async function growTree(samples: readonly Sample[], depth: number) {
  const { DecisionTreeRegression } = await import('ml-cart');
  const tree = new DecisionTreeRegression({ gainFunction: 'regression', maxDepth: depth, minNumSamples: 2 });
  tree.train(
    samples.map(({ x }) => [x]),
    samples.map(({ y }) => y),
  );
  return (xs: readonly number[]): Predictions => tree.predict(xs.map((x) => [x]));
}

interface Recipe {
  readonly method: keyof typeof methods;
  readonly depth: number;
  readonly rate: number;
  readonly rounds: number;
  /** Draws a bootstrap sample's next row. */
  readonly below: (bound: number) => number;
}

/** Predictions at `xs` after each round. Boosting: each tree fits the residuals of those before (Friedman 2001). */
export async function combineTrees(train: readonly Sample[], xs: readonly number[], recipe: Recipe) {
  const { method, depth, rate, rounds, below } = recipe;
  const places = [...xs, ...train.map(({ x }) => x)];
  const base = mean(train.map(({ y }) => y));
  const after: Predictions[] = [];
  let total = places.map(() => (method === 'boosting' ? base : 0));
  for (let round = 1; round <= rounds; round++) {
    const current = total;
    const rows: readonly Sample[] =
      method === 'boosting'
        ? train.map(({ x, y }, row) => ({ x, y: y - (current[xs.length + row] ?? 0) }))
        : train.map((row) => train[below(train.length)] ?? row);
    const predict = await growTree(rows, depth);
    const added = predict(places);
    total = current.map((value, at) => value + (method === 'boosting' ? rate : 1) * (added[at] ?? 0));
    const shown = method === 'boosting' ? total : total.map((value) => value / round);
    after.push(shown);
  }
  return {
    at: (round: number) => (after[round - 1] ?? []).slice(0, xs.length),
    onTraining: (round: number) => (after[round - 1] ?? []).slice(xs.length),
  };
}

export const ensembles = defineDemo({
  id: 'ensembles',
  title: 'Bagging and boosting, round by round',
  summary: 'a crowd of deep trees is averaged, a chain of shallow ones corrects itself',
  home: 'ensembles#bagging',
  controls: {
    method: choice('Method', 'boosting', methods),
    rounds: whole('Rounds (trees)', { standard: 30, min: 1, max: most, stops: [1, 2, 3, 5, 10, 20, 30, 50, 75, 100] }),
    depth: whole('Depth of a tree', { standard: 2, stops: [1, 2, 3, 4, 6, 8] }),
    rate: shownWhen(
      'method',
      ['boosting'],
      real('Learning rate', { standard: 0.3, min: 0.01, max: 1, stops: [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1] }),
    ),
    noise: real('Noise', { standard: 0.35, stops: [0, 0.1, 0.2, 0.35, 0.5, 0.8] }),
  },

  async compute({ method, rounds, depth, rate, noise }, { random }) {
    const draw = (count: number): Sample[] =>
      range(count).map(() => {
        const x = random.next();
        return { x, y: truth(x) + noise * random.normal() };
      });
    const train = draw(70);
    const unseen = draw(250);
    const crowd = await combineTrees(train, [...grid, ...unseen.map(({ x }) => x)], {
      method,
      depth,
      rate,
      rounds: most,
      below: random.below,
    });
    const errors = range(most).map((index) => {
      const onTraining = crowd.onTraining(index + 1);
      const onUnseen = crowd.at(index + 1).slice(grid.length);
      return {
        train: rootMeanSquare(train.map(({ y }, row) => y - (onTraining[row] ?? 0))),
        test: rootMeanSquare(unseen.map(({ y }, row) => y - (onUnseen[row] ?? 0))),
      };
    });
    const curve = crowd
      .at(rounds)
      .slice(0, grid.length)
      .map((y, at): Point => [grid[at] ?? 0, y]);
    return { train, curve, errors };
  },

  picture({ train, curve, errors }, { method, rounds, depth }) {
    const here = errors[rounds - 1];
    return {
      title: `${method === 'bagging' ? 'Bagging' : 'Gradient boosting'}, ${rounds} ${rounds === 1 ? 'tree' : 'trees'} of depth ${depth}`,
      legend: [
        { label: 'training', color: hues.blue, shape: 'dot' },
        { label: 'truth', color: hues.grey, shape: 'dashed' },
        { label: 'ensemble', color: hues.purple, shape: 'line' },
        { label: 'training error', color: hues.blue, shape: 'line' },
        { label: 'unseen', color: hues.orange, shape: 'line' },
      ],
      panels: [
        {
          title: 'The fit',
          x: { label: 'x', min: 0, max: 1 },
          y: { label: 'y', min: -2, max: 2 },
          marks: [
            {
              kind: 'line',
              points: spread(0, 1, 201).map((x) => [x, truth(x)]),
              color: hues.grey,
              width: 2,
              dashed: true,
            },
            {
              kind: 'points',
              points: clampY(
                train.map(({ x, y }) => [x, y]),
                -2,
                2,
              ),
              color: hues.blue,
              size: 8,
              opacity: 0.7,
            },
            { kind: 'line', points: clampY(curve, -2.5, 2.5), color: hues.purple },
          ],
        },
        {
          title: 'Error by round',
          x: { label: 'round', min: 0, max: most },
          y: axisAround(
            'error (RMSE)',
            errors.flatMap(({ train, test }) => [train, test]),
            { zero: true },
          ),
          marks: [
            { kind: 'rule', along: 'y', at: rounds, color: hues.purple },
            { kind: 'line', points: errors.map(({ train }, index) => [index + 1, train]), color: hues.blue },
            { kind: 'line', points: errors.map(({ test }, index) => [index + 1, test]), color: hues.orange },
            { kind: 'points', points: [[rounds, here?.train ?? 0]], color: hues.blue, size: 10 },
            { kind: 'points', points: [[rounds, here?.test ?? 0]], color: hues.orange, size: 10 },
          ],
        },
      ],
      alt:
        `${methods[method]} with ${rounds} trees of depth ${depth}: error ${short(here?.train ?? 0)} on the training points, ${short(here?.test ?? 0)} on unseen ones; ` +
        `after one tree the unseen error was ${short(errors[0]?.test ?? 0)}, after ${most} it is ${short(errors.at(-1)?.test ?? 0)}.`,
    };
  },

  explain({ errors }, { method, rounds, depth, rate }) {
    const here = errors[rounds - 1] ?? { train: 0, test: 0 };
    const single = errors[0]?.test ?? 0;
    const best = argmin(errors.map(({ test }) => test));
    const least = errors[best]?.test ?? 0;
    const numbers = `after ${rounds} ${rounds === 1 ? 'round' : 'rounds'} the error is **${short(here.train)}** in training and **${short(here.test)}** on unseen points`;
    if (method === 'bagging') {
      const gain = 1 - here.test / single;
      if (depth <= 2) {
        return {
          markdown: `**Averaging can't mend bias:** ${numbers}; one tree alone had ${short(single)}. Trees of depth ${depth} are all stiff in the same way. Bag deep trees, or boost these.`,
          cites: ['ensembles#bagging', 'bias-variance#ensembles', 'ensembles#choosing'],
        };
      }
      return {
        markdown: `**The crowd is ${gain > 0.03 ? `${Math.round(100 * gain)} % better than its first member` : 'hardly better than its first member yet'}:** ${numbers}; one tree had ${short(single)}. More rounds never make bagging overfit; they only stop helping.`,
        cites: ['ensembles#bagging', 'ensembles#why-combine', 'bias-variance#ensembles'],
      };
    }
    if (here.test > 1.05 * least && rounds > best + 1) {
      return {
        markdown: `**Boosted too long:** ${numbers}. It was best, ${short(least)}, after round ${best + 1}; since then trees fit the noise. Stop early, or take a smaller learning rate than ${short(rate)}.`,
        cites: [
          'ensembles#boosting-on-gradients',
          'overfitting-underfitting#early-stopping',
          'bias-variance#ensembles',
        ],
      };
    }
    if (here.test > 1.05 * least) {
      return {
        markdown: `**Not there yet:** ${numbers}; round ${best + 1} would reach ${short(least)}. Each tree adds ${short(rate)} of what is left to mend.`,
        cites: ['ensembles#boosting-on-gradients', 'algorithms#gradient-boosting'],
      };
    }
    return {
      markdown: `**A good place to stop:** ${numbers}, near the best there is (${short(least)} at round ${best + 1}).`,
      cites: ['ensembles#boosting-on-gradients', 'overfitting-underfitting#early-stopping'],
    };
  },
});
