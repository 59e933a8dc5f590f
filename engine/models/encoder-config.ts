// What the config.json of BERT, RoBERTa and MPNet have in common.
import { z } from 'zod';
import { activationSchema } from './activations.ts';

export const sizeSchema = z.number().int().min(1).max(1_000_000);
export const rateSchema = z.number().min(0).lt(1);

/** Names as in config.json. */
export const encoder_fields = {
  vocab_size: sizeSchema,
  hidden_size: sizeSchema,
  num_hidden_layers: sizeSchema,
  num_attention_heads: sizeSchema,
  intermediate_size: sizeSchema,
  hidden_act: activationSchema.default('gelu'),
  hidden_dropout_prob: rateSchema.default(0.1),
  attention_probs_dropout_prob: rateSchema.default(0.1),
  classifier_dropout: rateSchema.nullish(),
  max_position_embeddings: sizeSchema,
  initializer_range: z.number().positive().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
};

type EncoderFields = z.output<z.ZodObject<typeof encoder_fields>>;

/** Every head of attention has as many numbers as the next. */
export const fits_heads = {
  check: (config: Pick<EncoderFields, 'hidden_size' | 'num_attention_heads'>) =>
    config.hidden_size % config.num_attention_heads === 0,
  message: 'hidden_size must be a multiple of num_attention_heads',
};

/** The part of a design that follows from these fields alone. */
export function encoderSizes(config: EncoderFields) {
  return {
    vocabulary: config.vocab_size,
    hidden: config.hidden_size,
    inner: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    initializerRange: config.initializer_range,
    dropout: {
      hidden: config.hidden_dropout_prob,
      probabilities: config.attention_probs_dropout_prob,
      attentionOutput: config.hidden_dropout_prob,
      classifier: config.classifier_dropout ?? config.hidden_dropout_prob,
    },
  };
}
