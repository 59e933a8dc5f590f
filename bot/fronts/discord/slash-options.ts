// The options of the slash commands, as data: typed, bounded, with suggestions where there are any.
import type { z } from 'zod';
import { hyperSchema, levels } from '../../../engine/index.ts';
import { offeredTasks } from '../../chat/finetune-form.ts';

/** Where an option's suggestions come from. */
export type Suggested = 'concepts' | 'roadmap' | 'demos' | 'chapters' | 'recipes' | 'runs' | 'data';

type OptionKind =
  | { readonly kind: 'text'; readonly longest?: number; readonly suggested?: Suggested }
  | { readonly kind: 'whole'; readonly least: number; readonly most: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'file' }
  /** A forum channel in which a post is opened for what follows; no command knows of it. */
  | { readonly kind: 'forum' };

export type SlashOption = OptionKind & {
  /** The command's argument it fills; for a file the form's field. */
  readonly argument: string;
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
};

function bounds(schema: z.ZodDefault<z.ZodNumber> | z.ZodOptional<z.ZodNumber>): { least: number; most: number } {
  const { minValue, maxValue } = schema.unwrap();
  return { least: minValue ?? 0, most: maxValue ?? 0 };
}

const { epochs, batchSize, loraRank } = hyperSchema.shape;

const forumOption: SlashOption = {
  kind: 'forum',
  argument: '',
  name: 'forum',
  description: 'a forum to open a post in for it',
};

/** The options of the commands that have more than words; any other command takes one text, as it would be typed. */
const optionsOf: { readonly [command: string]: readonly SlashOption[] } = {
  ask: [
    {
      kind: 'text',
      argument: 'question',
      name: 'question',
      description: 'in plain words',
      required: true,
      longest: 6000,
    },
    { kind: 'choice', argument: 'level', name: 'level', description: 'how deep', choices: [...levels] },
  ],
  explain: [
    {
      kind: 'text',
      argument: 'concept',
      name: 'concept',
      description: 'such as overfitting, LoRA, dropout',
      required: true,
      longest: 200,
      suggested: 'concepts',
    },
    { kind: 'choice', argument: 'level', name: 'level', description: 'how deep', choices: [...levels] },
  ],
  level: [
    {
      kind: 'choice',
      argument: 'level',
      name: 'level',
      description: 'how deep answers go for you',
      choices: [...levels],
    },
  ],
  human: [
    {
      kind: 'whole',
      argument: 'answer',
      name: 'answer',
      description: 'its number; empty: what was asked last',
      least: 1,
      most: 2_147_483_647,
    },
  ],
  feedback: [
    {
      kind: 'whole',
      argument: 'answer',
      name: 'answer',
      description: 'the number of the answer',
      required: true,
      least: 1,
      most: 2_147_483_647,
    },
    {
      kind: 'choice',
      argument: 'helpful',
      name: 'helpful',
      description: 'whether it helped',
      required: true,
      choices: ['yes', 'no'],
    },
  ],
  gaps: [
    {
      kind: 'text',
      argument: 'allow',
      name: 'allow',
      description: 'id of a person who may see them too; empty: list the gaps',
      longest: 100,
    },
  ],
  learn: [
    {
      kind: 'file',
      argument: 'file',
      name: 'file',
      description: 'a document to answer from: PDF, Markdown, HTML, notebook',
    },
    {
      kind: 'text',
      argument: 'what',
      name: 'address_or_name',
      description: 'a page on the web, or the document to refresh, remove or show',
      longest: 2000,
    },
    {
      kind: 'choice',
      argument: 'action',
      name: 'action',
      description: 'empty: add what is given, or list all',
      choices: ['add', 'list', 'refresh', 'remove'],
    },
    { kind: 'text', argument: 'name', name: 'name', description: 'what to call it', longest: 60 },
    {
      kind: 'choice',
      argument: 'seen',
      name: 'seen',
      description: 'by whom',
      choices: ['channel', 'everyone'],
    },
  ],
  demo: [
    {
      kind: 'text',
      argument: 'demo',
      name: 'name',
      description: 'which one; empty: choose from all',
      longest: 200,
      suggested: 'demos',
    },
    {
      kind: 'text',
      argument: 'settings',
      name: 'settings',
      description: 'such as degree=3 noise=0.5; empty: as it stands',
      longest: 500,
    },
  ],
  quiz: [
    {
      kind: 'text',
      argument: 'chapter',
      name: 'chapter',
      description: 'what it is about; empty: choose from all',
      longest: 200,
      suggested: 'chapters',
    },
    { kind: 'whole', argument: 'length', name: 'questions', description: 'how many', least: 1, most: 100 },
    forumOption,
  ],
  battle: [
    {
      kind: 'text',
      argument: 'chapters',
      name: 'chapter',
      description: 'what it is about; empty: choose from all',
      longest: 200,
      suggested: 'chapters',
    },
    { kind: 'whole', argument: 'length', name: 'questions', description: 'how many', least: 1, most: 20 },
    {
      kind: 'whole',
      argument: 'seconds',
      name: 'seconds',
      description: 'time for each question',
      least: 10,
      most: 300,
    },
    { kind: 'choice', argument: 'action', name: 'show', description: 'who won how often', choices: ['ranking'] },
    forumOption,
  ],
  review: [{ kind: 'whole', argument: 'length', name: 'questions', description: 'at most', least: 1, most: 100 }],
  progress: [],
  roadmap: [
    {
      kind: 'text',
      argument: 'what',
      name: 'phase',
      description: 'a phase, or what you have read or built',
      longest: 200,
      suggested: 'roadmap',
    },
    {
      kind: 'choice',
      argument: 'action',
      name: 'mark',
      description: 'set a mark, or take it back',
      choices: ['read', 'unread', 'built', 'unbuilt'],
    },
  ],
  finetune: [
    { kind: 'file', argument: 'file', name: 'file', description: 'CSV, TSV, JSON lines, text, or a zip of pictures' },
    {
      kind: 'text',
      argument: 'data',
      name: 'data',
      description: 'a built-in sample, or a file used before',
      longest: 200,
      suggested: 'data',
    },
    {
      kind: 'text',
      argument: 'recipe',
      name: 'recipe',
      description: 'settings that go together; what you set besides counts',
      longest: 40,
      suggested: 'recipes',
    },
    {
      kind: 'choice',
      argument: 'method',
      name: 'method',
      description: 'full: every weight; lora: small added matrices; head: for pictures',
      choices: ['auto', 'full', 'lora', 'qlora', 'head'],
    },
    {
      kind: 'choice',
      argument: 'task',
      name: 'task',
      description: 'empty: what the data are for',
      choices: offeredTasks,
    },
    {
      kind: 'text',
      argument: 'model',
      name: 'model',
      description: 'owner/name on the Hugging Face hub; empty: a tiny one from scratch',
      longest: 200,
    },
    { kind: 'whole', argument: 'epochs', name: 'epochs', description: 'times through the data', ...bounds(epochs) },
    {
      kind: 'text',
      argument: 'learningRate',
      name: 'learning_rate',
      description: 'auto, or a number such as 0.001',
      longest: 20,
    },
    { kind: 'whole', argument: 'batchSize', name: 'batch_size', description: 'examples a step', ...bounds(batchSize) },
    { kind: 'whole', argument: 'loraRank', name: 'rank', description: 'rank of LoRA', ...bounds(loraRank) },
    { kind: 'text', argument: 'textColumn', name: 'text_column', description: 'empty: found by itself', longest: 200 },
    {
      kind: 'text',
      argument: 'labelColumn',
      name: 'label_column',
      description: 'empty: found by itself',
      longest: 200,
    },
    forumOption,
  ],
  runs: [
    {
      kind: 'text',
      argument: 'run',
      name: 'run',
      description: 'one run; empty: all of them',
      longest: 100,
      suggested: 'runs',
    },
    {
      kind: 'choice',
      argument: 'action',
      name: 'action',
      description: 'what to do with it',
      choices: ['show', 'stop', 'resume', 'export'],
    },
  ],
  try: [
    { kind: 'text', argument: 'text', name: 'text', description: 'your own words', longest: 6000 },
    { kind: 'file', argument: 'picture', name: 'picture', description: 'for a model that sees pictures' },
    {
      kind: 'text',
      argument: 'run',
      name: 'run',
      description: 'a finished run; empty: the last one',
      longest: 100,
      suggested: 'runs',
    },
  ],
  help: [{ kind: 'text', argument: 'topic', name: 'command', description: 'one command', longest: 32 }],
};

const wordsOption: SlashOption = {
  kind: 'text',
  argument: '',
  name: 'words',
  description: 'as you would type them',
  longest: 6000,
};

export function slashOptions(command: string): readonly SlashOption[] {
  return optionsOf[command] ?? [wordsOption];
}
