// The rows of runs and their events: every change of a status goes through the table of states, by compare-and-set.
import { and, asc, count, desc, eq, gt, inArray, lt, lte, or, sql } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import type { Database } from '../store/client.ts';
import { runEvents, runs } from '../store/schema.ts';
import type { RunEvent } from './events.ts';
import type { Run } from './runs.ts';
import type { RunSpec } from './spec.ts';
import { type Happening, nextStatus } from './states.ts';

type Row = typeof runs.$inferSelect;
type Patch = Omit<PgUpdateSetSource<typeof runs>, 'id' | 'status'>;

export interface RunRows {
  /** Adds a queued run under the next free name. `specFor` gets that name. */
  add(
    run: Pick<Row, 'id' | 'workspaceId' | 'datasetName' | 'front' | 'conversationId' | 'startedBy'>,
    specFor: (name: string) => RunSpec,
  ): Promise<Run>;
  find(workspaceId: string, nameOrId: string): Promise<Run | undefined>;
  list(workspaceId: string, limit: number): Promise<readonly Run[]>;
  countByStatus(): Promise<{ readonly [S in Row['status']]: number }>;
  /**
   * Applies what happened. With `claim`, only while that claim holds.
   * @returns the row after it and whether this call changed its status; undefined when there is no such run or the claim is lost.
   */
  apply(id: string, happening: Happening, patch?: Patch, claim?: string): Promise<Applied | undefined>;
  /** Takes a queued run for a worker. @returns undefined when it is not queued (any more). */
  take(id: string, claim: string): Promise<{ readonly run: Run; readonly attempts: number } | undefined>;
  /** Its worker is gone. Interrupted, unless its result had been stored already. */
  lose(id: string): Promise<Applied | undefined>;
  /** Stores events and what the card shows, while the claim holds. @returns undefined when it is lost. */
  record(id: string, claim: string, events: readonly NumberedEvent[], patch: Patch): Promise<Run | undefined>;
  events(workspaceId: string, runId: string): Promise<readonly RunEvent[]>;
  /** The number the next event gets. */
  nextSeq(runId: string): Promise<number>;
  /** Runs in work whose worker has not been heard of for `staleMs` (0: all of them). */
  lost(staleMs: number): Promise<readonly string[]>;
  /** Interrupted runs to be put back by themselves: those interrupted at most `limit` times. */
  toPutBack(limit: number): Promise<readonly string[]>;
  queued(): Promise<readonly string[]>;
}

interface Applied {
  readonly run: Run;
  /** False: the status was the same already, and nothing was written. */
  readonly changed: boolean;
}

export interface NumberedEvent {
  readonly seq: number;
  readonly event: RunEvent;
}

/** The database's own clock, one for all workers. */
const databaseNow = sql`now()`;
const ended = new Set<Row['status']>(['done', 'failed', 'stopped']);

export function createRunRows({ db, now }: { db: Database; now: () => Date }): RunRows {
  const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

  async function apply(
    id: string,
    happening: Happening,
    patch: Patch = {},
    claim?: string,
  ): Promise<Applied | undefined> {
    for (;;) {
      const [before] = await db.select().from(runs).where(eq(runs.id, id));
      if (before === undefined || (claim !== undefined && before.claim !== claim)) return undefined;
      const status = nextStatus(before.status, happening);
      if (status === before.status) return { run: toRun(before), changed: false };
      const still =
        claim === undefined
          ? eq(runs.status, before.status)
          : and(eq(runs.status, before.status), eq(runs.claim, claim));
      const [after] = await db
        .update(runs)
        .set({ ...patch, status, updatedAt: now(), finishedAt: ended.has(status) ? now() : null })
        .where(and(eq(runs.id, id), still))
        .returning();
      if (after !== undefined) return { run: toRun(after), changed: true };
    }
  }

  return {
    async add(run, specFor) {
      for (;;) {
        const [last] = await db
          .select({ number: sql<number>`coalesce(max(substring(${runs.name} from 5)::int), 0)::int` })
          .from(runs)
          .where(eq(runs.workspaceId, run.workspaceId));
        const name = `run-${(last?.number ?? 0) + 1}`;
        const [added] = await db
          .insert(runs)
          .values({ ...run, name, spec: specFor(name), status: 'queued', createdAt: now(), updatedAt: now() })
          .onConflictDoNothing({ target: [runs.workspaceId, runs.name] })
          .returning();
        // None: somebody else took the name in between.
        if (added !== undefined) return toRun(added);
      }
    },

    async find(workspaceId, nameOrId) {
      const [row] = await db
        .select()
        .from(runs)
        .where(and(eq(runs.workspaceId, workspaceId), or(eq(runs.name, nameOrId), eq(runs.id, nameOrId))));
      return row && toRun(row);
    },

    async list(workspaceId, limit) {
      const rows = await db
        .select()
        .from(runs)
        .where(eq(runs.workspaceId, workspaceId))
        .orderBy(desc(sql`substring(${runs.name} from 5)::int`))
        .limit(limit);
      return rows.map(toRun);
    },

    async countByStatus() {
      const rows = await db.select({ status: runs.status, count: count() }).from(runs).groupBy(runs.status);
      const counts = { queued: 0, running: 0, stopping: 0, stopped: 0, interrupted: 0, failed: 0, done: 0 };
      for (const { status, count } of rows) counts[status] = count;
      return counts;
    },

    apply,

    async take(id, claim) {
      const patch = { claim, attempts: sql`${runs.attempts} + 1`, heartbeatAt: databaseNow };
      const [row] = await db
        .update(runs)
        .set({ ...patch, status: nextStatus('queued', 'taken'), updatedAt: now() })
        .where(and(eq(runs.id, id), eq(runs.status, 'queued')))
        .returning();
      return row && { run: toRun(row), attempts: row.attempts };
    },

    async lose(id) {
      const [row] = await db.select({ result: runs.result }).from(runs).where(eq(runs.id, id));
      if (row?.result) return apply(id, 'trainerDone');
      return apply(id, 'workerLost', { claim: null, interruptions: sql`${runs.interruptions} + 1` });
    },

    record(id, claim, events, patch) {
      return db.transaction(async (tx) => {
        const [row] = await tx
          .update(runs)
          .set({ ...patch, heartbeatAt: databaseNow, updatedAt: now() })
          .where(and(eq(runs.id, id), eq(runs.claim, claim), inArray(runs.status, ['running', 'stopping'])))
          .returning();
        if (row === undefined) return undefined;
        for (const { event } of events) {
          if (event.type === 'start') await tx.delete(runEvents).where(undone(id, event.step));
        }
        const rows = events.map(({ seq, event }) => ({
          workspaceId: row.workspaceId,
          runId: id,
          seq,
          event,
          at: now(),
        }));
        if (rows.length > 0) await tx.insert(runEvents).values(rows);
        return toRun(row);
      });
    },

    async events(workspaceId, runId) {
      const rows = await db
        .select({ event: runEvents.event })
        .from(runEvents)
        .where(and(eq(runEvents.workspaceId, workspaceId), eq(runEvents.runId, runId)))
        .orderBy(asc(runEvents.seq));
      return rows.map(({ event }) => event);
    },

    async nextSeq(runId) {
      const [last] = await db
        .select({ seq: sql<number>`coalesce(max(${runEvents.seq}), 0)::int` })
        .from(runEvents)
        .where(eq(runEvents.runId, runId));
      return (last?.seq ?? 0) + 1;
    },

    async lost(staleMs) {
      const inWork = inArray(runs.status, ['running', 'stopping']);
      const stale = lt(runs.heartbeatAt, sql`now() - ${staleMs} * interval '1 millisecond'`);
      return ids(
        await db
          .select({ id: runs.id })
          .from(runs)
          .where(staleMs === 0 ? inWork : and(inWork, stale)),
      );
    },

    async toPutBack(limit) {
      const waiting = and(eq(runs.status, 'interrupted'), lte(runs.interruptions, limit));
      return ids(await db.select({ id: runs.id }).from(runs).where(waiting).orderBy(runs.createdAt));
    },

    async queued() {
      return ids(await db.select({ id: runs.id }).from(runs).where(eq(runs.status, 'queued')).orderBy(runs.createdAt));
    },
  };
}

/** Events of a run that is resumed at `step`: what came after it is done again, and counts once. */
function undone(runId: string, step: number) {
  return and(
    eq(runEvents.runId, runId),
    sql`${runEvents.event} ->> 'type' in ('step', 'eval', 'checkpoint')`,
    gt(sql`(${runEvents.event} ->> 'step')::int`, step),
  );
}

function toRun(row: Row): Run {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    name: row.name,
    datasetName: row.datasetName,
    spec: row.spec,
    status: row.status,
    start: row.start ?? undefined,
    progress: row.progress ?? undefined,
    metrics: row.metrics ?? undefined,
    result: row.result ?? undefined,
    error: row.error ?? undefined,
    hint: row.hint ?? undefined,
    front: row.front,
    conversationId: row.conversationId,
    startedBy: row.startedBy,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt ?? undefined,
  };
}
