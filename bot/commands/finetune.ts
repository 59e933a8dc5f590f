// finetune: a form or a typed line → the data checked and described → a run in the queue with its live card.
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { type Dataset, type Engine, hyperSchema, runSpecSchema, type TaskName, UserError } from '../../engine/index.ts';
import { type Command, type CommandContext, defineCommand, optionalText, typedNumber } from '../chat/command.ts';
import { describeDataset } from '../chat/dataset-card.ts';
import { fileEndings, finetuneForm, ownFile } from '../chat/finetune-form.ts';
import type { Json } from '../chat/message.ts';
import { anyModel, checkModel, isForOther, isScratch, usualModel } from '../chat/models.ts';
import { preparedBy, recipeNames, withRecipe } from '../chat/recipes.ts';
import { reply, text } from '../chat/reply.ts';
import { taskWords } from '../chat/task-words.ts';
import { splitWords } from '../chat/words.ts';

const { epochs, learningRate, batchSize, loraRank } = hyperSchema.shape;
const taskNames = runSpecSchema.options.map(({ shape }) => shape.task.value);
const methodNames = ['full', 'lora', 'qlora', 'head'] as const;
const method = z.enum(['auto', ...methodNames]).default('auto');

const args = z.strictObject({
  data: optionalText,
  task: z.enum(['auto', ...taskNames]).default('auto'),
  model: optionalText,
  // The form asks by task: at most one of these is shown.
  writingModel: optionalText,
  seeingModel: optionalText,
  comparingModel: optionalText,
  otherModel: optionalText,
  method,
  imageMethod: method,
  comparingMethod: method,
  epochs: typedNumber(epochs),
  learningRate: typedNumber(learningRate),
  batchSize: typedNumber(batchSize),
  loraRank: typedNumber(loraRank),
  textColumn: optionalText,
  labelColumn: optionalText,
  recipe: z.enum(recipeNames).optional(),
});
type Args = z.output<typeof args>;

const command = defineCommand({
  name: 'finetune',
  summary: 'train a model on your own texts, chats or pictures, or on a built-in sample',
  usage:
    'finetune [file or sample] [--recipe first-look|lora|…] [--task auto|text-classification|regression|token-classification|causal-lm|image-classification|image-text] [--model scratch:tiny] [--method auto|full|lora|qlora|head] [--epochs auto] [--learning-rate auto] [--batch-size 16] [--rank 8] [--text-column name] [--label-column name]',
  examples: [
    'finetune',
    'finetune reviews.csv',
    'finetune reviews.csv --recipe lora',
    'finetune reviews.csv --model distilbert/distilbert-base-uncased --method lora --rank 4',
    'finetune cats-and-dogs.zip --model microsoft/resnet-18',
  ],
  args,
  parse,
  isMeant: (rest) =>
    rest === '' ||
    /^(--|\S+$|"[^"]+"|\S*\.(csv|tsv|jsonl|json|txt|md|conll|zip)\b)/i.test(rest) ||
    rest.includes(' --'),
  async *execute(given, context) {
    const { engine, place } = context;
    const form = async (chosen?: Dataset, task?: TaskName) =>
      preparedBy(given.recipe, await finetuneForm(engine.datasets, place.workspaceId, chosen, task));
    if (given.data === undefined && context.attachments.length === 0) {
      yield reply(await form());
      return;
    }
    const dataset = await findDataset(given, context);
    const task = chooseTask(given, dataset);
    yield describeDataset(dataset);
    const model = modelOf(given, task);
    if (given.data === undefined) yield reply(await form(dataset, task));
    else if (model === undefined) {
      yield reply(text(`**Choose the model to begin with.** It is downloaded once.`), await form(dataset, task));
    } else await launch({ dataset, task, model, given }, context);
  },
});

export const finetune: Command = {
  ...command,
  execute: (given, context) => command.execute(withRecipe(given), context),
};

/** @throws UserError when the data can't teach what is asked. */
function chooseTask({ task }: Args, { name, report }: Dataset): TaskName {
  const [likeliest] = report.tasks;
  if (task === 'auto' || report.tasks.includes(task)) return task === 'auto' ? likeliest : task;
  throw new UserError(
    `${name} can't be used to ${wishOf(task)}: it holds ${taskWords[likeliest].found(report)}.`,
    `Leave the task on auto to ${wishOf(likeliest)}, or take other data.`,
  );
}

const wishOf = (task: TaskName) => taskWords[task].wish.toLowerCase();

/** Where the form of any task asks for the models of some. */
const modelFields: { readonly [T in TaskName]?: 'writingModel' | 'seeingModel' | 'comparingModel' } = {
  'causal-lm': 'writingModel',
  'image-classification': 'seeingModel',
  'image-text': 'comparingModel',
};
const methodFields: { readonly [T in TaskName]?: 'imageMethod' | 'comparingMethod' } = {
  'image-classification': 'imageMethod',
  'image-text': 'comparingMethod',
};

/** @returns undefined where somebody has to choose first. */
function modelOf(args: Args, task: TaskName): string | undefined {
  const { model, otherModel } = args;
  const byTask = args[modelFields[task] ?? 'model'];
  const given = otherModel ?? byTask ?? model;
  if (given === undefined || given === anyModel) return usualModel(task);
  // Chosen in the form before the data were read: a model for something else.
  return isForOther(given, task) ? undefined : given;
}

/** From scratch everything has to learn; a chat model knows the language already; of an image model the head is enough. */
function methodOf(args: Args, task: TaskName, model: string): (typeof methodNames)[number] {
  const byTask = args[methodFields[task] ?? 'method'];
  const chosen = byTask === 'auto' ? args.method : byTask;
  if (chosen !== 'auto') return chosen;
  if (task === 'image-text') return 'lora';
  if (task === 'image-classification') return 'head';
  return task === 'causal-lm' && !isScratch(model) ? 'lora' : 'full';
}

/** Options as they are typed → argument names; others go through as they are and are refused by name. */
const renamed: { readonly [option: string]: string } = { rank: 'loraRank', lr: 'learningRate' };

function parse(rest: string): { readonly [name: string]: Json } {
  const parsed: { [name: string]: Json } = {};
  const words = splitWords(rest);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (!word.startsWith('--')) {
      parsed[parsed.data === undefined ? 'data' : word] = parsed.data === undefined ? word : '';
      continue;
    }
    const [option = '', value] = splitOnce(word.slice(2), '=');
    const name = option.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    parsed[renamed[name] ?? name] = value ?? words[++index] ?? null;
  }
  return parsed;
}

function splitOnce(text: string, by: string): readonly [string, string | undefined] {
  const at = text.indexOf(by);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}

/** The data meant: by the id of a sample or a kept file, else the file that came along, else by name. */
async function findDataset(given: Args, context: CommandContext): Promise<Dataset> {
  const { engine, place, person, attachments } = context;
  const wanted = given.data ?? ownFile;
  const kept = await engine.datasets.list(place.workspaceId);
  const ids = [...engine.datasets.samples, ...kept].map(({ id }) => id);
  if (ids.includes(wanted)) return engine.datasets.get(place.workspaceId, wanted);

  const [file] = attachments;
  if (file !== undefined) {
    return engine.datasets.add({
      workspaceId: place.workspaceId,
      personId: person.id,
      path: file.path,
      name: file.name,
      ...(given.task === 'auto' ? {} : { task: given.task }),
      ...(given.textColumn === undefined ? {} : { textColumn: given.textColumn }),
      ...(given.labelColumn === undefined ? {} : { labelColumn: given.labelColumn }),
    });
  }
  if (wanted === ownFile)
    throw new UserError(
      'No file came along.',
      `Choose one that ends in ${fileEndings.join(', ')}, or take a built-in sample.`,
    );

  const named = [
    ...engine.datasets.samples.flatMap(({ id, title }) => [
      { id, name: title },
      { id, name: id.replace(/^sample:/, '') },
    ]),
    ...kept,
  ];
  const found = named.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return engine.datasets.get(place.workspaceId, found.id);
  const nearest = closest(
    wanted,
    named.map(({ name }) => name),
  );
  throw new UserError(
    `There is no file or sample called ${wanted}.`,
    `Attach the file to your message, or take one that is here; the nearest is ${nearest}.`,
  );
}

interface Launch {
  readonly dataset: Dataset;
  readonly task: TaskName;
  readonly model: string;
  readonly given: Args;
}

async function launch(chosen: Launch, { engine, place, person, showRun }: CommandContext) {
  checkModel(chosen.model, place.front);
  const run = await engine.runs.submit({
    workspaceId: place.workspaceId,
    personId: person.id,
    front: place.front,
    conversationId: place.conversationId,
    datasetName: chosen.dataset.name,
    spec: specOf(chosen),
  });
  await showRun(run);
}

type NewSpec = Parameters<Engine['runs']['submit']>[0]['spec'];

function specOf({ dataset, task, model, given }: Launch): NewSpec {
  const method = methodOf(given, task, model);
  const { textColumn, labelColumn } = dataset.report;
  const common = {
    model,
    hyper: {
      batchSize: given.batchSize,
      loraRank: given.loraRank,
      ...(given.epochs === undefined ? {} : { epochs: given.epochs }),
      ...(given.learningRate === undefined ? {} : { learningRate: given.learningRate }),
      ...(task === 'causal-lm' ? { maxLength: chatTokens } : {}),
    },
  };
  const train = dataset.path;
  if (task === 'image-classification') return { ...common, task, method: ofImages(method), data: { train } };
  if (task === 'image-text') {
    const columns = { image: labelColumn, caption: textColumn };
    return { ...common, task, method: ofTowers(method), data: { train, columns } };
  }
  const texts = { ...common, method: ofTexts(method) };
  switch (task) {
    case 'text-classification':
    case 'regression':
      return { ...texts, task, data: { train, columns: { text: textColumn, label: labelColumn } } };
    case 'token-classification':
      return { ...texts, task, data: { train, columns: { tokens: textColumn, tags: labelColumn } } };
    case 'masked-lm':
      return { ...texts, task, data: { train } };
    case 'causal-lm':
      return { ...texts, task, data: { train } };
  }
}

/** Tokens of a chat that are read: most answers are shorter, and time grows with them. */
const chatTokens = 256;

type Method = (typeof methodNames)[number];

function ofImages(method: Method): Exclude<Method, 'qlora'> {
  if (method !== 'qlora') return method;
  throw new UserError('QLoRA is for models of texts.', 'Use head, full or lora for pictures.');
}

function ofTowers(method: Method): 'full' | 'lora' {
  if (method === 'full' || method === 'lora') return method;
  throw new UserError(`The method ${method} does not train pictures and texts together.`, 'Use full or lora.');
}

function ofTexts(method: Method): Exclude<Method, 'head'> {
  if (method !== 'head') return method;
  throw new UserError('The method head is for models of pictures.', 'Use full, lora or qlora for texts.');
}
