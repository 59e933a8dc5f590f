// The rows of documents and their passages. Every query names the workspace, and what of it is seen from where.
import { and, asc, count, eq, inArray, isNull, or } from 'drizzle-orm';
import type { DocumentPassage, PreparedPassage } from '../../knowledge/index.ts';
import type { Database } from '../store/client.ts';
import { documentPassages, documents } from '../store/schema.ts';
import type { Where } from './documents.ts';

export type DocumentRow = typeof documents.$inferSelect;

export interface NewPassages {
  readonly passages: readonly DocumentPassage[];
  readonly prepared: readonly PreparedPassage[];
}

const rowsAtOnce = 200;

export function createRows(db: Database) {
  const seenFrom = ({ workspaceId, channelId }: Where) =>
    and(
      eq(documents.workspaceId, workspaceId),
      channelId === undefined
        ? isNull(documents.channelId)
        : or(isNull(documents.channelId), eq(documents.channelId, channelId)),
    );
  const of = ({ workspaceId, id }: Pick<DocumentRow, 'workspaceId' | 'id'>) =>
    and(eq(documentPassages.workspaceId, workspaceId), eq(documentPassages.documentId, id));

  return {
    list: (where: Where): Promise<DocumentRow[]> =>
      db.select().from(documents).where(seenFrom(where)).orderBy(asc(documents.addedAt), asc(documents.id)),

    async countPassages(workspaceId: string): Promise<number> {
      const [row] = await db
        .select({ total: count() })
        .from(documentPassages)
        .where(eq(documentPassages.workspaceId, workspaceId));
      return row?.total ?? 0;
    },

    /** The row and all its passages, or nothing: what was there under its id before is replaced. */
    put: (row: DocumentRow, { passages, prepared }: NewPassages): Promise<void> =>
      db.transaction(async (tx) => {
        await tx
          .insert(documents)
          .values(row)
          .onConflictDoUpdate({ target: [documents.workspaceId, documents.id], set: row });
        await tx.delete(documentPassages).where(of(row));
        for (let start = 0; start < passages.length; start += rowsAtOnce) {
          const rows = passages.slice(start, start + rowsAtOnce).map(({ headings, page, text }, index) => {
            const { terms = '', vector = new Float32Array() } = prepared[start + index] ?? {};
            return {
              workspaceId: row.workspaceId,
              documentId: row.id,
              number: start + index,
              headings,
              page: page ?? null,
              text,
              terms,
              vector: toBytes(vector),
            };
          });
          await tx.insert(documentPassages).values(rows);
        }
      }),

    async remove({ workspaceId, id }: DocumentRow): Promise<void> {
      await db.delete(documents).where(and(eq(documents.workspaceId, workspaceId), eq(documents.id, id)));
    },

    async prepared(row: DocumentRow): Promise<PreparedPassage[]> {
      const found = await db
        .select({ terms: documentPassages.terms, vector: documentPassages.vector })
        .from(documentPassages)
        .where(of(row))
        .orderBy(asc(documentPassages.number));
      return found.map(({ terms, vector }) => ({ terms, vector: toNumbers(vector) }));
    },

    /** Passages of several documents, in one query: a question waits for it. */
    async passagesAt(workspaceId: string, wanted: ReadonlyMap<string, readonly number[]>) {
      const { documentId, number, headings, page, text } = documentPassages;
      const places = [...wanted].map(([id, numbers]) => and(eq(documentId, id), inArray(number, [...numbers])));
      if (places.length === 0) return [];
      return await db
        .select({ documentId, number, headings, page, text })
        .from(documentPassages)
        .where(and(eq(documentPassages.workspaceId, workspaceId), or(...places)));
    },

    async passages(row: Pick<DocumentRow, 'workspaceId' | 'id'>, numbers?: readonly number[]) {
      const { number, headings, page, text } = documentPassages;
      return await db
        .select({ number, headings, page, text })
        .from(documentPassages)
        .where(numbers === undefined ? of(row) : and(of(row), inArray(number, [...numbers])))
        .orderBy(asc(number));
    },
  };
}

function toBytes(vector: Float32Array): Uint8Array {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes;
}

function toNumbers(bytes: Uint8Array): Float32Array {
  const held = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: held.length / 4 }, (_, index) => held.readFloatLE(index * 4));
}
