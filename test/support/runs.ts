// Runs on a test database with the fake trainer, and ways to wait for what they do.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPictures } from '../../engine/charts/pictures.ts';
import { createRuns, type RunsOptions } from '../../engine/runs/create-runs.ts';
import type { Run } from '../../engine/runs/runs.ts';
import { createTrainerStarter } from '../../engine/runs/trainer-process.ts';
import type { Store } from '../../engine/store/client.ts';
import { createConversations } from '../../engine/store/conversations.ts';

const fakeTrainer = fileURLToPath(new URL('../fixtures/fake-trainer.ts', import.meta.url));

/** What the runs logged, as text: a test that fails shows it, one that expects trouble reads it. */
function createTestLog() {
  const lines: string[] = [];
  const write = (level: string) => (details: object, message: string) => {
    const error = 'err' in details && details.err instanceof Error ? details.err.stack : '';
    lines.push(`${level}: ${message} ${JSON.stringify(details)} ${error}`);
  };
  return { lines, info: write('info'), warn: write('warn'), error: write('error') };
}

export async function startRuns(store: Store, dataDir: string, options: Partial<RunsOptions> = {}) {
  const now = () => new Date();
  await createConversations({ db: store.db, now }).openWorkspace('w', 'w');
  const log = createTestLog();
  const runs = createRuns({
    store,
    pictures: createPictures(join(dataDir, 'pictures')),
    dataDir,
    workers: 1,
    device: 'cpu',
    now,
    log,
    startTrainer: createTrainerStarter(fakeTrainer),
    ...options,
  });
  const seen: Run[] = [];
  const checks = new Set<() => void>();
  runs.watch((run) => {
    seen.push(run);
    for (const check of checks) check();
  });

  /** Resolves with the first row that fits, already seen or yet to come. */
  function until(fits: (run: Run) => boolean, what: string, timeoutMs = 30_000): Promise<Run> {
    return new Promise((resolve, reject) => {
      const story = () =>
        `${seen.map((run) => `${run.name} ${run.status} ${run.progress?.step ?? ''}`).join(', ')}\n${log.lines.join('\n')}`;
      const timer = setTimeout(() => reject(new Error(`never saw ${what}; saw ${story()}`)), timeoutMs);
      const check = () => {
        const found = seen.find(fits);
        if (found === undefined) return;
        clearTimeout(timer);
        checks.delete(check);
        resolve(found);
      };
      checks.add(check);
      check();
    });
  }

  return {
    runs,
    log,
    seen,
    until,
    reaches: (name: string, status: Run['status']) =>
      until((run) => run.name === name && run.status === status, `${name} ${status}`),
    trains: (name: string) => until((run) => run.name === name && run.progress !== undefined, `a step of ${name}`),
    submit: (script: object = {}, more: Partial<Parameters<typeof runs.submit>[0]> = {}) =>
      runs.submit({
        workspaceId: 'w',
        personId: 'ada',
        front: 'web',
        conversationId: 'c',
        datasetName: 'reviews.csv',
        spec: { task: 'text-classification', model: `fake:${JSON.stringify(script)}`, data: { train: 'reviews.csv' } },
        ...more,
      }),
    /** Each change of status, in order. */
    statuses: (name: string) =>
      seen
        .filter((run) => run.name === name)
        .map(({ status }) => status)
        .filter((status, i, all) => status !== all[i - 1]),
  };
}

/** How many trainer processes a run has had. */
export const livesOf = (run: Run) => linesOf(run, 'lives').length;

/** What the fake trainer wrote down: the pids of its `lives`, or the steps it has `trained`. */
export function linesOf(run: Run, file: 'lives' | 'trained'): string[] {
  const path = join(run.spec.out, file);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}
