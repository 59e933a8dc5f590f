// What a trained model answers to one input, by the kind of its task.
import { z } from 'zod';

export const predictionSchema = z.discriminatedUnion('kind', [
  /** `scores`: probability of each label, summing to 1. */
  z.object({ kind: z.literal('classification'), label: z.string(), scores: z.record(z.string(), z.number()) }),
  z.object({ kind: z.literal('regression'), value: z.number() }),
  /** A label for each word. */
  z.object({
    kind: z.literal('tokens'),
    words: z.array(z.object({ word: z.string(), label: z.string(), score: z.number() })),
  }),
  /** What the model writes after the text. */
  z.object({ kind: z.literal('continuation'), text: z.string() }),
  /** For each hidden word the likeliest ones, best first. */
  z.object({
    kind: z.literal('filled'),
    text: z.string(),
    hidden: z.array(z.array(z.object({ token: z.string(), score: z.number() }))),
  }),
]);

export type Prediction = z.output<typeof predictionSchema>;
