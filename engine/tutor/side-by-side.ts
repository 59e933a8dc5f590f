// The guide's own comparisons: tables under "Side by side", looked up by the names at the head of their columns.
import type { Guide } from '../../knowledge/index.ts';
import { isHead } from './comparison.ts';
import type { Source } from './draft.ts';
import type { Sources } from './sources.ts';

const marked = /^\*\*Side by side\*\*\n\n\|(?<header>.+)\|$/gm;

interface SideBySide {
  readonly source: Source;
  /** Of the column of each name, in their order. */
  readonly heads: readonly string[];
}

/** @returns the section whose table has a column for each name, by name or title. */
export type FindSideBySide = (
  sides: readonly { readonly name: string; readonly title: string }[],
) => SideBySide | undefined;

export function createFindSideBySide(guide: Guide, sources: Sources): FindSideBySide {
  const tables = guide.chapters.flatMap((chapter) =>
    chapter.sections.flatMap((section) =>
      [...section.markdown.matchAll(marked)].map(({ groups }) => ({
        chapterId: chapter.id,
        sectionId: section.id,
        heads: (groups?.header ?? '').split('|').map((head) => head.trim()),
      })),
    ),
  );
  return (sides) => {
    for (const { chapterId, sectionId, heads } of tables) {
      const found = sides.flatMap(({ name, title }) => findHead(heads, name) ?? findHead(heads, title) ?? []);
      const source = new Set(found).size === sides.length ? sources.read(chapterId, sectionId) : undefined;
      if (source) return { source, heads: found };
    }
    return undefined;
  };
}

const findHead = (heads: readonly string[], name: string) => heads.find((head) => isHead(head, name));
