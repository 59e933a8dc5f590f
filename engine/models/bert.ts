// BERT (Devlin et al. 2018), and encoders in its layout such as MiniLM, with Hugging Face's weight names.
import { z } from 'zod';
import { bertLayer, createEncoder } from './encoder.ts';
import { encoder_fields, encoderSizes, fits_heads, sizeSchema } from './encoder-config.ts';
import type { TextModel } from './model.ts';
import { parseConfig } from './parse-config.ts';

const bertConfigSchema = z
  .object({ ...encoder_fields, model_type: z.literal('bert'), type_vocab_size: sizeSchema.default(2) })
  .refine(fits_heads.check, fits_heads.message);

/** @throws UserError naming the file and the field that does not fit. */
export function createBert(raw: { readonly [key: string]: unknown }, source: string): TextModel {
  const config = parseConfig(bertConfigSchema, raw, source);
  return createEncoder({
    ...encoderSizes(config),
    modelType: 'bert',
    className: 'Bert',
    prefix: 'bert',
    positions: { rows: config.max_position_embeddings, first: 0 },
    tokenTypes: config.type_vocab_size,
    relative: undefined,
    layer: (index) => bertLayer('bert', index),
    sequenceHead: {
      dense: 'bert.pooler.dense',
      part: 'pooler',
      activation: 'tanh',
      dropsInput: false,
      out: 'classifier',
    },
    maskedHead: {
      dense: 'cls.predictions.transform.dense',
      activation: config.hidden_act,
      norm: 'cls.predictions.transform.LayerNorm',
      table: config.tie_word_embeddings ? undefined : 'cls.predictions.decoder.weight',
      bias: 'cls.predictions.bias',
    },
    synonyms: { 'cls.predictions.bias': 'cls.predictions.decoder.bias' },
  });
}
