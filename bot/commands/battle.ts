// battle: a quiz that everybody in the place answers at the same time, against the clock.
import { z } from 'zod';
import { type CommandContext, defineCommand, typedNumber } from '../chat/command.ts';
import type { Reply } from '../chat/message.ts';
import { aside, button, buttons, reply, text } from '../chat/reply.ts';

const questions = { least: 1, most: 20, standard: 5 } as const;
const seconds = { least: 10, most: 300, standard: 30 } as const;
const levels = [
  { value: '1', label: 'Easy' },
  { value: '2', label: 'Medium' },
  { value: '3', label: 'Hard' },
] as const;

const listOf = <Schema extends z.ZodType>(item: Schema) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(/\s*,\s*/).filter((word) => word !== '') : value),
    z.array(item).max(50).optional(),
  );

export const battle = defineCommand({
  name: 'battle',
  summary: 'a quiz you all take at the same time, with a scoreboard',
  usage: 'battle [chapters] [number of questions] | battle ranking',
  examples: ['battle', 'battle overfitting 3', 'battle overfitting, peft 10', 'battle ranking'],
  args: z.strictObject({
    action: z.enum(['ranking', 'next']).optional(),
    chapters: listOf(z.string().trim().min(1).max(200)),
    levels: listOf(z.enum(['1', '2', '3'])),
    length: typedNumber(z.number().int().min(questions.least).max(questions.most).optional()),
    seconds: typedNumber(z.number().int().min(seconds.least).max(seconds.most).optional()),
    battle: z.string().max(100).optional(),
    round: z.number().int().optional(),
    item: z.string().max(200).optional(),
    choice: z.string().max(200).optional(),
  }),
  parse: (rest) => {
    const asked = rest.replace(/^((on|about)\b\s*)?/i, '').trim();
    if (asked.toLowerCase() === 'ranking') return { action: 'ranking' };
    const { chapters, length } = /^(?<chapters>.*?)(\s*(?<length>-?\d+))?$/s.exec(asked)?.groups ?? {};
    return { ...(chapters ? { chapters } : {}), ...(length === undefined ? {} : { length }) };
  },
  isMeant: (rest) => !rest.includes('?') && rest.split(/\s+/).length <= 8,
  async *execute(args, context) {
    const { battle: battleId, item, choice } = args;
    if (args.action === 'ranking') yield await showMembers(context);
    else if (battleId !== undefined && args.action === 'next') yield* goOn(battleId, args.round ?? 0, context);
    else if (battleId !== undefined && item !== undefined && choice !== undefined) {
      yield await answer({ battleId, itemId: item, choiceId: choice }, context);
    } else if (args.chapters === undefined && args.length === undefined && args.levels === undefined) {
      yield offerForm(context);
    } else await begin(args, context);
  },
});

interface Wanted {
  readonly chapters?: readonly string[] | undefined;
  readonly levels?: readonly string[] | undefined;
  readonly length?: number | undefined;
  readonly seconds?: number | undefined;
}

async function begin(wanted: Wanted, { engine, place, person, battles }: CommandContext) {
  const started = await engine.battles.start({
    ...place,
    personId: person.id,
    chapters: wanted.chapters ?? [],
    difficulties: (wanted.levels ?? []).map(Number),
    length: wanted.length ?? questions.standard,
    roundSeconds: wanted.seconds ?? seconds.standard,
  });
  await battles.show(started);
}

async function answer(
  given: { readonly battleId: string; readonly itemId: string; readonly choiceId: string },
  { engine, place, person, battles }: CommandContext,
): Promise<Reply> {
  const { outcome, battle } = await engine.battles.answer({ ...given, workspaceId: place.workspaceId, person });
  const words = {
    counted: 'Your answer is in. The result comes when the time is over.',
    repeated: 'Your first answer stands: each question counts once.',
    late: 'Too late: this question is closed.',
  } as const;
  if (outcome === 'counted') battles.refresh(battle);
  return aside(text(words[outcome]));
}

async function* goOn(battleId: string, round: number, { engine, place, person, battles }: CommandContext) {
  const battle = await engine.battles.get(place.workspaceId, battleId);
  if (battle.startedBy === person.id) await battles.next(battle, round);
  else yield aside(text('Whoever started the battle moves it on. The clock does too.'));
}

async function showMembers({ engine, place }: CommandContext): Promise<Reply> {
  const members = await engine.battles.members(place.workspaceId);
  const startOne = buttons(button('Start a battle', { command: 'battle', args: {} }, 'primary'));
  if (members.length === 0) return reply(text('No battle has been held here yet.'), startOne);
  return reply(
    {
      kind: 'table',
      caption: 'All battles held here',
      columns: [
        { label: 'Name', align: 'left' },
        { label: 'Won', align: 'right' },
        { label: 'Battles', align: 'right' },
        { label: 'Right', align: 'right' },
      ],
      rows: members
        .slice(0, 20)
        .map(({ name, wins, battles, correct, answered }) => [
          name,
          String(wins),
          String(battles),
          `${correct} of ${answered}`,
        ]),
    },
    startOne,
  );
}

function offerForm({ engine }: CommandContext): Reply {
  return reply(
    text('Everybody here can answer, once for each question. A right answer gives 2 points, the first right one 3.'),
    {
      kind: 'form',
      title: 'Quiz battle',
      submitLabel: 'Start the battle',
      call: { command: 'battle', args: {} },
      fields: [
        {
          kind: 'choices',
          id: 'chapters',
          label: 'Chapters',
          hint: 'none: the whole guide',
          required: false,
          value: [],
          options: engine.quizzes.chapters.map(({ chapterId, title, items }) => ({
            value: chapterId,
            label: title,
            description: `${items} questions`,
          })),
        },
        {
          kind: 'choices',
          id: 'levels',
          label: 'Difficulty',
          required: true,
          value: levels.map(({ value }) => value),
          options: levels,
        },
        { kind: 'number', id: 'length', label: 'Questions', required: true, integer: true, ...bounds(questions) },
        { kind: 'number', id: 'seconds', label: 'Seconds for each', required: true, integer: true, ...bounds(seconds) },
      ],
    },
  );
}

const bounds = ({ least, most, standard }: { least: number; most: number; standard: number }) => ({
  value: standard,
  min: least,
  max: most,
});
