// The learning rate at each step: it rises over the warmup, then stays, falls in a line, or falls along a cosine.

export interface Schedule {
  readonly kind: 'constant' | 'linear' | 'cosine';
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** What is left of the peak when `done` of the steps after the warmup are done; 0 ≤ done < 1. */
const shapes: { readonly [Kind in Schedule['kind']]: (done: number) => number } = {
  constant: () => 1,
  linear: (done) => 1 - done,
  cosine: (done) => (1 + Math.cos(Math.PI * done)) / 2,
};

/**
 * `step` counts from 1. The warmup ends at the peak; the falling shapes would reach 0 one step after the last, as
 * Transformers' get_*_schedule_with_warmup would.
 */
export function learningRateAt(step: number, { kind, peak, warmupSteps, totalSteps }: Schedule): number {
  if (step <= warmupSteps) return (peak * step) / warmupSteps;
  return peak * shapes[kind]((step - warmupSteps - 1) / (totalSteps - warmupSteps));
}
