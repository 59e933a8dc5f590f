// Datasets people may train on: uploaded files, kept by content once they have passed every check, and built-in samples.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { and, desc, eq } from 'drizzle-orm';
import { UserError } from '../errors.ts';
import type { TaskName } from '../runs/spec.ts';
import type { Database } from '../store/client.ts';
import { datasets } from '../store/schema.ts';
import { type AskedInspection, inspectDataset } from './inspect.ts';
import type { DatasetReport } from './report.ts';
import { shown } from './text-file.ts';

/** The largest file taken in; one of texts may have less. The fronts refuse a bigger upload before it is stored. */
export const maxUploadBytes = 200 * 2 ** 20;

export interface Dataset {
  /** SHA-256 of the bytes, hex; `sample:<name>` for the built-in ones. */
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly report: DatasetReport;
}

interface NewDataset {
  readonly workspaceId: string;
  readonly personId: string;
  readonly path: string;
  /** The sender's name of the file: shown, never used as a path. */
  readonly name: string;
  /** What it is to teach; found out from what it holds, unless given. */
  readonly task?: TaskName;
  readonly textColumn?: string;
  readonly labelColumn?: string;
}

export interface Datasets {
  /** The built-in samples. */
  readonly samples: readonly { readonly id: string; readonly title: string; readonly description: string }[];
  /**
   * Checks and keeps an uploaded file. Nothing is kept when it is refused.
   * @throws UserError saying what is wrong with the file, where, and what to do.
   */
  add(file: NewDataset): Promise<Dataset>;
  /** @throws UserError for an unknown id. */
  get(workspaceId: string, id: string): Promise<Dataset>;
  list(workspaceId: string): Promise<readonly KeptDataset[]>;
}

interface KeptDataset {
  readonly id: string;
  readonly name: string;
  readonly rows: number;
  /** The likeliest use of it. */
  readonly task: TaskName;
}

const sampleFolder = new URL('./samples/', import.meta.url);

const builtIn = [
  {
    id: 'sample:moods',
    title: 'Moods',
    description: 'Opinions on films, food, apps, study and travel: positive or negative.',
    file: 'moods.csv',
  },
  {
    id: 'sample:questions',
    title: 'Questions',
    description: 'What learners want of a tutor: explain, compare, debug, quiz or finetune.',
    file: 'questions.csv',
  },
] as const;

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** The sender's file name without folders, short enough for a list. */
function tidyName(name: string): string {
  const tidy = name
    .replace(/^.*[\\/]/, '')
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim();
  return [...(tidy || 'dataset')].slice(0, 120).join('');
}

function asked(text: string | undefined, label: string | undefined, task?: TaskName): AskedInspection {
  return { ...(text && { text }), ...(label && { label }), ...(task && { task }) };
}

function refuseTooLarge(name: string, bytes: number): void {
  if (bytes <= maxUploadBytes) return;
  throw new UserError(
    `${shown(name)} has ${Math.ceil(bytes / 2 ** 20)} MB; the limit is ${maxUploadBytes / 2 ** 20} MB.`,
    'Send a part of it: for fine-tuning a few hundred pictures of each class are plenty.',
  );
}

/** A plain text is told by its name alone: it keeps its ending. */
const endingOf = ({ format }: DatasetReport, name: string) => (format === 'text' ? extname(name).toLowerCase() : '');

/** @param dataDir uploaded files are kept in its folder `datasets`, each under the SHA-256 of its bytes. */
export function createDatasets({ db, dataDir }: { db: Database; dataDir: string }): Datasets {
  const folder = join(dataDir, 'datasets');

  /** The file is whole under its final name, or not there. */
  async function keepFile(path: string, ending: string): Promise<{ id: string; path: string }> {
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, `.${randomUUID()}`);
    try {
      await copyFile(path, temporary);
      const id = await hashFile(temporary);
      const kept = join(folder, id + ending);
      await rename(temporary, kept);
      return { id, path: kept };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  return {
    samples: builtIn.map(({ id, title, description }) => ({ id, title, description })),

    async add({ workspaceId, personId, path, name, task, textColumn, labelColumn }) {
      refuseTooLarge(tidyName(name), (await stat(path)).size);
      const report = await inspectDataset(path, tidyName(name), asked(textColumn, labelColumn, task));
      const file = await keepFile(path, endingOf(report, tidyName(name)));
      const { size } = await stat(file.path);
      const described = {
        name: tidyName(name),
        path: file.path,
        bytes: size,
        rows: report.rows,
        textColumn: report.textColumn,
        labelColumn: report.labelColumn,
        labels: report.labels,
        report,
        addedBy: personId,
      };
      await db
        .insert(datasets)
        .values({ workspaceId, id: file.id, ...described })
        .onConflictDoUpdate({ target: [datasets.workspaceId, datasets.id], set: described });
      return { id: file.id, name: described.name, path: file.path, report };
    },

    async get(workspaceId, id) {
      const sample = builtIn.find((candidate) => candidate.id === id);
      if (sample) {
        const path = fileURLToPath(new URL(sample.file, sampleFolder));
        return { id, name: sample.title, path, report: await inspectDataset(path, sample.file) };
      }
      const [row] = await db
        .select()
        .from(datasets)
        .where(and(eq(datasets.workspaceId, workspaceId), eq(datasets.id, id)));
      if (!row) {
        throw new UserError(
          `There is no dataset ${shown(id)} here.`,
          `Upload a file, or choose a sample: ${builtIn.map((known) => known.id).join(', ')}.`,
        );
      }
      // The folder may have moved since the row was written; the name of the file has not.
      const path = join(folder, basename(row.path));
      const report = row.report ?? (await inspectDataset(path, row.name, asked(row.textColumn, row.labelColumn)));
      return { id: row.id, name: row.name, path, report };
    },

    async list(workspaceId) {
      const rows = await db
        .select({ id: datasets.id, name: datasets.name, rows: datasets.rows, report: datasets.report })
        .from(datasets)
        .where(eq(datasets.workspaceId, workspaceId))
        .orderBy(desc(datasets.addedAt), datasets.id);
      return rows.map(({ report, ...row }) => ({ ...row, task: report?.tasks[0] ?? 'text-classification' }));
    },
  };
}
