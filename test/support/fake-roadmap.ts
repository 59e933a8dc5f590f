// A roadmap in memory, of one phase with one chapter, for tests of what stands in front of it; where one stands is worked out as ever.
import { type Engine, UserError } from '../../engine/index.ts';
import { type QuizResult, standOn } from '../../engine/tutor/roadmap-standing.ts';
import type { Chapter, Phase } from '../../knowledge/index.ts';

const chapterId = 'overfitting-underfitting';
const title = 'Overfitting and underfitting';
const chapter: Chapter = {
  id: chapterId,
  title,
  phase: 'foundations',
  objectives: [],
  prerequisites: [],
  minutes: 40,
  sources: [],
  sections: ['overview', 'definition'].map((id) => ({ id, chapterId, title: id, markdown: '', asks: [] })),
};
const phase: Phase = {
  id: 'foundations',
  title: 'Foundations',
  hours: 10,
  needs: [],
  chapters: [chapterId],
  build: 'train a first classifier in this chat',
  afterwards: 'read any result critically',
};

export function createFakeRoadmap(
  resultsOf: (personId: string) => readonly QuizResult[],
  draw: () => ReturnType<Engine['pictures']['put']>,
): Engine['roadmap'] {
  const marks = new Map<string, { readonly read: Set<string>; readonly built: Set<string> }>();
  const marksOf = (personId: string) => {
    const known = marks.get(personId) ?? { read: new Set<string>(), built: new Set<string>() };
    marks.set(personId, known);
    return known;
  };
  const find = (typed: string) => {
    if (typed === phase.id || typed === '1') return phase;
    throw new UserError(`The roadmap has no phase ${typed}.`, 'Its phases: 1 Foundations.');
  };
  return {
    phases: [phase],
    find,
    standing: async ({ personId }) =>
      standOn(
        { phases: [phase], chapters: [chapter], questions: new Map([[chapterId, 2]]) },
        { ...marksOf(personId), quizzes: resultsOf(personId), due: new Map() },
      ),
    markRead: async ({ personId }, what, read) => {
      const [id, sectionId] = what.split('#');
      if (id !== chapterId) throw new UserError(`The guide has no chapter ${what}.`, `Nearest: ${chapterId}.`);
      const { read: marked } = marksOf(personId);
      for (const section of chapter.sections.filter((one) => sectionId === undefined || one.id === sectionId)) {
        if (read) marked.add(`${id}#${section.id}`);
        else marked.delete(`${id}#${section.id}`);
      }
      return { chapterId, title: sectionId === undefined ? title : `${title} › ${sectionId}`, what };
    },
    markBuilt: async ({ personId }, typed, built) => {
      const found = find(typed);
      if (built) marksOf(personId).built.add(found.id);
      else marksOf(personId).built.delete(found.id);
      return found;
    },
    draw: async () => ({ picture: await draw(), alt: 'Your roadmap' }),
  };
}
