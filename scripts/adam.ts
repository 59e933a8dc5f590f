// Adam (Kingma and Ba 2015) for a handful of weights that start at zero.

export function createAdam(count: number, { rate, penalty }: { rate: number; penalty: number }) {
  const weights = Array.from({ length: count }, () => 0);
  const first = weights.slice();
  const second = weights.slice();
  let steps = 0;
  return {
    /** Changed in place by each step. */
    weights,
    /** @param gradient of the loss; the L2 penalty is added here. */
    step(gradient: readonly number[]): void {
      steps += 1;
      for (let i = 0; i < count; i++) {
        const slope = (gradient[i] ?? 0) + penalty * (weights[i] ?? 0);
        first[i] = 0.9 * (first[i] ?? 0) + 0.1 * slope;
        second[i] = 0.99 * (second[i] ?? 0) + 0.01 * slope * slope;
        const mean = first[i] ?? 0;
        const square = second[i] ?? 0;
        const size = Math.sqrt(square / (1 - 0.99 ** steps)) + 1e-8;
        weights[i] = (weights[i] ?? 0) - (rate * mean) / (1 - 0.9 ** steps) / size;
      }
    },
  };
}
