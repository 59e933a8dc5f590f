// From chart options to SVG to PNG: echarts draws, resvg paints, with our own font so that it looks the same everywhere.
import { createRequire } from 'node:module';
import type { EChartsCoreOption } from 'echarts/core';

/** A drawn chart and what it shows, in words, for those who cannot see it. */
export interface Chart {
  readonly svg: string;
  readonly alt: string;
}

interface ChartSize {
  readonly width: number;
  readonly height: number;
}

export const fontFamily = 'DejaVu Sans';

/** Opaque and light, so that it reads on a dark chat as on a light one. */
export const palette = {
  card: '#ffffff',
  ink: '#1b2333',
  faintInk: '#5a6579',
  grid: '#e4e8ef',
  axis: '#aab3c2',
  empty: '#f3f5f9',
  blue: '#2459d3',
  orange: '#d9480f',
} as const;

/** Width of a text in DejaVu Sans in em, roughly: there is no canvas here to measure with. */
function widthInEm(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/[ijl.,:;'|!()[\] ]/.test(char)) width += 0.34;
    else if (/[mwMW@%—…]/.test(char)) width += 0.93;
    else if (char > '\u2e80') width += 1;
    else width += 0.63;
  }
  return width;
}

export function textWidth(text: string, fontSize: number): number {
  return widthInEm(text) * fontSize;
}

/** Loaded on first use: most starts of the program draw nothing. */
async function loadEcharts() {
  const [core, charts, components, renderers] = await Promise.all([
    import('echarts/core'),
    import('echarts/charts'),
    import('echarts/components'),
    import('echarts/renderers'),
  ]);
  core.use([
    charts.LineChart,
    charts.ScatterChart,
    charts.CustomChart,
    components.GridComponent,
    components.GraphicComponent,
    components.MarkPointComponent,
    renderers.SVGRenderer,
  ]);
  core.setPlatformAPI({
    measureText: (text, font) => ({ width: textWidth(text, Number(/([\d.]+)px/.exec(font ?? '')?.[1] ?? 12)) }),
  });
  return core;
}

let echarts: ReturnType<typeof loadEcharts> | undefined;

export async function renderSvg(option: EChartsCoreOption, { width, height }: ChartSize): Promise<string> {
  echarts ??= loadEcharts();
  const { init } = await echarts;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: palette.card,
      textStyle: { fontFamily, color: palette.ink, fontSize: 16 },
      ...option,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

const require = createRequire(import.meta.url);
const fontFiles = [
  require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
];

/**
 * Paints an SVG with the bundled font only, so that a machine without fonts shows the same.
 * @param width of the PNG in pixels; without it, twice the SVG's own, for sharp text on a phone.
 */
export async function renderPng(
  svg: string,
  { width }: { readonly width?: number } = {},
): Promise<{ png: Uint8Array; width: number; height: number }> {
  const { renderAsync } = await import('@resvg/resvg-js');
  const image = await renderAsync(svg, {
    fitTo: width === undefined ? { mode: 'zoom', value: 2 } : { mode: 'width', value: width },
    font: { loadSystemFonts: false, fontFiles, defaultFontFamily: fontFamily, sansSerifFamily: fontFamily },
  });
  return { png: image.asPng(), width: image.width, height: image.height };
}

/** Cuts a text to a width in pixels, with an ellipsis. */
export function truncate(text: string, fontSize: number, maxWidth: number): string {
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim();
  if (textWidth(line, fontSize) <= maxWidth) return line;
  const chars = [...line];
  while (chars.length > 1 && textWidth(`${chars.join('')}…`, fontSize) > maxWidth) chars.pop();
  return `${chars.join('').trimEnd()}…`;
}
