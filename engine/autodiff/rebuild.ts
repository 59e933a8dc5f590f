// Activation recompute (Chen et al. 2016): a block's forward nodes once more, for its gradient alone, so that what they
// made need not be kept from the way there to the way back.
import type { GraphBuilder } from '../graph/graph.ts';
import type { AttributeArguments, GraphNode, Op, OpAttributes, OpInputs, OpOutputs, Value } from '../graph/ops.ts';

export interface Rebuilder {
  /** The node as its gradient is to see it: itself, or in a block its copy. `dy` is the gradient that has come this far. */
  rebuild<O extends Op>(index: number, node: GraphNode<O>, dy: Value): GraphNode<O>;
}

export function createRebuilder(
  g: GraphBuilder,
  forward: readonly GraphNode[],
  boundaries: readonly number[],
): Rebuilder {
  /** Copies of the block that the walk is in, by the names of the originals. */
  let copies = new Map<string, Value>();
  let rebuilt = -1;

  function copyOf(value: Value): Value {
    return copies.get(value.name) ?? value;
  }

  function copyNode<O extends Op>(node: GraphNode<O>, inputs: readonly Value[]): void {
    const attributes: readonly OpAttributes[O][] = [node.attributes];
    const outputs: readonly Value[] = g.ops(node.op, inputs as OpInputs[O], ...(attributes as AttributeArguments<O>));
    const originals: readonly Value[] = node.outputs;
    originals.forEach((value, at) => {
      const copy = outputs[at];
      if (copy) copies.set(value.name, copy);
    });
  }

  /**
   * What the block takes from before it goes through a sum with zero, made of the gradient that has come back: without
   * it nothing would keep the copies from being computed on the way there.
   */
  function copyBlock(from: number, to: number, dy: Value): void {
    copies = new Map();
    const made = new Set(
      forward.slice(0, from).flatMap(({ outputs }): readonly string[] => outputs.map(({ name }) => name)),
    );
    const zero = zeroAfter(g, dy);
    for (const node of forward.slice(from, to)) {
      const inputs: readonly Value[] = node.inputs;
      for (const value of inputs) {
        if (value.type === 'float32' && made.has(value.name) && !copies.has(value.name))
          copies.set(value.name, g.op('Add', [value, zero]));
      }
      copyNode(node, inputs.map(copyOf));
    }
  }

  return {
    rebuild<O extends Op>(index: number, node: GraphNode<O>, dy: Value): GraphNode<O> {
      const block = boundaries.findLastIndex((boundary) => boundary <= index);
      const from = boundaries[block];
      const to = boundaries[block + 1];
      if (from === undefined || to === undefined) return node;
      if (block !== rebuilt) copyBlock(from, to, dy);
      rebuilt = block;
      const inputs: readonly Value[] = node.inputs;
      const outputs: readonly Value[] = node.outputs;
      return {
        ...node,
        inputs: inputs.map(copyOf) as readonly Value[] as OpInputs[O],
        outputs: outputs.map(copyOf) as readonly Value[] as OpOutputs[O],
      };
    },
  };
}

/** A zero that is known only once `dy` is. */
function zeroAfter(g: GraphBuilder, dy: Value): Value {
  let one = dy;
  dy.shape.forEach((_, axis) => {
    one = g.op('Slice', [one], { axis, start: 0, end: 1 });
  });
  return g.op('Mul', [g.op('Reshape', [one], { shape: [] }), g.scalar(0)]);
}
