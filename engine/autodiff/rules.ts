// One gradient rule per op, beside its line of maths; the mapped type makes a missing rule a type error.
// dy is the gradient of the loss with respect to the op's first output; each rule answers that of its inputs.
import type { GraphBuilder } from '../graph/graph.ts';
import type { Each, Op, OpAttributes, OpInputs, OpOutputs, Value } from '../graph/ops.ts';
import { elementCount, type Shape } from '../graph/tensor.ts';
import { convolutionGradient, transposedGradient } from './rules/convolution.ts';
import { maximumGradient } from './rules/pooling.ts';
import { spreadOut } from './rules/windows.ts';

export interface RuleContext<O extends Op> {
  readonly g: GraphBuilder;
  readonly inputs: OpInputs[O];
  readonly outputs: OpOutputs[O];
  readonly attributes: OpAttributes[O];
  readonly dy: Value;
  /** Those of all outputs, where the loss depends on them. */
  readonly dys: readonly (Value | undefined)[];
}

/** `undefined` for an input that has no gradient (an index). The rest of the graph prunes what nobody asks for. */
export type GradientRule<O extends Op> =
  | ((context: RuleContext<O>) => Each<OpInputs[O], Value | undefined>)
  | { readonly nonDifferentiable: string }
  /** Counts as a constant: what stands before it gets nothing through it. */
  | { readonly stops: true };

/** Undoes broadcasting: sums a gradient over the axes along which its value was repeated. */
function sumTo(g: GraphBuilder, gradient: Value, shape: Shape): Value {
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) => {
    const own = shape[axis - lead];
    return own === undefined || (own === 1 && size !== 1) ? [axis] : [];
  });
  if (axes.length === 0) return gradient;
  const summed = g.op('ReduceSum', [gradient], { axes, keepDims: true });
  return lead === 0 ? summed : g.op('Reshape', [summed], { shape });
}

/** Gives a reduced gradient its axes of size 1 back, so that it broadcasts against the input. */
function keptShape(g: GraphBuilder, x: Value, { axes }: OpAttributes['ReduceSum'], reduced: Value): Value {
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return reduced.shape.length === shape.length ? reduced : g.op('Reshape', [reduced], { shape });
}

function transposeLast(g: GraphBuilder, x: Value): Value {
  const rank = x.shape.length;
  const perm = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return g.op('Transpose', [x], { perm });
}

function sumLast(g: GraphBuilder, x: Value): Value {
  return g.op('ReduceSum', [x], { axes: [x.shape.length - 1], keepDims: true });
}

const zeros = (g: GraphBuilder, shape: Shape) => g.op('Expand', [g.scalar(0)], { shape });

export const gradient_rules: { readonly [O in Op]: GradientRule<O> } = {
  // y = a + b: da = dy, db = dy
  Add: ({ g, inputs: [a, b], dy }) => [sumTo(g, dy, a.shape), sumTo(g, dy, b.shape)],
  // y = a − b: da = dy, db = −dy
  Sub: ({ g, inputs: [a, b], dy }) => [sumTo(g, dy, a.shape), sumTo(g, g.op('Neg', [dy]), b.shape)],
  // y = a·b: da = dy·b, db = dy·a
  Mul: ({ g, inputs: [a, b], dy }) => [
    sumTo(g, g.op('Mul', [dy, b]), a.shape),
    sumTo(g, g.op('Mul', [dy, a]), b.shape),
  ],
  // y = a/b: da = dy/b, db = −dy·y/b
  Div: ({ g, inputs: [a, b], outputs: [y], dy }) => {
    const da = g.op('Div', [dy, b]);
    return [sumTo(g, da, a.shape), sumTo(g, g.op('Neg', [g.op('Mul', [da, y])]), b.shape)];
  },
  Equal: { nonDifferentiable: 'it is constant almost everywhere' },
  // y = −x: dx = −dy
  Neg: ({ g, dy }) => [g.op('Neg', [dy])],
  // y = eˣ: dx = dy·y
  Exp: ({ g, outputs: [y], dy }) => [g.op('Mul', [dy, y])],
  // y = ln x: dx = dy/x
  Log: ({ g, inputs: [x], dy }) => [g.op('Div', [dy, x])],
  // y = erf x: dx = dy·2/√π·e^(−x²)
  Erf: ({ g, inputs: [x], dy }) => {
    const slope = g.op('Exp', [g.op('Neg', [g.op('Mul', [x, x])])]);
    return [g.op('Mul', [dy, g.op('Mul', [slope, g.scalar(2 / Math.sqrt(Math.PI))])])];
  },
  // y = tanh x: dx = dy·(1 − y²)
  Tanh: ({ g, outputs: [y], dy }) => [g.op('Sub', [dy, g.op('Mul', [dy, g.op('Mul', [y, y])])])],
  // y = √x: dx = dy/(2y)
  Sqrt: ({ g, outputs: [y], dy }) => [g.op('Div', [dy, g.op('Mul', [y, g.scalar(2)])])],
  // y = 1/(1 + e^−x): dx = dy·y·(1 − y)
  Sigmoid: ({ g, outputs: [y], dy }) => [g.op('Mul', [dy, g.op('Sub', [y, g.op('Mul', [y, y])])])],
  // y = x between two bounds: dx = dy where x was left alone
  Clip: ({ g, inputs: [x], outputs: [y], dy }) => [
    g.op('Mul', [dy, g.op('Cast', [g.op('Equal', [x, y])], { to: 'float32' })]),
  ],
  // y = max(x, 0): dx = dy where y > 0, that is where y/|y| would be 1: max(dy, 0)… is wrong for dy < 0, so a mask is made
  // of y itself: mask = 1 − (y = 0)
  Relu: ({ g, outputs: [y], dy }) => {
    const isZero = g.op('Cast', [g.op('Equal', [y, g.scalar(0)])], { to: 'float32' });
    return [g.op('Sub', [dy, g.op('Mul', [dy, isZero])])];
  },
  // y = x·Φ(x), Φ(x) = ½(1 + erf(x/√2)): dx = dy·(Φ(x) + x·φ(x)), φ(x) = e^(−x²/2)/√(2π)
  Gelu: ({ g, inputs: [x], dy }) => {
    const root = g.op('Mul', [x, g.scalar(Math.SQRT1_2)]);
    const cdf = g.op('Add', [g.op('Mul', [g.op('Erf', [root]), g.scalar(0.5)]), g.scalar(0.5)]);
    // The factor 1/√(2π) goes into the exponent: each pass over so large a value counts.
    const logFactor = g.scalar(-0.5 * Math.log(2 * Math.PI));
    const density = g.op('Exp', [g.op('Sub', [logFactor, g.op('Mul', [root, root])])]);
    return [g.op('Mul', [dy, g.op('Add', [cdf, g.op('Mul', [x, density])])])];
  },
  // y = x·σ(u), u = x·(a + b·x²) (the same as ½x(1 + tanh(u/2))): dx = dy·σ(u)·(1 + x·(1 − σ(u))·(a + 3b·x²))
  GeluTanh: ({ g, inputs: [x], dy }) => {
    const a = 2 * Math.sqrt(2 / Math.PI);
    const b = a * 0.044715;
    const square = g.op('Mul', [x, x]);
    const cubic = (factor: number) =>
      g.op('Mul', [x, g.op('Add', [g.op('Mul', [square, g.scalar(factor)]), g.scalar(a)])]);
    const gate = g.op('Sigmoid', [cubic(b)]);
    const rest = g.op('Mul', [g.op('Sub', [g.scalar(1), gate]), cubic(3 * b)]);
    return [g.op('Mul', [dy, g.op('Mul', [gate, g.op('Add', [rest, g.scalar(1)])])])];
  },
  // y = x·σ(x): dx = dy·(σ + y·(1 − σ))
  Silu: ({ g, inputs: [x], outputs: [y], dy }) => {
    const gate = g.op('Sigmoid', [x]);
    const rest = g.op('Mul', [y, g.op('Sub', [g.scalar(1), gate])]);
    return [g.op('Mul', [dy, g.op('Add', [gate, rest])])];
  },
  // y = x: dx = dy
  Identity: ({ dy }) => [dy],
  Detach: { stops: true },
  // y = x in another type: only real numbers have gradients
  Cast: { nonDifferentiable: 'it makes numbers of whole numbers or truth values' },
  // y = Σx: dx = dy, repeated
  ReduceSum: ({ g, inputs: [x], attributes, dy }) => [
    g.op('Expand', [keptShape(g, x, attributes, dy)], { shape: x.shape }),
  ],
  // y = Σx²: dx = 2x·dy, repeated
  ReduceSumSquare: ({ g, inputs: [x], attributes, dy }) => [
    g.op('Mul', [g.op('Mul', [x, g.scalar(2)]), keptShape(g, x, attributes, dy)]),
  ],
  // y = max x: dx = dy where x is the largest, shared equally among equals
  ReduceMax: ({ g, inputs: [x], outputs: [y], attributes, dy }) => {
    const largest = g.op('Equal', [x, keptShape(g, x, attributes, y)]);
    const mask = g.op('Cast', [largest], { to: 'float32' });
    const count = g.op('ReduceSum', [mask], { axes: attributes.axes, keepDims: true });
    return [g.op('Mul', [g.op('Div', [mask, count]), keptShape(g, x, attributes, dy)])];
  },
  // y = softmax x: dx = y·(dy − Σ dy·y)
  Softmax: ({ g, outputs: [y], dy }) => {
    const weighted = g.op('Mul', [dy, y]);
    return [g.op('Sub', [weighted, g.op('Mul', [y, sumLast(g, weighted)])])];
  },
  // n = (x − μ)·r, y = n·scale + bias, h = dy·scale: dx = r·(h − mean h − n·mean(h·n)), dscale = Σ dy·n, dbias = Σ dy
  LayerNormalization: ({ g, inputs: [x, scale, bias], outputs: [, mean, inverse], dy }) => {
    const normal = g.op('Mul', [g.op('Sub', [x, mean]), inverse]);
    const h = g.op('Mul', [dy, scale]);
    const share = g.scalar(1 / elementCount(scale.shape));
    const meanH = g.op('Mul', [sumLast(g, h), share]);
    const meanHn = g.op('Mul', [sumLast(g, g.op('Mul', [h, normal])), share]);
    const centred = g.op('Sub', [g.op('Sub', [h, meanH]), g.op('Mul', [normal, meanHn])]);
    return [
      g.op('Mul', [centred, inverse]),
      sumTo(g, g.op('Mul', [dy, normal]), scale.shape),
      sumTo(g, dy, bias.shape),
    ];
  },
  // n = x·r, y = n·scale, h = dy·scale: dx = r·(h − n·mean(h·n)), dscale = Σ dy·n
  RmsNormalization: ({ g, inputs: [x, scale], outputs: [, made], attributes: { epsilon }, dy }) => {
    const share = g.scalar(1 / elementCount(scale.shape));
    // WebGPU answers another number in its place.
    const meanSquare = () => g.op('Mul', [sumLast(g, g.op('Mul', [x, x])), share]);
    const inverse =
      g.device === 'webgpu'
        ? g.op('Div', [g.scalar(1), g.op('Sqrt', [g.op('Add', [meanSquare(), g.scalar(epsilon)])])])
        : made;
    const normal = g.op('Mul', [x, inverse]);
    const h = g.op('Mul', [dy, scale]);
    const meanHn = g.op('Mul', [sumLast(g, g.op('Mul', [h, normal])), share]);
    return [
      g.op('Mul', [g.op('Sub', [h, g.op('Mul', [normal, meanHn])]), inverse]),
      sumTo(g, g.op('Mul', [dy, normal]), scale.shape),
    ];
  },
  // Y = A·B: dA = dY·Bᵀ, dB = Aᵀ·dY
  MatMul: ({ g, inputs: [a, b], dy }) => [
    sumTo(g, g.op('MatMul', [dy, transposeLast(g, b)]), a.shape),
    sumTo(g, g.op('MatMul', [transposeLast(g, a), dy]), b.shape),
  ],
  // Y = X·Wᵀ: dX = dY·W, with W unpacked anew, and only once dY is there: else it would lie unpacked since the way forward
  MatMulFourBit: ({ g, inputs: [, numbers, steps, zeros], attributes, dy }) => {
    const corner = g.op('Slice', [dy], { axis: 0, start: 0, end: 1 });
    const element = g.op('Slice', [corner], { axis: 1, start: 0, end: 1 });
    const laterSteps = g.op('Add', [steps, g.op('Mul', [element, g.scalar(0)])]);
    const weight = g.op('DequantizeLinear', [numbers, laterSteps, zeros], attributes);
    return [g.op('MatMul', [dy, weight]), undefined, undefined, undefined];
  },
  DequantizeLinear: { nonDifferentiable: 'a weight in four bits is frozen' },
  // Y = op(A)·op(B) + C: d op(A) = dY·op(B)ᵀ, d op(B) = op(A)ᵀ·dY, dC = dY; a transposed operand's gradient is transposed
  Gemm: ({ g, inputs: [a, b, c], attributes: { transA, transB }, dy }) => {
    const da = transA
      ? g.op('Gemm', [b, dy], { transA: transB, transB: true })
      : g.op('Gemm', [dy, b], { transA: false, transB: !transB });
    const db = transB
      ? g.op('Gemm', [dy, a], { transA: true, transB: transA })
      : g.op('Gemm', [a, dy], { transA: !transA, transB: false });
    return c ? [da, db, sumTo(g, dy, c.shape)] : [da, db];
  },
  Conv: convolutionGradient,
  ConvTranspose: transposedGradient,
  MaxPool: maximumGradient,
  // y = R·x, a rotation scaled: dx = Rᵀ·dy, the rotation by the opposite angle. Angles are constants.
  RotaryEmbedding: ({ g, inputs: [, cos, sin], dy }) => [
    g.op('RotaryEmbedding', [dy, cos, g.op('Neg', [sin])]),
    undefined,
    undefined,
  ],
  // y = x with its axes reordered: dx = dy with them put back
  Transpose: ({ g, attributes: { perm }, dy }) => [
    g.op('Transpose', [dy], { perm: perm.map((_, axis) => perm.indexOf(axis)) }),
  ],
  // y = x in another shape: dx = dy in the old one
  Reshape: ({ g, inputs: [x], dy }) => [g.op('Reshape', [dy], { shape: x.shape })],
  // y = x repeated: dx = Σ dy over the repeats
  Expand: ({ g, inputs: [x], dy }) => [sumTo(g, dy, x.shape)],
  // y = a, b, c … along an axis: each has its part of dy
  Concat: ({ g, inputs, attributes: { axis }, dy }) => {
    let start = 0;
    const part = (x: Value) => {
      const end = start + (x.shape[axis] ?? 0);
      const slice = g.op('Slice', [dy], { axis, start, end });
      start = end;
      return slice;
    };
    const [first, ...rest] = inputs;
    return [part(first), ...rest.map(part)];
  },
  // y₁, y₂, … = the parts of x: dx = dy₁, dy₂, … one after the other
  Split: ({ g, outputs, attributes: { axis }, dy, dys }) => {
    const [first, ...others] = outputs.map((part, at) => dys[at] ?? zeros(g, part.shape));
    return [g.op('Concat', [first ?? dy, ...others], { axis })];
  },
  // y = x[start…end]: dx = dy between zeros (and with zeros between, for every second, third, …)
  Slice: ({ g, inputs: [x], attributes: { axis, start, end, step = 1 }, dy }) => {
    const spread = spreadOut(g, dy, axis, step, end - start);
    return [g.op('Pad', [spread], { axis, before: start, after: (x.shape[axis] ?? end) - end })];
  },
  // y = x between zeros: dx = the middle of dy
  Pad: ({ g, inputs: [x], attributes: { axis, before }, dy }) => [
    g.op('Slice', [dy], { axis, start: before, end: before + (x.shape[axis] ?? 0) }),
  ],
  // y = table[i]: dtable[i] += dy
  Gather: ({ g, inputs: [table, indices], dy }) => {
    const row = table.shape.slice(1);
    const rows = elementCount(indices.shape);
    const updates = g.op('Reshape', [dy], { shape: [rows, ...row] });
    const column = g.op('Reshape', [indices], { shape: [rows, ...row.map(() => 1)] });
    const where = g.op('Expand', [column], { shape: [rows, ...row] });
    return [g.op('ScatterElements', [zeros(g, table.shape), where, updates], { axis: 0 }), undefined];
  },
  // y[p] = x[i(p)]: dx[i(p)] += dy[p]
  GatherElements: ({ g, inputs: [x, indices], attributes: { axis }, dy }) => [
    g.op('ScatterElements', [zeros(g, x.shape), indices, dy], { axis }),
    undefined,
  ],
  // y = x, y[i(p)] += u[p]: dx = dy, du[p] = dy[i(p)]
  ScatterElements: ({ g, inputs: [, indices], attributes: { axis }, dy }) => [
    dy,
    undefined,
    g.op('GatherElements', [dy, indices], { axis }),
  ],
};
