// How far a run has come: the step, the optimizer's state, the best weights so far and the curve; saved whole, restored exactly.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { makeFolder } from '../models/files.ts';
import { openSafetensors, writeSafetensors } from '../models/safetensors.ts';
import { hashOfFile, listStates, loadLatestCheckpoint, restoreInto, saveCheckpoint } from './checkpoints.ts';
import { createOptimizer } from './optimizers/index.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { liveTensors } from './parameters.ts';
import type { PreparedRun } from './prepare.ts';

const stateSchema = z.object({
  fingerprint: z.string(),
  /** The best evaluation so far, how many came after it, and the checksum of its weights' file. */
  best: z
    .object({ step: z.number(), rank: z.array(z.number()), worseSince: z.number(), sha256: z.string() })
    .optional(),
  history: z.object({
    steps: z.array(z.object({ step: z.number(), loss: z.number(), learningRate: z.number() })),
    evaluations: z.array(z.object({ step: z.number(), loss: z.number() }).catchall(z.number())),
  }),
  /** Loss since the last step event, so that the curve goes on without a gap. */
  unreported: z.object({ loss: z.number(), weight: z.number() }),
  /** The gradients' norm at the last few steps, for a diagnosis. */
  norms: z.array(z.number()),
});

export interface Progress {
  /** Steps done. Batches, dropout and the learning rate follow from it and the seed: no generator's state needs keeping. */
  step: number;
  state: z.output<typeof stateSchema>;
  readonly optimizer: Optimizer;
}

export function startProgress({ parameters, fingerprint, spec }: PreparedRun): Progress {
  return {
    step: 0,
    state: {
      fingerprint,
      history: { steps: [], evaluations: [] },
      unreported: { loss: 0, weight: 0 },
      norms: [],
    },
    optimizer: createOptimizer(parameters.trainable, spec.hyper),
  };
}

/** Every array of the run by its name in a checkpoint; the arrays are the live ones. */
function savedTensors({ parameters }: PreparedRun, { optimizer }: Progress): Map<string, FloatTensor> {
  const tensors = new Map(optimizer.state);
  for (const [name, tensor] of liveTensors(parameters)) tensors.set(`weights.${name}`, tensor);
  return tensors;
}

export async function saveProgress(folder: string, run: PreparedRun, progress: Progress): Promise<void> {
  const { step, state } = progress;
  await saveCheckpoint(folder, { step, state, tensors: savedTensors(run, progress) });
  await removeOldBest(folder);
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
  const { checkpoint, damaged } = await loadLatestCheckpoint(folder, stateSchema, async ({ best }) => {
    if (best) await checkBest(folder, best);
  });
  if (!checkpoint) return damaged;
  if (checkpoint.state.fingerprint !== run.fingerprint) {
    throw new UserError(
      'The checkpoint belongs to another run: the settings or the data have changed since.',
      'Restore them, or start a new run.',
    );
  }
  await restoreInto(savedTensors(run, progress), checkpoint.tensors);
  progress.step = checkpoint.step;
  progress.state = checkpoint.state;
  return damaged;
}

// The best weights lie on disk, in files of their own beside the checkpoints: in memory they would be a second copy.
const bestFile = (folder: string, step: number) => join(folder, `best-${String(step).padStart(9, '0')}.safetensors`);

/** Writes the weights as they are now. @returns the checksum of the file. */
export async function saveBest(folder: string, { parameters }: PreparedRun, step: number): Promise<string> {
  await makeFolder(folder);
  return writeSafetensors(bestFile(folder, step), liveTensors(parameters));
}

/** Goes back to the best weights, in place. */
export async function restoreBest(folder: string, { parameters }: PreparedRun, step: number): Promise<void> {
  await restoreInto(liveTensors(parameters), await openSafetensors(bestFile(folder, step)));
}

async function checkBest(folder: string, { step, sha256 }: { step: number; sha256: string }): Promise<void> {
  if ((await hashOfFile(bestFile(folder, step))) !== sha256)
    throw new Error(`the checksum of the best weights, of step ${step}, differs.`);
}

/** Removes the best weights that no kept checkpoint goes back to. */
async function removeOldBest(folder: string): Promise<void> {
  const states = await listStates(folder, stateSchema);
  const named = new Set(states.flatMap(({ best }) => (best ? [bestFile(folder, best.step)] : [])));
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (/^best-\d{9}\.safetensors$/.test(name) && !named.has(path)) await rm(path, { force: true });
  }
}
