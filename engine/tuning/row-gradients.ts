// Gradients of tables outside the graph: it answers the rows that a batch read, and they are added up here, so that no
// table of zeros is written, scattered over and copied at each step.
import type { ScatteredGradient } from '../autodiff/scattered.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';

/** The names of a graph's answers that make up one gradient. */
export interface GradientAnswers {
  readonly dense: string | undefined;
  readonly parts: readonly { readonly rows: string; readonly updates: string }[];
}

type Answers = { readonly [name: string]: Tensor };

/** Makes a gradient's parts outputs of the graph; the dense one is called `name`. */
export function outputGradient(g: GraphBuilder, name: string, gradient: ScatteredGradient): GradientAnswers {
  if (gradient.dense) g.output(name, gradient.dense);
  const parts = gradient.parts.map((part, at) => {
    const named = { rows: `rows ${at} of ${name}`, updates: `updates ${at} of ${name}` };
    g.output(named.rows, part.rows);
    g.output(named.updates, part.updates);
    return named;
  });
  return { dense: gradient.dense && name, parts };
}

/**
 * @param length of the whole gradient.
 * @returns it, and by how much its rows change Σg² of the dense part.
 */
export function assembleGradient(
  answers: Answers,
  { dense, parts }: GradientAnswers,
  length: number,
): { readonly gradient: Float32Array; readonly squares: number } {
  const gradient = dense === undefined ? new Float32Array(length) : floats(answers, dense);
  if (parts.length === 0) return { gradient, squares: 0 };
  const read = parts.map(({ rows, updates }) => ({ rows: integers(answers, rows), updates: floats(answers, updates) }));
  const touched = new Set(read.flatMap(({ rows }) => [...rows]));
  const [first] = read;
  const width = first ? first.updates.length / first.rows.length : 0;
  const before = squaresOf(gradient, touched, width);
  for (const { rows, updates } of read) addRows(gradient, rows, updates, width);
  return { gradient, squares: squaresOf(gradient, touched, width) - before };
}

function addRows(gradient: Float32Array, rows: Int32Array, updates: Float32Array, width: number): void {
  rows.forEach((row, at) => {
    const to = row * width;
    const from = at * width;
    for (let i = 0; i < width; i++) gradient[to + i] = (gradient[to + i] ?? 0) + (updates[from + i] ?? 0);
  });
}

function squaresOf(gradient: Float32Array, rows: Iterable<number>, width: number): number {
  let sum = 0;
  for (const row of rows) {
    for (let i = row * width; i < (row + 1) * width; i++) sum += (gradient[i] ?? 0) ** 2;
  }
  return sum;
}

export function floats(answers: Answers, name: string): Float32Array {
  const data = answers[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the session answered no ${name}`);
  return data;
}

function integers(answers: Answers, name: string): Int32Array {
  const data = answers[name]?.data;
  if (!(data instanceof Int32Array)) throw new Error(`the session answered no ${name}`);
  return data;
}
