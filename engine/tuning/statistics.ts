// Running statistics of batch normalisations, which answer in place of a batch's own once training is over.
import type { FloatTensor } from '../graph/tensor.ts';

/** PyTorch's momentum: how far a batch moves them. */
const share = 0.1;

/** running ← 0.9 · running + 0.1 · batch, in place (Ioffe & Szegedy 2015, as PyTorch keeps them). */
export function moveStatistics(
  running: ReadonlyMap<string, FloatTensor>,
  batch: ReadonlyMap<string, Float32Array>,
): void {
  for (const [name, values] of batch) {
    const kept = running.get(name)?.data;
    if (kept?.length !== values.length) throw new Error(`no running statistics ${name}`);
    for (let at = 0; at < kept.length; at++) kept[at] = (1 - share) * (kept[at] ?? 0) + share * (values[at] ?? 0);
  }
}
