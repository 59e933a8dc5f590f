// Gradient descent: the way down a surface by learning rate, with and without momentum.
import { hues, type Point } from '../charts/figure.ts';
import { cellCentres, drawCells, type Field } from './cells.ts';
import { choice, defineDemo, real, whole } from './demo.ts';
import { short } from './numbers.ts';

export interface Surface {
  loss(at: Point): number;
  gradient(at: Point): Point;
  readonly start: Point;
  readonly least: number;
  /** Above 2 / the largest curvature, plain gradient descent diverges near the bottom. */
  readonly curvature: number;
}

const bowl = (steep: number): Surface => ({
  loss: ([x, y]) => (x * x + steep * y * y) / 2,
  gradient: ([x, y]) => [x, steep * y],
  start: [-2.4, 1.6],
  least: 0,
  curvature: steep,
});

export const surfaces = {
  bowl: bowl(1),
  valley: bowl(12),
  hollows: {
    loss: ([x, y]) => x ** 4 / 4 - x ** 2 + 0.35 * x + (y * y) / 2 + 1.62,
    gradient: ([x, y]) => [x ** 3 - 2 * x + 0.35, y],
    start: [2.3, 1.6],
    least: 0.1246,
    curvature: 4.5,
  },
} as const satisfies { readonly [name: string]: Surface };

const field: Field = { columns: 60, rows: 50, x: { min: -3, max: 3 }, y: { min: -2.5, max: 2.5 } };
const bands = [
  '#ffffff',
  '#eef3fc',
  '#dfe8f9',
  '#cfdcf6',
  '#bfd0f2',
  '#adc3ee',
  '#9bb6ea',
  '#88a8e5',
  '#7599e0',
  '#618adb',
];

/** Positions from the start on; ends early where it has left for infinity. Momentum as in Polyak 1964. */
export function descend(surface: Surface, learningRate: number, momentum: number, steps: number): readonly Point[] {
  const path: Point[] = [surface.start];
  let [x, y] = surface.start;
  let [velocityX, velocityY] = [0, 0];
  for (let step = 0; step < steps && Math.hypot(x, y) < 1e6; step++) {
    const [slopeX, slopeY] = surface.gradient([x, y]);
    velocityX = momentum * velocityX - learningRate * slopeX;
    velocityY = momentum * velocityY - learningRate * slopeY;
    x += velocityX;
    y += velocityY;
    path.push([x, y]);
  }
  return path;
}

export const gradientDescent = defineDemo({
  id: 'gradient-descent',
  title: 'Gradient descent by learning rate',
  summary: 'too small crawls, too large flies off; momentum evens out a narrow valley',
  home: 'how-ml-works#gradient-descent',
  alsoFor: ['hyperparameters', 'neural-networks'],
  seeded: false,
  controls: {
    rate: real('Learning rate', {
      standard: 0.1,
      min: 0.0001,
      max: 3,
      stops: [0.001, 0.01, 0.03, 0.05, 0.1, 0.15, 0.17, 0.2, 0.3, 0.5, 1, 1.5, 1.9, 2, 2.1],
    }),
    steps: whole('Steps', { standard: 30, min: 1, max: 500, stops: [1, 2, 3, 5, 10, 20, 30, 50, 100, 200] }),
    momentum: real('Momentum', { standard: 0, min: 0, max: 0.99, stops: [0, 0.3, 0.5, 0.7, 0.9, 0.95] }),
    surface: choice('Surface', 'valley', { bowl: 'round bowl', valley: 'narrow valley', hollows: 'two hollows' }),
  },

  compute({ rate, steps, momentum, surface: name }) {
    const surface = surfaces[name];
    const path = descend(surface, rate, momentum, steps);
    return { path, losses: path.map((at) => surface.loss(at) - surface.least) };
  },

  picture({ path, losses }, { rate, steps, momentum, surface: name }) {
    const { loss, least } = surfaces[name];
    const levels = cellCentres(field).map((at) => Math.floor(2.1 * Math.sqrt(Math.max(0, loss(at) - least))));
    const highest = 10 ** Math.min(6, Math.ceil(Math.log10(Math.max(...losses))));
    const lowest = 1e-6;
    const shown = losses.map((value, step): Point => [step, Math.min(highest, Math.max(lowest, value))]);
    // Far outside it is cut off: echarts draws no line to a million.
    const near = path.map(([x, y]): Point => [Math.max(-50, Math.min(50, x)), Math.max(-50, Math.min(50, y))]);
    const inside = near.filter(([x, y]) => Math.abs(x) <= 3 && Math.abs(y) <= 2.5);
    return {
      title: `Learning rate ${short(rate)}${momentum > 0 ? `, momentum ${short(momentum)}` : ''}`,
      legend: [
        { label: 'the way down', color: hues.orange, shape: 'line' },
        { label: 'start', color: hues.ink, shape: 'ring' },
        { label: `after ${steps} ${steps === 1 ? 'step' : 'steps'}`, color: hues.ink, shape: 'dot' },
        { label: 'darker: higher loss', color: bands[7] ?? hues.blue, shape: 'box' },
      ],
      panels: [
        {
          title: 'Seen from above',
          x: { label: 'weight 1', ...field.x },
          y: {
            label: 'weight 2',
            min: -2.5,
            max: 2.5,
            ticks: [-2, -1, 0, 1, 2].map((at) => ({ at, text: String(at) })),
          },
          marks: [
            drawCells(field, levels, bands),
            { kind: 'line', points: near, color: hues.orange, width: 2.5 },
            { kind: 'points', points: inside.slice(1), color: hues.orange, size: 7 },
            { kind: 'points', points: near.slice(0, 1), color: hues.ink, size: 12, hollow: true },
            ...(inside.at(-1) === near.at(-1)
              ? [{ kind: 'points' as const, points: near.slice(-1), color: hues.ink, size: 12 }]
              : []),
          ],
        },
        {
          title: 'Loss above the least',
          x: { label: 'step', min: 0, max: Math.max(4, steps) },
          y: {
            label: 'loss',
            scale: 'log',
            min: lowest,
            max: Math.max(10, highest),
            ticks: [-6, -4, -2, 0, 2, 4, 6]
              .filter((power) => 10 ** power <= Math.max(10, highest))
              .map((power) => ({ at: 10 ** power, text: power === 0 ? '1' : `10${superscript(power)}` })),
          },
          marks: [{ kind: 'line', points: shown, color: hues.orange }],
        },
      ],
      alt:
        `Gradient descent with learning rate ${short(rate)}${momentum > 0 ? ` and momentum ${short(momentum)}` : ''}: the loss above its least goes ` +
        `from ${short(losses[0] ?? 0)} to ${short(losses.at(-1) ?? 0)} in ${path.length - 1} steps.`,
    };
  },

  explain({ path, losses }, { rate, momentum, surface: name }) {
    const { curvature, start } = surfaces[name];
    const first = losses[0] ?? 0;
    const last = losses.at(-1) ?? 0;
    const fell = `from ${short(first)} to **${short(last)}** in ${path.length - 1} ${path.length === 2 ? 'step' : 'steps'}`;
    const limit = (2 * (1 + momentum)) / curvature;
    if (!(last < first)) {
      return {
        markdown: `**It diverges:** the loss goes ${fell}. ${
          name === 'hollows'
            ? 'The steps are too long for these walls.'
            : `The steepest direction has curvature ${curvature}, so no rate of ${short(limit)} or more can settle here.`
        } Take a third of the rate.`,
        cites: ['hyperparameters#learning-rate', 'how-ml-works#gradient-descent'],
      };
    }
    const turns = path.filter(
      ([, y], index) => index > 0 && Math.sign(y) !== Math.sign(path[index - 1]?.[1] ?? y),
    ).length;
    const wrongHollow = name === 'hollows' && (path.at(-1)?.[0] ?? 0) > 0 && start[0] > 0;
    const resting = losses.length > 4 && Math.abs((losses.at(-4) ?? 0) - last) < 0.01 * last;
    if (wrongHollow && resting) {
      return {
        markdown: `**It settles in the nearer, shallower hollow:** the loss goes ${fell}, and stays ${short(last)} above the best. A gradient only sees the slope under its feet; momentum, or another start, may carry it over.`,
        cites: ['how-ml-works#gradient-descent', 'neural-networks#optimizers'],
      };
    }
    if (last > 0.05 * first) {
      return {
        markdown: `**Too slow:** the loss goes ${fell}. ${
          turns > path.length / 3
            ? 'It jumps from wall to wall and hardly moves along the valley: momentum helps more than another rate.'
            : `Each step moves ${short(rate)} of the slope; a larger rate, more steps, or momentum.`
        }`,
        cites: ['hyperparameters#learning-rate', 'neural-networks#optimizers'],
      };
    }
    return {
      markdown: `**It arrives:** the loss goes ${fell}.${
        turns > path.length / 3 ? ' It overshoots at every step, but less each time.' : ''
      }${name === 'hollows' ? '' : ` Below ${short(limit)} this surface is safe; the closer to that, the more it swings.`}`,
      cites: ['how-ml-works#gradient-descent', 'hyperparameters#learning-rate'],
    };
  },
});

const superscript = (power: number) =>
  String(power).replace(/./g, (sign) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(sign)] ?? '');
