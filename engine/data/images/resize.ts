// Resizes 8-bit pictures exactly as Pillow does: models are trained on its pixels, and other resizers' differ visibly.
// Pillow's Resample.c: a filter widened by the scale, 22-bit fixed-point weights, rows first, rounded between the passes.

/** Interleaved bytes, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

interface Filter {
  /** Pixels to each side, before widening. */
  readonly support: number;
  weigh(distance: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** By the name and the number that preprocessor_config.json gives as `resample` (PIL.Image.Resampling). */
const filters = {
  lanczos: { support: 3, weigh: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
  bilinear: { support: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weigh: cubic },
} as const satisfies { readonly [name: string]: Filter };
export type FilterName = keyof typeof filters;

const precision = 22;

/** For each place of the result: the first place it sees, and the fixed-point weights from there on. */
interface Weights {
  readonly first: number;
  readonly weights: Int32Array;
}

function weighPlaces(from: number, to: number, filter: Filter): Weights[] {
  const scale = from / to;
  const widening = Math.max(scale, 1);
  const support = filter.support * widening;
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const exact = Array.from({ length: end - first }, (_, at) => filter.weigh((at + first - centre + 0.5) / widening));
    const sum = exact.reduce((total, weight) => total + weight, 0);
    const weights = Int32Array.from(exact, (weight) => {
      const fixed = (weight / sum) * 2 ** precision;
      return Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    return { first, weights };
  });
}

/** One pass: places along an axis, `step` bytes apart, for every line that starts at one of `lines`. */
function resample(
  source: Uint8Array,
  target: Uint8Array,
  places: readonly Weights[],
  step: number,
  lines: {
    readonly source: (line: number) => number;
    readonly target: (line: number) => number;
    readonly count: number;
  },
): void {
  for (let line = 0; line < lines.count; line++) {
    const start = lines.source(line);
    const targetStart = lines.target(line);
    for (const [place, { first, weights }] of places.entries()) {
      let sum = 1 << (precision - 1);
      for (let at = 0; at < weights.length; at++) {
        sum += (source[start + (first + at) * step] ?? 0) * (weights[at] ?? 0);
      }
      target[targetStart + place * step] = Math.min(255, Math.max(0, sum >> precision));
    }
  }
}

/** @returns the picture at the new size; itself when it has that size. */
export function resizePixels(pixels: Pixels, width: number, height: number, filterName: FilterName): Pixels {
  const { channels } = pixels;
  const filter: Filter = filters[filterName];
  let { data } = pixels;
  if (width !== pixels.width) {
    const narrow = new Uint8Array(width * pixels.height * channels);
    const lineStart = (lineWidth: number) => (line: number) =>
      Math.floor(line / channels) * lineWidth * channels + (line % channels);
    resample(data, narrow, weighPlaces(pixels.width, width, filter), channels, {
      source: lineStart(pixels.width),
      target: lineStart(width),
      count: pixels.height * channels,
    });
    data = narrow;
  }
  if (height !== pixels.height) {
    const low = new Uint8Array(width * height * channels);
    const self = (line: number) => line;
    resample(data, low, weighPlaces(pixels.height, height, filter), width * channels, {
      source: self,
      target: self,
      count: width * channels,
    });
    data = low;
  }
  return { width, height, channels, data };
}

/** The middle of a picture; where it is smaller than asked, black surrounds it. */
export function cropCentre({ width, height, channels, data }: Pixels, toWidth: number, toHeight: number): Pixels {
  const top = Math.floor((height - toHeight) / 2);
  const left = Math.floor((width - toWidth) / 2);
  const cropped = new Uint8Array(toWidth * toHeight * channels);
  const from = Math.max(left, 0);
  const count = Math.min(left + toWidth, width) - from;
  for (let row = 0; row < toHeight; row++) {
    if (row + top < 0 || row + top >= height) continue;
    const start = ((row + top) * width + from) * channels;
    cropped.set(data.subarray(start, start + count * channels), (row * toWidth + from - left) * channels);
  }
  return { width: toWidth, height: toHeight, channels, data: cropped };
}
