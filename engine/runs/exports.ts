// Exports of finished models: written once by a process of their own, kept beside the artifact with what was measured.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import type { ModelExport } from './runs.ts';
import { type ExportedPart, exportedFilesSchema } from './trainer-messages.ts';
import type { StartTrainer, TrainerProcess } from './trainer-process.ts';

interface Exports {
  make(name: string, artifact: string): Promise<ModelExport>;
  find(name: string, artifact: string): Promise<ModelExport | undefined>;
  close(): Promise<void>;
}

const zipOf = (artifact: string) => `${artifact}.transformers-js.zip`;
const recordOf = (artifact: string) => `${zipOf(artifact)}.json`;

export function createExports(startTrainer: StartTrainer): Exports {
  const underWay = new Map<string, Promise<ModelExport>>();
  const processes = new Set<TrainerProcess>();

  async function find(name: string, artifact: string): Promise<ModelExport | undefined> {
    try {
      const parts = exportedFilesSchema.parse(JSON.parse(await readFile(recordOf(artifact), 'utf8')));
      const path = zipOf(artifact);
      return { path, name: `${name}.transformers-js.zip`, bytes: (await stat(path)).size, parts };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async function write(name: string, artifact: string): Promise<ModelExport> {
    const parts = await new Promise<readonly ExportedPart[]>((resolve, reject) => {
      const process = startTrainer((message) => {
        if (message.kind === 'exported') resolve(message.files);
        else if (message.kind === 'refused') {
          const { hint } = message;
          reject(hint === undefined ? new Error(message.message) : new UserError(message.message, hint));
        }
      });
      processes.add(process);
      void process.ended.then(({ reason, stderr }) => {
        processes.delete(process);
        reject(new Error(`the exporting process ended: ${reason}\n${stderr}`));
      });
      process.send({ kind: 'export', artifact, zipPath: zipOf(artifact) });
    });
    // Last: with it the export is complete.
    await writeFile(recordOf(artifact), JSON.stringify(parts));
    const written = await find(name, artifact);
    if (written === undefined) throw new Error(`the export of ${name} is not where it was written`);
    return written;
  }

  return {
    find,
    async make(name, artifact) {
      const there = underWay.get(artifact) ?? (await find(name, artifact));
      if (there !== undefined) return there;
      const going = underWay.get(artifact) ?? write(name, artifact).finally(() => underWay.delete(artifact));
      underWay.set(artifact, going);
      return going;
    },
    async close() {
      for (const process of processes) process.kill();
      await Promise.all([...processes].map(({ ended }) => ended));
    },
  };
}
