// How far a run has come: the step, the moments, the best weights so far and the curve; saved whole and restored exactly.
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { loadLatestCheckpoint, restoreInto, saveCheckpoint } from './checkpoints.ts';
import { createMoments, type Moments } from './optimizer.ts';
import type { PreparedRun } from './prepare.ts';

const stateSchema = z.object({
  fingerprint: z.string(),
  /** The best evaluation so far, and how many came after it. */
  best: z.object({ step: z.number(), rank: z.array(z.number()), worseSince: z.number() }).optional(),
  history: z.object({
    steps: z.array(z.object({ step: z.number(), loss: z.number(), learningRate: z.number() })),
    evaluations: z.array(z.object({ step: z.number(), loss: z.number() }).catchall(z.number())),
  }),
  /** Loss since the last step event, so that the curve goes on without a gap. */
  unreported: z.object({ loss: z.number(), weight: z.number() }),
});

export interface Progress {
  /** Steps done. Batches and dropout follow from it and the seed, so no generator's state needs keeping. */
  step: number;
  state: z.output<typeof stateSchema>;
  readonly moments: Moments;
  readonly bestWeights: ReadonlyMap<string, FloatTensor>;
}

export function startProgress({ parameters, fingerprint }: PreparedRun): Progress {
  return {
    step: 0,
    state: {
      fingerprint,
      history: { steps: [], evaluations: [] },
      unreported: { loss: 0, weight: 0 },
    },
    moments: createMoments(parameters.trainable),
    bestWeights: new Map(
      Array.from(parameters.trainable, ([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
    ),
  };
}

/** Every array of the run by its name in a checkpoint; the arrays are the live ones. */
function savedTensors({ parameters }: PreparedRun, { moments, bestWeights }: Progress): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>();
  for (const [name, tensor] of parameters.trainable) tensors.set(`weights.${name}`, tensor);
  for (const [name, data] of moments.first) tensors.set(`first.${name}`, { shape: [data.length], data });
  for (const [name, data] of moments.second) tensors.set(`second.${name}`, { shape: [data.length], data });
  for (const [name, tensor] of bestWeights) tensors.set(`best.${name}`, tensor);
  return tensors;
}

export async function saveProgress(folder: string, run: PreparedRun, progress: Progress): Promise<void> {
  const { step, state } = progress;
  await saveCheckpoint(folder, { step, state, tensors: savedTensors(run, progress) });
}

/**
 * Goes back to the newest whole checkpoint, in place; without one, progress stays at the start.
 * @returns a sentence for each damaged checkpoint that was passed over.
 * @throws UserError when the checkpoint belongs to other settings or data.
 */
export async function restoreProgress(
  folder: string,
  run: PreparedRun,
  progress: Progress,
): Promise<readonly string[]> {
  const { checkpoint, damaged } = await loadLatestCheckpoint(folder, stateSchema);
  if (!checkpoint) return damaged;
  if (checkpoint.state.fingerprint !== run.fingerprint) {
    throw new UserError(
      'The checkpoint belongs to another run: the settings or the data have changed since.',
      'Restore them, or start a new run.',
    );
  }
  restoreInto(savedTensors(run, progress), checkpoint.tensors);
  progress.step = checkpoint.step;
  progress.state = checkpoint.state;
  return damaged;
}
