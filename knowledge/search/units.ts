// What gets a vector: each wording learners use for a section, its titles, and its passages a sentence or two at a time.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { cutWindows } from '../chunk/windows.ts';
import { overviewId } from '../load/link.ts';
import { hashOf, recallOr } from '../memory.ts';
import { type GuideText, keyOf } from './analysis.ts';
import type { Outside } from './read-outside.ts';

export interface Unit {
  readonly text: string;
  /** `chapter#section`; undefined: a question that the guide does not answer. */
  readonly section: string | undefined;
  /** The passage it was cut from; undefined: it speaks for the whole section. */
  readonly passage?: string | undefined;
}

const cutters = ['.', '../chunk'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

/** @param folder where they are remembered, since finding sentences is slow; undefined: nowhere. */
export async function loadUnits(guide: GuideText, folder: string | undefined): Promise<Unit[]> {
  const cut = async () => cutUnits(guide, await loadOutside());
  if (guide.hash === undefined || folder === undefined) return cut();
  const code = await hashOf(cutters);
  const hash = createHash('sha256').update(guide.hash).update(code).digest('hex');
  return recallOr({ folder, name: 'units', hash }, cut);
}

/** YAML and its checks are loaded only when there is something to cut. */
async function loadOutside(): Promise<Outside> {
  const { readOutside } = await import('./read-outside.ts');
  return readOutside();
}

export function cutUnits({ chapters, passages }: Pick<GuideText, 'chapters' | 'passages'>, outside: Outside): Unit[] {
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
  const beside = Object.values(outside).flatMap((texts) => texts.map((text) => ({ text, section: undefined })));
  return [...named, ...cut, ...beside];
}
