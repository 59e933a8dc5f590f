// ViT (Dosovitskiy et al. 2020) for images: an encoder over patches that answers from its class token.
import { z } from 'zod';
import { activationSchema } from './activations.ts';
import { rateSchema, sizeSchema } from './encoder-config.ts';
import { buildImageHead, completeImageModel, image_heads, imageHeadParameters } from './image-heads.ts';
import { asMatrix } from './layers.ts';
import type { Head, ImageModel, ParameterSpecs } from './model.ts';
import { parseConfig } from './parse-config.ts';
import { embedPatches, patchCount } from './patches.ts';
import { addPreNormSpecs, buildPreNorm, normalize, type PreNormDesign, preNormLoraTargets } from './pre-norm.ts';
import { collectSpecs } from './specs.ts';

const vitConfigSchema = z
  .object({
    model_type: z.literal('vit'),
    hidden_size: sizeSchema.default(768),
    num_hidden_layers: sizeSchema.default(12),
    num_attention_heads: sizeSchema.default(12),
    intermediate_size: sizeSchema.default(3072),
    hidden_act: activationSchema.default('gelu'),
    hidden_dropout_prob: rateSchema.default(0),
    attention_probs_dropout_prob: rateSchema.default(0),
    initializer_range: z.number().positive().default(0.02),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: sizeSchema.default(224),
    patch_size: sizeSchema.default(16),
    num_channels: sizeSchema.default(3),
    qkv_bias: z.boolean().default(true),
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    message: 'hidden_size must be a multiple of num_attention_heads',
  })
  .refine((config) => config.patch_size <= config.image_size, { message: 'patch_size must not exceed image_size' });

const embeddings = 'vit.embeddings';
const projection = `${embeddings}.patch_embeddings.projection`;

const renamed_parts = [
  ['.encoder.layer.', '.layers.'],
  ['.attention.attention.query.', '.attention.q_proj.'],
  ['.attention.attention.key.', '.attention.k_proj.'],
  ['.attention.attention.value.', '.attention.v_proj.'],
  ['.attention.output.dense.', '.attention.o_proj.'],
  ['.intermediate.dense.', '.mlp.fc1.'],
  ['.output.dense.', '.mlp.fc2.'],
] as const;
const renamed = (name: string) => renamed_parts.reduce((changed, [old, now]) => changed.replace(old, now), name);

/** @throws UserError naming the file and the field that does not fit. */
export function createVit(rawConfig: { readonly [key: string]: unknown }, source: string): ImageModel {
  const config = parseConfig(vitConfigSchema, rawConfig, source);
  const hidden = config.hidden_size;
  const patches = {
    channels: config.num_channels,
    imageSize: config.image_size,
    patchSize: config.patch_size,
    hidden,
  };
  const design: PreNormDesign = {
    hidden,
    inner: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    attentionBias: config.qkv_bias,
    dropout: { hidden: config.hidden_dropout_prob, probabilities: config.attention_probs_dropout_prob },
    layer(index) {
      const layer = `vit.encoder.layer.${index}`;
      return {
        query: `${layer}.attention.attention.query`,
        key: `${layer}.attention.attention.key`,
        value: `${layer}.attention.attention.value`,
        attentionOutput: `${layer}.attention.output.dense`,
        inner: `${layer}.intermediate.dense`,
        output: `${layer}.output.dense`,
        firstNorm: `${layer}.layernorm_before`,
        secondNorm: `${layer}.layernorm_after`,
      };
    },
  };
  const parameters = (head: Head): ParameterSpecs => {
    const normal = { normal: config.initializer_range };
    const collector = collectSpecs(config.initializer_range);
    collector.add(`${embeddings}.cls_token`, [1, 1, hidden], normal);
    collector.add(`${embeddings}.position_embeddings`, [1, patchCount(patches) + 1, hidden], normal);
    collector.add(`${projection}.weight`, [hidden, patches.channels, patches.patchSize, patches.patchSize], normal);
    collector.add(`${projection}.bias`, [hidden], 'zeros');
    addPreNormSpecs(collector, design);
    collector.norm('vit.layernorm', hidden);
    return new Map([...collector.specs, ...imageHeadParameters('classifier', hidden, head, config.initializer_range)]);
  };
  return completeImageModel({
    modality: 'image',
    modelType: config.model_type,
    channels: config.num_channels,
    imageSize: config.image_size,
    hiddenSize: hidden,
    heads: image_heads,
    loraTargets: preNormLoraTargets(design),
    // The bare ViTModel is saved without its prefix.
    storedNames: (name) => [name, name.replace(/^vit\./, ''), renamed(name)],
    renamed,
    architecture: (head) => (head.kind === 'embedding' ? 'ViTModel' : 'ViTForImageClassification'),
    parameters,
    buildFeatures(layers, { pixelValues }) {
      const { g, weight } = layers;
      const weights = {
        kernels: weight(`${projection}.weight`),
        bias: weight(`${projection}.bias`),
        classToken: weight(`${embeddings}.cls_token`),
        positions: weight(`${embeddings}.position_embeddings`),
      };
      const tokens = layers.dropout(embedPatches(layers, pixelValues, weights, patches), design.dropout.hidden);
      const [rows = 0] = tokens.shape;
      const encoded = buildPreNorm(layers, design, asMatrix(g, tokens), rows, g.scalar(0));
      const whole = g.op('Reshape', [encoded], { shape: tokens.shape });
      const first = asMatrix(g, g.op('Slice', [whole], { axis: 1, start: 0, end: 1 }));
      return normalize(layers, first, 'vit.layernorm', design.epsilon);
    },
    buildHead: (layers, features, head) => buildImageHead(layers, features, 'classifier', head),
  });
}
