// try: a finished run's model on your own words.
import { z } from 'zod';
import { UserError } from '../../engine/index.ts';
import { type CommandContext, defineCommand } from '../chat/command.ts';
import type { Reply } from '../chat/message.ts';
import { predictionBlocks } from '../chat/prediction-words.ts';
import { button, buttons, reply } from '../chat/reply.ts';

const longestText = 10_000;

export const tryRun = defineCommand({
  name: 'try',
  summary: "a finished run's model on your own words",
  usage: 'try <run> <text>',
  examples: ['try run-3 what a lovely evening', 'try last I want my money back'],
  args: z.strictObject({
    run: z.string().trim().min(1).max(100).default('last'),
    text: z.string().trim().max(longestText).optional(),
  }),
  parse: (rest) => {
    const { run, text } = /^(?<run>\S+)\s*(?<text>.*)$/s.exec(rest)?.groups ?? {};
    return { ...(run === undefined ? {} : { run }), ...(text ? { text } : {}) };
  },
  // "try to explain overfitting" is a question: only a run's name makes it this command.
  isMeant: (rest) => rest === '' || /^(run-\d+|last)(\s|$)/i.test(rest),
  async *execute({ run, text: words }, context) {
    const name = run.toLowerCase() === 'last' ? await newestFinished(context) : run;
    if (words) yield await answer(name, words, context);
    else yield await askForWords(name, context);
  },
});

async function newestFinished({ engine, place }: CommandContext): Promise<string> {
  const finished = (await engine.runs.list(place.workspaceId, 100)).find((run) => run.status === 'done');
  if (finished !== undefined) return finished.name;
  throw new UserError(
    'There is no finished run to try yet.',
    'Train one first: finetune. A built-in sample takes a minute or two.',
  );
}

async function askForWords(name: string, { engine, place }: CommandContext): Promise<Reply> {
  const run = await engine.runs.get(place.workspaceId, name);
  if (run.status !== 'done') {
    throw new UserError(
      `${run.name} has no finished model: it is ${run.status}.`,
      'See runs for the ones that are done.',
    );
  }
  return reply({
    kind: 'form',
    title: `Try ${run.name}`,
    submitLabel: 'Classify',
    call: { command: 'try', args: { run: run.name } },
    fields: [
      {
        kind: 'text',
        id: 'text',
        label: 'Text',
        hint: `labels: ${run.start?.labels.slice(0, 6).join(', ') ?? 'those of its data'}`,
        required: true,
        maxLength: longestText,
      },
    ],
  });
}

async function answer(name: string, words: string, { engine, place }: CommandContext): Promise<Reply> {
  const [prediction] = await engine.runs.predict(place.workspaceId, name, [words]);
  if (prediction === undefined) throw new Error(`${name} gave no prediction for one text`);
  return reply(
    ...predictionBlocks(prediction, words, name),
    buttons(button('Try another', { command: 'try', args: { run: name } }, 'primary')),
  );
}
