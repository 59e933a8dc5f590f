// Numbers in answers: exact where they are short, otherwise four significant digits, with thousands separators.

export function show(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : String(value);
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-4) return value.toExponential(3).replace(/\.?0+e/, 'e');
  if (Number.isInteger(value) || size >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}

/** 0.8 → `80 %`. */
export function showPercent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}

const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units: 1 GB = 10⁹ bytes. */
export function showBytes(bytes: number): string {
  let value = bytes;
  let index = 0;
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${Number(value.toPrecision(4))} ${units[index]}`;
}

export function showSeconds(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toPrecision(3))} s`;
  if (seconds < 2 * 3600) return `${Number((seconds / 60).toPrecision(3))} min`;
  if (seconds < 72 * 3600) return `${Number((seconds / 3600).toPrecision(3))} h`;
  return `${Number((seconds / 86400).toPrecision(3))} days`;
}
