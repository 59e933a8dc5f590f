// MPNet (Song et al. 2020): BERT's layers under other names, and a lean of attention by distance that all layers share.
import { z } from 'zod';
import { createEncoder } from './encoder.ts';
import { encoder_fields, encoderSizes, fits_heads } from './encoder-config.ts';
import type { TextModel } from './model.ts';
import { parseConfig } from './parse-config.ts';
import { robertaHeads } from './roberta.ts';

const mpnetConfigSchema = z
  .object({
    ...encoder_fields,
    model_type: z.literal('mpnet'),
    relative_attention_num_buckets: z.literal(32).default(32),
    pad_token_id: z.number().int().min(0).default(1),
  })
  .refine(fits_heads.check, fits_heads.message);

/** @throws UserError naming the file and the field that does not fit. */
export function createMpnet(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const config = parseConfig(mpnetConfigSchema, raw, source);
  return createEncoder({
    ...encoderSizes(config),
    modelType: 'mpnet',
    className: 'MPNet',
    prefix: 'mpnet',
    positions: { rows: config.max_position_embeddings, first: config.pad_token_id + 1 },
    tokenTypes: 0,
    relative: { table: 'mpnet.encoder.relative_attention_bias.weight', buckets: config.relative_attention_num_buckets },
    layer(index) {
      const layer = `mpnet.encoder.layer.${index}`;
      return {
        query: `${layer}.attention.attn.q`,
        key: `${layer}.attention.attn.k`,
        value: `${layer}.attention.attn.v`,
        attentionOutput: `${layer}.attention.attn.o`,
        attentionNorm: `${layer}.attention.LayerNorm`,
        inner: `${layer}.intermediate.dense`,
        output: `${layer}.output.dense`,
        outputNorm: `${layer}.output.LayerNorm`,
      };
    },
    ...robertaHeads(config.tie_word_embeddings),
  });
}
