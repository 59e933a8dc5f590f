// The form that each op takes in ONNX; a missing one does not compile.
import { type Graph, pruneGraph } from './graph.ts';
import {
  encodeOnnx,
  microsoft,
  type OnnxAttribute,
  type OnnxInput,
  type OnnxModel,
  type OnnxNode,
  type OnnxParts,
  type OnnxTensor,
  type_codes,
} from './onnx-bytes.ts';
import type { Convolution, GraphNode, Op, OpAttributes, Pooling, Value } from './ops.ts';

interface OnnxForm {
  readonly type: string;
  /** Of onnxruntime's own ops; the standard's unless said. */
  readonly domain?: typeof microsoft;
  readonly attributes?: { readonly [name: string]: OnnxAttribute };
  /** Attributes of ours that ONNX takes as further int64 inputs, after the node's own. */
  readonly constants?: readonly (readonly number[])[];
  /** How many of the node's own inputs stand before the constants; all, unless said. */
  readonly constantsAt?: number;
  /** onnxruntime crashes when one is left out. */
  readonly everyOutput?: true;
  /** Attributes of ours that ONNX takes as further float32 inputs of no axes. */
  readonly scalars?: readonly number[];
}

const plain = (type: string) => (): OnnxForm => ({ type });
const reduce =
  (type: string) =>
  ({ axes, keepDims }: OpAttributes['ReduceSum']): OnnxForm => ({
    type,
    attributes: { keepdims: { int: Number(keepDims) } },
    constants: [axes],
  });

const window = ({ strides, pads }: Pick<Pooling, 'strides' | 'pads'>) => ({
  strides: { ints: strides },
  pads: { ints: pads },
});
const convolution = ({ dilations, groups, ...rest }: Convolution) => ({
  ...window(rest),
  dilations: { ints: dilations },
  group: { int: groups },
});

const onnx_forms: { readonly [O in Op]: (attributes: OpAttributes[O]) => OnnxForm } = {
  Add: plain('Add'),
  Sub: plain('Sub'),
  Mul: plain('Mul'),
  Div: plain('Div'),
  Equal: plain('Equal'),
  Neg: plain('Neg'),
  Exp: plain('Exp'),
  Log: plain('Log'),
  Erf: plain('Erf'),
  Tanh: plain('Tanh'),
  Sqrt: plain('Sqrt'),
  Sigmoid: plain('Sigmoid'),
  Clip: ({ min, max }) => ({ type: 'Clip', scalars: [min, max] }),
  Relu: plain('Relu'),
  Gelu: plain('Gelu'),
  GeluTanh: () => ({ type: 'Gelu', attributes: { approximate: { string: 'tanh' } } }),
  // x·σ(αx) with α = 1.
  Silu: () => ({ type: 'QuickGelu', domain: microsoft, attributes: { alpha: { float: 1 } } }),
  Identity: plain('Identity'),
  Detach: plain('Identity'),
  Cast: ({ to }) => ({ type: 'Cast', attributes: { to: { int: type_codes[to] } } }),
  ReduceSum: reduce('ReduceSum'),
  ReduceSumSquare: reduce('ReduceSumSquare'),
  ReduceMax: reduce('ReduceMax'),
  Softmax: plain('Softmax'),
  LayerNormalization: ({ epsilon }) => ({ type: 'LayerNormalization', attributes: { epsilon: { float: epsilon } } }),
  // onnxruntime keeps this op of its own in the standard domain.
  RmsNormalization: ({ epsilon }) => ({
    type: 'SimplifiedLayerNormalization',
    attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
  }),
  MatMul: plain('MatMul'),
  Gemm: ({ transA, transB }) => ({
    type: 'Gemm',
    attributes: { transA: { int: Number(transA) }, transB: { int: Number(transB) } },
  }),
  // Of the weight that `lowerNode` unpacks before it.
  MatMulFourBit: () => ({ type: 'Gemm', attributes: { transB: { int: 1 } } }),
  DequantizeLinear: ({ blockSize }) => ({
    type: 'DequantizeLinear',
    attributes: { axis: { int: 1 }, block_size: { int: blockSize } },
  }),
  Conv: (attributes) => ({ type: 'Conv', attributes: convolution(attributes) }),
  ConvTranspose: ({ outputPadding, ...attributes }) => ({
    type: 'ConvTranspose',
    attributes: { ...convolution(attributes), output_padding: { ints: outputPadding } },
  }),
  // The places count from 0.
  RotaryEmbedding: () => ({ type: 'RotaryEmbedding', domain: microsoft, constants: [[0]], constantsAt: 1 }),
  MaxPool: ({ kernel, ...rest }) => ({
    type: 'MaxPool',
    attributes: { ...window(rest), kernel_shape: { ints: kernel } },
  }),
  Transpose: ({ perm }) => ({ type: 'Transpose', attributes: { perm: { ints: perm } } }),
  Reshape: ({ shape }) => ({ type: 'Reshape', constants: [shape] }),
  Expand: ({ shape }) => ({ type: 'Expand', constants: [shape] }),
  Concat: ({ axis }) => ({ type: 'Concat', attributes: { axis: { int: axis } } }),
  Split: ({ axis, parts }) => ({
    type: 'Split',
    attributes: { axis: { int: axis }, num_outputs: { int: parts } },
    everyOutput: true,
  }),
  Slice: ({ axis, start, end, step = 1 }) => ({ type: 'Slice', constants: [[start], [end], [axis], [step]] }),
  // Pad takes an optional value (left out: zero) between the sizes and the axes; an empty name stands for it.
  Pad: ({ axis, before, after }) => ({ type: 'Pad', constants: [[before, after], [], [axis]] }),
  Gather: plain('Gather'),
  GatherElements: ({ axis }) => ({ type: 'GatherElements', attributes: { axis: { int: axis } } }),
  ScatterElements: ({ axis }) => ({
    type: 'ScatterElements',
    attributes: { axis: { int: axis }, reduction: { string: 'add' } },
  }),
};

function formOf<O extends Op>(node: GraphNode<O>): OnnxForm {
  return onnx_forms[node.op](node.attributes);
}

/** @returns what the graph's outputs need, as parts of an ONNX model. */
export function lowerGraph(wholeGraph: Graph): OnnxParts {
  const graph = pruneGraph(wholeGraph);
  const read = new Set(
    [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values()].map(({ name }) => name),
  );
  const nodes = graph.nodes.flatMap((node) => lowerNode(node, read));
  const { answerOf, copies } = nameAnswers(graph, nodes);
  return {
    nodes: [...nodes.map((node) => renameValues(node, answerOf)), ...copies],
    tensors: graph.initializers.map(({ value, source }): OnnxTensor => ({ ...value, source })),
    inputs: graph.inputs,
    outputs: Array.from(graph.outputs, ([name, { type, shape }]) => ({ name, type, shape })),
  };
}

/**
 * A node writes what the graph answers under the answer's own name: naming it by a copy would write every gradient twice.
 * Only an input, a constant, and a value asked for under two names are copied.
 */
function nameAnswers({ outputs }: Graph, nodes: readonly OnnxNode[]) {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const answerOf = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [answer, { name }] of outputs) {
    if (made.has(name) && !answerOf.has(name)) answerOf.set(name, answer);
    else {
      const input = answerOf.get(name) ?? name;
      copies.push({ type: 'Identity', attributes: {}, inputs: [input], outputs: [answer] });
    }
  }
  return { answerOf, copies };
}

function renameValues(node: OnnxNode, names: ReadonlyMap<string, string>): OnnxNode {
  return {
    ...node,
    inputs: node.inputs.map((input) => (typeof input === 'string' ? (names.get(input) ?? input) : input)),
    outputs: node.outputs.map((output) => names.get(output) ?? output),
  };
}

/** @param read the names of the values that anybody reads. */
function lowerNode(node: GraphNode, read: ReadonlySet<string>): OnnxNode[] {
  if (isOf(node, 'MatMulFourBit')) return lowerFourBit(node);
  const form = formOf(node);
  const inputs: readonly Value[] = node.inputs;
  const outputs: readonly Value[] = node.outputs;
  const numbers = (form.constants ?? []).map((ints): OnnxInput => {
    const stands = ints.length > 0 || form.type === 'Reshape' || form.type === 'Expand';
    return stands ? { ints } : '';
  });
  const scalars = (form.scalars ?? []).map((float): OnnxInput => ({ float }));
  const names = inputs.map(({ name }) => name);
  const at = form.constantsAt ?? names.length;
  const isWanted = ({ name }: Value) => form.everyOutput === true || read.has(name);
  const lowered = {
    type: form.type,
    domain: form.domain,
    attributes: form.attributes ?? {},
    inputs: [...names.slice(0, at), ...numbers, ...scalars, ...names.slice(at)],
    // What nobody reads is not asked for: some devices cannot make it.
    outputs: outputs
      .slice(0, Math.max(1, outputs.findLastIndex(isWanted) + 1))
      .map((value, index) => (index === 0 || isWanted(value) ? value.name : '')),
  };
  return [lowered];
}

const isOf = <O extends Op>(node: GraphNode, op: O): node is GraphNode<O> => node.op === op;

/**
 * Unpacks the weight, and multiplies by it. Zero times an element of x is added to the steps: a node that waits for nothing
 * may be run long before it is needed, and then every weight of the model lies unpacked at once.
 */
function lowerFourBit({ inputs, attributes, outputs: [y] }: GraphNode<'MatMulFourBit'>): OnnxNode[] {
  const [x, numbers, steps, zeros] = inputs.map(({ name }) => name);
  const named = (part: string) => `${y.name}_${part}`;
  const { type, attributes: how = {} } = onnx_forms.DequantizeLinear(attributes);
  const { type: product, attributes: form = {} } = onnx_forms.MatMulFourBit(attributes);
  const node = (op: string, from: readonly OnnxInput[], to: string, with_: OnnxNode['attributes'] = {}): OnnxNode => ({
    type: op,
    attributes: with_,
    inputs: from,
    outputs: [to],
  });
  return [
    node('Slice', [x ?? '', { ints: [0, 0] }, { ints: [1, 1] }, { ints: [0, 1] }], named('element')),
    node('Mul', [named('element'), { float: 0 }], named('nothing')),
    node('Add', [steps ?? '', named('nothing')], named('steps')),
    node(type, [numbers ?? '', named('steps'), zeros ?? ''], named('weight'), how),
    node(product, [x ?? '', named('weight')], y.name, form),
  ];
}

/** @returns the model of what the graph's outputs need. */
export function writeOnnx(graph: Graph): OnnxModel {
  return encodeOnnx(lowerGraph(graph));
}
