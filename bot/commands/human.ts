// human: hands a question over to people, with what was asked before and what was tried.
import { z } from 'zod';
import { UserError } from '../../engine/index.ts';
import { defineCommand, typedNumber } from '../chat/command.ts';
import { plain } from '../chat/escape.ts';
import { isMaintainer } from '../chat/maintainers.ts';
import type { Place } from '../chat/message.ts';
import { aside, button, buttons, reply, text } from '../chat/reply.ts';

const kind = 'human-desk';
const turnsShown = 6;
const desk = z.object({ front: z.enum(['web', 'terminal', 'discord', 'slack']), conversationId: z.string() });

export const human = defineCommand({
  name: 'human',
  summary: 'hand a question over to a person, with what was said so far',
  usage: 'human [answer number] | human here',
  examples: ['human', 'human here'],
  args: z.strictObject({
    answer: typedNumber(z.number().int().min(1).max(2_147_483_647).optional()),
    here: z.boolean().optional(),
  }),
  parse: (rest) => (/^here$/i.test(rest) ? { here: true } : rest === '' ? {} : { answer: rest }),
  isMeant: (rest) => /^(?:here|\d*)$/i.test(rest),
  async *execute({ answer, here }, { engine, place, person, turns, post }) {
    if (here) {
      if (!(await isMaintainer(engine.kept, place, person))) {
        throw new UserError('Only maintainers choose where questions go.', 'Ask one of them to say: human here');
      }
      await engine.kept.put(place.workspaceId, kind, 'place', {
        front: place.front,
        conversationId: place.conversationId,
      });
      yield reply(text('Questions for a person will be posted **here** from now on.'));
      return;
    }
    const said = await turns();
    const asked =
      answer === undefined
        ? said.findLast(({ role, text }) => role === 'user' && !/^\/?human\b/i.test(text))?.text
        : (await engine.questions.get(place.workspaceId, answer)).question;
    if (asked === undefined)
      throw new UserError('There is no question to hand over yet.', 'Ask it first, then say: human');
    const context = said
      .slice(-turnsShown)
      .map(({ role, text }) => `- *${role === 'user' ? 'asked' : 'answered'}:* ${plain(text, 300)}`);
    const note = text(
      `**A question for a person**, from ${plain(person.name, 60)}\n\n> ${plain(asked, 1000)}\n\n${
        context.length > 0 ? `What was said before:\n${context.join('\n')}` : 'Nothing was said before.'
      }`,
    );
    const chosen = desk.safeParse(await engine.kept.get(place.workspaceId, kind, 'place'));
    if (!chosen.success) {
      yield aside(
        text(
          '**Nobody has been named to ask yet.** A maintainer goes to the channel where questions should land and says `human here`. Until then, this is what you could send to someone yourself:',
        ),
        note,
        buttons(button('Questions land here', { command: 'human', args: { here: true } })),
      );
      return;
    }
    const target: Place = { ...chosen.data, workspaceId: place.workspaceId };
    await post(target, reply(note));
    yield aside(text('Handed over, with what was said so far. A person will look at it.'));
  },
});
