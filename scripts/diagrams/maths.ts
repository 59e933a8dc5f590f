// The small mathematics behind the data-driven diagrams: seeded noise, polynomial fits, softmax.
import { createRandom } from '../../engine/random.ts';

/** Standard normal numbers, the same for the same seed (Box–Muller). */
export function createNormal(seed: number): () => number {
  const random = createRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Legendre polynomials P₀…P_degree at x in [−1, 1]: well-conditioned features for a polynomial fit. */
export function legendre(x: number, degree: number): number[] {
  const values = [1, x];
  for (let n = 1; n < degree; n += 1) {
    values.push(((2 * n + 1) * x * (values[n] ?? 0) - n * (values[n - 1] ?? 0)) / (n + 1));
  }
  return values.slice(0, degree + 1);
}

/** Solves A·w = b by Gauss elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, b[index] ?? 0]);
  const n = rows.length;
  for (let column = 0; column < n; column += 1) {
    const pivot = rows.findIndex(
      (row, index) =>
        index >= column &&
        rows.slice(column).every((other) => Math.abs(other[column] ?? 0) <= Math.abs(row[column] ?? 0)),
    );
    const [upper, lower] = [rows[column] ?? [], rows[pivot] ?? []];
    rows[column] = lower;
    rows[pivot] = upper;
    const head = lower[column] ?? 0;
    for (const [index, row] of rows.entries()) {
      if (index === column) continue;
      const times = (row[column] ?? 0) / head;
      rows[index] = row.map((value, k) => value - times * (lower[k] ?? 0));
    }
  }
  return rows.map((row, index) => (row[n] ?? 0) / (row[index] ?? 1));
}

/** Least squares of y on the columns of `features`. @returns one weight a column. */
export function leastSquares(features: readonly (readonly number[])[], y: readonly number[]): number[] {
  const width = features[0]?.length ?? 0;
  const gram = Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => features.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
  );
  const right = Array.from({ length: width }, (_, i) =>
    features.reduce((sum, row, index) => sum + (row[i] ?? 0) * (y[index] ?? 0), 0),
  );
  return solve(gram, right);
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

export function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
