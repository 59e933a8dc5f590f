// CLIP (Radford et al. 2021): an image tower and a text tower whose vectors of one pair are drawn together.
// As a model of images it classifies from the mean of its patches; `withTexts` is both towers, trained on pairs.
import { z } from 'zod';
import type { Value } from '../graph/ops.ts';
import { activationSchema } from './activations.ts';
import { causalBias } from './attention.ts';
import { rateSchema, sizeSchema } from './encoder-config.ts';
import { buildImageHead, completeImageModel, imageHeadParameters } from './image-heads.ts';
import { asMatrix, type Layers } from './layers.ts';
import type { ImageInputs, ImageModel, ImageTextModel, TextInputs } from './model.ts';
import { parseConfig } from './parse-config.ts';
import { embedPatches, patchCount } from './patches.ts';
import { addPreNormSpecs, buildPreNorm, normalize, type PreNormDesign, preNormLoraTargets } from './pre-norm.ts';
import { collectSpecs, type SpecCollector } from './specs.ts';

const tower = {
  hidden_act: activationSchema.default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  attention_dropout: rateSchema.default(0),
  num_hidden_layers: sizeSchema.default(12),
};
const towerFits = (config: { hidden_size: number; num_attention_heads: number }) =>
  config.hidden_size % config.num_attention_heads === 0;
const misfit = { message: 'hidden_size must be a multiple of num_attention_heads' };

const clipConfigSchema = z.object({
  model_type: z.literal('clip'),
  projection_dim: sizeSchema.default(512),
  logit_scale_init_value: z.number().default(2.6592),
  text_config: z
    .object({
      ...tower,
      vocab_size: sizeSchema.default(49408),
      hidden_size: sizeSchema.default(512),
      intermediate_size: sizeSchema.default(2048),
      num_attention_heads: sizeSchema.default(8),
      max_position_embeddings: sizeSchema.default(77),
    })
    .refine(towerFits, misfit)
    .prefault({}),
  vision_config: z
    .object({
      ...tower,
      hidden_size: sizeSchema.default(768),
      intermediate_size: sizeSchema.default(3072),
      num_attention_heads: sizeSchema.default(12),
      num_channels: sizeSchema.default(3),
      image_size: sizeSchema.default(224),
      patch_size: sizeSchema.default(32),
    })
    .refine(towerFits, misfit)
    .prefault({}),
});
type Config = z.output<typeof clipConfigSchema>;

const initializerRange = 0.02;

type TowerConfig = Config['text_config'] | Config['vision_config'];

const designOf = (config: TowerConfig, prefix: string): PreNormDesign => ({
  hidden: config.hidden_size,
  inner: config.intermediate_size,
  layers: config.num_hidden_layers,
  heads: config.num_attention_heads,
  activation: config.hidden_act,
  epsilon: config.layer_norm_eps,
  attentionBias: true,
  dropout: { hidden: 0, probabilities: config.attention_dropout },
  layer(index) {
    const layer = `${prefix}.encoder.layers.${index}`;
    return {
      query: `${layer}.self_attn.q_proj`,
      key: `${layer}.self_attn.k_proj`,
      value: `${layer}.self_attn.v_proj`,
      attentionOutput: `${layer}.self_attn.out_proj`,
      inner: `${layer}.mlp.fc1`,
      output: `${layer}.mlp.fc2`,
      firstNorm: `${layer}.layer_norm1`,
      secondNorm: `${layer}.layer_norm2`,
    };
  },
});

/** @throws UserError naming the file and the field that does not fit. */
export function createClip(
  rawConfig: { readonly [key: string]: unknown },
  source: string,
): ImageModel & { readonly withTexts: ImageTextModel } {
  const config = parseConfig(clipConfigSchema, rawConfig, source);
  const { vision_config: vision } = config;
  const design = designOf(vision, 'vision_model');
  const classifier = 'classifier';
  return {
    ...completeImageModel({
      modality: 'image',
      modelType: config.model_type,
      channels: vision.num_channels,
      imageSize: vision.image_size,
      hiddenSize: vision.hidden_size,
      heads: ['classification', 'regression'],
      loraTargets: preNormLoraTargets(design),
      storedNames: (name) => [name],
      architecture: () => 'CLIPForImageClassification',
      parameters(head) {
        const collector = collectSpecs(initializerRange);
        addVisionSpecs(collector, config, design);
        const head_specs = imageHeadParameters(classifier, vision.hidden_size, head, initializerRange);
        return new Map([...collector.specs, ...head_specs]);
      },
      buildFeatures(layers, inputs) {
        const { g } = layers;
        const tokens = encodeImages(layers, config, design, inputs);
        const [, length = 0] = tokens.shape;
        const patches = g.op('Slice', [tokens], { axis: 1, start: 1, end: length });
        const sum = g.op('ReduceSum', [patches], { axes: [1], keepDims: false });
        return g.op('Mul', [sum, g.scalar(1 / (length - 1))]);
      },
      buildHead: (layers, features, head) => buildImageHead(layers, features, classifier, head),
    }),
    withTexts: createTowers(config, design),
  };
}

function createTowers(config: Config, design: PreNormDesign): ImageTextModel {
  const { vision_config: vision, text_config: text } = config;
  const textDesign = designOf(text, 'text_model');
  const imageVectors: ImageTextModel['imageVectors'] = (layers, inputs) => {
    const { g } = layers;
    const tokens = encodeImages(layers, config, design, inputs);
    const first = asMatrix(g, g.op('Slice', [tokens], { axis: 1, start: 0, end: 1 }));
    const pooled = normalize(layers, first, 'vision_model.post_layernorm', design.epsilon);
    return toLengthOne(layers, layers.linear(pooled, 'visual_projection', { bias: false }));
  };
  const textVectors: ImageTextModel['textVectors'] = (layers, inputs) => {
    const { g, weight } = layers;
    const last = g.op('Gather', [encodeTexts(layers, textDesign, inputs), inputs.ends]);
    const pooled = normalize(layers, last, 'text_model.final_layer_norm', textDesign.epsilon);
    const vectors = toLengthOne(layers, layers.linear(pooled, 'text_projection', { bias: false }));
    return g.op('Mul', [vectors, g.op('Exp', [weight('logit_scale')])]);
  };
  return {
    modality: 'image-text',
    modelType: config.model_type,
    channels: vision.num_channels,
    imageSize: vision.image_size,
    vocabularySize: text.vocab_size,
    maxLength: text.max_position_embeddings,
    hiddenSize: config.projection_dim,
    heads: ['contrast'],
    loraTargets: [...preNormLoraTargets(textDesign), ...preNormLoraTargets(design)],
    storedNames: (name) => [name],
    architecture: () => 'CLIPModel',
    parameters() {
      const collector = collectSpecs(initializerRange);
      addVisionSpecs(collector, config, design);
      collector.norm('vision_model.post_layernorm', vision.hidden_size);
      addTextSpecs(collector, config, textDesign);
      collector.linear('visual_projection', config.projection_dim, vision.hidden_size, { bias: false });
      collector.linear('text_projection', config.projection_dim, text.hidden_size, { bias: false });
      collector.add('logit_scale', [], { constant: config.logit_scale_init_value });
      return collector.specs;
    },
    imageVectors,
    textVectors,
    build: (layers, inputs) =>
      layers.g.op('Gemm', [textVectors(layers, inputs), imageVectors(layers, inputs)], { transA: false, transB: true }),
  };
}

function addVisionSpecs(collector: SpecCollector, { vision_config: vision }: Config, design: PreNormDesign): void {
  const { hidden_size: hidden, num_channels: channels, patch_size: patch, image_size: imageSize } = vision;
  const normal = { normal: initializerRange };
  const rows = patchCount({ channels, imageSize, patchSize: patch, hidden }) + 1;
  collector.add('vision_model.embeddings.class_embedding', [hidden], normal);
  collector.add('vision_model.embeddings.patch_embedding.weight', [hidden, channels, patch, patch], normal);
  collector.add('vision_model.embeddings.position_embedding.weight', [rows, hidden], normal);
  // The name is misspelt in every checkpoint.
  collector.norm('vision_model.pre_layrnorm', hidden);
  addPreNormSpecs(collector, design);
}

function addTextSpecs(collector: SpecCollector, { text_config: text }: Config, design: PreNormDesign): void {
  const normal = { normal: initializerRange };
  const hidden = text.hidden_size;
  collector.add('text_model.embeddings.token_embedding.weight', [text.vocab_size, hidden], normal);
  collector.add('text_model.embeddings.position_embedding.weight', [text.max_position_embeddings, hidden], normal);
  addPreNormSpecs(collector, design);
  collector.norm('text_model.final_layer_norm', hidden);
}

/** [rows, patches + 1, hidden], as the last layer leaves it. */
function encodeImages(layers: Layers, config: Config, design: PreNormDesign, { pixelValues }: ImageInputs): Value {
  const { g, weight } = layers;
  const { vision_config: vision } = config;
  const tokens = embedPatches(
    layers,
    pixelValues,
    {
      kernels: weight('vision_model.embeddings.patch_embedding.weight'),
      bias: undefined,
      classToken: weight('vision_model.embeddings.class_embedding'),
      positions: weight('vision_model.embeddings.position_embedding.weight'),
    },
    {
      channels: vision.num_channels,
      imageSize: vision.image_size,
      patchSize: vision.patch_size,
      hidden: vision.hidden_size,
    },
  );
  const [rows = 0] = tokens.shape;
  const normal = normalize(layers, asMatrix(g, tokens), 'vision_model.pre_layrnorm', design.epsilon);
  return g.op('Reshape', [buildPreNorm(layers, design, normal, rows, g.scalar(0))], { shape: tokens.shape });
}

/** [texts · length, hidden]. Each token sees itself and those before it. */
function encodeTexts(layers: Layers, design: PreNormDesign, { inputIds, attentionBias }: TextInputs): Value {
  const { g, weight } = layers;
  const [rows = 0, length = 0] = inputIds.shape;
  const words = g.op('Gather', [weight('text_model.embeddings.token_embedding.weight'), inputIds]);
  const places = g.op('Slice', [weight('text_model.embeddings.position_embedding.weight')], {
    axis: 0,
    start: 0,
    end: length,
  });
  const saysAll = attentionBias.shape[2] === length;
  const bias = saysAll ? attentionBias : g.op('Add', [attentionBias, causalBias(g, length)]);
  return buildPreNorm(layers, design, asMatrix(g, g.op('Add', [words, places])), rows, bias);
}

function toLengthOne({ g }: Layers, x: Value): Value {
  const squares = g.op('ReduceSum', [g.op('Mul', [x, x])], { axes: [1], keepDims: true });
  return g.op('Div', [x, g.op('Sqrt', [squares])]);
}
