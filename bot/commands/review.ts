// review: asks again what is due, in the manner of a quiz; each answer decides when its question comes back.
import { z } from 'zod';
import { defineCommand, typedNumber } from '../chat/command.ts';
import { outlookInWords } from '../chat/learning.ts';
import { button, buttons, reply, text } from '../chat/reply.ts';
import { poseQuestion } from './quiz.ts';

const standardLength = 10;

export const review = defineCommand({
  name: 'review',
  summary: 'the questions that are due, just before you would forget them',
  usage: 'review [number of questions]',
  examples: ['review', 'review 5'],
  args: z.strictObject({ length: typedNumber(z.number().int().min(1).max(100).default(standardLength)) }),
  parse: (rest) => (/^-?\d+$/.test(rest) ? { length: rest } : {}),
  isMeant: (rest) => /^(-?\d+|now|due|(what is|what's) due\??)?$/i.test(rest),
  async *execute({ length }, { engine, place, person, now }) {
    const member = { workspaceId: place.workspaceId, personId: person.id };
    const question = await engine.quizzes.startReview({ ...member, conversationId: place.conversationId, length });
    if (question !== undefined) {
      yield poseQuestion(question);
      return;
    }
    yield reply(
      text(outlookInWords(await engine.reviews.outlook(member), now())),
      buttons(
        button('Take a quiz', { command: 'quiz', args: {} }, 'primary'),
        button('My progress', { command: 'progress', args: {} }),
      ),
    );
  },
});
