// Reads phases.yaml: the phases of the roadmap as data, checked against the roadmap chapter that tells of them.
import { z } from 'zod';
import type { Chapter, Phase, QuizItem } from '../types.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml.ts';

const roadmapChapter = 'roadmap';

const words = z.string().trim().min(1);
const schema = z.array(
  z.strictObject({
    id: words,
    title: words,
    hours: z.number().positive(),
    needs: z.array(z.string()),
    chapters: z.array(z.string()).min(1),
    build: words,
    afterwards: words,
  }),
);

interface Phases {
  readonly phases: readonly Phase[];
  readonly problems: readonly Problem[];
}

/** @param source the file's text; undefined where there is none: the guide then has no phases. */
export function readPhases(
  source: string | undefined,
  file: string,
  chapters: readonly Chapter[],
  items: readonly QuizItem[],
): Phases {
  if (source === undefined) return { phases: [], problems: [] };
  const { value: phases = [], problems, lineOf } = readYaml(source, schema, file);
  const told = new Map(
    chapters.find(({ id }) => id === roadmapChapter)?.sections.map(({ id, markdown }) => [id, markdown]),
  );
  const found: Problem[] = [];
  for (const [index, { id, needs, chapters: read }] of phases.entries()) {
    const report = (message: string) => found.push({ file, line: lineOf([index]), message: `${id}: ${message}` });
    const section = told.get(id);
    if (section === undefined) report(`the chapter "${roadmapChapter}" has no section of this id`);
    for (const need of needs) {
      // Only what stands above it, so that no two phases wait for each other.
      if (!phases.slice(0, index).some((phase) => phase.id === need))
        report(`needs "${need}", which does not come before it`);
    }
    for (const chapter of read) {
      if (!chapters.some((known) => known.id === chapter)) report(`there is no chapter "${chapter}"`);
      else if (section !== undefined && !section.includes(`(guide:${chapter}#overview)`)) {
        report(`its section of the roadmap does not name the chapter "${chapter}"`);
      }
    }
  }
  for (const chapterId of new Set(items.map((item) => item.chapterId))) {
    const times = phases.flatMap(({ chapters }) => chapters).filter((id) => id === chapterId).length;
    if (phases.length === 0 || times === 1) continue;
    found.push({
      file,
      line: 1,
      message: `chapter "${chapterId}" has a quiz and stands in ${times} phases, not in one`,
    });
  }
  return { phases, problems: [...problems, ...found] };
}
