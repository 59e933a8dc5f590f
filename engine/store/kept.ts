// Small things kept by name, each whole: calls that are too long for a button, tokens (sealed), threads, a person's choices.
import { and, asc, eq } from 'drizzle-orm';
import type { Database } from './client.ts';
import { keptValues } from './schema.ts';

export interface Kept {
  /** Keeps `value` (JSON) under a name; what was there is replaced. The workspace must have been opened. */
  put(workspaceId: string, kind: string, name: string, value: unknown): Promise<void>;
  /** Keeps `value` unless something is there. @returns what is there now. */
  putOnce(workspaceId: string, kind: string, name: string, value: unknown): Promise<unknown>;
  /** @returns undefined where nothing is kept. */
  get(workspaceId: string, kind: string, name: string): Promise<unknown>;
  remove(workspaceId: string, kind: string, name: string): Promise<void>;
  /** All of a kind, oldest first. */
  list(workspaceId: string, kind: string): Promise<readonly { readonly name: string; readonly value: unknown }[]>;
}

export function createKept({ db, now }: { db: Database; now: () => Date }): Kept {
  const under = (workspaceId: string, kind: string, name: string) =>
    and(eq(keptValues.workspaceId, workspaceId), eq(keptValues.kind, kind), eq(keptValues.name, name));

  async function get(workspaceId: string, kind: string, name: string) {
    const [row] = await db
      .select({ value: keptValues.value })
      .from(keptValues)
      .where(under(workspaceId, kind, name));
    return row?.value.is;
  }

  return {
    get,
    async put(workspaceId, kind, name, value) {
      const written = { value: { is: value }, updatedAt: now() };
      await db
        .insert(keptValues)
        .values({ workspaceId, kind, name, ...written })
        .onConflictDoUpdate({ target: [keptValues.workspaceId, keptValues.kind, keptValues.name], set: written });
    },
    async putOnce(workspaceId, kind, name, value) {
      await db
        .insert(keptValues)
        .values({ workspaceId, kind, name, value: { is: value }, updatedAt: now() })
        .onConflictDoNothing();
      return get(workspaceId, kind, name);
    },
    async remove(workspaceId, kind, name) {
      await db.delete(keptValues).where(under(workspaceId, kind, name));
    },
    async list(workspaceId, kind) {
      const rows = await db
        .select({ name: keptValues.name, value: keptValues.value })
        .from(keptValues)
        .where(and(eq(keptValues.workspaceId, workspaceId), eq(keptValues.kind, kind)))
        .orderBy(asc(keptValues.updatedAt), asc(keptValues.name));
      return rows.map(({ name, value }) => ({ name, value: value.is }));
    },
  };
}
