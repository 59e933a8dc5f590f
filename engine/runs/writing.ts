// How a language model is to write an answer: asked for by people, checked here, with its defaults.
import { z } from 'zod';

export const writingSchema = z.strictObject({
  maxTokens: z.number().int().min(1).max(4096).default(200),
  /** 0 takes the likeliest token each time; higher is bolder. */
  temperature: z.number().min(0).max(2).default(0),
  /** Of the likeliest tokens, those that together reach this probability may be drawn. */
  topP: z.number().gt(0).max(1).default(1),
  /** The same seed draws the same text. */
  seed: z.number().int().min(0).max(0xffffffff).default(42),
});

export type WritingOptions = z.output<typeof writingSchema>;
