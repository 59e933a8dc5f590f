// A group's own material: documents added by its people, found beside the guide, seen in one channel or the workspace.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DocumentProblem,
  documentLimits,
  type Fit,
  type MaterialSearch,
  type ReadDocument,
  type ReadDocumentAt,
} from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';
import type { Database } from '../store/client.ts';
import { chapterOf, type GroupDocument, type SentFile, titleOf, type Where } from './documents.ts';
import { createRows, type DocumentRow } from './rows.ts';
import { createShelves } from './shelves.ts';
import type { FetchPage } from './web-page.ts';

interface NewDocument {
  readonly where: Where;
  /** The whole workspace sees it, not this channel alone. */
  readonly shared: boolean;
  readonly personId: string;
  readonly from: SentFile | { readonly url: string };
  /** Undefined: named after its file or page. */
  readonly name?: string | undefined;
}

/** A passage of a group's document, and how well it fits what was asked. */
export interface OwnPassage extends Fit {
  readonly chapterId: string;
  readonly sectionId: string;
  readonly document: string;
  /** `Handbook › Travel, page 3` */
  readonly title: string;
  readonly text: string;
}

export interface Material {
  /** @throws UserError when it cannot be read, is here already, or its name is taken; nothing is kept then. */
  add(document: NewDocument): Promise<GroupDocument>;
  list(where: Where): Promise<readonly GroupDocument[]>;
  /**
   * Fetches a page again, or takes a newer file in its place. The old stays until the new is whole.
   * @throws UserError for an unknown name, a file without a newer one, or one that cannot be read.
   */
  refresh(
    where: Where,
    name: string,
    file?: SentFile,
  ): Promise<{ readonly document: GroupDocument; readonly changed: boolean }>;
  /** @throws UserError for an unknown name, or when `may` says no. */
  remove(where: Where, name: string, may: (document: GroupDocument) => boolean): Promise<GroupDocument>;
  /** @throws UserError when there is no such passage here. */
  passage(
    where: Where,
    documentId: string,
    number: number,
  ): Promise<{ readonly title: string; readonly text: string; readonly passages: number }>;
  /**
   * @param others texts whose fit is measured by the same scale.
   * @returns undefined where nothing has been added.
   */
  search(
    where: Where,
    query: string,
    others: readonly string[],
  ): Promise<{ readonly passages: readonly OwnPassage[]; readonly others: readonly Fit[] } | undefined>;
}

export interface MaterialOptions {
  readonly db: Database;
  /** Pages are fetched into its folder `documents`. */
  readonly dataDir: string;
  /** Loaded when the first document is added or the first question meets one. */
  readonly openSearch: () => Promise<MaterialSearch>;
  readonly read: ReadDocumentAt;
  readonly fetchPage: FetchPage;
  readonly now: () => Date;
}

/** Of one workspace. */
const mostPassages = 200_000;
const mostDocuments = 500;
const found = 12;
const longestName = 60;

export function createMaterial({ db, dataDir, openSearch, read, fetchPage, now }: MaterialOptions): Material {
  const rows = createRows(db);
  let opening: Promise<MaterialSearch> | undefined;
  const search = () => {
    opening ??= openSearch();
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };
  const shelves = createShelves(rows, search);

  async function named(where: Where, name: string): Promise<DocumentRow> {
    const all = await rows.list(where);
    const wanted = fold(name);
    const row = all.find((candidate) => fold(candidate.name) === wanted || candidate.id === name);
    if (row !== undefined) return row;
    const names = all.map((known) => known.name).slice(0, 10);
    throw new UserError(
      `There is no document called ${name.slice(0, 80)} here.`,
      names.length === 0 ? 'Nothing has been added yet: learn add' : `There is: ${names.join(', ')}`,
    );
  }

  /** Brings what is to be read onto the disk, reads it, and leaves nothing behind. */
  async function take(from: NewDocument['from']) {
    if ('path' in from) return { ...(await readFileAt(from)), url: null };
    const folder = join(dataDir, 'documents');
    await mkdir(folder, { recursive: true });
    const path = join(folder, randomUUID());
    try {
      const { name, contentType } = await fetchPage(from.url, path);
      return { ...(await readFileAt({ path, name }, contentType)), url: from.url };
    } finally {
      await rm(path, { force: true });
    }
  }

  async function readFileAt({ path, name }: SentFile, contentType?: string) {
    const { size } = await stat(path);
    if (size > documentLimits.bytes) {
      throw new UserError(
        `${tidyName(name)} is ${(size / 1024 ** 2).toFixed(0)} MiB; a document may have ${documentLimits.bytes / 1024 ** 2}.`,
        'Send the chapters that matter.',
      );
    }
    const document = await read({ path, name, ...(contentType === undefined ? {} : { contentType }) }).catch(
      (error: unknown) => {
        if (!(error instanceof DocumentProblem)) throw error;
        throw new UserError(error.message, error.hint, { cause: error });
      },
    );
    return { document, bytes: size, contentHash: await hashFile(path), fileName: tidyName(name) };
  }

  async function keep(row: DocumentRow, { passages }: ReadDocument): Promise<GroupDocument> {
    const ready = await search();
    const prepared = await ready.prepare(
      passages.map(({ headings, text }) => ({ title: [row.name, ...headings].join('. '), text })),
    );
    await rows.put(row, { passages, prepared });
    return describe(row);
  }

  return {
    async add({ where, shared, personId, from, name }) {
      const { workspaceId } = where;
      const taken = await take(from);
      const { document, fileName, contentHash } = taken;
      const all = await rows.list(where);
      const same = all.find((known) => known.contentHash === contentHash);
      if (same)
        throw new UserError(`That is here already, as ${same.name}.`, `To fetch it again: learn refresh ${same.name}`);
      const called = tidyName(
        name ?? (taken.url === null ? fileName.replace(/\.\w{1,8}$/, '') : (document.title ?? fileName)),
      );
      const twin = all.find((known) => fold(known.name) === fold(called));
      if (twin) {
        throw new UserError(
          `There is a document called ${twin.name} here.`,
          'Give this one another name (--name), or put it in its place: learn refresh',
        );
      }
      if (
        all.length >= mostDocuments ||
        (await rows.countPassages(workspaceId)) + document.passages.length > mostPassages
      ) {
        throw new UserError(
          `The shelf is full: ${mostDocuments} documents or ${mostPassages.toLocaleString('en')} passages.`,
          'Remove what nobody needs any more: learn list',
        );
      }
      const { version } = await search();
      const at = now();
      return keep(
        {
          workspaceId,
          id: randomUUID(),
          name: called,
          title: document.title ?? called,
          channelId: shared ? null : (where.channelId ?? null),
          format: document.format,
          url: taken.url,
          contentHash,
          bytes: taken.bytes,
          pages: document.pages ?? null,
          passages: document.passages.length,
          preparedBy: version,
          addedBy: personId,
          addedAt: at,
          refreshedAt: at,
        },
        document,
      );
    },

    list: async (where) => (await rows.list(where)).map(describe),

    async refresh(where, name, file) {
      const row = await named(where, name);
      const from = file ?? (row.url === null ? undefined : { url: row.url });
      if (from === undefined) {
        throw new UserError(`${row.name} came as a file.`, `Send the newer file along with: learn refresh ${row.name}`);
      }
      const { document, bytes, contentHash } = await take(from);
      if (contentHash === row.contentHash) return { document: describe(row), changed: false };
      const { version } = await search();
      const newer: DocumentRow = {
        ...row,
        title: document.title ?? row.name,
        format: document.format,
        contentHash,
        bytes,
        pages: document.pages ?? null,
        passages: document.passages.length,
        preparedBy: version,
        refreshedAt: now(),
      };
      return { document: await keep(newer, document), changed: true };
    },

    async remove(where, name, may) {
      const row = await named(where, name);
      const document = describe(row);
      if (!may(document)) {
        throw new UserError(
          `${row.name} was added by somebody else.`,
          'Whoever added it, or a maintainer, can remove it.',
        );
      }
      await rows.remove(row);
      return document;
    },

    async passage(where, documentId, number) {
      const row = await named(where, documentId);
      const [passage] = await rows.passages(row, [number]);
      if (!passage) throw new UserError(`${row.name} has no passage ${number}.`, 'It may have been refreshed since.');
      return { title: titleOf(row.name, passage.headings, passage.page), text: passage.text, passages: row.passages };
    },

    async search(where, query, others) {
      const all = await rows.list(where);
      if (all.length === 0) return undefined;
      const ready = await search();
      const held = await shelves.of(where.workspaceId, all);
      const hits = await ready.find(query, held, found);
      const wanted = new Map<string, number[]>();
      for (const { shelf, at } of hits) {
        const id = all[shelf]?.id;
        if (id !== undefined) wanted.set(id, [...(wanted.get(id) ?? []), at]);
      }
      const kept = await rows.passagesAt(where.workspaceId, wanted);
      const passages = kept.flatMap((passage) => {
        const row = all.find(({ id }) => id === passage.documentId);
        return row ? [{ row, passage }] : [];
      });
      const titles = passages.map(({ row, passage }) => titleOf(row.name, passage.headings, passage.page));
      const texts = passages.map(({ passage }, index) => `${titles[index]}\n${passage.text}`);
      const fits = await ready.fit(query, [...texts, ...others], held);
      const own = passages.flatMap(({ row, passage }, index): OwnPassage[] => {
        const fit = fits[index];
        if (!fit) return [];
        return [
          {
            ...fit,
            chapterId: chapterOf(row.id),
            sectionId: String(passage.number),
            document: row.name,
            title: titles[index] ?? row.name,
            text: passage.text,
          },
        ];
      });
      return {
        passages: own.sort((one, other) => scoreOf(other) - scoreOf(one)),
        others: fits.slice(passages.length),
      };
    },
  };
}

const scoreOf = ({ coverage, similarity }: Fit) => coverage + similarity;

const fold = (name: string) => name.trim().toLowerCase().replace(/\s+/g, ' ');

function tidyName(name: string): string {
  const tidy = name
    .replace(/^.*[\\/]/, '')
    .replace(/[\s\p{C}"]+/gu, ' ')
    .trim();
  return [...(tidy || 'document')].slice(0, longestName).join('').trim();
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function describe({
  id,
  name,
  title,
  channelId,
  format,
  url,
  pages,
  passages,
  addedBy,
  refreshedAt,
}: DocumentRow): GroupDocument {
  return {
    id,
    name,
    title,
    channelId: channelId ?? undefined,
    format,
    url: url ?? undefined,
    pages: pages ?? undefined,
    passages,
    addedBy,
    refreshedAt,
  };
}
