// `finetutor ask`: the bot's tutor without a bot: the guide, the group's documents where there are any, and wording.
import { z } from 'zod';
import { type Answer, openTutorAlone, type Turn, UserError } from '../../engine/index.ts';
import { loadGuide } from '../../knowledge/index.ts';
import { showAnswer } from '../chat/answer.ts';
import { reply } from '../chat/reply.ts';
import { processEnvironment, readConfig, secretsOf } from '../config.ts';
import { createPaint } from '../fronts/terminal/paint.ts';
import { renderReply } from '../fronts/terminal/render.ts';
import { createLog } from '../log.ts';
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

interface AskOptions {
  readonly jsonl?: boolean;
  /** Whose documents are asked. */
  readonly workspace: string;
  readonly channel?: string;
}

export async function ask(question: string, { jsonl, workspace, channel }: AskOptions): Promise<void> {
  if (!jsonl && question === '') throw new UserError('There is no question.', 'Write it after ask, or use --jsonl.');
  const environment = processEnvironment();
  const config = readConfig(environment);
  const log = createLog({ level: config.logLevel, secrets: secretsOf(environment), stream: process.stderr });
  const { tutor, without, close } = await openTutorAlone({ ...config, now: () => new Date(), log }, await loadGuide());
  if (without)
    log.warn({ reason: without.message }, "the group's documents are not asked: the database cannot be opened");
  const where = { workspaceId: workspace, channelId: channel };
  try {
    if (jsonl) {
      const refused = await answerLines(process.stdin, printJson, request, async ({ question, turns }) =>
        asRecord(await tutor.ask(question, turns, { where })),
      );
      if (refused > 0) process.exitCode = 1;
    } else {
      printWords(inWords(await tutor.ask(question, [], { where })));
    }
  } finally {
    await close();
  }
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
