// Numbers as people type them: "tp=40 fp 10", "r=8 on 768x768", "7B parameters", "5e-5", "10 %", "[2, 1, 0.1]".

const suffixes: { readonly [suffix: string]: number } = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  mio: 1e6,
  million: 1e6,
  millions: 1e6,
  b: 1e9,
  bn: 1e9,
  billion: 1e9,
  billions: 1e9,
  t: 1e12,
  trillion: 1e12,
  '%': 0.01,
  percent: 0.01,
};

const plainNumber = String.raw`-?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?`;
const suffix = String.raw`(?:\s?(?:%|percent\b|k\b|m\b|mio\b|bn?\b|t\b|thousand\b|millions?\b|billions?\b|trillion\b))?`;
/** A number with its size word; a letter may not touch it on the left ("f1", "l2", "gpt2"). */
const number = String.raw`(?<![a-z\d._])(?:${plainNumber}${suffix})`;

/** Lower case, "1,000" → "1000", "×" → "x", "–" → "-", "1/4" stays. */
export function normaliseNumbers(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[−–]/g, '-')
      .replace(/[×✕·*]/g, 'x')
      // "1,000" is one number, "[100,200]" two.
      .replace(/(?<=\d)[,'’\u202f\u00a0](?=\d{3}(?:\D|$))(?<![[(][^\])]*)/g, '')
      .replace(/(\d)\s*\^\s*(\d+)/g, (_, base: string, power: string) => String(Number(base) ** Number(power)))
  );
}

/** `7b` → 7e9, `10 %` → 0.1. */
function toNumber(written: string): number {
  const match = new RegExp(`^(${plainNumber})\\s?([a-z%]*)$`).exec(written.trim());
  if (!match) return Number.NaN;
  return Number(match[1]) * (match[2] ? (suffixes[match[2]] ?? Number.NaN) : 1);
}

export interface Field {
  /** Alternatives of a regular expression that name it. */
  readonly names: string;
  /** Which of "batch 16 3 epochs" it takes when both sides hold a number; `after` the name unless said otherwise. */
  readonly side?: 'before' | 'after';
}

const linked = String.raw`\s*(?:=|:|\bis\b|\bare\b|\bof\b|\bequals\b|\bat\b|\bwas\b|\bto\b|->|~)+\s*`;

/** The number a field was given; of several the last, so that a follow-up overrides what it follows. */
export function readField(text: string, { names, side = 'after' }: Field): number | undefined {
  const joined = new RegExp(`(?<![a-z])(?:${names})(?:${linked})(${number})`, 'g');
  const after = new RegExp(`(?<![a-z])(?:${names})\\s+(${number})`, 'g');
  const before = new RegExp(`(${number})\\s*-?(?:${names})(?![a-z])`, 'g');
  const order = side === 'after' ? [joined, after, before] : [joined, before, after];
  let best: { value: number; index: number } | undefined;
  for (const pattern of order) {
    const matches = [...text.matchAll(pattern)];
    const last = matches.at(-1);
    const value = last?.[1] === undefined ? Number.NaN : toNumber(last[1]);
    if (!last || Number.isNaN(value)) continue;
    // A later mention overrides only when it comes after a line break: a follow-up joined to its question.
    if (!best || text.lastIndexOf('\n', last.index) > best.index) best = { value, index: last.index };
  }
  return best?.value;
}

/** Several fields of one kind, all written the same way round: "40 tp 10 fp" or "tp 40 fp 10". */
export function readFields<Key extends string>(
  text: string,
  fields: { readonly [key in Key]: string },
): { readonly [key in Key]?: number } {
  const keys = Object.keys(fields).filter((key): key is Key => key in fields);
  const read = (pattern: (names: string) => string) => {
    const found: { [key in Key]?: number } = {};
    for (const key of keys) {
      const last = [...text.matchAll(new RegExp(pattern(fields[key]), 'g'))].at(-1)?.[1];
      const value = last === undefined ? Number.NaN : toNumber(last);
      if (!Number.isNaN(value)) found[key] = value;
    }
    return found;
  };
  const nameFirst = read((names) => `(?<![a-z])(?:${names})(?:${linked}|\\s+)(${number})`);
  const numberFirst = read((names) => `(${number})\\s*(?:are\\s+|were\\s+)?(?:${names})(?![a-z])`);
  return Object.keys(numberFirst).length > Object.keys(nameFirst).length ? numberFirst : nameFirst;
}

/** Lists such as "[2, 1, 0.1]", "(1,2)" or, without brackets, "2, 1 and 0.1" and "2 1 0.1". */
export function readLists(text: string): readonly (readonly number[])[] {
  const bracketed = [...text.matchAll(/[[({]([^[\](){}]*)[\])}]/g)].map((match) => numbersIn(match[1] ?? ''));
  const whole = bracketed.filter((list) => list.length >= 1);
  if (whole.some((list) => list.length >= 2)) return whole.filter((list) => list.length >= 2 || whole.length > 1);
  const run = new RegExp(`${number}(?:(?:\\s*,\\s*(?:and\\s+)?|\\s+and\\s+|\\s*;\\s*|\\s+)${number})+`, 'g');
  return [...text.matchAll(run)].map(([list]) => numbersIn(list));
}

export function numbersIn(text: string): readonly number[] {
  return [...text.matchAll(new RegExp(number, 'g'))].map(([written]) => toNumber(written)).filter(Number.isFinite);
}

/** "768x768" or "768 by 3072" → [768, 768]; a kernel of "3x3"; of several the last. */
export function readSizes(text: string): readonly (readonly number[])[] {
  return [...text.matchAll(/(?<![\w.])(\d+(?:k\b)?)\s*(?:x|by)\s*(\d+(?:k\b)?)(?:\s*(?:x|by)\s*(\d+))?(?![\w])/g)].map(
    (match) => match.slice(1).flatMap((written) => (written === undefined ? [] : [toNumber(written)])),
  );
}
