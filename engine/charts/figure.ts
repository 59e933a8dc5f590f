// A figure: one or more panels of marks in data coordinates. What demos draw with; echarts lays out the axes.
import type { EChartsCoreOption } from 'echarts/core';
import { type Chart, fontFamily, palette, renderSvg, textWidth, truncate } from './render.ts';

export type Point = readonly [x: number, y: number];

/** Readable on white, and told apart by people who see fewer colours. */
export const hues = {
  ...palette,
  green: '#0b7a53',
  purple: '#7a3cc2',
  gold: '#b17d00',
  pink: '#c2255c',
  teal: '#0b7285',
  grey: '#6b7688',
} as const;

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly scale?: 'linear' | 'log';
  /** Where labels stand, and what they say; otherwise at round numbers. */
  readonly ticks?: readonly { readonly at: number; readonly text: string }[];
}

export type Mark =
  | {
      readonly kind: 'line';
      readonly points: readonly Point[];
      readonly color: string;
      readonly width?: number;
      readonly dashed?: boolean;
      readonly opacity?: number;
      /** An arrow head at the last point. */
      readonly arrow?: boolean;
    }
  | {
      readonly kind: 'points';
      readonly points: readonly Point[];
      readonly color: string;
      readonly size?: number;
      readonly shape?: 'circle' | 'diamond' | 'triangle' | 'rect';
      readonly hollow?: boolean;
      readonly opacity?: number;
    }
  | {
      readonly kind: 'boxes';
      /** Corners in data coordinates. */
      readonly boxes: readonly { readonly from: Point; readonly to: Point; readonly color?: string }[];
      readonly color: string;
      readonly opacity?: number;
    }
  | { readonly kind: 'rule'; readonly at: number; readonly along: 'x' | 'y'; readonly color: string }
  | {
      readonly kind: 'words';
      readonly at: Point;
      readonly text: string;
      readonly color?: string;
      readonly align?: 'left' | 'center' | 'right';
      readonly fontSize?: number;
      readonly bold?: boolean;
    };

interface Panel {
  readonly title?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  /** No axes, no grid: for drawings that are no graph. */
  readonly bare?: boolean;
}

interface LegendEntry {
  readonly label: string;
  readonly color: string;
  readonly shape: 'line' | 'dashed' | 'dot' | 'ring' | 'box';
}

export interface Figure {
  readonly title: string;
  readonly legend?: readonly LegendEntry[];
  /** Side by side, `columns` in a row. */
  readonly panels: readonly Panel[];
  readonly columns?: number;
  /** Of one panel with its title and labels, in pixels. */
  readonly panelHeight?: number;
  /** What the picture shows, with its numbers, for those who can't see it. */
  readonly alt: string;
}

const width = 680;
const margin = 20;
const fontSizes = { title: 20, legend: 15, panel: 15, axis: 14, tick: 13.5 } as const;

/** Round tick marks: the interval is 1, 2 or 5 times a power of ten, about `count` of them. */
function chooseInterval(min: number, max: number, count: number): number {
  const rough = Math.max(Number.MIN_VALUE, max - min) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = rough / power;
  return power * (times <= 1.5 ? 1 : times <= 3 ? 2 : times <= 7 ? 5 : 10);
}

/** An axis from a round number to a round number that holds all `values`. */
export function axisAround(label: string, values: readonly number[], { zero = false } = {}): Axis {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite, ...(zero || finite.length === 0 ? [0] : []));
  const high = Math.max(...finite, ...(zero || finite.length === 0 ? [0] : []));
  const [min, max] = low === high ? [low - 0.5, high + 0.5] : [low, high];
  const interval = chooseInterval(min, max, 4);
  return { label, min: Math.floor(min / interval) * interval, max: Math.ceil(max / interval) * interval };
}

/** As many digits as the interval needs. */
function formatTick(value: number, interval: number): string {
  const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(interval) + 1e-9)));
  const shown = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return /^-0(\.0*)?$/.test(shown) ? shown.slice(1) : shown;
}

/** Powers of ten between the ends, with 1–2–5 steps where there are few. */
function logTicks({ min, max }: Axis): readonly number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const steps = to - from <= 2 ? [1, 2, 5] : [1];
  const all = Array.from({ length: to - from + 1 }, (_, index) => steps.map((step) => step * 10 ** (from + index)));
  return all.flat().filter((tick) => tick >= min * 0.999 && tick <= max * 1.001);
}

const shortNumber = (value: number) =>
  value < 0.001
    ? value.toExponential(0).replace('e-', 'e−')
    : value < 1000
      ? String(Number(value.toPrecision(3)))
      : value < 100_000
        ? value.toLocaleString('en-US')
        : value.toLocaleString('en-US', { notation: 'compact' });

function ticksOf(axis: Axis, count: number): readonly { readonly at: number; readonly text: string }[] {
  if (axis.ticks !== undefined) return axis.ticks;
  if (axis.scale === 'log') return logTicks(axis).map((at) => ({ at, text: shortNumber(at) }));
  const interval = chooseInterval(axis.min, axis.max, count);
  const first = Math.ceil(axis.min / interval - 1e-9);
  const last = Math.floor(axis.max / interval + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const at = (first + index) * interval;
    return { at, text: formatTick(at, interval) };
  });
}

/** Legend entries from left to right, on a new line where one is full. */
function layOutLegend(entries: readonly LegendEntry[]) {
  const placed: { readonly entry: LegendEntry; readonly x: number; readonly line: number }[] = [];
  let x = margin;
  let line = 0;
  for (const entry of entries) {
    const entryWidth = 30 + textWidth(entry.label, fontSizes.legend) + 18;
    if (x > margin && x + entryWidth - 18 > width - margin) {
      x = margin;
      line += 1;
    }
    placed.push({ entry, x, line });
    x += entryWidth;
  }
  return { placed, lines: entries.length === 0 ? 0 : line + 1 };
}

function drawLegendEntry({ label, color, shape }: LegendEntry, x: number, y: number): object[] {
  const words = {
    type: 'text',
    x: x + 28,
    y,
    style: { text: label, fontFamily, fontSize: fontSizes.legend, fill: palette.ink, verticalAlign: 'middle' },
  };
  const strokes = { stroke: color, lineWidth: 3, lineCap: 'round', ...(shape === 'dashed' && { lineDash: [5, 5] }) };
  switch (shape) {
    case 'line':
    case 'dashed':
      return [{ type: 'line', shape: { x1: x, y1: y, x2: x + 22, y2: y }, style: strokes }, words];
    case 'dot':
      return [{ type: 'circle', shape: { cx: x + 11, cy: y, r: 6 }, style: { fill: color } }, words];
    case 'ring':
      return [
        {
          type: 'circle',
          shape: { cx: x + 11, cy: y, r: 5.5 },
          style: { fill: palette.card, stroke: color, lineWidth: 2.5 },
        },
        words,
      ];
    case 'box':
      return [
        { type: 'rect', shape: { x: x + 2, y: y - 8, width: 18, height: 16, r: 3 }, style: { fill: color } },
        words,
      ];
  }
}

/** A mark as one echarts series on the axes with this index. */
function toSeries(mark: Mark, index: number, panel: Panel): object {
  const base = { xAxisIndex: index, yAxisIndex: index, silent: true, clip: true, animation: false };
  switch (mark.kind) {
    case 'line':
      return {
        ...base,
        type: 'line',
        data: mark.points,
        z: mark.arrow === true ? 5 : 3,
        showSymbol: mark.arrow === true,
        symbol: (_: unknown, { dataIndex }: { dataIndex: number }) =>
          dataIndex === mark.points.length - 1 ? 'triangle' : 'none',
        symbolSize: 13,
        ...(mark.arrow === true && { symbolRotate: headingOf(mark.points, panel) }),
        itemStyle: { color: mark.color },
        lineStyle: {
          color: mark.color,
          width: mark.width ?? 3,
          opacity: mark.opacity ?? 1,
          type: mark.dashed ? [6, 6] : 'solid',
          cap: 'round',
          join: 'round',
        },
      };
    case 'points':
      return {
        ...base,
        type: 'scatter',
        data: mark.points,
        z: 4,
        symbol: mark.shape ?? 'circle',
        symbolSize: mark.size ?? 9,
        itemStyle: mark.hollow
          ? { color: palette.card, borderColor: mark.color, borderWidth: 2.2, opacity: mark.opacity ?? 1 }
          : { color: mark.color, opacity: mark.opacity ?? 1, borderColor: palette.card, borderWidth: 0.8 },
      };
    case 'boxes':
      return {
        ...base,
        type: 'custom',
        z: 1,
        data: mark.boxes.map(({ from, to }) => [...from, ...to]),
        dimensions: ['x0', 'y0', 'x1', 'y1'],
        encode: { x: [0, 2], y: [1, 3] },
        renderItem: (
          { dataIndex }: { dataIndex: number },
          api: { value(dimension: number): number; coord(point: readonly number[]): readonly [number, number] },
        ) => {
          const [x0, y0] = api.coord([api.value(0), api.value(1)]);
          const [x1, y1] = api.coord([api.value(2), api.value(3)]);
          return {
            type: 'rect',
            shape: { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) },
            style: { fill: mark.boxes[dataIndex]?.color ?? mark.color, opacity: mark.opacity ?? 1 },
          };
        },
      };
    case 'rule': {
      const { x, y } = panel;
      const points =
        mark.along === 'y'
          ? [
              [mark.at, y.min],
              [mark.at, y.max],
            ]
          : [
              [x.min, mark.at],
              [x.max, mark.at],
            ];
      return {
        ...base,
        type: 'line',
        data: points,
        z: 2,
        showSymbol: false,
        lineStyle: { color: mark.color, width: 2, type: [5, 5] },
      };
    }
    case 'words':
      return {
        ...base,
        type: 'custom',
        clip: false,
        z: 6,
        data: [mark.at],
        renderItem: (
          _: unknown,
          api: { value(dimension: number): number; coord(point: readonly number[]): readonly [number, number] },
        ) => {
          const [x, y] = api.coord([api.value(0), api.value(1)]);
          return {
            type: 'text',
            x,
            y,
            style: {
              text: mark.text,
              fill: mark.color ?? palette.ink,
              fontFamily,
              fontSize: mark.fontSize ?? fontSizes.axis,
              fontWeight: mark.bold ? 'bold' : 'normal',
              align: mark.align ?? 'center',
              verticalAlign: 'middle',
            },
          };
        },
      };
  }
}

/** Degrees that turn an upright triangle along the last stretch, in a panel about as wide as high. */
function headingOf(points: readonly Point[], { x, y }: Panel): number {
  const [from, to] = [points.at(-2), points.at(-1)];
  if (from === undefined || to === undefined) return 0;
  const across = (to[0] - from[0]) / (x.max - x.min);
  const up = (to[1] - from[1]) / (y.max - y.min);
  return (Math.atan2(up, across) * 180) / Math.PI - 90;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function toAxis(axis: Axis, index: number, along: 'x' | 'y', { width: across, height: down }: Box, bare: boolean) {
  const count = along === 'x' ? Math.max(3, Math.round(across / 75)) : Math.max(3, Math.round(down / 48));
  const ticks = ticksOf(axis, count);
  const texts = new Map(ticks.map(({ at, text }) => [at, text]));
  const widest = Math.max(0, ...ticks.map(({ text }) => textWidth(text, fontSizes.tick)));
  return {
    type: axis.scale === 'log' ? 'log' : 'value',
    gridIndex: index,
    show: !bare,
    min: axis.min,
    max: axis.max,
    name: axis.label,
    nameLocation: 'middle',
    nameGap: along === 'x' ? 28 : widest + 14,
    nameTextStyle: { fontSize: fontSizes.axis, color: palette.faintInk },
    axisLine: { show: along === 'x', onZero: false, lineStyle: { color: palette.axis } },
    axisTick: { show: along === 'x', customValues: ticks.map(({ at }) => at), lineStyle: { color: palette.axis } },
    splitLine: { show: along === 'y' && axis.ticks === undefined, lineStyle: { color: palette.grid } },
    splitNumber: count,
    ...(axis.scale !== 'log' && { interval: chooseInterval(axis.min, axis.max, count) }),
    minorTick: { show: false },
    axisLabel: {
      fontSize: fontSizes.tick,
      color: palette.faintInk,
      customValues: ticks.map(({ at }) => at),
      formatter: (value: number) => texts.get(value) ?? nearest(ticks, value),
      hideOverlap: true,
    },
  };
}

/** echarts may hand back a tick with a rounding error in its last digit. */
function nearest(ticks: readonly { readonly at: number; readonly text: string }[], value: number): string {
  const found = ticks.find(({ at }) => Math.abs(at - value) <= 1e-6 * Math.max(1e-12, Math.abs(at)));
  return found?.text ?? '';
}

/** Draws a figure. Marks with values that are not finite are the caller's fault: they are refused. */
export async function drawFigure(figure: Figure): Promise<Chart> {
  const { title, panels, legend = [], columns = panels.length } = figure;
  for (const panel of panels) for (const mark of panel.marks) checkFinite(mark, figure.title);
  const { placed, lines } = layOutLegend(legend);
  const head = 54 + lines * 25;
  const panelHeight = figure.panelHeight ?? 320;
  const rows = Math.ceil(panels.length / columns);
  const height = head + rows * panelHeight + 6;
  const cell = (width - 2 * margin + 16) / columns;
  const boxes = panels.map((panel, index): Box => {
    const left = margin + (index % columns) * cell;
    const top = head + Math.floor(index / columns) * panelHeight;
    const titled = panel.title === undefined ? 6 : 30;
    if (panel.bare) return { left, top: top + titled, width: cell - 16, height: panelHeight - titled - 10 };
    const below = 16 + (panel.x.ticks?.length === 0 ? 0 : 16) + (panel.x.label === '' ? 0 : 20);
    const inner = panelHeight - titled - below;
    const texts = ticksOf(panel.y, Math.max(3, Math.round(inner / 48)));
    const labels = Math.max(0, ...texts.map(({ text }) => textWidth(text, fontSizes.tick)));
    const gutter = labels + (panel.y.label === '' ? 8 : 30);
    return { left: left + gutter, top: top + titled, width: cell - gutter - 22, height: inner };
  });
  const graphic = [
    {
      type: 'text',
      x: margin,
      y: 16,
      style: {
        text: truncate(title, fontSizes.title, width - 2 * margin),
        fontFamily,
        fontSize: fontSizes.title,
        fontWeight: 'bold',
        fill: palette.ink,
      },
    },
    ...placed.flatMap(({ entry, x, line }) => drawLegendEntry(entry, x, 60 + line * 25)),
    ...panels.flatMap((panel, index) => {
      const box = boxes[index];
      if (panel.title === undefined || box === undefined) return [];
      return [
        {
          type: 'text',
          x: box.left,
          y: box.top - 22,
          style: {
            text: truncate(panel.title, fontSizes.panel, box.width + 10),
            fontFamily,
            fontSize: fontSizes.panel,
            fontWeight: 'bold',
            fill: palette.faintInk,
          },
        },
      ];
    }),
  ];
  const empty: Box = { left: 0, top: 0, width, height };
  const option: EChartsCoreOption = {
    graphic,
    grid: boxes.map((box) => ({ ...box, outerBoundsMode: 'none' })),
    xAxis: panels.map((panel, index) => toAxis(panel.x, index, 'x', boxes[index] ?? empty, panel.bare === true)),
    yAxis: panels.map((panel, index) => toAxis(panel.y, index, 'y', boxes[index] ?? empty, panel.bare === true)),
    series: panels.flatMap((panel, index) => panel.marks.map((mark) => toSeries(mark, index, panel))),
  };
  return { svg: await renderSvg(option, { width, height }), alt: figure.alt };
}

/** @throws RangeError for a point that can't be drawn. */
function checkFinite(mark: Mark, title: string): void {
  const points =
    mark.kind === 'boxes'
      ? mark.boxes.flatMap(({ from, to }) => [from, to])
      : mark.kind === 'words'
        ? [mark.at]
        : mark.kind === 'rule'
          ? [[mark.at, 0] as const]
          : mark.points;
  if (points.some((point) => !point.every(Number.isFinite))) {
    throw new RangeError(`${title}: a ${mark.kind} mark holds a value that is not finite`);
  }
}
