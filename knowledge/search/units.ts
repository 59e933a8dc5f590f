// What gets a vector: each wording learners use for a section, its titles, and its passages a sentence or two at a time.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { cutWindows } from '../chunk/windows.ts';
import { overviewId } from '../load/link.ts';
import { hashOf, recallOr } from '../memory.ts';
import { type GuideText, keyOf } from './analysis.ts';

export interface Unit {
  readonly text: string;
  /** `chapter#section`. */
  readonly section: string;
  /** The passage it was cut from; undefined: it speaks for the whole section. */
  readonly passage?: string | undefined;
}

const cutters = ['.', '../chunk'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

/** @param folder where they are remembered, since finding sentences is slow; undefined: nowhere. */
export async function loadUnits(guide: GuideText, folder: string | undefined): Promise<Unit[]> {
  if (guide.hash === undefined || folder === undefined) return cutUnits(guide);
  const code = await hashOf(cutters);
  const hash = createHash('sha256').update(guide.hash).update(code).digest('hex');
  return recallOr({ folder, name: 'units', hash }, async () => cutUnits(guide));
}

function cutUnits({ chapters, passages }: Pick<GuideText, 'chapters' | 'passages'>): Unit[] {
  const named = chapters.flatMap((chapter) =>
    chapter.sections.flatMap((section) => {
      const key = keyOf({ chapterId: chapter.id, sectionId: section.id });
      const titles = section.id === overviewId ? [chapter.title] : [section.title, `${chapter.title} ${section.title}`];
      return [...titles, ...section.asks].map((text) => ({ text, section: key, passage: undefined }));
    }),
  );
  const cut = passages.flatMap((passage) =>
    cutWindows(passage.text).map((text) => ({ text, section: keyOf(passage), passage: passage.id })),
  );
  return [...named, ...cut];
}
