// The few sums that many demos need.
import type { Point } from '../charts/figure.ts';

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Divided by n − 1 (the sample's), or by n. */
export function deviation(values: readonly number[], of: 'sample' | 'population' = 'sample'): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, of === 'sample' ? values.length - 1 : values.length));
}

/** Root of the mean squared error. */
export function rootMeanSquare(errors: readonly number[]): number {
  return Math.sqrt(mean(errors.map((error) => error * error)));
}

/** `count` numbers from `from` to `to`, both ends included. */
export function spread(from: number, to: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => from + ((to - from) * index) / Math.max(1, count - 1));
}

export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** The index of the least value; 0 for none. */
export function argmin(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value < (values[best] ?? Infinity) ? index : best), 0);
}

export const clamp = (value: number, min: number, max: number) => Math.min(max, Math.max(min, value));

/** Points that stay inside a panel: what leaves it is drawn at its edge. */
export function clampY(points: readonly Point[], min: number, max: number): readonly Point[] {
  return points.map(([x, y]) => [x, clamp(y, min, max)]);
}

/** Three significant digits, with separators: 0.0123, 4.56, 1,230. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'infinitely much' : 'not a number';
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4)) {
    const [digits = '', power = ''] = value.toExponential(1).split('e');
    return `${digits} · 10^${power.replace('+', '').replace('-', '−')}`;
  }
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

export const percentOf = (share: number, digits = 0) => `${(100 * share).toFixed(digits)} %`;
