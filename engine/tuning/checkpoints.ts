// Checkpoints: folders that appear whole or not at all, with checksums, so that a damaged one is noticed and the one before is used.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { elementCount, type FloatTensor } from '../graph/tensor.ts';
import { makeFolder, syncFolder, writeFileAtomically } from '../models/files.ts';
import { openSafetensors, readFloats, type SafetensorsFile, writeSafetensors } from '../models/safetensors.ts';

interface Checkpoint<State> {
  readonly step: number;
  readonly state: State;
  readonly tensors: ReadonlyMap<string, FloatTensor>;
}

/** A checkpoint that was found whole; its tensors are read when they are wanted. */
interface KeptCheckpoint<State> {
  readonly step: number;
  readonly state: State;
  readonly tensors: SafetensorsFile;
}

const kept = 2;
const tensorsFile = 'tensors.safetensors';
const stateFile = 'state.json';
const folderName = (step: number) => `step-${String(step).padStart(9, '0')}`;
const hashOf = (content: string) => createHash('sha256').update(content).digest('hex');

export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

const envelope = z.object({ stateSha256: z.string(), tensorsSha256: z.string(), state: z.string() });

/** Writes to a temporary folder, syncs it and renames it; then removes all but the newest two. */
export async function saveCheckpoint<State>(
  folder: string,
  { step, state, tensors }: Checkpoint<State>,
): Promise<void> {
  const target = join(folder, folderName(step));
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    await writeCheckpoint(partial, state, tensors);
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
    await syncFolder(folder);
  } catch (error) {
    // What is half written only takes room; the checkpoints before it stay.
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  for (const old of (await listCheckpoints(folder)).slice(kept))
    await rm(join(folder, old), { recursive: true, force: true });
}

async function writeCheckpoint(
  partial: string,
  state: unknown,
  tensors: ReadonlyMap<string, FloatTensor>,
): Promise<void> {
  await makeFolder(partial);
  const tensorsSha256 = await writeSafetensors(join(partial, tensorsFile), tensors);
  const text = JSON.stringify(state);
  const content: z.output<typeof envelope> = { stateSha256: hashOf(text), tensorsSha256, state: text };
  await writeFileAtomically(join(partial, stateFile), [JSON.stringify(content)]);
}

/** A run that starts anew must not be resumed from an older one's checkpoints. */
export async function removeCheckpoints(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Folder names, newest first. */
async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^step-\d{9}$/.test(name))
    .sort()
    .reverse();
}

/**
 * The newest checkpoint that is whole, and whose state passes `check`.
 * @returns it, and a sentence for each newer one that was passed over.
 */
export async function loadLatestCheckpoint<State>(
  folder: string,
  stateSchema: z.ZodType<State>,
  check: (state: State) => Promise<void>,
): Promise<{ readonly checkpoint: KeptCheckpoint<State> | undefined; readonly damaged: readonly string[] }> {
  const damaged: string[] = [];
  for (const name of await listCheckpoints(folder)) {
    try {
      const step = Number(name.slice('step-'.length));
      const read = await readCheckpoint(join(folder, name), stateSchema);
      await check(read.state);
      return { checkpoint: { step, ...read }, damaged };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      damaged.push(`The checkpoint ${name} is damaged and was passed over: ${reason.slice(0, 200)}`);
    }
  }
  return { checkpoint: undefined, damaged };
}

async function readCheckpoint<State>(folder: string, stateSchema: z.ZodType<State>) {
  const { state, tensorsSha256 } = await readState(folder, stateSchema);
  const path = join(folder, tensorsFile);
  if ((await hashOfFile(path)) !== tensorsSha256) throw new Error('the checksum of its tensors differs.');
  return { state, tensors: await openSafetensors(path) };
}

async function readState<State>(folder: string, stateSchema: z.ZodType<State>) {
  const content = envelope.parse(JSON.parse(await readFile(join(folder, stateFile), 'utf8')));
  if (hashOf(content.state) !== content.stateSha256) throw new Error('the checksum of its state differs.');
  return { state: stateSchema.parse(JSON.parse(content.state)), tensorsSha256: content.tensorsSha256 };
}

/** The states of the checkpoints that are kept; one that cannot be read is left out. */
export async function listStates<State>(folder: string, stateSchema: z.ZodType<State>): Promise<State[]> {
  const names = await listCheckpoints(folder);
  const read = await Promise.allSettled(names.map((name) => readState(join(folder, name), stateSchema)));
  return read.flatMap((one) => (one.status === 'fulfilled' ? [one.value.state] : []));
}

/** Reads saved tensors into live arrays of the same names, one at a time. @throws Error when one is missing or of another size. */
export async function restoreInto(live: ReadonlyMap<string, FloatTensor>, saved: SafetensorsFile): Promise<void> {
  for (const [name, { shape, data }] of live) {
    const entry = saved.tensors.get(name);
    if (!entry || elementCount(entry.shape) !== elementCount(shape)) throw new Error(`${saved.path} has no ${name}`);
    data.set((await readFloats(saved, name)).data);
  }
}
