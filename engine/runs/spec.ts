// What a training run is asked to do, as anyone may write it in JSON: validated here, once, with every default filled in.
import { z } from 'zod';

const columnName = z.string().min(1);

/** Bounds are the ones a form shows too; a value outside is refused with its name, the value and the bound. */
export const hyperSchema = z.strictObject({
  /** Left out: chosen from the model and the amount of data. */
  epochs: z.number().int().min(1).max(100).optional(),
  /** The highest the schedule reaches. Left out: chosen from the model, the method and the optimizer. */
  learningRate: z.number().positive().max(1).optional(),
  batchSize: z.number().int().min(1).max(512).default(16),
  /** Batches whose gradients are added up before a step: as one batch that many times larger, in the memory of one. */
  accumulate: z.number().int().min(1).max(1024).default(1),
  /** Tokens. */
  maxLength: z.number().int().min(8).max(8192).default(64),
  optimizer: z.enum(['adamw', 'sgd', 'adafactor']).default('adamw'),
  /** Left out: 0.01 for adamw, 0 for the others. Biases and norms are never decayed. */
  weightDecay: z.number().min(0).max(1).optional(),
  /** Of sgd; 0 for none. */
  momentum: z.number().min(0).lt(1).default(0.9),
  nesterov: z.boolean().default(false),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('linear'),
  /** Share of the steps over which the learning rate rises from zero. */
  warmup: z.number().min(0).max(0.9).default(0.1),
  /** Gradients are scaled so that their norm over all weights is at most this; 0 leaves them as they are. */
  clipNorm: z.number().min(0).max(1000).default(1),
  /** Activations inside each block are computed once more on the way back instead of kept: less memory, more time. */
  recompute: z.boolean().default(false),
  /** Left out: at the end of each epoch, and more often in short runs. */
  evalEverySteps: z.number().int().min(1).max(1_000_000).optional(),
  /** Evaluations without a better one after which the run ends; 0 goes on to the last step. */
  patience: z.number().int().min(0).max(1000).default(8),
  /** Parts that stay as they are in a full training, by the beginning of their names: `resnet.encoder.stages.0`. */
  freeze: z.array(z.string().min(1)).max(200).optional(),
  loraRank: z.number().int().min(1).max(256).default(8),
  loraAlpha: z.number().positive().max(1024).default(16),
  seed: z.number().int().min(0).max(0xffffffff).default(42),
});

/** The share of the probability that is spread over all classes (Szegedy et al. 2016). */
const labelSmoothing = z.number().min(0).max(0.5).default(0);

/** What an example of a label counts in the loss; `balanced`: each label as much as any other. */
const classWeights = z.union([z.literal('balanced'), z.record(z.string(), z.number().positive().max(1e6))]).optional();

/** A second file, or the fraction of the training file to hold out. */
const evaluation = z.union([z.string().min(1), z.number().gt(0).max(0.5)]).default(0.1);

/** What every task is asked alike. */
const common = {
  /** `qlora`: LoRA on a base whose matrices are kept in four bits. */
  method: z.enum(['full', 'lora', 'qlora']).default('full'),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda']).default('auto'),
  out: z.string().min(1),
};
const model = z.string().min(1).default('scratch:tiny');

const files = { train: z.string().min(1), eval: evaluation };

const textClassificationSpec = z.strictObject({
  task: z.literal('text-classification'),
  ...common,
  model,
  data: z.strictObject({
    ...files,
    columns: z.strictObject({ text: columnName, label: columnName }).default({ text: 'text', label: 'label' }),
  }),
  hyper: hyperSchema
    .extend({
      labelSmoothing,
      classWeights,
    })
    .prefault({}),
});

const regressionSpec = z.strictObject({
  task: z.literal('regression'),
  ...common,
  model,
  data: z.strictObject({
    ...files,
    /** `label`: a column of numbers. */
    columns: z.strictObject({ text: columnName, label: columnName }).default({ text: 'text', label: 'label' }),
  }),
  hyper: hyperSchema.prefault({}),
});

const tokenClassificationSpec = z.strictObject({
  task: z.literal('token-classification'),
  ...common,
  model,
  /** JSON lines of `tokens` and `tags`, or CoNLL: a token and its tag a line, a blank line between sentences. */
  data: z.strictObject({
    ...files,
    columns: z.strictObject({ tokens: columnName, tags: columnName }).default({ tokens: 'tokens', tags: 'tags' }),
  }),
  hyper: hyperSchema.extend({ labelSmoothing }).prefault({}),
});

const maskedLmSpec = z.strictObject({
  task: z.literal('masked-lm'),
  ...common,
  model,
  data: z.strictObject({ ...files, columns: z.strictObject({ text: columnName }).default({ text: 'text' }) }),
  hyper: hyperSchema
    .extend({
      /** Share of the tokens that are hidden and guessed. */
      maskShare: z.number().min(0.01).max(0.9).default(0.15),
    })
    .prefault({}),
});

const causalLmSpec = z.strictObject({
  task: z.literal('causal-lm'),
  ...common,
  model: z.string().min(1),
  data: z.strictObject({
    ...files,
    /** `auto` looks: a plain text, rows of a prompt and its response, or rows of chat messages. */
    format: z.enum(['auto', 'text', 'instructions', 'chat']).default('auto'),
  }),
  hyper: hyperSchema
    .extend({
      labelSmoothing,
      /** Fills each row of a batch with as many texts as it holds, one after another; none sees another. */
      packing: z.boolean().default(false),
    })
    .prefault({}),
});

const imageClassificationSpec = z.strictObject({
  task: z.literal('image-classification'),
  ...common,
  /** `head`: the body stays as it is, and what it says of each picture is computed once. */
  method: z.enum(['head', 'full', 'lora']).default('head'),
  model: z.string().min(1),
  /** Folders, or zip files of folders: one folder of pictures a class. */
  data: z.strictObject(files),
  hyper: hyperSchema
    .extend({
      labelSmoothing,
      classWeights,
      /** Before a full training: epochs in which the new head learns alone. */
      headEpochs: z.number().int().min(0).max(1000).default(0),
      /**
       * `train`: batch normalisations take each batch's own statistics, and the stored ones follow; for large batches.
       * Left out: frozen, or train for a model that starts from nothing.
       */
      batchNorm: z.enum(['frozen', 'train']).optional(),
    })
    .prefault({}),
});

const imageTextSpec = z.strictObject({
  task: z.literal('image-text'),
  ...common,
  method: z.enum(['full', 'lora']).default('full'),
  model: z.string().min(1),
  data: z.strictObject({
    /** A folder or zip of pictures and one table that names the picture and a caption in each row. */
    ...files,
    /** Left out: found by their names. */
    columns: z.strictObject({ image: columnName, caption: columnName }).partial().default({}),
  }),
  hyper: hyperSchema
    .extend({
      /** Every other pair of the batch is what a pair is told apart from: larger batches teach more. */
      batchSize: z.number().int().min(2).max(512).default(16),
      /** Tokens of a caption. */
      maxLength: z.number().int().min(8).max(8192).default(77),
    })
    .prefault({}),
});

export const runSpecSchema = z.discriminatedUnion('task', [
  textClassificationSpec,
  regressionSpec,
  tokenClassificationSpec,
  maskedLmSpec,
  causalLmSpec,
  imageClassificationSpec,
  imageTextSpec,
]);

export type RunSpec = z.output<typeof runSpecSchema>;
export type RunSpecInput = z.input<typeof runSpecSchema>;
export type TaskName = RunSpec['task'];
export const task_names: readonly TaskName[] = runSpecSchema.options.map(({ shape }) => shape.task.value);
/** The spec of one task. */
export type SpecOf<T extends TaskName> = Extract<RunSpec, { task: T }>;
