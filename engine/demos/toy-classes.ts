// Small two-class data sets in the plane, for demos that draw what a classifier makes of them.
import type { Point } from '../charts/figure.ts';
import type { Random } from '../random.ts';
import { range } from './numbers.ts';

export interface Labelled {
  readonly at: Point;
  readonly label: 0 | 1;
}

export const shapes = {
  moons: 'two moons',
  circles: 'ring and disc',
  cross: 'chequers (XOR)',
  blobs: 'two clouds',
} as const;

type Place = (label: 0 | 1, random: Random) => Point;

const places: { readonly [S in keyof typeof shapes]: Place } = {
  moons: (label, random) => {
    const angle = Math.PI * random.next();
    return label === 0
      ? [Math.cos(angle) - 0.5, Math.sin(angle) - 0.25]
      : [0.5 - Math.cos(angle), 0.25 - Math.sin(angle)];
  },
  circles: (label, random) => {
    const angle = 2 * Math.PI * random.next();
    const radius = label === 0 ? 0.5 * Math.sqrt(random.next()) : 0.95 + 0.25 * random.next();
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  },
  cross: (label, random) => {
    const x = 2.2 * (random.next() - 0.5);
    const y = 1.1 * random.next();
    return [x, x > 0 === (label === 1) ? y : -y];
  },
  blobs: (label, random) => {
    const side = label === 0 ? -0.6 : 0.6;
    return [side + 0.35 * random.normal(), side * 0.5 + 0.35 * random.normal()];
  },
};

/** Half of each class; `noise` is the deviation added to both coordinates. */
export function drawClasses(
  shape: keyof typeof shapes,
  count: number,
  noise: number,
  random: Random,
): readonly Labelled[] {
  return range(count).map((index) => {
    const label = index % 2 === 0 ? 0 : 1;
    const [x, y] = places[shape](label, random);
    return { label, at: [x + noise * random.normal(), y + noise * random.normal()] };
  });
}
