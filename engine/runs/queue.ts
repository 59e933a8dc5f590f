// The queue of runs: pg-boss on our own database. A job only says "this run waits"; the run's row is the truth, so a job
// delivered twice or lost with its worker does no harm.
import type { Store } from '../store/client.ts';

export interface Queue {
  put(runId: string): Promise<void>;
  /** @returns the run that waits longest, or undefined. It is gone from the queue once `settle` was called. */
  take(): Promise<{ readonly runId: string; settle(): Promise<void> } | undefined>;
  close(): Promise<void>;
}

const name = 'runs';

/** Creates pg-boss's own schema at the first start. */
export async function openQueue(store: Store, onError: (error: Error) => void): Promise<Queue> {
  const { default: PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    db: {
      executeSql: async (text, values: unknown) => ({ rows: [...(await store.execute(text, toValues(values))).rows] }),
    },
    schedule: false,
  });
  boss.on('error', onError);
  await boss.start();
  // A worker that dies between taking and settling: the job comes back after a minute.
  await boss.createQueue(name, { name, retryLimit: 10, expireInSeconds: 60, retentionDays: 30 });
  return {
    async put(runId) {
      await boss.send(name, { runId });
    },
    async take() {
      const [job] = await boss.fetch<{ runId: string }>(name);
      if (job === undefined) return undefined;
      return { runId: job.data.runId, settle: () => boss.complete(name, job.id) };
    },
    close: () => boss.stop({ graceful: false }),
  };
}

const toValues = (values: unknown): readonly unknown[] => (Array.isArray(values) ? values : []);
