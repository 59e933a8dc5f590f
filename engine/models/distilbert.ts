// DistilBERT (Sanh et al. 2019): half of BERT's layers, no kinds of token, other names.
import { z } from 'zod';
import { activationSchema } from './activations.ts';
import { createEncoder } from './encoder.ts';
import { rateSchema, sizeSchema } from './encoder-config.ts';
import type { TextModel } from './model.ts';
import { parseConfig } from './parse-config.ts';

const distilbertConfigSchema = z
  .object({
    model_type: z.literal('distilbert'),
    vocab_size: sizeSchema,
    dim: sizeSchema,
    hidden_dim: sizeSchema,
    n_layers: sizeSchema,
    n_heads: sizeSchema,
    max_position_embeddings: sizeSchema,
    activation: activationSchema.default('gelu'),
    dropout: rateSchema.default(0.1),
    attention_dropout: rateSchema.default(0.1),
    seq_classif_dropout: rateSchema.default(0.2),
    initializer_range: z.number().positive().default(0.02),
    tie_word_embeddings: z.boolean().default(true),
  })
  .refine((config) => config.dim % config.n_heads === 0, { message: 'dim must be a multiple of n_heads' });

/** @throws UserError naming the file and the field that does not fit. */
export function createDistilbert(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const config = parseConfig(distilbertConfigSchema, raw, source);
  return createEncoder({
    modelType: 'distilbert',
    className: 'DistilBert',
    prefix: 'distilbert',
    vocabulary: config.vocab_size,
    hidden: config.dim,
    inner: config.hidden_dim,
    layers: config.n_layers,
    heads: config.n_heads,
    positions: { rows: config.max_position_embeddings, first: 0 },
    tokenTypes: 0,
    relative: undefined,
    activation: config.activation,
    epsilon: 1e-12,
    initializerRange: config.initializer_range,
    dropout: {
      hidden: config.dropout,
      probabilities: config.attention_dropout,
      attentionOutput: 0,
      classifier: config.seq_classif_dropout,
    },
    layer(index) {
      const layer = `distilbert.transformer.layer.${index}`;
      return {
        query: `${layer}.attention.q_lin`,
        key: `${layer}.attention.k_lin`,
        value: `${layer}.attention.v_lin`,
        attentionOutput: `${layer}.attention.out_lin`,
        attentionNorm: `${layer}.sa_layer_norm`,
        inner: `${layer}.ffn.lin1`,
        output: `${layer}.ffn.lin2`,
        outputNorm: `${layer}.output_layer_norm`,
      };
    },
    sequenceHead: { dense: 'pre_classifier', part: 'head', activation: 'relu', dropsInput: false, out: 'classifier' },
    maskedHead: {
      dense: 'vocab_transform',
      activation: config.activation,
      norm: 'vocab_layer_norm',
      table: config.tie_word_embeddings ? undefined : 'vocab_projector.weight',
      bias: 'vocab_projector.bias',
    },
  });
}
