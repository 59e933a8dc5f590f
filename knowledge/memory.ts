// Remembers what takes long to work out, beside the installed packages, with the hash of every file it came from: it
// is worked out again only when one of them has changed.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const memoryFolder = fileURLToPath(new URL('../node_modules/.cache/finetutor', import.meta.url));

interface Memory<T> {
  readonly hash: string;
  readonly contents: T;
}

export interface Remembering {
  readonly folder: string;
  /** Of its file, without `.json`. */
  readonly name: string;
  readonly hash: string;
}

/** @returns what is remembered under this name and hash; else works it out and remembers it. */
export async function recallOr<T>({ folder, name, hash }: Remembering, workOut: () => Promise<T>): Promise<T> {
  const path = join(folder, `${name}.json`);
  const memory = await recall<T>(path);
  if (memory?.hash === hash) return memory.contents;
  const contents = await workOut();
  await remember(path, { hash, contents });
  return contents;
}

/** Hashes names and texts of the files that lie in these folders, not of those in folders below. */
export async function hashOf(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
    const names = files.map(({ name }) => name).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name))));
    texts.forEach((text, index) => {
      hash.update(`${names[index]}:${text.length}:`).update(text);
    });
  }
  return hash.digest('hex');
}

async function recall<T>(path: string): Promise<Memory<T> | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Not kept yet, or torn by a full disk: the files themselves are the truth and are read again.
    return undefined;
  }
}

async function remember<T>(path: string, memory: Memory<T>): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(draft, JSON.stringify(memory));
    await rename(draft, path);
  } catch {
    // An installation that cannot be written to loses nothing but a second at each start.
  }
}
