// How an answer from the guide is shown, whichever command it answers: words, then sources, then what to do next.
import { type Answer, documentOf, type Engine, type Level, levels } from '../../engine/index.ts';
import type { Block, Button, SourceLink } from './message.ts';
import { button, buttons, text } from './reply.ts';

interface Shown {
  /** How deep it was answered. */
  readonly level: Level;
  /** By which it is rated; undefined where it is not kept. */
  readonly answerId: number | undefined;
  /** What else may be done with it. */
  readonly more?: readonly Button[];
}

/** Longest question that is asked again from a button. */
const longestAgain = 500;

export function showAnswer(
  answer: Answer,
  { quizzes, demos }: { quizzes: Pick<Engine['quizzes'], 'chapters'>; demos: Pick<Engine['demos'], 'offeredFor'> },
  { level, answerId, more = [] }: Shown,
): readonly Block[] {
  const blocks: Block[] = [text(answer.markdown)];
  if (answer.citations.length > 0) blocks.push({ kind: 'sources', sources: sourcesOf(answer) });
  const next = answer.abstained
    ? answer.nearest.map(({ chapterId, title }) => button(title, { command: 'explain', args: { concept: chapterId } }))
    : [...offerDemo(answer, demos), ...offerQuiz(answer, quizzes), ...offerLevels(answer, level), ...more];
  if (next.length > 0) blocks.push(buttons(...next));
  const verdict = answerId === undefined ? [] : askVerdict(answer, answerId);
  return verdict.length === 0 ? blocks : [...blocks, buttons(...verdict)];
}

/** One link a section, with all that is quoted from it. */
function sourcesOf({ citations }: Answer): readonly SourceLink[] {
  const bySection = new Map<string, SourceLink>();
  for (const { chapterId, sectionId, title, quote } of citations) {
    const key = `${chapterId}#${sectionId}`;
    const before = bySection.get(key);
    bySection.set(key, {
      chapterId,
      sectionId,
      title,
      quote: before ? `${before.quote} … ${quote}` : quote,
      ...(documentOf(chapterId) === undefined ? {} : { document: true }),
    });
  }
  return [...bySection.values()];
}

function offerDemo({ citations }: Answer, demos: Pick<Engine['demos'], 'offeredFor'>): Button[] {
  const [cited] = citations;
  const demo = cited && demos.offeredFor(cited.chapterId, cited.sectionId);
  return demo ? [button('Show me', { command: 'demo', args: { demo: demo.id } }, 'primary')] : [];
}

function offerQuiz({ citations }: Answer, quizzes: Pick<Engine['quizzes'], 'chapters'>): Button[] {
  const cited = citations[0]?.chapterId;
  const chapter = quizzes.chapters.find((candidate) => candidate.chapterId === cited);
  return chapter ? [button(`Quiz: ${chapter.title}`, { command: 'quiz', args: { chapter: chapter.chapterId } })] : [];
}

/** The same question one level up or down; the numbers of a sum have no levels. */
function offerLevels({ kind, understood }: Answer, level: Level): Button[] {
  if (kind !== 'explanation' || understood.length > longestAgain) return [];
  const at = levels.indexOf(level);
  const again = (label: string, wanted: Level | undefined) =>
    wanted === undefined ? [] : [button(label, { command: 'ask', args: { question: understood, level: wanted } })];
  return [...again('Simpler', levels[at - 1]), ...again('Deeper', levels[at + 1])];
}

function askVerdict({ abstained }: Answer, answer: number): readonly Button[] {
  const human = button('Ask a human', { command: 'human', args: { answer } });
  if (abstained) return [human];
  return [
    button('Helpful', { command: 'feedback', args: { answer, helpful: 'yes' } }),
    button('Not helpful', { command: 'feedback', args: { answer, helpful: 'no' } }),
    human,
  ];
}
