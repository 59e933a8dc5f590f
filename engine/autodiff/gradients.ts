// Reverse-mode differentiation: walks a graph backwards and adds its gradient, made of the same ordinary ops.
import type { GraphBuilder } from '../graph/graph.ts';
import type { GraphNode, Op, Value } from '../graph/ops.ts';
import { describeShape, elementCount } from '../graph/tensor.ts';
import { createRebuilder } from './rebuild.ts';
import { type GradientRule, gradient_rules } from './rules.ts';
import { isZeros, madeBy } from './scattered.ts';

/**
 * Adds d loss / d w for each of `wanted`, in their order and shapes.
 * @param boundaries counts of nodes: what lies between two of them is computed once more on the way back instead of kept.
 * @throws Error when the loss is not one number, does not depend on a wanted value, or passes through an op without a gradient.
 */
export function addGradients(
  g: GraphBuilder,
  loss: Value,
  wanted: readonly Value[],
  boundaries: readonly number[] = [],
): Value[] {
  if (elementCount(loss.shape) !== 1) throw new Error(`a loss is one number, not ${describeShape(loss.shape)}`);
  const forward = [...g.graph.nodes];
  const reached = valuesThatDependOn(forward, wanted);
  const gradients = new Map<string, Value>();
  gradients.set(loss.name, g.op('Expand', [g.scalar(1)], { shape: loss.shape }));

  const rebuilder = createRebuilder(g, forward, boundaries);
  for (const [index, node] of [...forward.entries()].reverse()) {
    const nodeOutputs: readonly Value[] = node.outputs;
    const dys = nodeOutputs.map((value) => gradients.get(value.name));
    const dy = node.op === 'Split' ? dys.find((one) => one) : dys[0];
    if (node.op !== 'Split' && dys.slice(1).some((one) => one)) {
      throw new Error(`${node.op}: only its first output has a gradient`);
    }
    if (!dy || !nodeOutputs.some((value) => reached.has(value.name))) continue;
    const nodeInputs: readonly Value[] = node.inputs;
    applyRule(g, rebuilder.rebuild(index, node, dy), dy, dys).forEach((gradient, at) => {
      const value = nodeInputs[at];
      if (!gradient || !value || !reached.has(value.name)) return;
      const known = gradients.get(value.name);
      gradients.set(value.name, known ? addUp(g, known, gradient) : gradient);
    });
  }
  return wanted.map((value) => {
    const gradient = gradients.get(value.name);
    if (!gradient) throw new Error(`the loss does not depend on ${value.name}`);
    return gradient;
  });
}

function applyRule<O extends Op>(
  g: GraphBuilder,
  { op, inputs, outputs, attributes }: GraphNode<O>,
  dy: Value,
  dys: readonly (Value | undefined)[],
): readonly (Value | undefined)[] {
  const rule: GradientRule<O> = gradient_rules[op];
  if (typeof rule !== 'function') {
    throw new Error(`${op} has no gradient: ${'stops' in rule ? 'it stands for a constant' : rule.nonDifferentiable}`);
  }
  return rule({ g, inputs, outputs, attributes, dy, dys });
}

/** The sum of two gradients. One that is scattered over zeros is scattered over the other instead: tables are large. */
function addUp(g: GraphBuilder, a: Value, b: Value): Value {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const scatter = madeBy(g, one, 'ScatterElements');
    if (!scatter) continue;
    const [base, where, updates] = scatter.inputs;
    if (isZeros(g, base)) return g.op('ScatterElements', [other, where, updates], scatter.attributes);
  }
  return g.op('Add', [a, b]);
}

const isConstant = (op: Op) => {
  const rule = gradient_rules[op];
  return typeof rule !== 'function' && 'stops' in rule;
};

function valuesThatDependOn(nodes: readonly GraphNode[], roots: readonly Value[]): Set<string> {
  const reached = new Set(roots.map((value) => value.name));
  for (const node of nodes) {
    if (isConstant(node.op)) continue;
    const nodeInputs: readonly Value[] = node.inputs;
    const nodeOutputs: readonly Value[] = node.outputs;
    if (nodeInputs.some((value) => reached.has(value.name))) for (const value of nodeOutputs) reached.add(value.name);
  }
  return reached;
}
