// level: how deep answers go for you, from now on.
import { z } from 'zod';
import type { Level } from '../../engine/index.ts';
import { defineCommand } from '../chat/command.ts';
import { keepLevel, levelOf, levelSchema } from '../chat/level.ts';
import { aside, button, buttons, text } from '../chat/reply.ts';

const meaning: { readonly [level in Level]: string } = {
  eli5: 'in pictures, without formulas',
  student: 'the answer, an example, the pitfalls',
  expert: 'formulas, reasons, measurements and trade-offs',
};

export const level = defineCommand({
  name: 'level',
  summary: 'how deep answers go for you: eli5, student or expert',
  usage: 'level [eli5|student|expert]',
  examples: ['level', 'level expert'],
  args: z.strictObject({ level: levelSchema.optional() }),
  parse: (rest) => (rest === '' ? {} : { level: rest.toLowerCase() }),
  isMeant: (rest) => /^\w*$/.test(rest),
  async *execute({ level: chosen }, { engine, place, person }) {
    if (chosen !== undefined) await keepLevel(engine.kept, place, person, chosen);
    const current = chosen ?? (await levelOf(engine.kept, place, person));
    const others = levelSchema.options.filter((other) => other !== current);
    yield aside(
      text(`Your answers go **${current}**: ${meaning[current]}.`),
      buttons(
        ...others.map((other) => button(`${other}: ${meaning[other]}`, { command: 'level', args: { level: other } })),
      ),
    );
  },
});
