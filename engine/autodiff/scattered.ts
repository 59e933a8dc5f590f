// A table's gradient in parts: of a vocabulary a batch reads few rows, and all others have nothing but zeros.
import type { GraphBuilder } from '../graph/graph.ts';
import type { GraphNode, Op, Value } from '../graph/ops.ts';

/** The gradient is `dense` (zeros, where there is none) with each part's updates added to its rows. */
export interface ScatteredGradient {
  readonly dense: Value | undefined;
  readonly parts: readonly ScatteredRows[];
}

interface ScatteredRows {
  /** int32, any shape of n elements; the same row may stand there more than once. */
  readonly rows: Value;
  /** [n, …], a row of the table each. */
  readonly updates: Value;
}

/** Takes the scattering of rows, as the rule of `Gather` wrote it, off a gradient. */
export function splitScattered(g: GraphBuilder, gradient: Value): ScatteredGradient {
  const scatter = madeBy(g, gradient, 'ScatterElements');
  const [base, where, updates] = scatter?.inputs ?? [];
  const rows = where && rowsOf(g, where);
  if (!base || !rows || !updates || scatter?.attributes.axis !== 0) return { dense: gradient, parts: [] };
  const part = { rows, updates };
  if (isZeros(g, base)) return { dense: undefined, parts: [part] };
  const rest = splitScattered(g, base);
  return { dense: rest.dense, parts: [...rest.parts, part] };
}

export function isZeros(g: GraphBuilder, value: Value): boolean {
  return madeBy(g, value, 'Expand')?.inputs[0] === g.scalar(0);
}

/** The indices, where each points to a whole row. */
function rowsOf(g: GraphBuilder, where: Value): Value | undefined {
  const [column] = madeBy(g, where, 'Expand')?.inputs ?? [];
  if (column?.shape[0] !== where.shape[0] || column?.shape.slice(1).some((size) => size !== 1)) return undefined;
  return madeBy(g, column, 'Reshape')?.inputs[0];
}

export function madeBy<O extends Op>(g: GraphBuilder, value: Value | undefined, op: O): GraphNode<O> | undefined {
  const node = g.graph.nodes.findLast(({ outputs: [made] }) => made === value);
  return node?.op === op ? (node as GraphNode<O>) : undefined;
}
