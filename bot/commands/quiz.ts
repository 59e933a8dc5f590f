// quiz: one message a question, answered by a button; the answered message turns into its own correction.
import { z } from 'zod';
import type { Outlook, QuizQuestion, QuizSummary, QuizVerdict, Quizzes } from '../../engine/index.ts';
import { type CommandContext, defineCommand, typedNumber } from '../chat/command.ts';
import { outlookInWords } from '../chat/learning.ts';
import type { Block, Reply } from '../chat/message.ts';
import { aside, button, buttons, reply, text } from '../chat/reply.ts';
import { battle } from './battle.ts';

const standardLength = 8;
const letters = ['A', 'B', 'C', 'D', 'E', 'F'];

export const quiz = defineCommand({
  name: 'quiz',
  summary: 'questions on a chapter, with the reason for every answer',
  usage: 'quiz [chapter] [number of questions]',
  examples: ['quiz', 'quiz overfitting', 'quiz evaluation-metrics 5'],
  args: z.strictObject({
    chapter: z.string().trim().min(1).max(200).optional(),
    length: typedNumber(z.number().int().min(1).max(100).optional()),
    session: z.string().max(100).optional(),
    item: z.string().max(200).optional(),
    choice: z.string().max(200).optional(),
  }),
  parse: (rest) => {
    const asked = rest.replace(/^(me\b\s*)?((on|about)\b\s*)?/i, '').trim();
    const { chapter, length } = /^(?<chapter>.*?)(\s+(?<length>-?\d+))?$/s.exec(asked)?.groups ?? {};
    return { ...(chapter ? { chapter } : {}), ...(length === undefined ? {} : { length }) };
  },
  // "quiz questions are hard, what helps?" is a question.
  isMeant: (rest) => !rest.includes('?') && rest.split(/\s+/).length <= 6,
  async *execute({ chapter, length, session, item, choice }, context) {
    if (session !== undefined && item !== undefined && choice !== undefined) {
      yield* answer({ sessionId: session, itemId: item, choiceId: choice }, context);
    } else if (session !== undefined) {
      yield await goOn(session, context);
    } else if (chapter !== undefined && /^battle\b/i.test(chapter)) {
      yield* battle.execute(battle.parse(`${chapter.slice('battle'.length)} ${length ?? ''}`), context);
    } else if (chapter === undefined) {
      yield offerChapters(context.engine.quizzes);
    } else {
      yield await begin(chapter, length, context);
    }
  },
});

function offerChapters({ chapters }: Pick<Quizzes, 'chapters'>): Reply {
  return reply({
    kind: 'select',
    label: 'Which chapter shall I ask you about?',
    options: chapters.map(({ chapterId, title, items }) => ({
      label: title,
      value: chapterId,
      description: `${items} questions`,
    })),
    call: { command: 'quiz', args: {} },
    argument: 'chapter',
  });
}

async function begin(chapterId: string, length: number | undefined, { engine, place, person }: CommandContext) {
  const known = engine.quizzes.chapters.find((chapter) => chapter.chapterId === chapterId);
  return poseQuestion(
    await engine.quizzes.start({
      workspaceId: place.workspaceId,
      personId: person.id,
      conversationId: place.conversationId,
      chapterId,
      length: length ?? Math.min(standardLength, known?.items ?? standardLength),
    }),
  );
}

async function goOn(sessionId: string, context: CommandContext) {
  const { engine, place, person } = context;
  const open = await engine.quizzes.current({ workspaceId: place.workspaceId, personId: person.id, sessionId });
  return 'item' in open ? poseQuestion(open) : end(open, context);
}

async function* answer(
  given: { sessionId: string; itemId: string; choiceId: string },
  context: CommandContext,
): AsyncIterable<Reply> {
  const { engine, place, person } = context;
  const verdict = await engine.quizzes.answer({ workspaceId: place.workspaceId, personId: person.id, ...given });
  yield correct(verdict);
  if (!verdict.counted && verdict.chosenId !== given.choiceId) {
    yield aside(text('Your first answer stands: each question counts once.'));
  }
  if (verdict.next !== undefined) yield poseQuestion(verdict.next);
  if (verdict.summary !== undefined) yield await end(verdict.summary, context);
}

const questionSlot = ({ sessionId, number }: QuizQuestion) => `quiz:${sessionId}:${number}`;

async function end(summary: QuizSummary, { engine, place, person, now }: CommandContext): Promise<Reply> {
  const outlook = await engine.reviews.outlook({ workspaceId: place.workspaceId, personId: person.id });
  return summarise(summary, outlook, now());
}

export function poseQuestion(question: QuizQuestion): Reply {
  const { sessionId, item, choices } = question;
  return {
    ...reply(
      ...asked(question, () => ''),
      buttons(
        ...choices.map(({ id }, index) =>
          button(letters[index] ?? String(index + 1), {
            command: 'quiz',
            args: { session: sessionId, item: item.id, choice: id },
          }),
        ),
      ),
    ),
    slot: questionSlot(question),
  };
}

function correct({ question, chosenId, correct, correction, reason }: QuizVerdict): Reply {
  const { correctChoiceId } = question.item;
  const mark = (id: string) => (id === correctChoiceId ? ' ✓' : id === chosenId ? ' ✗' : '');
  const words = correct ? `**✓ Right.** ${reason}` : `**✗ Not quite.** ${correction ?? ''}\n\n**Instead:** ${reason}`;
  return { ...reply(...asked(question, mark), text(words)), slot: questionSlot(question) };
}

function asked({ number, total, item, choices }: QuizQuestion, mark: (choiceId: string) => string): readonly Block[] {
  const listed = choices.map(({ id, text }, index) => `- **${letters[index] ?? index + 1}**${mark(id)} ${text}`);
  return [text(`**Question ${number} of ${total}**\n\n${item.question}`), text(listed.join('\n'))];
}

function summarise(
  { sessionId, chapterId, chapterTitle, correct, total, reread }: QuizSummary,
  outlook: Outlook,
  now: Date,
): Reply {
  const praise = correct === total ? 'All of them.' : correct * 2 >= total ? 'A good base.' : 'Worth another look.';
  const blocks: Block[] = [text(`**${chapterTitle}: ${correct} of ${total} right.** ${praise}`)];
  if (reread.length > 0) {
    const sources = reread.map(({ chapterId, sectionId, title }) => ({
      chapterId,
      sectionId,
      title: title.includes('›') || chapterId === undefined ? title : `${chapterTitle} › ${title}`,
      quote: '',
    }));
    blocks.push(text('To read again:'), { kind: 'sources', sources });
  }
  const review = button('Review now', { command: 'review', args: {} }, 'primary');
  blocks.push(
    text(outlookInWords(outlook, now)),
    buttons(
      ...(outlook.due > 0 ? [review] : []),
      ...(chapterId === undefined ? [] : [button('Again', { command: 'quiz', args: { chapter: chapterId } })]),
      button(chapterId === undefined ? 'Take a quiz' : 'Another chapter', { command: 'quiz', args: {} }),
      button('My progress', { command: 'progress', args: {} }),
    ),
  );
  return { ...reply(...blocks), slot: `quiz:${sessionId}:summary` };
}
