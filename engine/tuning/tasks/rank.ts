// What makes one evaluation better than another, by the kind of its figures: numbers compared in turn, higher is better.
import type { Metrics, MetricsOf } from '../../runs/events.ts';

const ranks: { readonly [Kind in Metrics['kind']]: (metrics: MetricsOf<Kind>) => readonly number[] } = {
  // F1 also counts the rare classes; of names in a text, whole ones count.
  classification: ({ entities, macroF1, loss }) => [entities?.f1 ?? macroF1, -loss],
  regression: ({ loss }) => [-loss],
  'language-model': ({ loss }) => [-loss],
  retrieval: ({ loss }) => [-loss],
};

export function rankMetrics<Kind extends Metrics['kind']>(metrics: MetricsOf<Kind>): readonly number[] {
  return ranks[metrics.kind as Kind](metrics);
}

export function isBetter(rank: readonly number[], best: readonly number[]): boolean {
  for (const [index, value] of rank.entries()) {
    const other = best[index] ?? Number.NEGATIVE_INFINITY;
    if (value !== other) return value > other;
  }
  return false;
}
