// Least-squares polynomials on [0, 1]: in Chebyshev's basis, where degree 15 is as well-behaved as degree 2.
import { range } from './numbers.ts';

export type Curve = (x: number) => number;

export interface Sample {
  readonly x: number;
  readonly y: number;
}

/** T_0(t) … T_degree(t) at t = 2x − 1, by the three-term recurrence. */
function chebyshev(x: number, degree: number): number[] {
  const t = 2 * x - 1;
  const row = [1, t];
  for (let order = 2; order <= degree; order++) row.push(2 * t * (row[order - 1] ?? 0) - (row[order - 2] ?? 0));
  return row.slice(0, degree + 1);
}

/**
 * The polynomial of least squared error through the samples; where there are fewer samples than coefficients, the one of
 * least norm among those that pass through all of them.
 */
export async function fitPolynomial(samples: readonly Sample[], degree: number): Promise<Curve> {
  const { Matrix, solve } = await import('ml-matrix');
  const rows = new Matrix(samples.map(({ x }) => chebyshev(x, degree)));
  const values = Matrix.columnVector(samples.map(({ y }) => y));
  const columns = rows.transpose();
  const weights = samples.length > degree ? solve(rows, values) : columns.mmul(solve(rows.mmul(columns), values, true));
  const coefficients = range(degree + 1).map((index) => weights.get(index, 0));
  return (x) => chebyshev(x, degree).reduce((sum, value, index) => sum + value * (coefficients[index] ?? 0), 0);
}
