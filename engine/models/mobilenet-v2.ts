// MobileNetV2 (Sandler et al. 2018) for images: inverted residuals of depthwise convolutions, with Hugging Face's names.
import { z } from 'zod';
import type { Value } from '../graph/ops.ts';
import { averagePlaces, type ConvolutionBlock, convolutionParameters, convolve, type Padding } from './convolution.ts';
import { buildImageHead, completeImageModel, image_heads, imageHeadParameters } from './image-heads.ts';
import type { Layers } from './layers.ts';
import type { ImageModel } from './model.ts';
import { parseConfig } from './parse-config.ts';

const size = z.number().int().min(1).max(100_000);

const configSchema = z.object({
  model_type: z.literal('mobilenet_v2'),
  num_channels: size.default(3),
  image_size: size.default(224),
  depth_multiplier: z.number().positive().max(8).default(1),
  depth_divisible_by: size.default(8),
  min_depth: size.default(8),
  expand_ratio: z.number().positive().max(64).default(6),
  output_stride: z.union([z.literal(8), z.literal(16), z.literal(32)]).default(32),
  first_layer_is_expansion: z.boolean().default(true),
  finegrained_output: z.boolean().default(true),
  hidden_act: z.enum(['relu', 'relu6']).default('relu6'),
  tf_padding: z.boolean().default(true),
  classifier_dropout_prob: z.number().min(0).lt(1).default(0.8),
  initializer_range: z.number().positive().default(0.02),
  layer_norm_eps: z.number().positive().default(0.001),
});
type Config = z.output<typeof configSchema>;

/** Table 2 of the paper: the stem's output, then that of each inverted residual, and their strides. */
const full_channels = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320] as const;
const residual_strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1] as const;
const full_stem = 32;
const full_output = 1280;

/** A convolution with or without an activation after it. */
interface Step {
  readonly block: ConvolutionBlock;
  readonly activated: boolean;
}

interface Stage {
  readonly steps: readonly Step[];
  /** Adds its input to its output. */
  readonly residual: boolean;
}

/** Rounds halves to even, as Python does. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The nearest multiple of `depth_divisible_by` that is not more than a tenth below. */
function divisible({ depth_divisible_by: divisor, min_depth }: Config, channels: number): number {
  const value = roundHalfEven(channels);
  const nearest = Math.max(min_depth, Math.floor((value + divisor / 2) / divisor) * divisor);
  return nearest < 0.9 * value ? nearest + divisor : nearest;
}

function planStages(config: Config): Stage[] {
  const scaled = (channels: number) => divisible(config, channels * config.depth_multiplier);
  const channels = full_channels.map(scaled);
  const wide = scaled(full_stem);
  const step = (name: string, block: Omit<ConvolutionBlock, 'name'>, activated = true): Step => ({
    block: { name: `mobilenet_v2.${name}`, ...block },
    activated,
  });
  const stem: Step[] = [
    step('conv_stem.first_conv', { from: config.num_channels, to: wide, kernel: 3, stride: 2 }),
    ...(config.first_layer_is_expansion
      ? []
      : [step('conv_stem.expand_1x1', { from: wide, to: wide, kernel: 1, stride: 1 })]),
    step('conv_stem.conv_3x3', { from: wide, to: wide, kernel: 3, stride: 1, depthwise: true }),
    step('conv_stem.reduce_1x1', { from: wide, to: channels[0] ?? 0, kernel: 1, stride: 1 }, false),
  ];
  const stages: Stage[] = [{ steps: stem, residual: false }];
  let reached = 2;
  let nextDilation = 1;
  residual_strides.forEach((wanted, at) => {
    const from = channels[at] ?? 0;
    const to = channels[at + 1] ?? 0;
    // Where the image is small enough, a stride becomes a dilation of what follows.
    const full = reached === config.output_stride;
    const stride = full ? 1 : wanted;
    const dilation = full ? nextDilation : 1;
    if (full) nextDilation *= wanted;
    else reached *= wanted;
    const inner = divisible(config, from * config.expand_ratio);
    const name = (part: string) => `layer.${at}.${part}`;
    stages.push({
      steps: [
        step(name('expand_1x1'), { from, to: inner, kernel: 1, stride: 1 }),
        step(name('conv_3x3'), { from: inner, to: inner, kernel: 3, stride, dilation, depthwise: true }),
        step(name('reduce_1x1'), { from: inner, to, kernel: 1, stride: 1 }, false),
      ],
      residual: stride === 1 && from === to,
    });
  });
  const last = step('conv_1x1', { from: channels.at(-1) ?? 0, to: outputChannels(config), kernel: 1, stride: 1 });
  return [...stages, { steps: [last], residual: false }];
}

function outputChannels(config: Config): number {
  const keepsAll = config.finegrained_output && config.depth_multiplier < 1;
  return keepsAll ? full_output : divisible(config, full_output * config.depth_multiplier);
}

/** @throws UserError naming the file and the field that does not fit. */
export function createMobilenetV2(rawConfig: { readonly [key: string]: unknown }, source: string): ImageModel {
  const config = parseConfig(configSchema, rawConfig, source);
  const stages = planStages(config);
  const hiddenSize = outputChannels(config);
  return completeImageModel({
    modality: 'image',
    modelType: config.model_type,
    channels: config.num_channels,
    imageSize: config.image_size,
    hiddenSize,
    heads: image_heads,
    loraTargets: [],
    // The bare MobileNetV2Model is saved without its prefix.
    storedNames: (name) => [name, name.replace(/^mobilenet_v2\./, '')],
    architecture: (head) => (head.kind === 'embedding' ? 'MobileNetV2Model' : 'MobileNetV2ForImageClassification'),
    parameters: (head) =>
      new Map([
        ...stages.flatMap(({ steps }) => steps.flatMap(({ block }) => convolutionParameters(block))),
        ...imageHeadParameters('classifier', hiddenSize, head, config.initializer_range),
      ]),
    buildFeatures: (layers, { pixelValues }) => {
      let x = pixelValues;
      for (const { steps, residual } of stages) {
        const y = steps.reduce((input, step) => take(layers, config, input, step), x);
        x = residual ? layers.g.op('Add', [x, y]) : y;
      }
      return averagePlaces(layers, x);
    },
    buildHead: (layers, features, head) =>
      buildImageHead(layers, features, 'classifier', head, config.classifier_dropout_prob),
  });
}

function take(layers: Layers, config: Config, x: Value, { block, activated }: Step): Value {
  const padding = paddingOf(config, x, block);
  const y = convolve(layers, x, block, { epsilon: config.layer_norm_eps, padding });
  if (!activated) return y;
  return config.hidden_act === 'relu' ? layers.g.op('Relu', [y]) : layers.g.op('Clip', [y], { min: 0, max: 6 });
}

/** TensorFlow's SAME: as many zeros as the last window lacks, the odd one at the bottom and right. */
function paddingOf({ tf_padding }: Config, x: Value, { kernel, stride, dilation = 1 }: ConvolutionBlock): Padding {
  const around = ((kernel - 1) / 2) * dilation;
  if (!tf_padding) return [around, around, around, around];
  const along = (length: number) => {
    const rest = length % stride;
    const total = Math.max(kernel - (rest === 0 ? stride : rest), 0);
    const before = Math.floor(total / 2);
    return [before * dilation, (total - before) * dilation] as const;
  };
  const [top, bottom] = along(x.shape[2] ?? 0);
  const [left, right] = along(x.shape[3] ?? 0);
  return [top, left, bottom, right];
}
