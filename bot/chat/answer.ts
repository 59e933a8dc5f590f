// How an answer from the guide is shown, whichever command it answers: words, then sources, then what to do next.
import type { Answer, Demos, Quizzes } from '../../engine/index.ts';
import type { Block, SourceLink } from './message.ts';
import { button, buttons, text } from './reply.ts';

export function showAnswer(
  answer: Answer,
  quizzes: Pick<Quizzes, 'chapters'>,
  demos?: Pick<Demos, 'offeredFor'>,
): readonly Block[] {
  const blocks: Block[] = [text(answer.markdown)];
  if (answer.citations.length > 0) blocks.push({ kind: 'sources', sources: sourcesOf(answer) });
  const next = answer.abstained ? offerNearest(answer) : offerMore(answer, quizzes, demos);
  return next === undefined ? blocks : [...blocks, next];
}

/** One link a section, with all that is quoted from it. */
function sourcesOf({ citations }: Answer): readonly SourceLink[] {
  const bySection = new Map<string, SourceLink>();
  for (const { chapterId, sectionId, title, quote } of citations) {
    const key = `${chapterId}#${sectionId}`;
    const before = bySection.get(key);
    bySection.set(key, { chapterId, sectionId, title, quote: before ? `${before.quote} … ${quote}` : quote });
  }
  return [...bySection.values()];
}

function offerNearest(answer: Answer): Block | undefined {
  if (answer.nearest.length === 0) return undefined;
  return buttons(
    ...answer.nearest.map(({ chapterId, title }) =>
      button(title, { command: 'explain', args: { concept: chapterId } }),
    ),
  );
}

/** What the first cited chapter has to try: a live demo, a quiz. */
function offerMore(
  answer: Answer,
  quizzes: Pick<Quizzes, 'chapters'>,
  demos: Pick<Demos, 'offeredFor'> | undefined,
): Block | undefined {
  const cited = answer.citations[0];
  const demo = cited && demos?.offeredFor(cited.chapterId, cited.sectionId);
  const chapter = quizzes.chapters.find((candidate) => candidate.chapterId === cited?.chapterId);
  const offered = [
    ...(demo === undefined ? [] : [button('Show me', { command: 'demo', args: { demo: demo.id } }, 'primary')]),
    ...(chapter === undefined
      ? []
      : [button(`Quiz: ${chapter.title}`, { command: 'quiz', args: { chapter: chapter.chapterId } })]),
  ];
  return offered.length === 0 ? undefined : buttons(...offered);
}
