// ask: any question in plain words, answered from the guide with citations. Every message that is no command lands here.
import { z } from 'zod';
import { showAnswer } from '../chat/answer.ts';
import { defineCommand } from '../chat/command.ts';
import { reply } from '../chat/reply.ts';

export const ask = defineCommand({
  name: 'ask',
  summary: 'a question in plain words (just typing it works too)',
  usage: 'ask <question>',
  examples: ['ask why does my model overfit?', 'what rank should LoRA have?'],
  args: z.strictObject({ question: z.string().trim().min(1) }),
  parse: (rest) => ({ question: rest }),
  isMeant: () => true,
  async *execute({ question }, { engine, turns }) {
    const answer = await engine.tutor.ask(question, await turns());
    yield reply(...showAnswer(answer, engine.quizzes, engine.demos));
  },
});
