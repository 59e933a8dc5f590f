// The guide at once: reading its Markdown takes seconds, so what was read is remembered.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, memoryFolder, recallOr } from '../memory.ts';
import type { Guide } from '../types.ts';
import type { GuideContents } from './guide.ts';

export const shippedGuide = fileURLToPath(new URL('../guide', import.meta.url));
const readers = ['.', '../chunk', '../diagrams', '../formulas'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/**
 * The shipped guide from memory where nothing has changed; another folder is always read.
 * @throws GuideError listing every problem with its file and line.
 */
export async function loadGuide(folder?: string, memory: string = memoryFolder): Promise<Guide> {
  if (folder !== undefined) return openGuide(await read(folder));
  const hash = await hashOf([shippedGuide, join(shippedGuide, 'quizzes'), join(shippedGuide, 'diagrams'), ...readers]);
  const contents = await recallOr({ folder: memory, name: 'guide', hash }, () => read(shippedGuide));
  return { ...openGuide(contents), hash };
}

function openGuide(contents: GuideContents): Guide {
  const chapters = new Map(contents.chapters.map((chapter) => [chapter.id, chapter]));
  const sections = new Map(
    contents.chapters.flatMap(({ id, sections }) => sections.map((section) => [`${id}#${section.id}`, section])),
  );
  return {
    ...contents,
    chapter: (chapterId) => chapters.get(chapterId),
    section: (chapterId, sectionId) => sections.get(`${chapterId}#${sectionId}`),
  };
}

/** The Markdown reader is loaded only when there is something to read. */
async function read(folder: string): Promise<GuideContents> {
  const { readGuide } = await import('./guide.ts');
  return readGuide(folder);
}
