// try: a finished run's model on your own words, or on a picture.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Comparison, type Run, type TaskName, UserError, writingSchema } from '../../engine/index.ts';
import { type CommandContext, defineCommand, typedNumber } from '../chat/command.ts';
import { shorten } from '../chat/escape.ts';
import type { Attachment, Field, Reply } from '../chat/message.ts';
import { predictionBlocks } from '../chat/prediction-words.ts';
import { button, buttons, reply } from '../chat/reply.ts';

const longestText = 10_000;
const mostPictureBytes = 10 * 2 ** 20;
const { temperature, maxTokens } = writingSchema.shape;

const args = z.strictObject({
  run: z.string().trim().min(1).max(100).default('last'),
  text: z.string().trim().max(longestText).optional(),
  temperature: typedNumber(temperature),
  maxTokens: typedNumber(maxTokens),
});
type Args = z.output<typeof args>;

export const tryRun = defineCommand({
  name: 'try',
  summary: "a finished run's model on your own words or pictures",
  usage: 'try <run> <text>, or with a picture attached',
  examples: ['try run-3 what a lovely evening', 'try last I want my money back'],
  args,
  parse: (rest) => {
    const { run, text } = /^(?<run>\S+)\s*(?<text>.*)$/s.exec(rest)?.groups ?? {};
    return { ...(run === undefined ? {} : { run }), ...(text ? { text } : {}) };
  },
  // "try to explain overfitting" is a question: only a run's name makes it this command.
  isMeant: (rest) => rest === '' || /^(run-\d+|last)(\s|$)/i.test(rest),
  async *execute(given, context) {
    const run = await findRun(given.run, context);
    const [picture] = context.attachments;
    if (run.spec.task === 'image-classification') {
      if (picture === undefined) yield askFor(run);
      else yield await answer(run, await readPicture(picture), picture.name, given, context);
    } else if (run.spec.task === 'image-text') {
      const captions = captionsIn(given.text ?? '');
      if (picture === undefined || captions.length === 0) yield askFor(run);
      else yield await answer(run, await readComparison(picture, captions), picture.name, given, context);
    } else if (given.text) yield await answer(run, given.text, given.text, given, context);
    else if (picture !== undefined) throw new UserError(`${run.name} reads texts.`, 'Write one after its name.');
    else yield askFor(run);
  },
});

async function findRun(name: string, { engine, place }: CommandContext): Promise<Run> {
  if (name.toLowerCase() === 'last') {
    const finished = (await engine.runs.list(place.workspaceId, 100)).find((run) => run.status === 'done');
    if (finished !== undefined) return finished;
    throw new UserError(
      'There is no finished run to try yet.',
      'Train one first: finetune. A built-in sample takes a minute or two.',
    );
  }
  const run = await engine.runs.get(place.workspaceId, name);
  if (run.status === 'done') return run;
  throw new UserError(
    `${run.name} has no finished model: it is ${run.status}.`,
    'See runs for the ones that are done.',
  );
}

interface Asking {
  readonly submit: string;
  readonly fields: (labels: readonly string[]) => readonly Field[];
}

const textField = (label: string, hint: string): Field => ({
  kind: 'text',
  id: 'text',
  label,
  hint,
  required: true,
  maxLength: longestText,
});
const some = (labels: readonly string[]) => shorten(labels.slice(0, 6).join(', '), 80) || 'those of its data';

const pictureField = (hint: string): Field => ({
  kind: 'file',
  id: 'picture',
  label: 'Picture',
  hint,
  required: true,
  accept: ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff'],
  maxBytes: mostPictureBytes,
});

/** What each task wants to know. */
const asking: { readonly [T in TaskName]: Asking } = {
  'text-classification': {
    submit: 'Classify',
    fields: (labels) => [textField('Text', `labels: ${some(labels)}`)],
  },
  regression: { submit: 'Predict', fields: () => [textField('Text', 'it answers with a number')] },
  'token-classification': {
    submit: 'Tag',
    fields: (labels) => [textField('Sentence', `tags: ${some(labels)}`)],
  },
  'masked-lm': { submit: 'Fill in', fields: () => [textField('Text', 'with [MASK] in place of each hidden word')] },
  'causal-lm': {
    submit: 'Write',
    fields: () => [
      textField('Your words', 'it answers, or goes on writing'),
      {
        kind: 'choice',
        id: 'temperature',
        label: 'Boldness',
        required: true,
        value: '0',
        options: [
          { value: '0', label: 'Sure', description: 'the likeliest word each time: the same answer every time' },
          { value: '0.7', label: 'Lively', description: 'draws among likely words' },
          { value: '1.2', label: 'Wild', description: 'draws among unlikely ones too' },
        ],
      },
      {
        kind: 'number',
        id: 'maxTokens',
        label: 'At most so many tokens',
        required: true,
        value: 200,
        min: 1,
        max: 1000,
        integer: true,
      },
    ],
  },
  'image-classification': {
    submit: 'Classify',
    fields: (labels) => [pictureField(`classes: ${some(labels)}`)],
  },
  'image-text': {
    submit: 'Compare',
    fields: () => [
      pictureField('it says which of your words fit it best'),
      textField('Captions', 'several, with ; between: a cat; a dog; an empty street'),
    ],
  },
};

function askFor({ name, spec, start }: Run): Reply {
  const { submit, fields } = asking[spec.task];
  return reply({
    kind: 'form',
    title: `Try ${name}`,
    submitLabel: submit,
    call: { command: 'try', args: { run: name } },
    fields: fields(start?.labels ?? []),
  });
}

/** Several captions, one a line or with semicolons between. */
const captionsIn = (text: string): string[] =>
  text
    .split(/[;\n]/)
    .map((caption) => caption.trim())
    .filter((caption) => caption !== '');

async function readComparison(picture: Attachment, captions: readonly string[]): Promise<string> {
  const comparison: Comparison = { image: await readPicture(picture), captions: [...captions] };
  return JSON.stringify(comparison);
}

/** As the predictor takes it; what kind of picture it is, is seen from its bytes. */
async function readPicture({ path, name, bytes }: Attachment): Promise<string> {
  if (bytes <= mostPictureBytes) return `data:image/any;base64,${(await readFile(path)).toString('base64')}`;
  throw new UserError(
    `${name} has ${Math.ceil(bytes / 2 ** 20)} MB; a picture to try may have ${mostPictureBytes / 2 ** 20} MB.`,
    'Make it smaller.',
  );
}

/** @param shown what was asked, as it is shown back. */
async function answer(
  { name, spec }: Run,
  input: string,
  shown: string,
  { temperature, maxTokens }: Args,
  { engine, place }: CommandContext,
): Promise<Reply> {
  const writing = spec.task === 'causal-lm' ? writingSchema.parse({ temperature, maxTokens }) : undefined;
  const [prediction] = await engine.runs.predict(place.workspaceId, name, [input], writing);
  if (prediction === undefined) throw new Error(`${name} gave no prediction for one input`);
  return reply(
    ...predictionBlocks(prediction, shown, name),
    buttons(button('Try another', { command: 'try', args: { run: name } }, 'primary')),
  );
}
