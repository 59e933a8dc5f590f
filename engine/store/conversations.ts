// What was said, kept: so that a reload or a restart shows the same conversation and edits the same messages.
import { and, desc, eq, isNull, or } from 'drizzle-orm';
import type { Database } from './client.ts';
import { deliveries, messages, workspaces } from './schema.ts';

export interface StoredMessage {
  readonly id: number;
  readonly personId: string | undefined;
  readonly slot: string | undefined;
  readonly externalId: string | undefined;
  readonly visibleTo: string | undefined;
  readonly content: unknown;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface ConversationKey {
  readonly workspaceId: string;
  readonly front: string;
  readonly conversationId: string;
}

export interface Conversations {
  /**
   * Begins to answer an event, by its idempotency key; it may have been kept in the inbox before.
   * @returns false when its answer had been begun before: do nothing then.
   */
  claim(workspaceId: string, key: string): Promise<boolean>;
  /** Adds a message; with a slot that exists already, replaces that message's content instead. */
  say(
    key: ConversationKey,
    message: { personId?: string; slot?: string; visibleTo?: string; content: unknown },
  ): Promise<StoredMessage>;
  /** Keeps the platform's id of a posted message. */
  setExternalId(key: ConversationKey, messageId: number, externalId: string): Promise<void>;
  /** The last `limit` messages this person may see, oldest first. */
  history(key: ConversationKey, personId: string, limit: number): Promise<readonly StoredMessage[]>;
  /** Makes sure the workspace exists before anything is written in it. */
  openWorkspace(workspaceId: string, name: string): Promise<void>;
  /** The ids of all workspaces there are, for what a process takes up again at its start. */
  workspaces(): Promise<readonly string[]>;
}

/** @param now the clock `updatedAt` is taken from. */
export function createConversations({ db, now }: { db: Database; now: () => Date }): Conversations {
  const inConversation = (key: ConversationKey) =>
    and(
      eq(messages.workspaceId, key.workspaceId),
      eq(messages.front, key.front),
      eq(messages.conversationId, key.conversationId),
    );

  return {
    async claim(workspaceId, key) {
      const taken = await db
        .insert(deliveries)
        .values({ workspaceId, key, receivedAt: now(), startedAt: now() })
        .onConflictDoUpdate({
          target: [deliveries.workspaceId, deliveries.key],
          set: { startedAt: now() },
          setWhere: isNull(deliveries.startedAt),
        })
        .returning({ key: deliveries.key });
      return taken.length > 0;
    },

    async say(key, message) {
      const said = {
        personId: message.personId ?? null,
        visibleTo: message.visibleTo ?? null,
        content: message.content,
        updatedAt: now(),
      };
      const [row] = await db
        .insert(messages)
        .values({ ...conversation(key), ...said, slot: message.slot ?? null, createdAt: said.updatedAt })
        .onConflictDoUpdate({
          target: [messages.workspaceId, messages.front, messages.conversationId, messages.slot],
          set: said,
        })
        .returning();
      if (row === undefined) throw new Error('the database returned no row for a message it took');
      return toMessage(row);
    },

    async setExternalId(key, messageId, externalId) {
      await db
        .update(messages)
        .set({ externalId })
        .where(and(inConversation(key), eq(messages.id, messageId)));
    },

    async history(key, personId, limit) {
      const rows = await db
        .select()
        .from(messages)
        .where(and(inConversation(key), or(isNull(messages.visibleTo), eq(messages.visibleTo, personId))))
        .orderBy(desc(messages.id))
        .limit(limit);
      return rows.reverse().map(toMessage);
    },

    async openWorkspace(workspaceId, name) {
      await db.insert(workspaces).values({ id: workspaceId, name, createdAt: now() }).onConflictDoNothing();
    },

    async workspaces() {
      const rows = await db.select({ id: workspaces.id }).from(workspaces).orderBy(workspaces.createdAt, workspaces.id);
      return rows.map(({ id }) => id);
    },
  };
}

const conversation = ({ workspaceId, front, conversationId }: ConversationKey) => ({
  workspaceId,
  front,
  conversationId,
});

function toMessage(row: typeof messages.$inferSelect): StoredMessage {
  return {
    id: row.id,
    personId: row.personId ?? undefined,
    slot: row.slot ?? undefined,
    externalId: row.externalId ?? undefined,
    visibleTo: row.visibleTo ?? undefined,
    content: row.content,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
