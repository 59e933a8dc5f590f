// The files of a finished run's model, to offer them.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CardParts } from './run-card.ts';

/** @returns the plain files of the folder by name; none where there is no folder (any more). */
export async function listArtifact(folder: string): Promise<CardParts['files']> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = await Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path);
      return found.isFile() ? [{ path, name, bytes: found.size }] : [];
    }),
  );
  return files.flat();
}
