// `finetutor ask`: the tutor without a database or a front.
import { z } from 'zod';
import { type Answer, createTutor, type Turn, UserError } from '../../engine/index.ts';
import { createSearch, loadGuide } from '../../knowledge/index.ts';
import { showAnswer } from '../chat/answer.ts';
import { reply } from '../chat/reply.ts';
import { createPaint } from '../fronts/terminal/paint.ts';
import { renderReply } from '../fronts/terminal/render.ts';
import { answerLines } from './lines.ts';
import { printJson, printWords } from './print.ts';

const turn = z.union([
  z.string().transform((text): Turn => ({ role: 'user', text })),
  z
    .object({ role: z.enum(['user', 'assistant']), text: z.string().optional(), content: z.string().optional() })
    .transform(({ role, text, content }): Turn => ({ role, text: text ?? content ?? '' })),
]);

/** A single question, or a conversation whose last turn is the question. */
const request = z.union(
  [
    z.object({ question: z.string() }).transform(({ question }) => ({ question, turns: [] })),
    z
      .object({ turns: z.array(turn).min(1) })
      .transform(({ turns }) => ({ question: turns.at(-1)?.text ?? '', turns: turns.slice(0, -1) })),
  ],
  { error: 'needs "question", a text, or "turns", a list of {"role": "user" | "assistant", "text"}' },
);

export async function ask(question: string, { jsonl }: { jsonl?: boolean }): Promise<void> {
  if (!jsonl && question === '') throw new UserError('There is no question.', 'Write it after ask, or use --jsonl.');
  const guide = await loadGuide();
  const tutor = createTutor({ guide, search: await createSearch({ guide }) });
  if (!jsonl) {
    printWords(inWords(await tutor.ask(question, [])));
    return;
  }
  const refused = await answerLines(process.stdin, printJson, request, async ({ question, turns }) =>
    asRecord(await tutor.ask(question, turns)),
  );
  if (refused > 0) process.exitCode = 1;
}

/** The contract's names: a citation says `chapter`, not `chapterId`. */
function asRecord({ markdown, abstained, confidence, citations, passages }: Answer) {
  return {
    answer: markdown,
    abstained,
    confidence,
    citations: citations.map(({ chapterId, sectionId, title, quote }) => ({
      chapter: chapterId,
      section: sectionId,
      title,
      quote,
    })),
    passages: passages.map(({ chapterId, sectionId, score, text }) => ({
      chapter: chapterId,
      section: sectionId,
      score,
      text,
    })),
  };
}

function inWords(answer: Answer): string {
  const { text } = renderReply(
    reply(
      ...showAnswer(answer, noOffers, { level: 'student', answerId: undefined }).filter(
        (block) => block.kind !== 'buttons',
      ),
    ),
    {
      width: Math.min(process.stdout.columns ?? 80, 100),
      paint: createPaint(wantsColours(process.stdout)),
      picturePath: (pictureId) => pictureId,
      sectionUrl: () => undefined,
      firstNumber: 1,
    },
  );
  return text;
}

/** On paper nothing can be pressed. */
const noOffers = { quizzes: { chapters: [] }, demos: { offeredFor: () => undefined } };

const wantsColours = (stream: { readonly isTTY?: boolean; hasColors?: () => boolean }) =>
  stream.isTTY === true && stream.hasColors?.() === true;
