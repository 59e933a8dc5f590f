// explain: a concept from the ground up, as the guide's own section or chapter tells it.
import { z } from 'zod';
import { showAnswer } from '../chat/answer.ts';
import { defineCommand } from '../chat/command.ts';
import { illustrate } from '../chat/illustrate.ts';
import { levelOf, levelSchema } from '../chat/level.ts';
import { reply } from '../chat/reply.ts';
import { offerRead } from './roadmap.ts';

export const explain = defineCommand({
  name: 'explain',
  summary: 'a concept from the ground up',
  usage: 'explain <concept>',
  examples: ['explain overfitting', 'explain LoRA'],
  args: z.strictObject({ concept: z.string().trim().min(1).max(200), level: levelSchema.optional() }),
  parse: (rest) => ({ concept: rest }),
  // "explain why the loss rises while accuracy stays" is a question; "explain dropout" names a concept.
  isMeant: (rest) =>
    !rest.includes('?') && !/^(why|how|what|when|which|the difference|me|to me)\b/i.test(rest) && words(rest) <= 5,
  async *execute({ concept, level }, { engine, place, person }) {
    const wanted = level ?? (await levelOf(engine.kept, place, person));
    const answer = await engine.tutor.explain(concept, { level: wanted });
    const [cited] = answer.citations;
    const more = cited === undefined ? [] : [offerRead(cited.chapterId, cited.sectionId)];
    const shown = showAnswer(answer, engine, { level: wanted, answerId: undefined, more });
    yield reply(...(await illustrate(shown, answer, engine.illustrations)));
  },
});

const words = (text: string) => text.split(/\s+/).length;
