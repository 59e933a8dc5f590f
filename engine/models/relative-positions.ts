// Attention that leans by distance: a learned number a head for each bucket of distances (Raffel et al. 2020), as in MPNet.
import type { Value } from '../graph/ops.ts';
import type { Layers } from './layers.ts';

export interface RelativePositions {
  /** Name of the weight [buckets, heads]. */
  readonly table: string;
  readonly buckets: number;
}

const maxDistance = 128;

/** attentionBias [rows, 1, 1, length] and each head's lean: [rows, heads, length, length]. */
export function addRelativeBias(
  { g, weight }: Layers,
  attentionBias: Value,
  { table, buckets }: RelativePositions,
): Value {
  const length = attentionBias.shape[3] ?? 0;
  const data = Int32Array.from({ length: length * length }, (_, at) =>
    relativeBucket((at % length) - Math.floor(at / length), buckets),
  );
  const leans = g.op('Gather', [weight(table), g.constant({ type: 'int32', shape: [length, length], data })]);
  return g.op('Add', [attentionBias, g.op('Transpose', [leans], { perm: [2, 0, 1] })]);
}

/** Half the buckets for what comes after; in each half, single distances at first, then ever wider ranges of them. */
function relativeBucket(distance: number, buckets: number): number {
  const half = buckets / 2;
  const exact = half / 2;
  const side = distance > 0 ? half : 0;
  const far = Math.abs(distance);
  if (far < exact) return side + far;
  const range = exact + Math.floor((Math.log(far / exact) / Math.log(maxDistance / exact)) * (half - exact));
  return side + Math.min(range, half - 1);
}
