// What goes between a worker and its trainer process. Both ends validate: the other one may be dying.
import { z } from 'zod';
import { hubOptionsSchema } from '../models/hub-options.ts';
import { runEventSchema } from './events.ts';
import { predictionSchema } from './prediction.ts';
import { runSpecSchema } from './spec.ts';
import { writingSchema } from './writing.ts';

export const toTrainerSchema = z.discriminatedUnion('kind', [
  /** First of all: where models of the hub are kept, and how they are asked for. */
  z.object({ kind: z.literal('hub'), hub: hubOptionsSchema }),
  z.object({ kind: z.literal('train'), spec: runSpecSchema, resume: z.boolean() }),
  z.object({ kind: z.literal('stop') }),
  z.object({ kind: z.literal('load'), artifact: z.string(), device: z.string() }),
  z.object({
    kind: z.literal('predict'),
    id: z.number().int(),
    texts: z.array(z.string()),
    writing: writingSchema.optional(),
  }),
  /** Writes a finished model for Transformers.js, as a zip file. */
  z.object({ kind: z.literal('export'), artifact: z.string(), zipPath: z.string() }),
]);

/** A file of an export, and how far its answers are from the trained model's. */
const exportedFileSchema = z.object({
  name: z.string(),
  bytes: z.number(),
  largestDifference: z.number(),
  relativeDifference: z.number(),
});
export const exportedFilesSchema = z.array(exportedFileSchema);
export type ExportedPart = z.output<typeof exportedFileSchema>;

export const fromTrainerSchema = z.discriminatedUnion('kind', [
  /** `seq` counts from 1 in each process, so that one delivered twice is taken once. */
  z.object({ kind: z.literal('event'), seq: z.number().int(), event: runEventSchema }),
  z.object({
    kind: z.literal('predictions'),
    id: z.number().int(),
    predictions: z.array(predictionSchema),
  }),
  z.object({ kind: z.literal('exported'), files: exportedFilesSchema }),
  z.object({ kind: z.literal('refused'), id: z.number().int(), message: z.string(), hint: z.string().optional() }),
]);

export type ToTrainer = z.output<typeof toTrainerSchema>;
export type FromTrainer = z.output<typeof fromTrainerSchema>;
