// Distances in many dimensions: they grow alike, and "nearest" loses its meaning.
import { hues, type Point } from '../charts/figure.ts';
import type { Random } from '../random.ts';
import { defineDemo, whole } from './demo.ts';
import { deviation, mean, range, short } from './numbers.ts';

const measured = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];
const queries = 8;
const bins = 40;

/** Distances of uniform points in the unit cube to a query of the same kind, for each of some queries. */
export function drawDistances(dimensions: number, points: number, random: Random): readonly (readonly number[])[] {
  const cloud = Float64Array.from({ length: points * dimensions }, () => random.next());
  return range(queries).map(() => {
    const query = Float64Array.from({ length: dimensions }, () => random.next());
    return range(points).map((point) => {
      let sum = 0;
      for (let axis = 0; axis < dimensions; axis++) {
        sum += ((cloud[point * dimensions + axis] ?? 0) - (query[axis] ?? 0)) ** 2;
      }
      return Math.sqrt(sum);
    });
  });
}

/** (farthest − nearest) / nearest, the mean over the queries (Beyer et al. 1999). */
export function contrastOf(distances: readonly (readonly number[])[]): number {
  return mean(distances.map((some) => (Math.max(...some) - Math.min(...some)) / Math.min(...some)));
}

export const distance = defineDemo({
  id: 'distance',
  title: 'Distances in many dimensions',
  summary: 'the nearest point is hardly nearer than the farthest',
  home: 'curse-of-dimensionality#distance-concentration',
  controls: {
    dimensions: whole('Dimensions', { standard: 100, min: 1, max: 1000, stops: measured }),
    points: whole('Points', { standard: 200, min: 20, max: 500, stops: [20, 50, 100, 200, 500] }),
  },

  compute({ dimensions, points }, { random }) {
    const here = drawDistances(dimensions, points, random);
    const all = here.flat();
    const middle = mean(all);
    const scaled = all.map((each) => each / middle);
    const shares = range(bins).map(
      (bin) =>
        scaled.filter((each) => Math.min(bins - 1, Math.floor((each / 2) * bins)) === bin).length / scaled.length,
    );
    const contrast = contrastOf(here);
    const curve = measured.map(
      (each): Point => [each, each === dimensions ? contrast : contrastOf(drawDistances(each, points, random))],
    );
    return {
      shares,
      contrast,
      curve,
      spread: deviation(scaled),
      nearest: mean(here.map((some) => Math.min(...some))) / middle,
      farthest: mean(here.map((some) => Math.max(...some))) / middle,
    };
  },

  picture({ shares, contrast, curve, nearest, farthest }, { dimensions, points }) {
    const highest = Math.max(...shares) * 1.05;
    return {
      title: `${points} points in ${dimensions.toLocaleString('en-US')} ${dimensions === 1 ? 'dimension' : 'dimensions'}`,
      legend: [
        { label: 'distances to a query', color: hues.blue, shape: 'box' },
        { label: 'nearest', color: hues.green, shape: 'dashed' },
        { label: 'farthest', color: hues.orange, shape: 'dashed' },
      ],
      panels: [
        {
          title: 'Distance, in units of the mean',
          x: { label: 'distance / mean distance', min: 0, max: 2 },
          y: { label: '', min: 0, max: highest, ticks: [] },
          marks: [
            {
              kind: 'boxes',
              boxes: shares.map((height, bin) => ({
                from: [(2 * bin) / bins, 0],
                to: [(2 * (bin + 1)) / bins, height],
              })),
              color: hues.blue,
              opacity: 0.6,
            },
            { kind: 'rule', along: 'y', at: nearest, color: hues.green },
            { kind: 'rule', along: 'y', at: Math.min(2, farthest), color: hues.orange },
          ],
        },
        {
          title: 'Contrast by dimension',
          x: { label: 'dimensions', min: 1, max: 1000, scale: 'log' },
          y: { label: '(farthest − nearest) / nearest', min: 0.1, max: 10_000, scale: 'log' },
          marks: [
            { kind: 'rule', along: 'y', at: dimensions, color: hues.purple },
            { kind: 'line', points: curve.map(([x, y]) => [x, clampContrast(y)]), color: hues.blue },
            { kind: 'points', points: [[dimensions, clampContrast(contrast)]], color: hues.blue, size: 12 },
          ],
        },
      ],
      alt:
        `Distances from a query to ${points} uniform points in ${dimensions} dimensions: the nearest is ${short(nearest)}, the farthest ` +
        `${short(farthest)} of the mean distance; contrast ${short(contrast)}.`,
    };
  },

  explain({ contrast, nearest, farthest, spread }, { dimensions, points }) {
    const numbers = `the nearest of ${points} points is at **${short(nearest)}** of the mean distance, the farthest at **${short(farthest)}** (contrast ${short(contrast)}, deviation ${short(spread)})`;
    if (contrast > 10) {
      return {
        markdown: `**Near means something here:** ${numbers}. Neighbours are really close, so k-NN and clustering can rely on them.`,
        cites: ['curse-of-dimensionality#distance-concentration', 'algorithms#knn'],
      };
    }
    if (contrast > 1) {
      return {
        markdown: `**Fading:** ${numbers}. The gap between near and far shrinks about as 1 / √dimensions.`,
        cites: ['curse-of-dimensionality#distance-concentration', 'curse-of-dimensionality#sparsity'],
      };
    }
    return {
      markdown: `**Everything is about equally far:** ${numbers}. With ${dimensions.toLocaleString('en-US')} unrelated features, noise decides who is nearest. Real data is milder: it lies on a sheet of fewer dimensions.`,
      cites: [
        'curse-of-dimensionality#distance-concentration',
        'curse-of-dimensionality#manifold',
        'curse-of-dimensionality#remedies',
      ],
    };
  },
});

const clampContrast = (contrast: number) => Math.max(0.1, Math.min(10_000, contrast));
