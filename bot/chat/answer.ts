// How an answer from the guide is shown, whichever command it answers: words, then sources, then what to do next.
import type { Answer, Quizzes } from '../../engine/index.ts';
import type { Block, SourceLink } from './message.ts';
import { button, buttons, text } from './reply.ts';

export function showAnswer(answer: Answer, quizzes: Pick<Quizzes, 'chapters'>): readonly Block[] {
  const blocks: Block[] = [text(answer.markdown)];
  if (answer.citations.length > 0) blocks.push({ kind: 'sources', sources: answer.citations.map(toSource) });
  const next = answer.abstained ? offerNearest(answer) : offerQuiz(answer, quizzes);
  return next === undefined ? blocks : [...blocks, next];
}

function toSource({ chapterId, sectionId, title, quote }: Answer['citations'][number]): SourceLink {
  return { chapterId, sectionId, title, quote };
}

function offerNearest(answer: Answer): Block | undefined {
  if (answer.nearest.length === 0) return undefined;
  return buttons(
    ...answer.nearest.map(({ chapterId, title }) =>
      button(title, { command: 'explain', args: { concept: chapterId } }),
    ),
  );
}

function offerQuiz(answer: Answer, quizzes: Pick<Quizzes, 'chapters'>): Block | undefined {
  const cited = answer.citations[0]?.chapterId;
  const chapter = quizzes.chapters.find((candidate) => candidate.chapterId === cited);
  if (chapter === undefined) return undefined;
  return buttons(button(`Quiz: ${chapter.title}`, { command: 'quiz', args: { chapter: chapter.chapterId } }));
}
