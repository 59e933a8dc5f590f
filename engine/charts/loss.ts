// The loss curve of a run: what it does on the examples it learns from, and on those it never sees.
import { type Chart, fontFamily, palette, renderSvg, textWidth, truncate } from './render.ts';

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

const size = { width: 640, height: 360 };
const whole = (n: number) => n.toLocaleString('en-US');

/** Two decimals, more for small losses. */
function short(loss: number): string {
  if (loss >= 100) return whole(Math.round(loss));
  return loss >= 0.1 ? loss.toFixed(2) : String(Number(loss.toPrecision(2)));
}

/**
 * Exponential moving average over about a thirtieth of the run, bias-corrected (Kingma & Ba 2014, section 3) so that it
 * starts at the data and not at zero. Few points are left as they are.
 */
function smooth(points: readonly LossPoint[]): LossPoint[] {
  const span = Math.max(1, points.length / 30);
  const keep = 1 - 2 / (span + 1);
  let average = 0;
  return points.map(({ step, loss }, index) => {
    average = keep * average + (1 - keep) * loss;
    return { step, loss: average / (1 - keep ** (index + 1)) };
  });
}

function highest(points: readonly LossPoint[], fraction: number): number {
  const sorted = points.map(({ loss }) => loss).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;
}

function lowest(points: readonly LossPoint[]): LossPoint | undefined {
  return points.reduce<LossPoint | undefined>(
    (best, next) => (!best || next.loss < best.loss ? next : best),
    undefined,
  );
}

/** Round tick marks around the losses; from zero, unless they all lie far above it. */
function chooseTicks(bottom: number, top: number) {
  const high = Number.isFinite(top) && top > 0 ? top : 1;
  const low = Number.isFinite(bottom) && bottom > 0.5 * high ? bottom - 0.1 * (high - bottom) : 0;
  const rough = (high - low || high) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = power * (rough <= 1.5 * power ? 1 : rough <= 3 * power ? 2 : rough <= 7 * power ? 5 : 10);
  const digits = Math.min(20, Math.max(0, -Math.floor(Math.log10(interval) + 1e-9)));
  return {
    interval,
    min: Math.floor(low / interval) * interval,
    max: Math.ceil(high / interval) * interval,
    format: (loss: number) =>
      loss.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  };
}

function describe(train: readonly LossPoint[], held: readonly LossPoint[], best: LossPoint | undefined): string {
  const first = train[0];
  const last = train.at(-1);
  const parts: string[] = [];
  if (first && last && first.step !== last.step) {
    const change = last.loss < 0.98 * first.loss ? 'falls' : last.loss > 1.02 * first.loss ? 'rises' : 'stays';
    const range = change === 'stays' ? `near ${short(last.loss)}` : `from ${short(first.loss)} to ${short(last.loss)}`;
    parts.push(`training loss ${change} ${range} over ${whole(last.step)} steps`);
  } else if (last) parts.push(`training loss is ${short(last.loss)} at step ${whole(last.step)}`);
  const lastHeld = held.at(-1);
  if (best && lastHeld) {
    const end =
      lastHeld.step === best.step ? '' : ` and ${short(lastHeld.loss)} at the end, step ${whole(lastHeld.step)}`;
    parts.push(`held-out loss is lowest, ${short(best.loss)}, at step ${whole(best.step)}${end}`);
  }
  return parts.join('; ');
}

/**
 * Draws the training loss (raw, faint, and smoothed) and the held-out loss with its best point marked.
 * Losses that are not finite are left out of the picture and counted in the alt text.
 */
export async function lossChart({
  title,
  train,
  held,
}: {
  readonly title: string;
  readonly train: readonly LossPoint[];
  readonly held: readonly LossPoint[];
}): Promise<Chart> {
  const raw = train.filter(({ loss }) => Number.isFinite(loss));
  const heldOut = held.filter(({ loss }) => Number.isFinite(loss));
  const infinite = train.length - raw.length + (held.length - heldOut.length);
  const smoothed = smooth(raw);
  const best = lowest(heldOut);
  const lastStep = Math.max(1, raw.at(-1)?.step ?? 0, heldOut.at(-1)?.step ?? 0);
  // A few spikes must not press the curve to the floor.
  const top = Math.max(highest(raw, 0.995), highest(heldOut, 1), ...smoothed.map(({ loss }) => loss));
  const bottom = Math.min(...raw.map(({ loss }) => loss), ...heldOut.map(({ loss }) => loss));
  const y = chooseTicks(bottom, top);
  const few = raw.length <= 12;
  const toData = (points: readonly LossPoint[]) => points.map(({ step, loss }) => [step, loss]);
  const yLabelWidth = Math.max(...[y.min, y.max].map((loss) => textWidth(y.format(loss), 15)));
  const svg = await renderSvg(
    {
      grid: { left: Math.max(56, 30 + yLabelWidth), right: 36, top: 92, bottom: 58 },
      graphic: [
        text(24, 16, truncate(title, 20, size.width - 48), { fontSize: 20, fontWeight: 'bold' }),
        line(24, 62, palette.blue),
        text(54, 53, 'Training', { fontSize: 16 }),
        ...(heldOut.length > 0
          ? [
              line(150, 62, palette.orange),
              {
                type: 'circle',
                shape: { cx: 161, cy: 62, r: 5 },
                style: { fill: palette.card, stroke: palette.orange, lineWidth: 2.5 },
              },
              text(180, 53, 'Held-out', { fontSize: 16 }),
            ]
          : []),
        ...(best
          ? [
              { type: 'circle', shape: { cx: 292, cy: 62, r: 6 }, style: { fill: palette.orange } },
              text(306, 53, `best ${short(best.loss)} at step ${whole(best.step)}`, { fontSize: 16 }),
            ]
          : []),
      ],
      xAxis: {
        type: 'value',
        min: 0,
        max: lastStep,
        name: 'step',
        nameLocation: 'middle',
        nameGap: 32,
        nameTextStyle: { fontSize: 15, color: palette.faintInk },
        axisLine: { lineStyle: { color: palette.axis } },
        axisTick: { show: false },
        splitLine: { show: false },
        splitNumber: 5,
        minInterval: 1,
        axisLabel: { fontSize: 15, color: palette.faintInk, hideOverlap: true, showMaxLabel: null, formatter: whole },
      },
      yAxis: {
        type: 'value',
        min: y.min,
        max: y.max,
        interval: y.interval,
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { lineStyle: { color: palette.grid, width: 1 } },
        axisLabel: { fontSize: 15, color: palette.faintInk, formatter: y.format },
      },
      series: [
        {
          type: 'line',
          data: toData(raw),
          showSymbol: few,
          symbol: 'circle',
          symbolSize: 6,
          sampling: 'minmax',
          clip: true,
          silent: true,
          itemStyle: { color: palette.blue, opacity: few ? 1 : 0 },
          lineStyle: { color: palette.blue, width: 1, opacity: few ? 0 : 0.25 },
        },
        {
          type: 'line',
          data: toData(smoothed),
          showSymbol: false,
          sampling: 'lttb',
          clip: true,
          silent: true,
          lineStyle: { color: palette.blue, width: 3, cap: 'round', join: 'round' },
        },
        {
          type: 'line',
          data: toData(heldOut),
          showSymbol: true,
          showAllSymbol: true,
          symbol: 'circle',
          symbolSize: heldOut.length > 25 ? 5 : 9,
          clip: false,
          silent: true,
          z: 5,
          itemStyle: { color: palette.card, borderColor: palette.orange, borderWidth: 2.5 },
          lineStyle: { color: palette.orange, width: 3, cap: 'round', join: 'round' },
          ...(best && {
            markPoint: {
              symbol: 'circle',
              symbolSize: 14,
              silent: true,
              z: 6,
              itemStyle: { color: palette.orange, borderColor: palette.card, borderWidth: 2.5 },
              data: [{ coord: [best.step, best.loss] }],
              label: { show: false },
            },
          }),
        },
      ],
    },
    size,
  );
  const shows = describe(smoothed, heldOut, best) || 'no loss has been measured yet';
  const lost = infinite > 0 ? `; ${whole(infinite)} ${infinite === 1 ? 'value was' : 'values were'} not finite` : '';
  return { svg, alt: `${title}: ${shows}${lost}.` };
}

function text(x: number, y: number, content: string, style: { fontSize: number; fontWeight?: 'bold' }) {
  return { type: 'text', x, y, style: { text: content, fill: palette.ink, fontFamily, ...style } };
}

function line(x: number, y: number, color: string) {
  return { type: 'line', shape: { x1: x, y1: y, x2: x + 22, y2: y }, style: { stroke: color, lineWidth: 3 } };
}
