// help: what there is, with something to press for each.

import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { UserError } from '../../engine/index.ts';
import { type Command, defineCommand } from '../chat/command.ts';
import { button, buttons, reply, text } from '../chat/reply.ts';

/** Commands that do something sensible without arguments. */
const startable = new Set(['demo', 'quiz', 'review', 'progress', 'roadmap', 'learn', 'finetune', 'runs']);

export const help = defineCommand({
  name: 'help',
  summary: 'what I can do, or how one command is used',
  usage: 'help [command]',
  examples: ['help', 'help finetune'],
  args: z.strictObject({ topic: z.string().trim().toLowerCase().optional() }),
  parse: (rest) => (rest === '' ? {} : { topic: rest.replace(/^\//, '') }),
  isMeant: (rest) => /^\/?[a-z]*[?!.]*$/i.test(rest),
  async *execute({ topic }, { commands }) {
    if (topic === undefined) yield overview(commands);
    else yield describe(find(topic, commands));
  },
});

function find(topic: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === topic);
  if (found !== undefined) return found;
  const nearest = closest(
    topic,
    commands.map((command) => command.name),
  );
  throw new UserError(`There is no command ${topic}.`, `The nearest is ${nearest}: help ${nearest}`);
}

function overview(commands: readonly Command[]) {
  const lines = commands.map(({ usage, summary }) => `- \`${usage.replace(/ \[--.*/, '')}\`: ${summary}`);
  return reply(
    text(
      '**I teach machine learning and fine-tune models.** Ask me anything in plain words, for example ' +
        '*why does my model do well in training and badly on new data?* I answer from the guide and cite it.',
    ),
    text(lines.join('\n')),
    buttons(
      ...commands
        .filter((command) => startable.has(command.name))
        .map((command) => button(label[command.name] ?? command.name, { command: command.name, args: {} })),
    ),
  );
}

const label: { readonly [name: string]: string } = {
  demo: 'Live demos',
  quiz: 'Take a quiz',
  review: 'Review what is due',
  progress: 'My progress',
  roadmap: 'My roadmap',
  learn: 'Our own material',
  finetune: 'Fine-tune a model',
  runs: 'My runs',
};

function describe(command: Command) {
  const examples = command.examples.map((example) => `- \`${example}\``).join('\n');
  return reply(text(`**${command.name}**: ${command.summary}`), text(`Usage: \`${command.usage}\`\n\n${examples}`));
}
