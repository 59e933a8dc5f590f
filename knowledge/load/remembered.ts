// The guide at once: reading its Markdown takes a second, so what was read is kept beside the installed packages, with
// the hash of every file it came from, and read again only when one of them has changed.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guide } from '../types.ts';
import type { GuideContents } from './guide.ts';

export const shippedGuide = fileURLToPath(new URL('../guide', import.meta.url));
const readers = ['.', '../chunk'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
const memoryFolder = fileURLToPath(new URL('../../node_modules/.cache/finetutor', import.meta.url));

/**
 * The shipped guide from memory where nothing has changed; another folder is always read.
 * @throws GuideError listing every problem with its file and line.
 */
export async function loadGuide(folder?: string, memory: string = memoryFolder): Promise<Guide> {
  if (folder !== undefined) return openGuide(await read(folder));
  const hash = await hashOf([shippedGuide, join(shippedGuide, 'quizzes'), ...readers]);
  const kept = join(memory, 'guide.json');
  const remembered = await recall(kept);
  if (remembered?.hash === hash) return openGuide(remembered.contents);
  const contents = await read(shippedGuide);
  await remember(kept, { hash, contents });
  return openGuide(contents);
}

interface Memory {
  readonly hash: string;
  readonly contents: GuideContents;
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

async function hashOf(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
    const names = files.map(({ name }) => name).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name))));
    texts.forEach((text, index) => {
      hash.update(`${names[index]}:${text.length}:`).update(text);
    });
  }
  return hash.digest('hex');
}

async function recall(path: string): Promise<Memory | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Not kept yet, or torn by a full disk: the guide itself is the truth and is read again.
    return undefined;
  }
}

async function remember(path: string, memory: Memory): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(draft, JSON.stringify(memory));
    await rename(draft, path);
  } catch {
    // An installation that cannot be written to loses nothing but a second at each start.
  }
}
