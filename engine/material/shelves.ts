// The documents of each workspace as they are indexed in memory: built when first asked for, and again only where a
// document has changed, whichever process changed it. The workspaces asked least lately make room.
import type { MaterialSearch, Shelf } from '../../knowledge/index.ts';
import type { createRows, DocumentRow } from './rows.ts';

interface Kept {
  /** Of the contents and of how they were prepared. */
  readonly mark: string;
  readonly shelf: Promise<Shelf>;
}

const mostBytes = 600 * 1024 ** 2;

export function createShelves(rows: ReturnType<typeof createRows>, search: () => Promise<MaterialSearch>) {
  /** In the order of their last use. */
  const workspaces = new Map<string, Map<string, Kept>>();
  const sizes = new Map<string, number>();

  async function build(row: DocumentRow): Promise<Shelf> {
    const ready = await search();
    if (row.preparedBy === ready.version) return ready.shelve(await rows.prepared(row));
    // Prepared for another embedder or other synonyms.
    const passages = (await rows.passages(row)).map(({ headings, page, text }) => ({
      headings,
      page: page ?? undefined,
      text,
    }));
    const prepared = await ready.prepare(
      passages.map(({ headings, text }) => ({ title: [row.name, ...headings].join('. '), text })),
    );
    await rows.put({ ...row, preparedBy: ready.version }, { passages, prepared });
    return ready.shelve(prepared);
  }

  function makeRoom(current: string) {
    let total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const id of [...workspaces.keys()]) {
      if (total <= mostBytes || id === current) return;
      total -= sizes.get(id) ?? 0;
      workspaces.delete(id);
      sizes.delete(id);
    }
  }

  return {
    /** @returns a shelf for each row, in their order. */
    async of(workspaceId: string, all: readonly DocumentRow[]): Promise<readonly Shelf[]> {
      const kept = workspaces.get(workspaceId) ?? new Map<string, Kept>();
      workspaces.delete(workspaceId);
      workspaces.set(workspaceId, kept);
      const shelves: Shelf[] = [];
      for (const row of all) {
        // Not the version: a document prepared anew holds the same words.
        const known = kept.get(row.id);
        const current = known?.mark === row.contentHash ? known : { mark: row.contentHash, shelf: build(row) };
        if (current !== known) {
          kept.set(row.id, current);
          current.shelf.catch(() => kept.delete(row.id));
        }
        shelves.push(await current.shelf);
      }
      sizes.set(
        workspaceId,
        shelves.reduce((sum, { bytes }) => sum + bytes, 0),
      );
      makeRoom(workspaceId);
      return shelves;
    },
  };
}
