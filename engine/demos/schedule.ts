// Learning-rate schedules: the rate at every step, and how much training each leaves for the end.
import { hues, type Point } from '../charts/figure.ts';
import { choice, defineDemo, real, whole } from './demo.ts';
import { clamp, mean, range, short } from './numbers.ts';

export const schedules = {
  constant: 'constant',
  linear: 'linear',
  cosine: 'cosine',
  steps: 'steps (÷ 10 at ½ and ¾)',
  sqrt: 'inverse square root',
  wsd: 'warmup–stable–decay',
  onecycle: 'one cycle',
} as const;
export type ScheduleName = keyof typeof schedules;

interface Setting {
  /** Steps in all. */
  readonly total: number;
  readonly warmup: number;
}

/** The share of the peak at a step after the warmup; each curve's formula in `t`, steps since the warmup's end, of `left`. */
const curves: { readonly [S in ScheduleName]: (t: number, left: number, setting: Setting) => number } = {
  constant: () => 1,
  linear: (t, left) => (left - t) / left,
  cosine: (t, left) => (1 + Math.cos((Math.PI * t) / left)) / 2,
  steps: (t, left) => (t < left / 2 ? 1 : t < (3 * left) / 4 ? 0.1 : 0.01),
  sqrt: (t, _left, { warmup }) => Math.sqrt(Math.max(1, warmup) / (Math.max(1, warmup) + t)),
  // The last fifth of all steps decays.
  wsd: (t, _left, { total, warmup }) => clamp((total - warmup - t) / (total / 5), 0, 1),
  // Smith 2018: up to the peak, down as far, then annealed towards zero.
  onecycle: (t, left) => (t < 0.9 * left ? 1 - (0.96 * t) / (0.9 * left) : (0.04 * (left - t)) / (0.1 * left)),
};

/** @returns the learning rate at `step`, from 0 to `total`. */
export function rateAt(name: ScheduleName, step: number, peak: number, setting: Setting): number {
  const warmup = name === 'onecycle' ? Math.max(setting.warmup, Math.round(0.3 * setting.total)) : setting.warmup;
  if (step < warmup) {
    const from = name === 'onecycle' ? 0.04 : 0;
    return peak * (from + ((1 - from) * step) / warmup);
  }
  return peak * curves[name](step - warmup, Math.max(1, setting.total - warmup), { ...setting, warmup });
}

export const schedule = defineDemo({
  id: 'schedule',
  title: 'Learning-rate schedules',
  summary: 'warmup, then linear, cosine, steps, one cycle: the rate at every step',
  home: 'hyperparameters#schedules',
  alsoFor: ['fine-tuning'],
  seeded: false,
  controls: {
    schedule: choice('Schedule', 'cosine', schedules),
    peak: real('Peak rate', {
      standard: 0.00002,
      min: 1e-7,
      max: 1,
      stops: [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.01, 0.1],
    }),
    warmup: real('Warmup, % of the steps', { standard: 10, min: 0, max: 50, stops: [0, 1, 3, 5, 10, 20, 30, 50] }),
    steps: whole('Steps', {
      standard: 1000,
      min: 10,
      max: 100_000,
      stops: [50, 100, 200, 500, 1000, 2000, 5000, 10_000],
    }),
  },

  compute({ schedule: name, peak, warmup: share, steps: total }) {
    const setting = { total, warmup: Math.round((total * share) / 100) };
    const at = (step: number) => rateAt(name, step, peak, setting);
    const points = range(241).map((index): Point => {
      const step = Math.round((index * total) / 240);
      return [step, at(step)];
    });
    const average = mean(range(total).map(at)) / peak;
    const others = (Object.keys(schedules) as ScheduleName[])
      .filter((other) => other !== name)
      .map((other) => points.map(([step]): Point => [step, rateAt(other, step, peak, setting)]));
    const marks = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1].map((part) => Math.round(part * total));
    return {
      points,
      others,
      average,
      warmup: setting.warmup,
      last: at(total),
      table: marks.map((step) => ({ step, rate: at(step) })),
    };
  },

  picture({ points, others, average, warmup }, { schedule: name, peak, steps: total }) {
    return {
      title: `${schedules[name].charAt(0).toUpperCase()}${schedules[name].slice(1)}, peak ${show(peak)}`,
      legend: [
        { label: 'this schedule', color: hues.blue, shape: 'line' },
        { label: 'the others', color: hues.axis, shape: 'line' },
        { label: 'end of the warmup', color: hues.purple, shape: 'dashed' },
      ],
      panels: [
        {
          x: { label: 'step', min: 0, max: total },
          y: {
            label: 'learning rate',
            min: 0,
            max: peak * 1.08,
            ticks: [0, 0.25, 0.5, 0.75, 1].map((part) => ({
              at: part * peak,
              text: part === 0 ? '0' : show(part * peak),
            })),
          },
          marks: [
            ...others.map((line) => ({
              kind: 'line' as const,
              points: line,
              color: hues.axis,
              width: 1.5,
              opacity: 0.7,
            })),
            ...(warmup > 0 ? [{ kind: 'rule' as const, along: 'y' as const, at: warmup, color: hues.purple }] : []),
            { kind: 'line', points, color: hues.blue, width: 4 },
          ],
        },
      ],
      alt:
        `Learning rate over ${total} steps, ${schedules[name]}: up to ${show(peak)} by step ${warmup}, ${show(points.at(-1)?.[1] ?? 0)} at the end; ` +
        `${Math.round(100 * average)} % of the peak on average.`,
    };
  },

  explain({ average, warmup, table, last }, { schedule: name, peak, steps: total, warmup: share }) {
    const rates = table.map(({ step, rate }) => `step ${step.toLocaleString('en-US')}: ${show(rate)}`).join(' · ');
    const warm =
      name === 'onecycle'
        ? `It climbs for the first ${Math.max(30, share)} % of the steps, from a twenty-fifth of the peak.`
        : warmup === 0
          ? '**No warmup:** the first steps go at full rate, when Adam has hardly seen a gradient.'
          : share > 20
            ? `**A long warmup:** ${warmup.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} steps are spent climbing.`
            : `${warmup.toLocaleString('en-US')} steps of warmup protect the fragile beginning.`;
    const end =
      name === 'constant'
        ? 'It never falls, so the weights keep jumping about: fine for debugging, rarely the best end.'
        : last > 0.15 * peak
          ? `It ends at ${show(last)}, still high: this curve is meant for runs without a fixed end.`
          : `It ends at ${last === 0 ? 'zero' : show(last)}, so the last steps settle.`;
    return {
      markdown: `${warm} On average the rate is **${Math.round(100 * average)} %** of its peak ${show(peak)}. ${end}\n\n${rates}`,
      cites: [
        'hyperparameters#schedules',
        warmup === 0 ? 'hyperparameters#learning-rate' : 'fine-tuning#hyperparameters',
      ],
    };
  },
});

/** 2e-5 as people write it. */
function show(rate: number): string {
  if (rate === 0) return '0';
  return rate >= 0.001 ? short(rate) : Number(rate.toPrecision(3)).toExponential().replace('e-', 'e−');
}
