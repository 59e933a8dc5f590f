// Rotary positions (Su et al. 2021): how fast each pair of a head's numbers turns, and how models stretch it to longer texts.
import { z } from 'zod';
import type { FloatTensor } from '../graph/tensor.ts';

const factor = z.number().min(1);
const length = z.number().int().min(1);

const kinds = {
  default: z.object({}),
  linear: z.object({ factor }),
  dynamic: z.object({ factor }),
  llama3: z.object({
    factor,
    low_freq_factor: z.number().positive(),
    high_freq_factor: z.number().positive(),
    original_max_position_embeddings: length,
  }),
  yarn: z.object({
    factor,
    original_max_position_embeddings: length.nullish(),
    attention_factor: z.number().positive().nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    beta_fast: z.number().positive().nullish(),
    beta_slow: z.number().positive().nullish(),
    truncate: z.boolean().nullish(),
  }),
};
type Kind = keyof typeof kinds;
const isKind = (name: unknown): name is Kind => typeof name === 'string' && Object.hasOwn(kinds, name);
type Scaling = { readonly [K in Kind]: { readonly kind: K } & z.output<(typeof kinds)[K]> }[Kind];

/** `rope_scaling` of config.json, or `rope_parameters`, its newer form, which also holds `rope_theta`. */
export const ropeScalingSchema = z
  .looseObject({ rope_theta: z.number().positive().optional() })
  .nullish()
  .transform((raw, context): { readonly scaling: Scaling; readonly theta: number | undefined } => {
    const type = raw?.rope_type ?? raw?.type ?? 'default';
    if (!isKind(type)) {
      const supported = Object.keys(kinds).join(', ');
      context.addIssue({ code: 'custom', message: `has the type ${JSON.stringify(type)}; supported: ${supported}` });
      return z.NEVER;
    }
    const parsed = kinds[type].safeParse(raw ?? {});
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      context.addIssue({ code: 'custom', message: issue?.message ?? '', path: issue?.path ?? [] });
      return z.NEVER;
    }
    return { scaling: { kind: type, ...parsed.data } as Scaling, theta: raw?.rope_theta };
  });

export interface Rope {
  readonly scaling: Scaling;
  /** The slowest pair turns about once in `theta` · 2π places. */
  readonly theta: number;
  /** Numbers in a head. */
  readonly depth: number;
  /** `max_position_embeddings` of config.json. */
  readonly maxPositions: number;
}

interface Turning {
  /** Angle of each pair from one place to the next. */
  readonly frequencies: readonly number[];
  /** Multiplies queries and keys. */
  readonly amplitude: number;
}

/** How many tokens a model reads at once, stretched as it is. */
export function longestText({ scaling, maxPositions }: Pick<Rope, 'scaling' | 'maxPositions'>): number {
  if (scaling.kind === 'dynamic') return Math.floor(scaling.factor * maxPositions);
  if (scaling.kind !== 'yarn') return maxPositions;
  return Math.max(maxPositions, Math.floor(scaling.factor * (scaling.original_max_position_embeddings ?? 0)));
}

/** What cos and sin are of each place and pair, [places, depth/2], multiplied by `scale`. */
export function rotaryTables(
  rope: Rope,
  places: number,
  scale = 1,
): { readonly cos: FloatTensor; readonly sin: FloatTensor } {
  const { frequencies, amplitude } = turningOf(rope, places);
  const shape = [places, frequencies.length];
  const cos = new Float32Array(places * frequencies.length);
  const sin = new Float32Array(cos.length);
  for (let place = 0; place < places; place++) {
    frequencies.forEach((frequency, pair) => {
      // Angles are rounded to float32 as in PyTorch: far out in a text the rounding shows in the logits.
      const angle = Math.fround(place * Math.fround(frequency));
      cos[place * frequencies.length + pair] = scale * amplitude * Math.cos(angle);
      sin[place * frequencies.length + pair] = scale * amplitude * Math.sin(angle);
    });
  }
  return { cos: { shape, data: cos }, sin: { shape, data: sin } };
}

function frequenciesOf(theta: number, depth: number): number[] {
  return Array.from({ length: depth / 2 }, (_, pair) => theta ** (-(2 * pair) / depth));
}

function turningOf({ scaling, theta, depth, maxPositions }: Rope, places: number): Turning {
  const plain = frequenciesOf(theta, depth);
  switch (scaling.kind) {
    case 'default':
      return { frequencies: plain, amplitude: 1 };
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / scaling.factor), amplitude: 1 };
    case 'dynamic': {
      // A text longer than the model knows turns slower, by a larger theta.
      const stretch = (scaling.factor * Math.max(places, maxPositions)) / maxPositions - (scaling.factor - 1);
      return { frequencies: frequenciesOf(theta * stretch ** (depth / (depth - 2)), depth), amplitude: 1 };
    }
    case 'llama3': {
      const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: known } = scaling;
      const frequencies = plain.map((frequency) => {
        const waves = (known * frequency) / (2 * Math.PI);
        // 1: many waves fit into a text, and the pair turns as ever; 0: it is slowed by the whole factor.
        const kept = Math.min(1, Math.max(0, (waves - low) / (high - low)));
        return frequency * (kept + (1 - kept) / scaling.factor);
      });
      return { frequencies, amplitude: 1 };
    }
    case 'yarn':
      return yarn(scaling, plain, theta, depth, scaling.original_max_position_embeddings ?? maxPositions);
  }
}

/** YaRN (Peng et al. 2023): slow pairs are stretched, fast ones kept, those between mixed; attention is sharpened. */
function yarn(
  scaling: Extract<Scaling, { kind: 'yarn' }>,
  plain: readonly number[],
  theta: number,
  depth: number,
  known: number,
): Turning {
  const { beta_fast: fast, beta_slow: slow, truncate } = scaling;
  /** The pair that makes so many turns within a text the model knows. */
  const pairOf = (turns: number) => (depth * Math.log(known / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const round = (value: number, whole: (value: number) => number) => (truncate === false ? value : whole(value));
  const low = Math.max(0, round(pairOf(fast ?? 32), Math.floor));
  const high = Math.min(depth - 1, round(pairOf(slow ?? 1), Math.ceil));
  const frequencies = plain.map((frequency, pair) => {
    const stretched = Math.min(1, Math.max(0, (pair - low) / (high === low ? 0.001 : high - low)));
    return (frequency / scaling.factor) * stretched + frequency * (1 - stretched);
  });
  return { frequencies, amplitude: yarnAmplitude(scaling) };
}

function yarnAmplitude({ factor: by, attention_factor, mscale, mscale_all_dim }: Extract<Scaling, { kind: 'yarn' }>) {
  const strength = (weight: number) => (by <= 1 ? 1 : 0.1 * weight * Math.log(by) + 1);
  if (attention_factor) return attention_factor;
  return mscale && mscale_all_dim ? strength(mscale) / strength(mscale_all_dim) : strength(1);
}
