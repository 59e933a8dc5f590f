// PCA on two measurements of people: the direction of most variance, and how units can decide it.
import { axisAround, hues, type Point } from '../charts/figure.ts';
import { choice, defineDemo, real, whole } from './demo.ts';
import { deviation, mean, percentOf, range, short } from './numbers.ts';

const people = 120;
const units = { kg: 'kilograms', g: 'grams' } as const;
const scalings = { no: 'as measured', yes: 'standardised' } as const;

/** Directions (unit vectors) and the share of the variance along each, largest first. */
export async function findComponents(points: readonly Point[]) {
  const { PCA } = await import('ml-pca');
  const pca = new PCA(points.map((point) => [...point]));
  const vectors = pca.getEigenvectors();
  const [first = 1, second = 0] = pca.getExplainedVariance();
  const direction = (column: number): Point => {
    const [x, y] = [vectors.get(0, column), vectors.get(1, column)];
    // A direction and its opposite are the same component: the one to the right, or else up, is drawn.
    return x < 0 || (x === 0 && y < 0) ? [-x, -y] : [x, y];
  };
  const [sizeOne = 0, sizeTwo = 0] = pca.getStandardDeviations();
  return [
    { direction: direction(0), share: first, size: sizeOne },
    { direction: direction(1), share: second, size: sizeTwo },
  ] as const;
}

export const pca = defineDemo({
  id: 'pca',
  title: 'PCA, and what units do to it',
  summary: 'the longest direction of a cloud; measure in grams and it turns',
  home: 'curse-of-dimensionality#pca',
  alsoFor: ['algorithms'],
  controls: {
    correlation: real('Correlation', {
      standard: 0.8,
      min: -0.99,
      max: 0.99,
      stops: [-0.9, -0.5, 0, 0.3, 0.6, 0.8, 0.9, 0.99],
    }),
    unit: choice('Weight in', 'kg', units),
    scaling: choice('Features', 'no', scalings),
    kept: whole('Components kept', { standard: 1, stops: [1, 2] }),
  },

  async compute({ correlation, unit, scaling, kept }, { random }) {
    const raw = range(people).map((): Point => {
      const shared = random.normal();
      const own = random.normal();
      const height = 170 + 9 * shared;
      const kilograms = 68 + 11 * (correlation * shared + Math.sqrt(1 - correlation ** 2) * own);
      return [height, unit === 'g' ? 1000 * kilograms : kilograms];
    });
    const middle: Point = [mean(raw.map(([x]) => x)), mean(raw.map(([, y]) => y))];
    const size: Point = scaling === 'yes' ? [deviation(raw.map(([x]) => x)), deviation(raw.map(([, y]) => y))] : [1, 1];
    const points = raw.map(([x, y]): Point => [(x - middle[0]) / size[0], (y - middle[1]) / size[1]]);
    const components = await findComponents(points);
    const [{ direction }] = components;
    const rebuilt =
      kept === 2
        ? points
        : points.map(([x, y]): Point => {
            const along = x * direction[0] + y * direction[1];
            return [along * direction[0], along * direction[1]];
          });
    return { points, rebuilt, components };
  },

  picture({ points, rebuilt, components }, { unit, scaling, kept }) {
    const [first, second] = components;
    const arrow = ({ direction: [x, y], size }: typeof first): Point[] => [
      [0, 0],
      [2 * size * x, 2 * size * y],
    ];
    const standard = scaling === 'yes';
    const ups = [...points, ...arrow(first), ...arrow(second)].map(([, y]) => y);
    const rights = [...points, ...arrow(first), ...arrow(second)].map(([x]) => x);
    return {
      title: `Height and weight, ${standard ? 'standardised' : `weight in ${units[unit]}`}`,
      legend: [
        { label: 'person', color: hues.blue, shape: 'dot' },
        ...(kept === 1 ? [{ label: 'rebuilt from 1 number', color: hues.grey, shape: 'dot' as const }] : []),
        { label: '1st component', color: hues.orange, shape: 'line' },
        { label: '2nd', color: hues.green, shape: 'line' },
      ],
      panels: [
        {
          title: 'Deviations from the mean',
          x: axisAround(standard ? 'height, deviations' : 'height, cm', rights),
          y: axisAround(standard ? 'weight, deviations' : `weight, ${unit}`, ups),
          marks: [
            ...(kept === 1
              ? [
                  ...points.map((point, index) => ({
                    kind: 'line' as const,
                    points: [point, rebuilt[index] ?? point],
                    color: hues.axis,
                    width: 1,
                  })),
                  { kind: 'points' as const, points: rebuilt, color: hues.grey, size: 5 },
                ]
              : []),
            { kind: 'points', points, color: hues.blue, size: 8, opacity: 0.8 },
            { kind: 'line', points: arrow(second), color: hues.green, width: 4, arrow: true },
            { kind: 'line', points: arrow(first), color: hues.orange, width: 4, arrow: true },
          ],
        },
        {
          title: 'Share of the variance',
          x: {
            label: 'component',
            min: 0.4,
            max: 2.6,
            ticks: [
              { at: 1, text: '1st' },
              { at: 2, text: '2nd' },
            ],
          },
          y: { label: '', min: 0, max: 1, ticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: percentOf(at) })) },
          marks: [
            { kind: 'boxes', boxes: [{ from: [0.65, 0], to: [1.35, first.share] }], color: hues.orange },
            { kind: 'boxes', boxes: [{ from: [1.65, 0], to: [2.35, second.share] }], color: hues.green },
            {
              kind: 'words',
              at: [1, Math.max(0.06, first.share - 0.06)],
              text: percentOf(first.share, 1),
              color: hues.card,
              bold: true,
            },
            { kind: 'words', at: [2, second.share + 0.06], text: percentOf(second.share, 1), bold: true },
          ],
        },
      ],
      alt:
        `Height and weight of ${people} people (${standard ? 'standardised' : `weight in ${units[unit]}`}): the first component explains ` +
        `${percentOf(first.share, 1)} of the variance and points along (${short(first.direction[0])}, ${short(first.direction[1])}).`,
    };
  },

  explain({ components: [first, second] }, { correlation, unit, scaling, kept }) {
    const along = `it points along ${short(first.direction[0])} · height ${first.direction[1] < 0 ? '−' : '+'} ${short(Math.abs(first.direction[1]))} · weight`;
    const loss =
      kept === 1
        ? ` Keeping one number per person loses ${percentOf(second.share, 1)} of the variance.`
        : ' With both components kept nothing is lost: the cloud is only turned.';
    if (scaling === 'no' && unit === 'g') {
      return {
        markdown: `**The unit decided:** the first component explains **${percentOf(first.share, 2)}**, and ${along}: it is weight alone, because grams make its numbers a thousand times larger. Standardise first.`,
        cites: ['curse-of-dimensionality#pca', 'data-preparation#scaling', 'algorithms#pca'],
      };
    }
    if (Math.abs(correlation) < 0.25 && scaling === 'yes') {
      return {
        markdown: `**No direction stands out:** the first component explains only **${percentOf(first.share, 1)}**; without correlation there is nothing to compress.${loss}`,
        cites: ['curse-of-dimensionality#pca', 'algorithms#pca'],
      };
    }
    return {
      markdown: `**One direction carries most:** the first component explains **${percentOf(first.share, 1)}** of the variance; ${along}.${loss}`,
      cites: ['curse-of-dimensionality#pca', 'algorithms#pca'],
    };
  },
});
