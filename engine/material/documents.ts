// What a group's document is to others, and where it is seen.

/** Where something is asked. Undefined: in no channel of a platform, where only what the whole workspace sees is seen. */
export interface Where {
  readonly workspaceId: string;
  readonly channelId: string | undefined;
}

export interface GroupDocument {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  /** Undefined: the whole workspace sees it. */
  readonly channelId: string | undefined;
  readonly format: string;
  readonly url: string | undefined;
  readonly pages: number | undefined;
  readonly passages: number;
  readonly addedBy: string;
  readonly refreshedAt: Date;
}

/** A file on disk; its name is the sender's, never to be used as a path. */
export interface SentFile {
  readonly path: string;
  readonly name: string;
}

const prefix = 'document:';

/** A citation of a document stands where one of a chapter would: this is its chapter. */
export const chapterOf = (documentId: string) => prefix + documentId;

/** @returns undefined for a chapter of the guide. */
export function documentOf(chapterId: string): string | undefined {
  return chapterId.startsWith(prefix) ? chapterId.slice(prefix.length) : undefined;
}

/** `Handbook › Travel › Trains, page 3` */
export function titleOf(name: string, headings: readonly string[], page: number | null | undefined): string {
  // A document often begins with its own name.
  const [first, ...rest] = headings;
  const below = first?.toLowerCase() === name.toLowerCase() ? rest : headings;
  const path = [name, ...below].join(' › ');
  return page === null || page === undefined ? path : `${path}, page ${page}`;
}
