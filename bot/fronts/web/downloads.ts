// Files a run has made, and nothing else on the disk: the way from a reply's path to an address and back.
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';

export interface Downloads {
  hrefOf(path: string): string | undefined;
  /** @returns the real path of a plain file below the runs folder, links followed; undefined for anything else. */
  find(inRuns: string): Promise<{ readonly path: string; readonly bytes: number } | undefined>;
}

export function createDownloads(dataDir: string): Downloads {
  const root = resolve(dataDir, 'runs');
  return {
    hrefOf(path) {
      const inside = insideOf(root, resolve(dataDir, path));
      return inside === undefined ? undefined : `/files/${inside.split(sep).map(encodeURIComponent).join('/')}`;
    },
    async find(inRuns) {
      if (inRuns.includes('\0') || insideOf(root, resolve(root, inRuns)) === undefined) return undefined;
      try {
        const path = await realpath(resolve(root, inRuns));
        if (insideOf(await realpath(root), path) === undefined) return undefined;
        const { size, isFile } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }));
        return isFile ? { path, bytes: size } : undefined;
      } catch (error) {
        if (
          error instanceof Error &&
          'code' in error &&
          ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(error.code))
        )
          return undefined;
        throw error;
      }
    },
  };
}

function insideOf(root: string, path: string): string | undefined {
  const inside = relative(root, path);
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? undefined : inside;
}
