// A finished model for Transformers.js as one file: the exported folder, zipped.
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { HubOptions } from '../models/hub-options.ts';
import type { ExportedPart } from '../runs/trainer-messages.ts';
import { exportArtifact } from './artifact.ts';

/**
 * The zip is whole under its name, or not there.
 * @throws UserError as `exportArtifact` does.
 */
export async function exportZip(
  artifact: string,
  zipPath: string,
  { hub }: { readonly hub?: HubOptions | undefined },
): Promise<readonly ExportedPart[]> {
  const folder = await mkdtemp(join(dirname(zipPath), '.export-'));
  try {
    const model = join(folder, 'model');
    const files = await exportArtifact(artifact, model, { format: 'transformers.js', dtypes: ['fp32', 'q8'], hub });
    const zip = new ZipFile();
    for (const entry of await readdir(model, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      // Weights hardly shrink: packing them would only cost time.
      if (entry.isFile()) zip.addFile(path, path.slice(model.length + 1), { compress: false });
    }
    zip.end();
    const whole = join(folder, 'whole.zip');
    await pipeline(zip.outputStream, createWriteStream(whole));
    await rename(whole, zipPath);
    return files.map(({ path, bytes, parity: { largestDifference, relativeDifference } }) => ({
      name: basename(path),
      bytes,
      largestDifference,
      relativeDifference,
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
