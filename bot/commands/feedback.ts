// feedback: what a person thought of an answer, pressed on a button below it; once each.
import { z } from 'zod';
import { defineCommand } from '../chat/command.ts';
import { aside, button, buttons, text } from '../chat/reply.ts';

const reasons = ['wrong', 'not what I asked', 'too hard', 'too shallow'] as const;

export const feedback = defineCommand({
  name: 'feedback',
  summary: 'say whether an answer helped (the buttons below it do this)',
  usage: 'feedback <answer number> <yes|no>',
  examples: ['feedback 12 yes', 'feedback 12 no'],
  args: z.strictObject({
    answer: z.coerce.number().int().min(1).max(2_147_483_647),
    helpful: z.enum(['yes', 'no']),
    reason: z.enum(reasons).optional(),
  }),
  parse: (rest) => {
    const [answer = '', helpful = ''] = rest.split(/\s+/);
    return { answer, helpful: helpful.toLowerCase() };
  },
  isMeant: (rest) => /^\d+ +(?:yes|no)$/i.test(rest),
  async *execute({ answer, helpful, reason }, { engine, place, person }) {
    const asker = { workspaceId: place.workspaceId, personId: person.id };
    const verdict = { helpful: helpful === 'yes', ...(reason === undefined ? {} : { reason }) };
    const first = await engine.questions.rate(asker, answer, verdict);
    if (reason !== undefined) yield aside(text('Noted, thank you.'));
    else if (!first) yield aside(text('You have rated this answer already; the first verdict stands.'));
    else if (helpful === 'yes') yield aside(text('Thank you, noted.'));
    else {
      yield aside(
        text('Thank you, noted. What was the matter?'),
        buttons(
          ...reasons.map((name) =>
            button(name.charAt(0).toUpperCase() + name.slice(1), {
              command: 'feedback',
              args: { answer, helpful, reason: name },
            }),
          ),
          button('Ask a human', { command: 'human', args: { answer } }),
        ),
      );
    }
  },
});
