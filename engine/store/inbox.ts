// Events that are being worked on, so that a process that ends loses none: the platform will not send an acknowledged event
// again, so whoever lives on takes it up from here. Written many at a time: on the embedded database each statement holds
// the whole process up.
import { and, eq, isNotNull, isNull, lt, ne, or, sql } from 'drizzle-orm';
import { createBatch } from './batch.ts';
import type { Database } from './client.ts';
import { deliveries } from './schema.ts';

interface EventKey {
  readonly workspaceId: string;
  readonly key: string;
}

interface NewEvent extends EventKey {
  readonly front: string;
  /** JSON. */
  readonly payload: unknown;
}

export interface KeptEvent extends EventKey {
  readonly receivedAt: Date;
  /** As the platform sent it. */
  readonly payload: unknown;
  /** A command had begun to answer it when its process ended: nobody knows how far it came. */
  readonly begun: boolean;
}

export interface Inbox {
  /** No other process can have this database open. */
  readonly alone: boolean;
  /**
   * Keeps an event, for this process to work on. The workspace must have been opened.
   * @returns false when it was kept or taken in before: it is somebody else's, or done.
   */
  keep(event: NewEvent): Promise<boolean>;
  /** Adds what a process left behind that ended before it could keep it here; what is done, or held, stays as it is. */
  leave(event: NewEvent & { readonly receivedAt: Date }): Promise<void>;
  /** It needs no more work; what people wrote in it is forgotten. */
  done(event: EventKey): Promise<void>;
  /** Renews what this process holds, and takes over, oldest first, what others left behind when they ended. */
  takeOver(front: string): Promise<readonly KeptEvent[]>;
}

/** A process that has not renewed for this long has ended. */
const leaseSeconds = 30;

export interface InboxOptions {
  readonly db: Database;
  readonly now: () => Date;
  /** This process, told from every other. */
  readonly holder: string;
  /** No other process can have this database open; so whatever somebody else holds was left behind. */
  readonly alone: boolean;
}

export function createInbox({ db, now, holder, alone }: InboxOptions): Inbox {
  // The database's own clock, one for all processes.
  const heldUntil = sql`now() + make_interval(secs => ${leaseSeconds})`;
  const one = ({ workspaceId, key }: EventKey) => and(eq(deliveries.workspaceId, workspaceId), eq(deliveries.key, key));
  const nameOf = ({ workspaceId, key }: EventKey) => JSON.stringify([workspaceId, key]);

  const keep = createBatch<NewEvent, boolean>(async (events) => {
    const kept = await db
      .insert(deliveries)
      .values(
        events.map(({ workspaceId, key, front, payload }) => ({
          ...{ workspaceId, key, front, payload: { is: payload } },
          ...{ receivedAt: now(), heldBy: holder, heldUntil },
        })),
      )
      .onConflictDoNothing()
      .returning({ workspaceId: deliveries.workspaceId, key: deliveries.key });
    const ours = new Set(kept.map(nameOf));
    // The same twice in a batch is kept once.
    return events.map((event) => ours.delete(nameOf(event)));
  });

  const done = createBatch<EventKey, undefined>(async (events) => {
    await db
      .update(deliveries)
      .set({ payload: null, heldBy: null, heldUntil: null, doneAt: now() })
      .where(or(...events.map(one)));
    return events.map(() => undefined);
  });

  return {
    alone,
    keep,
    done,

    async leave({ workspaceId, key, front, payload, receivedAt }) {
      const left = { front, payload: { is: payload }, heldBy: null, heldUntil: sql`now() - interval '1 second'` };
      await db
        .insert(deliveries)
        .values({ workspaceId, key, receivedAt, ...left })
        .onConflictDoUpdate({
          target: [deliveries.workspaceId, deliveries.key],
          set: left,
          setWhere: sql`${deliveries.payload} is null and ${deliveries.doneAt} is null`,
        });
    },

    async takeOver(front) {
      const open = and(eq(deliveries.front, front), isNotNull(deliveries.payload));
      await db
        .update(deliveries)
        .set({ heldUntil })
        .where(and(open, eq(deliveries.heldBy, holder)));
      const left = or(isNull(deliveries.heldBy), ne(deliveries.heldBy, holder));
      const taken = await db
        .update(deliveries)
        .set({ heldBy: holder, heldUntil })
        .where(and(open, left, alone ? undefined : lt(deliveries.heldUntil, sql`now()`)))
        .returning();
      return taken
        .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime())
        .map(({ workspaceId, key, receivedAt, payload, startedAt }) => ({
          workspaceId,
          key,
          receivedAt,
          payload: payload?.is,
          begun: startedAt !== null,
        }));
    },
  };
}
