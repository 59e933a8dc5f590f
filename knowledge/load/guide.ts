// Loads the whole guide from its folder and checks what no single file can: unique ids and links that resolve.
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { checkDiagram } from '../diagrams/check.ts';
import type { Diagram, Guide } from '../types.ts';
import { type ChapterFile, type LinkUse, readChapter } from './chapter.ts';
import { readFacts } from './facts.ts';
import { readMisconceptions } from './misconceptions.ts';
import { orderChapters } from './order.ts';
import { readPhases } from './phases.ts';
import { GuideError, type Problem } from './problem.ts';
import { type QuizFile, readQuiz } from './quiz.ts';

/** What a guide holds, as plain data. */
export type GuideContents = Pick<
  Guide,
  'chapters' | 'passages' | 'quizItems' | 'misconceptions' | 'facts' | 'diagrams' | 'formulas' | 'phases'
>;

/** @throws GuideError listing every problem with its file and line. */
export async function readGuide(folder: string): Promise<GuideContents> {
  const quizFolder = join(folder, 'quizzes');
  const chapterFiles = await readAll(folder, '.md', readChapter);
  const quizFiles = await readAll(quizFolder, '.yaml', readQuiz);
  const chapters = chapterFiles.flatMap(({ chapter }) => chapter ?? []);
  const items = quizFiles.flatMap(({ items, file }) => items.map((entry) => ({ ...entry, file })));
  const sections = new Set(
    chapters.flatMap((chapter) => chapter.sections.map((section) => `${chapter.id}#${section.id}`)),
  );
  const problems: Problem[] = [...chapterFiles, ...quizFiles].flatMap((file) => file.problems);
  const orderFile = join(folder, 'order.yaml');
  const ordered = orderChapters(chapters, await readIfThere(orderFile), show(orderFile));
  if (chapterFiles.length === 0)
    problems.push({ file: show(folder), line: 1, message: 'no chapter (*.md) in this folder' });

  const misconceptionsFile = join(folder, 'misconceptions.yaml');
  const { misconceptions, ...unfit } = readMisconceptions(
    await readIfThere(misconceptionsFile),
    show(misconceptionsFile),
  );

  const factsFile = join(folder, 'facts.yaml');
  const known = readFacts(await readIfThere(factsFile), show(factsFile));

  // A chapter that could not be read has told so already; links to it are not reported a second time.
  const unread = new Set(chapterFiles.flatMap(({ chapter, name }) => (chapter ? [] : name)));
  const resolves = (chapterId: string, sectionId: string) =>
    unread.has(chapterId) || sections.has(`${chapterId}#${sectionId}`);
  if (unread.size === 0) problems.push(...ordered.problems);
  const links: readonly LinkUse[] = chapterFiles.flatMap((file) => file.links);
  for (const { chapterId, sectionId, file, line } of links) {
    if (resolves(chapterId, sectionId)) continue;
    problems.push({ file, line, message: `link to guide:${chapterId}#${sectionId}, which does not exist` });
  }
  const drawn = await readDiagrams(join(folder, 'diagrams'));
  problems.push(...drawn.problems);
  const pictures = chapterFiles.flatMap((file) => file.pictures);
  for (const { name, file, line } of pictures) {
    if (drawn.names.has(name)) continue;
    problems.push({ file, line, message: `picture diagrams/${name}.svg does not exist` });
  }
  for (const name of drawn.names) {
    if (unread.size > 0 || pictures.some((picture) => picture.name === name)) continue;
    problems.push({ file: show(join(folder, 'diagrams', `${name}.svg`)), line: 1, message: 'no section shows it' });
  }
  const seen = new Set<string>();
  for (const { item, line, file } of items) {
    if (seen.has(item.id)) problems.push({ file, line, message: `quiz item id "${item.id}" stands twice` });
    seen.add(item.id);
    if (resolves(item.chapterId, item.sectionId)) continue;
    problems.push({ file, line, message: `${item.id}: section "${item.chapterId}#${item.sectionId}" does not exist` });
  }
  problems.push(...unfit.problems);
  for (const { misconception, line } of misconceptions) {
    const { id, chapterId, sectionId, quote } = misconception;
    const held = chapterFiles
      .flatMap(({ passages }) => passages)
      .filter((passage) => passage.chapterId === chapterId && passage.sectionId === sectionId);
    if (unread.has(chapterId) || held.some(({ text }) => text.includes(quote))) continue;
    const message = `${id}: its quote does not stand in "${chapterId}#${sectionId}"`;
    problems.push({ file: show(misconceptionsFile), line, message });
  }
  problems.push(...known.problems);
  for (const { fact, line } of known.facts) {
    for (const { chapterId, sectionId } of fact.points) {
      if (resolves(chapterId, sectionId)) continue;
      const message = `${fact.of}: section "${chapterId}#${sectionId}" does not exist`;
      problems.push({ file: show(factsFile), line, message });
    }
  }
  const phasesFile = join(folder, 'phases.yaml');
  const tracked = readPhases(
    await readIfThere(phasesFile),
    show(phasesFile),
    ordered.chapters,
    items.map(({ item }) => item),
  );
  if (unread.size === 0) problems.push(...tracked.problems);
  if (problems.length > 0) throw new GuideError(problems);

  return {
    chapters: ordered.chapters,
    passages: chapterFiles.flatMap(({ passages }) => passages),
    quizItems: items.map(({ item }) => item),
    misconceptions: misconceptions.map(({ misconception }) => misconception),
    facts: known.facts.map(({ fact }) => fact),
    diagrams: drawn.diagrams,
    formulas: chapterFiles.flatMap((file) => file.formulas),
    phases: tracked.phases,
  };
}

async function readDiagrams(folder: string) {
  const fileNames = (await listFolder(folder)).filter((name) => name.endsWith('.svg')).sort();
  const diagrams: readonly Diagram[] = await Promise.all(
    fileNames.map(async (fileName) => ({
      name: fileName.slice(0, -'.svg'.length),
      svg: await readFile(join(folder, fileName), 'utf8'),
    })),
  );
  const problems = diagrams.flatMap(({ name, svg }): Problem[] => {
    const file = show(join(folder, `${name}.svg`));
    return checkDiagram(svg).map((message) => ({ file, line: 1, message }));
  });
  return { diagrams, names: new Set(diagrams.map(({ name }) => name)), problems };
}

const show = (path: string) => relative(process.cwd(), path) || path;

async function readAll<T extends ChapterFile | QuizFile>(
  folder: string,
  extension: string,
  read: (source: string, file: string, name: string) => T,
): Promise<(T & { readonly file: string; readonly name: string })[]> {
  const names = (await listFolder(folder)).filter((name) => name.endsWith(extension)).sort();
  return Promise.all(
    names.map(async (fileName) => {
      const file = show(join(folder, fileName));
      const name = fileName.slice(0, -extension.length);
      return { ...read(await readFile(join(folder, fileName), 'utf8'), file, name), file, name };
    }),
  );
}

const listFolder = async (folder: string) => (await orUndefined(readdir(folder))) ?? [];
const readIfThere = (file: string) => orUndefined(readFile(file, 'utf8'));

/** What is not there is undefined; any other failure is one. */
async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
