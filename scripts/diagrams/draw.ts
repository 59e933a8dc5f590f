// What diagrams are made of: words, boxes, arrows and plots, in palette names. 720 wide, words at 20 so that a phone reads them.
import { type ColourName, diagramStyle, variableOf } from '../../knowledge/diagrams/palette.ts';

export type Hue = 'blue' | 'orange' | 'green' | 'purple' | 'red' | 'gold';
export type Point = readonly [x: number, y: number];

export interface Drawing {
  readonly name: string;
  /** Stands above the drawing. */
  readonly title: string;
  /** What it shows, with its numbers. */
  readonly desc: string;
  readonly height: number;
  readonly body: readonly string[];
}

export const washOf = (hue: Hue): ColourName => `${hue}Wash`;

/** Coordinates to a tenth of a pixel. */
const at = (value: number): string => String(Math.round(value * 10) / 10 + 0);

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

interface WordStyle {
  readonly size?: number;
  readonly color?: ColourName;
  readonly bold?: boolean;
  readonly italic?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly mono?: boolean;
  /** Degrees, clockwise. */
  readonly turn?: number;
}

/** Words on one or more lines; `y` is the middle of the first line. */
export function words(x: number, y: number, text: string, style: WordStyle = {}): string {
  const { size = 20, color = 'ink', bold = false, italic = false, anchor = 'middle', mono = false, turn } = style;
  return text
    .split('\n')
    .map((line, index) => {
      const top = y + index * size * 1.25 + size * 0.36;
      const turned = turn === undefined ? '' : ` transform="rotate(${turn} ${at(x)} ${at(y)})"`;
      const family = mono ? ' font-family="\'DejaVu Sans Mono\', ui-monospace, monospace"' : '';
      return `<text x="${at(x)}" y="${at(top)}" font-size="${size}" text-anchor="${anchor}" fill="${variableOf(color)}"${bold ? ' font-weight="700"' : ''}${italic ? ' font-style="italic"' : ''}${family}${turned}>${escapeXml(line)}</text>`;
    })
    .join('\n');
}

interface ShapeStyle {
  readonly fill?: ColourName | undefined;
  readonly stroke?: ColourName | undefined;
  readonly width?: number;
  readonly dashed?: boolean;
  readonly opacity?: number;
}

function look({ fill, stroke, width = 2, dashed = false, opacity }: ShapeStyle): string {
  const filled = ` fill="${fill === undefined ? 'none' : variableOf(fill)}"`;
  const lined = stroke === undefined ? '' : ` stroke="${variableOf(stroke)}" stroke-width="${width}"`;
  return `${filled}${lined}${dashed ? ' stroke-dasharray="7 6"' : ''}${opacity === undefined ? '' : ` opacity="${opacity}"`}`;
}

export function rect(x: number, y: number, width: number, height: number, style: ShapeStyle = {}, round = 8): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${round}"${look(style)}/>`;
}

export function circle(x: number, y: number, r: number, style: ShapeStyle = {}): string {
  return `<circle cx="${at(x)}" cy="${at(y)}" r="${at(r)}"${look(style)}/>`;
}

export function line(points: readonly Point[], style: ShapeStyle = {}): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${at(x)} ${at(y)}`).join('');
  return `<path d="${path}" stroke-linejoin="round" stroke-linecap="round"${look({ stroke: 'ink', ...style })}/>`;
}

export function area(points: readonly Point[], style: ShapeStyle): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${at(x)} ${at(y)}`).join('');
  return `<path d="${path}Z"${look(style)}/>`;
}

/** A line of any number of stretches whose last one ends in a head. */
export function arrow(points: readonly Point[], style: Omit<ShapeStyle, 'fill'> = {}): string {
  const { stroke = 'soft' } = style;
  const [tip, before] = [points.at(-1), points.at(-2)];
  if (tip === undefined || before === undefined) throw new Error('An arrow needs two points.');
  const length = Math.hypot(tip[0] - before[0], tip[1] - before[1]);
  const [ux, uy] = [(tip[0] - before[0]) / length, (tip[1] - before[1]) / length];
  const back: Point = [tip[0] - ux * 11, tip[1] - uy * 11];
  const head: readonly Point[] = [tip, [back[0] - uy * 6, back[1] + ux * 6], [back[0] + uy * 6, back[1] - ux * 6]];
  return line([...points.slice(0, -1), back], { ...style, stroke }) + area(head, { fill: stroke });
}

/** A box with words in its middle; the first line may be bold. */
export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  text: string,
  { hue, size = 20, bold = false }: { readonly hue?: Hue; readonly size?: number; readonly bold?: boolean } = {},
): string {
  const lines = text.split('\n');
  const first = y + height / 2 - ((lines.length - 1) * size * 1.25) / 2;
  const frame = rect(x, y, width, height, { fill: hue ? washOf(hue) : 'panel', stroke: hue ?? 'line' });
  return (
    frame +
    lines
      .map((each, index) =>
        words(x + width / 2, first + index * size * 1.25, each, {
          size,
          bold: bold && index === 0,
          color: bold && index === 0 && hue ? hue : 'ink',
        }),
      )
      .join('')
  );
}

export interface Axes {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: readonly [min: number, max: number];
  readonly y: readonly [min: number, max: number];
}

export const toPixels =
  ({ left, top, width, height, x, y }: Axes) =>
  (px: number, py: number): Point => [
    left + ((px - x[0]) / (x[1] - x[0])) * width,
    top + height - ((py - y[0]) / (y[1] - y[0])) * height,
  ];

interface AxisWords {
  readonly x?: string;
  readonly y?: string;
  readonly xTicks?: readonly (readonly [value: number, text: string])[];
  readonly yTicks?: readonly (readonly [value: number, text: string])[];
}

/** The two axes with their names and, where given, ticks and a grid line at each tick of y. */
export function axes(frame: Axes, { x = '', y = '', xTicks = [], yTicks = [] }: AxisWords = {}): string {
  const place = toPixels(frame);
  const { left, top, width, height } = frame;
  return [
    ...yTicks.map(([value, text]) => {
      const [, py] = place(frame.x[0], value);
      return (
        line(
          [
            [left, py],
            [left + width, py],
          ],
          { stroke: 'line', width: 1 },
        ) + words(left - 8, py, text, { anchor: 'end', color: 'soft' })
      );
    }),
    line(
      [
        [left, top],
        [left, top + height],
        [left + width, top + height],
      ],
      { stroke: 'soft' },
    ),
    ...xTicks.map(([value, text]) => {
      const [px] = place(value, frame.y[0]);
      return words(px, top + height + 18, text, { color: 'soft' });
    }),
    x === '' ? '' : words(left + width / 2, top + height + (xTicks.length > 0 ? 46 : 24), x, { color: 'soft' }),
    y === '' ? '' : words(left - (yTicks.length > 0 ? 58 : 20), top + height / 2, y, { color: 'soft', turn: -90 }),
  ].join('\n');
}

export function curve(frame: Axes, points: readonly Point[], style: ShapeStyle): string {
  return line(
    points.map(([x, y]) => toPixels(frame)(x, y)),
    { width: 3.5, ...style },
  );
}

export function sample(from: number, to: number, count: number, f: (x: number) => number): Point[] {
  return Array.from({ length: count + 1 }, (_, index) => {
    const x = from + ((to - from) * index) / count;
    return [x, f(x)] as const;
  });
}

/** The whole file. */
export function toSvg({ title, desc, height, body }: Drawing): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${height}" role="img" font-family="'Inter Variable', 'DejaVu Sans', system-ui, sans-serif">
<title>${escapeXml(title)}</title>
<desc>${escapeXml(desc)}</desc>
<style>${diagramStyle}</style>
${rect(0, 0, 720, height, { fill: 'card' }, 14)}
${words(28, 36, title, { size: 23, bold: true, anchor: 'start' })}
${body.join('\n')}
</svg>
`;
}
