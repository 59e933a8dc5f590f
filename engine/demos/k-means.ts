// k-means, one step at a time: assign each point to its nearest centre, move each centre to the mean of its points.
import { axisAround, hues, type Point } from '../charts/figure.ts';
import type { Random } from '../random.ts';
import { choice, defineDemo, whole } from './demo.ts';
import { argmin, range, short } from './numbers.ts';

const groupCentres: readonly Point[] = [
  [2, 7.2],
  [7.4, 7.8],
  [5, 2.4],
];
const pointsPerGroup = 50;
const colours = [hues.blue, hues.orange, hues.green, hues.purple, hues.gold, hues.pink, hues.teal, hues.grey] as const;
const starts = { random: 'random points', plusplus: 'k-means++', corner: 'all in one corner' } as const;

export interface Step {
  readonly centres: readonly Point[];
  readonly clusters: readonly number[];
  /** Sum of squared distances of the points to their centres. */
  readonly inertia: number;
}

const squared = (a: Point, b: Point) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;

/** Steps of Lloyd's algorithm from the given centres, the start included. */
export async function clusterSteps(points: readonly Point[], start: readonly Point[]): Promise<readonly Step[]> {
  const { kmeansGenerator } = await import('ml-kmeans');
  const measure = (centres: readonly Point[]): Step => {
    const clusters = points.map((point) => argmin(centres.map((centre) => squared(point, centre))));
    const inertia = points.reduce((sum, point, index) => {
      const centre = centres[clusters[index] ?? 0];
      return sum + (centre === undefined ? 0 : squared(point, centre));
    }, 0);
    return { centres, clusters, inertia };
  };
  const steps = [measure(start)];
  const data = points.map((point) => [...point]);
  for (const { centroids } of kmeansGenerator(data, start.length, { initialization: start.map((each) => [...each]) })) {
    steps.push(measure(centroids.map(([x = 0, y = 0]): Point => [x, y])));
  }
  return steps;
}

/** Start centres: k of the points, or, by k-means++ (Arthur & Vassilvitskii 2007), points far from those chosen before. */
function chooseStart(
  points: readonly Point[],
  k: number,
  start: keyof typeof starts,
  random: Random,
): readonly Point[] {
  if (start === 'corner') return range(k).map((): Point => [0.3 + 0.6 * random.next(), 0.3 + 0.6 * random.next()]);
  if (start === 'random') return random.shuffle(points).slice(0, k);
  const chosen: Point[] = points.slice(random.below(points.length)).slice(0, 1);
  while (chosen.length < k) {
    const weights = points.map((point) => Math.min(...chosen.map((centre) => squared(point, centre))));
    let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
    const next = points.find((_, index) => {
      left -= weights[index] ?? 0;
      return left <= 0;
    });
    chosen.push(next ?? [0, 0]);
  }
  return chosen;
}

export const kMeans = defineDemo({
  id: 'k-means',
  title: 'k-means, step by step',
  summary: 'centres wander to the middle of their points; the start decides where they end',
  home: 'algorithms#k-means',
  alsoFor: ['types-of-ml'],
  controls: {
    k: whole('Clusters k', { standard: 3, stops: [1, 2, 3, 4, 5, 6, 7, 8] }),
    step: whole('Step', { standard: 2, stops: [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20] }),
    start: choice('Start', 'random', starts),
  },

  async compute({ k, step, start }, { random }) {
    const points = groupCentres.flatMap(([x, y]) =>
      range(pointsPerGroup).map((): Point => [x + 1.1 * random.normal(), y + 1.1 * random.normal()]),
    );
    const steps = await clusterSteps(points, chooseStart(points, k, start, random));
    const shown = Math.min(step, steps.length - 1);
    return { points, steps, shown };
  },

  picture({ points, steps, shown }, { k }) {
    const { centres, clusters, inertia } = stepAt(steps, shown);
    const trail = (index: number): Point[] =>
      steps.slice(0, shown + 1).flatMap((step) => step.centres.slice(index, index + 1));
    return {
      title: `k = ${k}, ${shown === 0 ? 'the start' : `after step ${shown}`}`,
      legend: [
        { label: 'points, by nearest centre', color: hues.blue, shape: 'dot' },
        { label: 'centres and their way', color: hues.ink, shape: 'line' },
      ],
      panels: [
        {
          title: 'Points and centres',
          x: { label: '', min: -2, max: 12 },
          y: { label: '', min: -2, max: 12 },
          marks: [
            ...range(k).map((cluster) => ({
              kind: 'points' as const,
              points: points.filter((_, index) => clusters[index] === cluster),
              color: colours[cluster % colours.length] ?? hues.blue,
              size: 8,
              opacity: 0.75,
            })),
            ...range(k).map((cluster) => ({
              kind: 'line' as const,
              points: trail(cluster),
              color: hues.ink,
              width: 2,
            })),
            ...range(k).map((cluster) => ({
              kind: 'points' as const,
              points: centres.slice(cluster, cluster + 1),
              color: hues.ink,
              size: 17,
              shape: 'diamond' as const,
            })),
          ],
        },
        {
          title: 'Inertia by step',
          x: { label: 'step', min: 0, max: Math.max(4, steps.length - 1) },
          y: axisAround(
            'sum of squared distances',
            steps.map((step) => step.inertia),
            { zero: true },
          ),
          marks: [
            { kind: 'rule', along: 'y', at: shown, color: hues.purple },
            { kind: 'line', points: steps.map((step, index) => [index, step.inertia]), color: hues.blue },
            { kind: 'points', points: [[shown, inertia]], color: hues.blue, size: 12 },
          ],
        },
      ],
      alt:
        `${points.length} points of three groups, ${k} ${k === 1 ? 'centre' : 'centres'} ${shown === 0 ? 'at the start' : `after step ${shown}`}. ` +
        `The sum of squared distances is ${short(inertia)}; it began at ${short(stepAt(steps, 0).inertia)} and settles at ` +
        `${short(stepAt(steps, steps.length - 1).inertia)} after ${steps.length - 1} steps.`,
    };
  },

  explain({ steps, shown, points }, { k, step, start }) {
    const last = steps.length - 1;
    const { inertia, clusters } = stepAt(steps, shown);
    const empty = range(k).filter((cluster) => !clusters.includes(cluster)).length;
    const before = shown > 0 ? ` (step ${shown - 1}: ${short(stepAt(steps, shown - 1).inertia)})` : '';
    const where = step > last ? `It had settled after step ${last} already; inertia **${short(inertia)}**.` : '';
    const moving =
      shown < last && short(inertia) !== short(stepAt(steps, last).inertia)
        ? `Inertia is **${short(inertia)}**${before} and still falls: it settles at ${short(stepAt(steps, last).inertia)} after step ${last}. No step can raise it.`
        : shown < last
          ? `Inertia is **${short(inertia)}**${before}: the centres only tremble now, and rest after step ${last}.`
          : where || `Settled: inertia **${short(inertia)}**${before}, and another step would change nothing.`;
    const poor = inertia > 4 * points.length && k === 3 && short(inertia) === short(stepAt(steps, last).inertia);
    const verdict = empty
      ? `**${empty} of ${k} centres own no point at all**, so nothing moves them${start === 'corner' ? ': a start in one corner wastes them' : ''}. `
      : k < 3
        ? `**k = ${k} is too few** for the three groups there are: one centre must serve several. `
        : k > 3
          ? `**k = ${k} splits groups that belong together.** Inertia only falls with k, so it can't choose k for you. `
          : poor
            ? '**Stuck in a poor place:** two centres share a group, one serves two. Start anew, or use k-means++. '
            : '';
    return {
      markdown: `${verdict}${moving}`,
      cites: ['algorithms#k-means', 'types-of-ml#clustering'],
    };
  },
});

function stepAt(steps: readonly Step[], index: number): Step {
  const step = steps[index];
  if (step === undefined) throw new RangeError(`k-means has no step ${index}`);
  return step;
}
