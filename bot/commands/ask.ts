// ask: any question in plain words, answered from the guide with citations. Every message that is no command lands here.
import { z } from 'zod';
import { showAnswer } from '../chat/answer.ts';
import { whereOf } from '../chat/channel.ts';
import { defineCommand } from '../chat/command.ts';
import { createDrafts } from '../chat/drafts.ts';
import { illustrate } from '../chat/illustrate.ts';
import { levelOf, levelSchema } from '../chat/level.ts';
import { reply, text } from '../chat/reply.ts';

export const ask = defineCommand({
  name: 'ask',
  summary: 'a question in plain words (just typing it works too)',
  usage: 'ask <question> [level:eli5|student|expert]',
  examples: ['ask why does my model overfit?', 'what rank should LoRA have?', 'what is dropout level:eli5'],
  args: z.strictObject({ question: z.string().trim().min(1), level: levelSchema.optional() }),
  parse: (rest) => ({ question: rest }),
  isMeant: () => true,
  async *execute({ question, level }, { engine, place, person, turns, incoming }) {
    const typed = readLevel(question);
    const wanted = level ?? typed.level ?? (await levelOf(engine.kept, place, person));
    const drafts = createDrafts();
    const asking = engine.tutor
      .ask(typed.question, await turns(), { level: wanted, where: whereOf(place), onDraft: drafts.add })
      .finally(drafts.end);
    // It is awaited below; until then nobody has heard of its failure.
    asking.catch(() => undefined);
    let slot: string | undefined;
    for await (const draft of drafts) {
      slot = `answer:${incoming.key}`;
      yield { ...reply(text(`${draft.markdown} …`)), slot };
    }
    const answer = await asking;
    const { workspaceId, conversationId } = place;
    const asked = { workspaceId, conversationId, personId: person.id };
    const answerId = answer.kind === 'talk' ? undefined : await engine.questions.record(asked, typed.question, answer);
    const shown = showAnswer(answer, engine, { level: wanted, answerId });
    const blocks = await illustrate(shown, answer, engine.illustrations);
    yield { ...reply(...blocks), ...(slot === undefined ? {} : { slot }) };
  },
});

const levelOption = /\s*\blevel[:=]\s*(eli5|student|expert)\b\s*/i;

/** "… level:expert" → the question and the level. A question that is nothing else keeps its words. */
function readLevel(question: string) {
  const rest = question.replace(levelOption, ' ').trim();
  const level = levelSchema.safeParse(levelOption.exec(question)?.[1]?.toLowerCase());
  return level.success && rest !== '' ? { question: rest, level: level.data } : { question, level: undefined };
}
