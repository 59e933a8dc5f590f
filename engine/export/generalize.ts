// Our graphs have static shapes; an exported model must take any batch and any length. The same network is built at a few
// sizes, and every number that differs between the builds is replaced by the expression in the sizes that explains it.
import type { OnnxInput, OnnxNode, OnnxParts, OnnxPort, OnnxTensor } from '../graph/onnx-bytes.ts';

/** The sizes that may vary; `past` is 1 where there is no cache. */
export interface Sizes {
  readonly rows: number;
  readonly length: number;
  readonly past: number;
}

/** Sizes at which no two expressions give the same numbers. */
export const sample_sizes: readonly Sizes[] = [
  { rows: 2, length: 5, past: 3 },
  { rows: 3, length: 5, past: 3 },
  { rows: 2, length: 7, past: 3 },
  { rows: 2, length: 5, past: 4 },
];

/** Every expression that a shape of our models is made of, but for whole factors and summands. */
const expressions: { readonly [name: string]: (sizes: Sizes) => number } = {
  rows: ({ rows }) => rows,
  length: ({ length }) => length,
  past: ({ past }) => past,
  total: ({ length, past }) => length + past,
  rowsLength: ({ rows, length }) => rows * length,
  rowsTotal: ({ rows, length, past }) => rows * (length + past),
};

/** How each is computed in the model from the vectors of one number `size_rows`, `size_length`, `size_past`. */
const formulas: { readonly [name: string]: { readonly type: string; readonly of: readonly [string, string] } } = {
  total: { type: 'Add', of: ['length', 'past'] },
  rowsLength: { type: 'Mul', of: ['rows', 'length'] },
  rowsTotal: { type: 'Mul', of: ['rows', 'total'] },
};

const axis_names: { readonly [name: string]: string } = {
  rows: 'batch_size',
  length: 'sequence_length',
  past: 'past_sequence_length',
  total: 'total_sequence_length',
};

/** A number, or times · expression + plus. */
type Size = number | { readonly times: number; readonly plus: number; readonly expression: string };

/** The name of a vector of one number: the size itself. */
export const sizeName = (expression: string) => `size_${expression}`;

/**
 * @param builds the same network at each of `sample_sizes`, in that order.
 * @returns its nodes with sizes that follow from `size_rows`, `size_length` and `size_past`, which others must provide.
 * @throws Error naming the node when something else than a size differs.
 */
export function generalize(builds: readonly OnnxParts[]): OnnxParts {
  const [first] = builds;
  if (!first || builds.length !== sample_sizes.length) throw new Error('one build for each of the sizes is needed');
  for (const { nodes, tensors } of builds) {
    if (nodes.length !== first.nodes.length || tensors.length !== first.tensors.length) {
      throw new Error('the network has another form at another size');
    }
  }
  first.tensors.forEach((tensor, at) => {
    refuseOtherNumbers(
      tensor,
      builds.map(({ tensors }) => tensors[at]),
    );
  });
  const needed = new Map<string, OnnxNode>();
  const nodes = first.nodes.flatMap((node, at) =>
    generalizeNode(
      node,
      builds.map(({ nodes: others }) => others[at] ?? node),
      needed,
    ),
  );
  const ports = (kind: 'inputs' | 'outputs') =>
    first[kind].map((port, at) =>
      generalizePort(
        port,
        builds.map((build) => build[kind][at] ?? port),
      ),
    );
  return {
    nodes: [...needed.values(), ...nodes],
    tensors: first.tensors,
    inputs: ports('inputs'),
    outputs: ports('outputs'),
  };
}

function explain(values: readonly number[]): Size | undefined {
  const [first = 0] = values;
  if (values.every((value) => value === first)) return first;
  for (const [expression, compute] of Object.entries(expressions)) {
    const at = sample_sizes.map(compute);
    const [start = 0] = at;
    const other = at.findIndex((value) => value !== start);
    const times = ((values[other] ?? Number.NaN) - first) / ((at[other] ?? Number.NaN) - start);
    const plus = first - times * start;
    if (!Number.isInteger(times)) continue;
    if (at.every((value, index) => values[index] === times * value + plus)) return { times, plus, expression };
  }
  return undefined;
}

/** Numbers of the weights are the very same array in each build. */
function refuseOtherNumbers(tensor: OnnxTensor, others: readonly (OnnxTensor | undefined)[]): void {
  const { source } = tensor;
  for (const other of others) {
    if (!other) continue;
    if (!('inline' in source) || !('inline' in other.source)) throw new Error('an exported weight lies in the model');
    const mine = source.inline;
    const theirs = other.source.inline;
    if (mine === theirs) continue;
    if (mine.length !== theirs.length || mine.some((value, at) => value !== theirs[at])) {
      throw new Error(`a constant of the network depends on the length: it cannot be exported for every length`);
    }
  }
}

function generalizeNode(
  node: OnnxNode,
  builds: readonly OnnxNode[],
  needed: Map<string, OnnxNode>,
): readonly OnnxNode[] {
  const refuse = (what: string) =>
    new Error(`${node.type}: ${what} depends on the size in a way that cannot be exported`);
  const attributes = JSON.stringify(node.attributes);
  if (builds.some((build) => build.type !== node.type || JSON.stringify(build.attributes) !== attributes)) {
    throw refuse('an attribute');
  }
  const added: OnnxNode[] = [];
  const inputs = node.inputs.map((input, at): OnnxInput => {
    if (typeof input === 'string') return input;
    const same = builds.map((build) => build.inputs[at]);
    if ('float' in input) {
      if (same.some((other) => typeof other !== 'object' || !('float' in other) || other.float !== input.float)) {
        throw refuse('a number');
      }
      return input;
    }
    const sizes = input.ints.map((_, place) => {
      const size = explain(
        same.map((other) => (typeof other === 'object' && 'ints' in other ? (other.ints[place] ?? -1) : -1)),
      );
      if (size === undefined) throw refuse('a shape');
      return size;
    });
    if (sizes.every((size) => typeof size === 'number')) return input;
    const pieces = sizes.map((size) => (typeof size === 'number' ? { ints: [size] } : sizeOf(size, needed)));
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return only;
    const output = `shape_of_${node.outputs[0]}_${at}`;
    added.push({ type: 'Concat', attributes: { axis: { int: 0 } }, inputs: pieces, outputs: [output] });
    return output;
  });
  return [...added, { ...node, inputs }];
}

/** The name of a vector of one number, and the nodes that compute it. */
function sizeOf({ times, plus, expression }: Exclude<Size, number>, needed: Map<string, OnnxNode>): string {
  const formula = formulas[expression];
  const base = sizeName(expression);
  const compute = (type: string, inputs: readonly OnnxInput[], output: string) => {
    if (!needed.has(output)) needed.set(output, { type, attributes: {}, inputs, outputs: [output] });
    return output;
  };
  if (formula && !needed.has(base)) {
    compute(
      formula.type,
      formula.of.map((part) => sizeOf({ times: 1, plus: 0, expression: part }, needed)),
      base,
    );
  }
  const product = times === 1 ? base : compute('Mul', [base, { ints: [times] }], `${base}_times_${times}`);
  return plus === 0 ? product : compute('Add', [product, { ints: [plus] }], `${product}_plus_${plus}`);
}

function generalizePort(port: OnnxPort, builds: readonly OnnxPort[]): OnnxPort {
  const shape = port.shape.map((_, axis) => {
    const size = explain(builds.map(({ shape: other }) => Number(other[axis])));
    if (typeof size === 'number') return size;
    if (size === undefined) return `${port.name}_axis_${axis}`;
    const { times, plus, expression } = size;
    return times === 1 && plus === 0 ? (axis_names[expression] ?? expression) : `${port.name}_axis_${axis}`;
  });
  return { ...port, shape };
}
