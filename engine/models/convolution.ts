// Convolution followed by batch normalisation, the brick of residual and mobile networks, with its weights' names.
import type { Value } from '../graph/ops.ts';
import type { Layers } from './layers.ts';
import type { ParameterSpec } from './model.ts';

/** One block of the checkpoint: `${name}.convolution.weight` and `${name}.normalization.*`. */
export interface ConvolutionBlock {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation?: number;
  /** Each channel with its own kernel. */
  readonly depthwise?: true;
}

/** Top, left, bottom, right. */
export type Padding = readonly [number, number, number, number];

export interface NormalizationOptions {
  readonly epsilon: number;
  readonly padding: Padding;
}

/** The weights of a block, drawn as He et al. (2015) do: normal with variance 2/fan-out. */
export function convolutionParameters(block: ConvolutionBlock): [string, ParameterSpec][] {
  const { name, from, to, kernel, depthwise } = block;
  const deviation = Math.sqrt(2 / ((depthwise ? 1 : to) * kernel ** 2));
  const channels = { shape: [to], part: 'body' } as const;
  return [
    [
      `${name}.convolution.weight`,
      { shape: [to, depthwise ? 1 : from, kernel, kernel], part: 'body', initial: { normal: deviation } },
    ],
    [`${name}.normalization.weight`, { ...channels, initial: 'ones' }],
    [`${name}.normalization.bias`, { ...channels, initial: 'zeros' }],
    [`${name}.normalization.running_mean`, { ...channels, initial: 'zeros', isBuffer: true }],
    [`${name}.normalization.running_var`, { ...channels, initial: 'ones', isBuffer: true }],
  ];
}

/**
 * Normalised convolution, γ·(x∗w − μ)/√(σ² + ε) + β for each channel. With stored statistics (frozen, as usual when
 * fine-tuning with small batches) it is one convolution with the kernels w·γ/√(σ² + ε); else the batch's own are taken.
 */
export function convolve(layers: Layers, x: Value, block: ConvolutionBlock, options: NormalizationOptions): Value {
  const { g, weight } = layers;
  const { name, stride, dilation = 1, depthwise, from, to } = block;
  const attributes = {
    strides: [stride, stride],
    pads: options.padding,
    dilations: [dilation, dilation],
    groups: depthwise ? from : 1,
  } as const;
  const kernels = weight(`${name}.convolution.weight`);
  const scale = weight(`${name}.normalization.weight`);
  const shift = weight(`${name}.normalization.bias`);
  if (layers.statistics) return normalizeBatch(layers, g.op('Conv', [x, kernels], attributes), name, options.epsilon);
  const variance = g.op('Add', [weight(`${name}.normalization.running_var`), g.scalar(options.epsilon)]);
  const factor = g.op('Div', [scale, g.op('Sqrt', [variance])]);
  const scaled = g.op('Mul', [kernels, g.op('Reshape', [factor], { shape: [to, 1, 1, 1] })]);
  const bias = g.op('Sub', [shift, g.op('Mul', [weight(`${name}.normalization.running_mean`), factor])]);
  return g.op('Conv', [x, scaled, bias], attributes);
}

/** With the mean and the variance over images and places of y [n, c, h, w] (Ioffe & Szegedy 2015). */
function normalizeBatch({ g, weight, statistics }: Layers, y: Value, name: string, epsilon: number): Value {
  const [n = 1, c = 1, h = 1, w = 1] = y.shape;
  const count = n * h * w;
  const average = (x: Value) =>
    g.op('Mul', [g.op('ReduceSum', [x], { axes: [0, 2, 3], keepDims: true }), g.scalar(1 / count)]);
  const channels = (x: Value) => g.op('Reshape', [x], { shape: [c] });
  const spread = (x: Value) => g.op('Reshape', [x], { shape: [1, c, 1, 1] });
  const mean = average(y);
  const centred = g.op('Sub', [y, mean]);
  const variance = average(g.op('Mul', [centred, centred]));
  statistics?.push({
    name: `${name}.normalization`,
    mean: channels(mean),
    variance: g.op('Mul', [channels(variance), g.scalar(count / Math.max(count - 1, 1))]),
  });
  const deviation = g.op('Sqrt', [g.op('Add', [variance, g.scalar(epsilon)])]);
  const factor = g.op('Div', [spread(weight(`${name}.normalization.weight`)), deviation]);
  return g.op('Add', [g.op('Mul', [centred, factor]), spread(weight(`${name}.normalization.bias`))]);
}

/** The mean over the places of each channel: [n, c, h, w] → [n, c]. */
export function averagePlaces({ g }: Layers, x: Value): Value {
  const [, , h = 1, w = 1] = x.shape;
  const sum = g.op('ReduceSum', [x], { axes: [2, 3], keepDims: false });
  return g.op('Mul', [sum, g.scalar(1 / (h * w))]);
}
