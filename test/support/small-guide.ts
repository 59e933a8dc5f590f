// A guide of three short chapters, for tests of what shows a guide.
import type { Chapter, Guide } from '../../knowledge/index.ts';

export function createSmallGuide(): Guide {
  const chapters = [chapter('overfitting', 'Overfitting'), chapter('peft', 'PEFT'), chapter('metrics', 'Metrics')];
  return {
    chapters,
    passages: [],
    quizItems: [],
    chapter: (id) => chapters.find((one) => one.id === id),
    section: (id, section) => chapters.find((one) => one.id === id)?.sections.find((one) => one.id === section),
  };
}

const chapter = (id: string, title: string): Chapter => ({
  id,
  title,
  phase: 'foundations',
  objectives: ['Tell one from the other'],
  prerequisites: [],
  minutes: 20,
  sources: [],
  sections: ['overview', 'definition'].map((section) => ({
    id: section,
    chapterId: id,
    title: `${title}: ${section}`,
    markdown: `Words of ${section}, see [the other](guide:peft#definition).`,
    asks: [],
  })),
});
