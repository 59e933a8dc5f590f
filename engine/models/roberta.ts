// RoBERTa (Liu et al. 2019) and its kin XLM-R and CamemBERT: BERT's layers, positions counted on from the padding's, other heads.
import { z } from 'zod';
import { bertLayer, createEncoder } from './encoder.ts';
import { encoder_fields, encoderSizes, fits_heads, sizeSchema } from './encoder-config.ts';
import type { TextModel } from './model.ts';
import { parseConfig } from './parse-config.ts';

const class_names = { roberta: 'Roberta', 'xlm-roberta': 'XLMRoberta', camembert: 'Camembert' } as const;

const robertaConfigSchema = z
  .object({
    ...encoder_fields,
    model_type: z.literal(['roberta', 'xlm-roberta', 'camembert']),
    type_vocab_size: sizeSchema.default(2),
    pad_token_id: z.number().int().min(0).default(1),
  })
  .refine(fits_heads.check, fits_heads.message);

/** @throws UserError naming the file and the field that does not fit. */
export function createRoberta(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const config = parseConfig(robertaConfigSchema, raw, source);
  return createEncoder({
    ...encoderSizes(config),
    modelType: config.model_type,
    className: class_names[config.model_type],
    prefix: 'roberta',
    positions: { rows: config.max_position_embeddings, first: config.pad_token_id + 1 },
    tokenTypes: config.type_vocab_size,
    relative: undefined,
    layer: (index) => bertLayer('roberta', index),
    ...robertaHeads(config.tie_word_embeddings),
  });
}

/** MPNet has the same. */
export function robertaHeads(tied: boolean) {
  return {
    sequenceHead: {
      dense: 'classifier.dense',
      part: 'head',
      activation: 'tanh',
      dropsInput: true,
      out: 'classifier.out_proj',
    },
    maskedHead: {
      dense: 'lm_head.dense',
      activation: 'gelu',
      norm: 'lm_head.layer_norm',
      table: tied ? undefined : 'lm_head.decoder.weight',
      bias: 'lm_head.bias',
    },
    synonyms: { 'lm_head.bias': 'lm_head.decoder.bias' },
  } as const;
}
