// ResNet (He et al. 2015) for images: 18, 34, 50 and 101 layers and others of that layout, with Hugging Face's names.
import { z } from 'zod';
import type { Value } from '../graph/ops.ts';
import { averagePlaces, type ConvolutionBlock, convolutionParameters, convolve } from './convolution.ts';
import { buildImageHead, completeImageModel, image_heads, imageHeadParameters } from './image-heads.ts';
import type { Layers } from './layers.ts';
import type { ImageModel } from './model.ts';
import { parseConfig } from './parse-config.ts';

const size = z.number().int().min(1).max(100_000);
const sizes = z.array(size).min(1).max(16);

const configSchema = z
  .object({
    model_type: z.literal('resnet'),
    num_channels: size.default(3),
    embedding_size: size.default(64),
    hidden_sizes: sizes.default([256, 512, 1024, 2048]),
    depths: sizes.default([3, 4, 6, 3]),
    layer_type: z.enum(['basic', 'bottleneck']).default('bottleneck'),
    hidden_act: z.literal('relu').default('relu'),
    downsample_in_first_stage: z.boolean().default(false),
    downsample_in_bottleneck: z.boolean().default(false),
    image_size: size.default(224),
  })
  .refine((config) => config.hidden_sizes.length === config.depths.length, {
    message: 'hidden_sizes and depths must be equally long',
  });
type Config = z.output<typeof configSchema>;

/** PyTorch's default, which the config does not hold. */
const epsilon = 1e-5;
const head_layer = 'classifier.1';

/** One residual layer: a shortcut (when the shape changes) and two or three convolutions. */
interface ResidualLayer {
  readonly shortcut: ConvolutionBlock | undefined;
  readonly path: readonly ConvolutionBlock[];
}

const embedderOf = (config: Config): ConvolutionBlock => ({
  name: 'resnet.embedder.embedder',
  from: config.num_channels,
  to: config.embedding_size,
  kernel: 7,
  stride: 2,
});

function planLayers(config: Config): ResidualLayer[] {
  const layers: ResidualLayer[] = [];
  let from = config.embedding_size;
  config.hidden_sizes.forEach((to, stage) => {
    for (let at = 0; at < (config.depths[stage] ?? 0); at++) {
      const stride = at === 0 && (stage > 0 || config.downsample_in_first_stage) ? 2 : 1;
      layers.push(planLayer(config, `resnet.encoder.stages.${stage}.layers.${at}`, from, to, stride));
      from = to;
    }
  });
  return layers;
}

function planLayer(config: Config, prefix: string, from: number, to: number, stride: number): ResidualLayer {
  const changes = from !== to || stride !== 1;
  const shortcut = changes ? { name: `${prefix}.shortcut`, from, to, kernel: 1, stride } : undefined;
  const part = (at: number, block: Omit<ConvolutionBlock, 'name'>) => ({ name: `${prefix}.layer.${at}`, ...block });
  if (config.layer_type === 'basic') {
    return {
      shortcut,
      path: [part(0, { from, to, kernel: 3, stride }), part(1, { from: to, to, kernel: 3, stride: 1 })],
    };
  }
  const narrow = Math.floor(to / 4);
  const first = config.downsample_in_bottleneck ? stride : 1;
  return {
    shortcut,
    path: [
      part(0, { from, to: narrow, kernel: 1, stride: first }),
      part(1, { from: narrow, to: narrow, kernel: 3, stride: first === 1 ? stride : 1 }),
      part(2, { from: narrow, to, kernel: 1, stride: 1 }),
    ],
  };
}

/** @throws UserError naming the file and the field that does not fit. */
export function createResnet(rawConfig: { readonly [key: string]: unknown }, source: string): ImageModel {
  const config = parseConfig(configSchema, rawConfig, source);
  const plan = planLayers(config);
  const blocks = [
    embedderOf(config),
    ...plan.flatMap(({ shortcut, path }) => [...(shortcut ? [shortcut] : []), ...path]),
  ];
  const hiddenSize = config.hidden_sizes.at(-1) ?? 0;
  return completeImageModel({
    modality: 'image',
    modelType: config.model_type,
    channels: config.num_channels,
    imageSize: config.image_size,
    hiddenSize,
    heads: image_heads,
    loraTargets: [],
    // The bare ResNetModel is saved without its prefix.
    storedNames: (name) => [name, name.replace(/^resnet\./, '')],
    architecture: (head) => (head.kind === 'embedding' ? 'ResNetModel' : 'ResNetForImageClassification'),
    parameters: (head) =>
      new Map([
        ...blocks.flatMap(convolutionParameters),
        ...imageHeadParameters(head_layer, hiddenSize, head, 1 / Math.sqrt(3 * hiddenSize)),
      ]),
    buildFeatures: (layers, { pixelValues }) => {
      let x = embed(layers, config, pixelValues);
      for (const layer of plan) x = addResidual(layers, x, layer);
      return averagePlaces(layers, x);
    },
    buildHead: (layers, features, head) => buildImageHead(layers, features, head_layer, head),
  });
}

function convolveAround(layers: Layers, x: Value, block: ConvolutionBlock): Value {
  const pad = Math.floor(block.kernel / 2);
  return convolve(layers, x, block, { epsilon, padding: [pad, pad, pad, pad] });
}

function embed(layers: Layers, config: Config, pixelValues: Value): Value {
  const { g } = layers;
  const embedded = g.op('Relu', [convolveAround(layers, pixelValues, embedderOf(config))]);
  return g.op('MaxPool', [embedded], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
}

/** relu(path(x) + shortcut(x)), with a relu after each convolution of the path but the last. */
function addResidual(layers: Layers, x: Value, { shortcut, path }: ResidualLayer): Value {
  const { g } = layers;
  const kept = shortcut ? convolveAround(layers, x, shortcut) : x;
  let y = x;
  path.forEach((block, at) => {
    const convolved = convolveAround(layers, y, block);
    y = at < path.length - 1 ? g.op('Relu', [convolved]) : convolved;
  });
  return g.op('Relu', [g.op('Add', [y, kept])]);
}
