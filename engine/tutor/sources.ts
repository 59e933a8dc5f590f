// Sections of the guide read into sentences, each when it is first needed: reading one takes milliseconds.
import { type Guide, type Hit, overviewId } from '../../knowledge/index.ts';
import type { SectionKey } from './compute/calculation.ts';
import type { Source } from './draft.ts';
import { readSection } from './reading.ts';

export interface Sources {
  read(chapterId: string, sectionId: string): Source | undefined;
  at(key: SectionKey): Source | undefined;
  of(hit: Hit): Source | undefined;
}

export function createSources(guide: Guide): Sources {
  const sources = new Map<string, Source>();
  const quizzed = new Set(guide.quizItems.map(({ chapterId }) => chapterId));

  const read = (chapterId: string, sectionId: string): Source | undefined => {
    const key = `${chapterId}#${sectionId}`;
    const chapter = guide.chapter(chapterId);
    const section = guide.section(chapterId, sectionId);
    const known = sources.get(key);
    if (known || !chapter || !section) return known;
    const source: Source = {
      chapterId,
      sectionId,
      title: `${chapter.title} › ${section.title}`,
      sectionTitle: sectionId === overviewId ? chapter.title : section.title,
      asks: section.asks,
      parts: readSection(section),
      hasQuiz: quizzed.has(chapterId),
    };
    sources.set(key, source);
    return source;
  };

  return {
    read,
    at: (key) => {
      const [chapterId = '', sectionId = ''] = key.split('#');
      return read(chapterId, sectionId);
    },
    of: ({ passage }) => read(passage.chapterId, passage.sectionId),
  };
}
