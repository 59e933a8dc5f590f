// Writing files so that a crash leaves the old file or the new one, never half of one; reading JSON with the file's name in errors.
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../errors.ts';

/** Makes a rename or a new entry in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const write_failures: { readonly [code: string]: string } = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file',
};

/** Says in words what a person can mend; any other failure stays as it is. */
function explainWriteFailure(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = write_failures[code];
  if (reason === undefined) return error;
  return new UserError(`${path} cannot be written: ${reason} (${code}).`, 'Make room, or choose another folder.', {
    cause: error,
  });
}

/** @throws UserError when the place cannot be written. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw explainWriteFailure(path, error);
  });
}

/** Made one after the other, so that a large file is never in memory whole. */
type Chunks = Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/**
 * Writes beside the target, syncs, and renames over it.
 * @returns the SHA-256 of what was written, in hexadecimal.
 * @throws UserError when there is no room or no permission; the old file is untouched.
 */
export async function writeFileAtomically(path: string, chunks: Chunks): Promise<string> {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    const hash = await writeAndSync(temporary, chunks);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return hash;
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainWriteFailure(path, error);
  }
}

async function writeAndSync(path: string, chunks: Chunks): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(path, 'w');
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      await handle.appendFile(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomically(path, [`${JSON.stringify(value, undefined, 2)}\n`]);
}

/** @throws UserError when the file is missing or is not a JSON object. */
export async function readJsonObject(path: string): Promise<{ [key: string]: unknown }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`${path} cannot be read.`, `The folder should hold ${basename(path)}.`, { cause: error });
  });
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    throw new UserError(`${path} is not valid JSON.`, 'Download or export the folder again.', { cause: error });
  }
  throw new UserError(`${path} does not hold a JSON object.`, 'Download or export the folder again.');
}

export function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
