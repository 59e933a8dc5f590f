// What a training run is asked to do, as anyone may write it in JSON: validated here, once, with every default filled in.
import { z } from 'zod';

const columns = z.strictObject({ text: z.string().min(1), label: z.string().min(1) });

/** Bounds are the ones a form shows too; a value outside is refused with its name, the value and the bound. */
export const hyperSchema = z.strictObject({
  /** Left out: chosen from the model and the amount of data. */
  epochs: z.number().int().min(1).max(100).optional(),
  learningRate: z.number().positive().max(1).optional(),
  batchSize: z.number().int().min(1).max(512).default(16),
  maxLength: z.number().int().min(8).max(512).default(64),
  loraRank: z.number().int().min(1).max(256).default(8),
  loraAlpha: z.number().positive().max(1024).default(16),
  seed: z.number().int().min(0).max(0xffffffff).default(42),
});

export const runSpecSchema = z.strictObject({
  task: z.literal('text-classification'),
  model: z.string().min(1).default('scratch:tiny'),
  method: z.enum(['full', 'lora']).default('full'),
  data: z.strictObject({
    train: z.string().min(1),
    /** A second file, or the fraction of the training file to hold out. */
    eval: z.union([z.string().min(1), z.number().gt(0).max(0.5)]).default(0.1),
    columns: columns.default({ text: 'text', label: 'label' }),
  }),
  hyper: hyperSchema.prefault({}),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda']).default('auto'),
  out: z.string().min(1),
});

export type RunSpec = z.output<typeof runSpecSchema>;
export type RunSpecInput = z.input<typeof runSpecSchema>;
