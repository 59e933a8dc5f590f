// For every op, graphs whose gradient is checked: shapes, broadcasting and attributes that differ.
import type { GraphBuilder } from '../../engine/graph/graph.ts';
import type { Op, OpAttributes, Value } from '../../engine/graph/ops.ts';
import type { GradientCase } from './gradcheck.ts';

type Build = (g: GraphBuilder, x: Value, second: Value, third: Value) => Value;
const check = (shapes: GradientCase['shapes'], build: Build, domain?: GradientCase['domain']): GradientCase => ({
  shapes,
  build: (g, inputs) => {
    const [x, second = x, third = second] = inputs;
    if (!x || !second || !third) throw new Error('a case has at least one input');
    return build(g, x, second, third);
  },
  ...(domain ? { domain } : {}),
});
const indices = (g: GraphBuilder, shape: readonly number[], numbers: readonly number[]) =>
  g.constant({ type: 'int32', shape, data: Int32Array.from(numbers) });
/** Of the first places, by rotary pairs. */
function angles(g: GraphBuilder, length: number, pairs: number): [Value, Value] {
  const turned = (turn: (angle: number) => number) => {
    const data = Float32Array.from({ length: length * pairs }, (_, at) => turn(at / 3));
    return g.constant({ type: 'float32', shape: [length, pairs], data });
  };
  return [turned(Math.cos), turned(Math.sin)];
}
const positive = (x: number) => 0.5 + Math.abs(x);
/** The same for up to 64 neighbours, with negative numbers too: a window over an edge must not see zeros. */
const spaced = (x: number, index: number) => Math.tanh(x) * 0.1 + ((index * 37) % 64) * 0.3 - 9.6;
/** Well separated, so that a small step never changes which is largest. */
const apart = (x: number, index: number) => Math.tanh(x) * 0.2 + ((index * 7) % 12) - 5.4;

const binary = (op: 'Add' | 'Sub' | 'Mul' | 'Div', domain?: GradientCase['domain']): readonly GradientCase[] =>
  (
    [
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 1, 3],
        [4, 1],
      ],
      [[2, 3], []],
    ] as const
  ).map((shapes) => check(shapes, (g, a, b) => g.op(op, [a, b]), domain));
const unary = (
  op: 'Sqrt' | 'Sigmoid' | 'Neg' | 'Exp' | 'Log' | 'Erf' | 'Tanh' | 'Relu' | 'Gelu' | 'GeluTanh' | 'Silu' | 'Identity',
  domain?: GradientCase['domain'],
) => [check([[2, 5]], (g, x) => g.op(op, [x]), domain)];
const gemm = (transA: boolean, transB: boolean, bias: readonly number[] | undefined): GradientCase => {
  const a = transA ? [4, 3] : [3, 4];
  const b = transB ? [2, 4] : [4, 2];
  return bias
    ? check([a, b, bias], (g, x, y, z) => g.op('Gemm', [x, y, z], { transA, transB }))
    : check([a, b], (g, x, y) => g.op('Gemm', [x, y], { transA, transB }));
};

const plain = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 } as const;
const convolution = (
  [x, w, bias]: readonly GradientCase['shapes'][number][],
  changes: Partial<OpAttributes['Conv']>,
): GradientCase => {
  const attributes = { ...plain, ...changes };
  if (!x || !w) throw new Error('a convolution has an image and kernels');
  return bias
    ? check([x, w, bias], (g, a, b, c) => g.op('Conv', [a, b, c], attributes))
    : check([x, w], (g, a, b) => g.op('Conv', [a, b], attributes));
};
const image = [2, 2, 5, 4];
const convolutions = [
  convolution([image, [3, 2, 3, 3], [3]], { pads: [1, 1, 1, 1] }),
  convolution([image, [3, 2, 3, 2]], { strides: [2, 1], pads: [0, 0, 1, 1] }),
  convolution([image, [2, 2, 3, 3]], { strides: [2, 2], pads: [0, 1, 1, 0] }),
  convolution(
    [
      [1, 2, 7, 6],
      [2, 2, 2, 3],
    ],
    { strides: [2, 1], dilations: [2, 1], pads: [1, 0, 0, 1] },
  ),
  convolution(
    [
      [1, 16, 3, 3],
      [1, 16, 2, 2],
    ],
    { strides: [1, 2], pads: [1, 0, 0, 1] },
  ),
  convolution(
    [
      [1, 1, 3, 2],
      [2, 1, 2, 2],
    ],
    { pads: [2, 0, 0, 2] },
  ),
  convolution(
    [
      [1, 1, 2, 2],
      [65, 1, 2, 2],
    ],
    {},
  ),
  convolution([image, [3, 2, 1, 1], [3]], {}),
  convolution([image, [2, 2, 1, 1]], { strides: [2, 2] }),
  convolution(
    [
      [2, 4, 4, 3],
      [2, 2, 3, 3],
    ],
    { groups: 2, pads: [1, 1, 1, 1] },
  ),
  convolution([[2, 3, 5, 4], [3, 1, 3, 3], [3]], { groups: 3, pads: [1, 1, 1, 1] }),
  convolution(
    [
      [2, 3, 6, 5],
      [3, 1, 3, 3],
    ],
    { groups: 3, strides: [2, 2], pads: [0, 0, 1, 1] },
  ),
];
const transposed_convolutions = [
  check(
    [
      [2, 3, 3, 2],
      [3, 2, 3, 3],
    ],
    (g, y, w) => g.op('ConvTranspose', [y, w], { ...plain, outputPadding: [0, 0] }),
  ),
  check(
    [
      [1, 2, 3, 3],
      [2, 2, 3, 2],
    ],
    (g, y, w) =>
      g.op('ConvTranspose', [y, w], { ...plain, strides: [2, 2], pads: [1, 0, 0, 1], outputPadding: [1, 0] }),
  ),
];
const poolings = [
  check(
    [[2, 2, 4, 4]],
    (g, x) => g.op('MaxPool', [x], { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }),
    spaced,
  ),
  check(
    [[1, 2, 5, 5]],
    (g, x) => g.op('MaxPool', [x], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    spaced,
  ),
  check(
    [[1, 1, 4, 5]],
    (g, x) => g.op('MaxPool', [x], { kernel: [3, 2], strides: [1, 2], pads: [1, 0, 0, 1] }),
    spaced,
  ),
];

export const gradient_cases: { readonly [O in Op]: readonly GradientCase[] } = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div', positive),
  Equal: [],
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log', positive),
  Erf: unary('Erf'),
  Tanh: unary('Tanh'),
  Relu: unary('Relu', apart),
  Gelu: unary('Gelu'),
  Sqrt: unary('Sqrt', positive),
  Sigmoid: unary('Sigmoid'),
  Clip: [check([[2, 5]], (g, x) => g.op('Clip', [x], { min: -1, max: 2 }), apart)],
  Conv: convolutions,
  ConvTranspose: transposed_convolutions,
  MaxPool: poolings,
  GeluTanh: unary('GeluTanh'),
  Silu: unary('Silu'),
  Identity: unary('Identity'),
  Detach: [],
  Cast: [],
  ReduceSumSquare: [
    check([[2, 3, 2]], (g, x) => g.op('ReduceSumSquare', [x], { axes: [1], keepDims: false })),
    check([[2, 3, 2]], (g, x) => g.op('ReduceSumSquare', [x], { axes: [0, 2], keepDims: true })),
  ],
  ReduceSum: [
    check([[2, 3, 2]], (g, x) => g.op('ReduceSum', [x], { axes: [1], keepDims: false })),
    check([[2, 3, 2]], (g, x) => g.op('ReduceSum', [x], { axes: [0, 2], keepDims: true })),
  ],
  ReduceMax: [
    check([[3, 4]], (g, x) => g.op('ReduceMax', [x], { axes: [1], keepDims: true }), apart),
    check([[3, 4]], (g, x) => g.op('ReduceMax', [x], { axes: [0], keepDims: false }), apart),
  ],
  Softmax: [check([[2, 3, 4]], (g, x) => g.op('Softmax', [x]))],
  LayerNormalization: [
    check([[2, 3, 6], [6], [6]], (g, x, scale, bias) =>
      g.op('LayerNormalization', [x, scale, bias], { epsilon: 1e-5 }),
    ),
  ],
  RmsNormalization: [check([[2, 3, 6], [6]], (g, x, scale) => g.op('RmsNormalization', [x, scale], { epsilon: 1e-5 }))],
  RotaryEmbedding: [check([[2, 3, 8]], (g, x) => g.op('RotaryEmbedding', [x, ...angles(g, 3, 2)]))],
  MatMul: [
    check(
      [
        [3, 4],
        [4, 2],
      ],
      (g, a, b) => g.op('MatMul', [a, b]),
    ),
    check(
      [
        [2, 2, 3, 4],
        [2, 2, 4, 2],
      ],
      (g, a, b) => g.op('MatMul', [a, b]),
    ),
    check(
      [
        [2, 3, 4],
        [4, 2],
      ],
      (g, a, b) => g.op('MatMul', [a, b]),
    ),
  ],
  MatMulFourBit: [
    check([[3, 64]], (g, x) => {
      // 8 + n in each half of a byte: steps apart from zero.
      const numbers = g.nibbles([16, 64], 11);
      const steps = g.constant({
        type: 'float32',
        shape: [16, 2],
        data: Float32Array.from({ length: 32 }, (_, at) => Math.sin(at * 1.7)),
      });
      return g.op('MatMulFourBit', [x, numbers, steps, g.nibbles([16, 2], 8)], { out: 16, in: 64, blockSize: 32 });
    }),
  ],
  DequantizeLinear: [],
  Gemm: [gemm(false, false, undefined), gemm(true, false, [2]), gemm(false, true, [2]), gemm(true, true, [3, 2])],
  Transpose: [check([[2, 3, 4]], (g, x) => g.op('Transpose', [x], { perm: [2, 0, 1] }))],
  Reshape: [check([[2, 6]], (g, x) => g.op('Reshape', [x], { shape: [3, 4] }))],
  Expand: [check([[2, 1]], (g, x) => g.op('Expand', [x], { shape: [3, 2, 4] }))],
  Split: [
    check([[2, 6]], (g, x) => {
      const [a = x, , c = x] = g.ops('Split', [x], { axis: 1, parts: 3 });
      return g.op('Mul', [a, c]);
    }),
    check([[4, 3]], (g, x) => g.op('Exp', [g.ops('Split', [x], { axis: 0, parts: 2 })[1] ?? x])),
  ],
  Slice: [
    check([[2, 5]], (g, x) => g.op('Slice', [x], { axis: 1, start: 1, end: 4 })),
    check([[7, 2]], (g, x) => g.op('Slice', [x], { axis: 0, start: 1, end: 6, step: 2 })),
    check([[8, 2]], (g, x) => g.op('Slice', [x], { axis: 0, start: 0, end: 8, step: 3 })),
  ],
  Concat: [
    check(
      [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      (g, x, y, z) => g.op('Concat', [x, y, z], { axis: 1 }),
    ),
  ],
  Pad: [check([[2, 3]], (g, x) => g.op('Pad', [x], { axis: 0, before: 1, after: 2 }))],
  Gather: [check([[4, 3]], (g, table) => g.op('Gather', [table, indices(g, [2, 3], [1, 3, 1, 0, 1, 3])]))],
  GatherElements: [
    check([[2, 4]], (g, x) => g.op('GatherElements', [x, indices(g, [2, 3], [0, 3, 3, 1, 1, 2])], { axis: 1 })),
  ],
  ScatterElements: [
    check(
      [
        [4, 2],
        [3, 2],
      ],
      (g, x, updates) => g.op('ScatterElements', [x, indices(g, [3, 2], [0, 3, 0, 1, 2, 1]), updates], { axis: 0 }),
    ),
  ],
};
