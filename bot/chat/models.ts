// Which models people may start from: short lists by task, and what they name themselves. On fronts that others use too, a
// name is never a path on this machine.
import { existsSync } from 'node:fs';
import { type TaskName, UserError } from '../../engine/index.ts';
import { plain } from './escape.ts';
import type { FrontName, Option } from './message.ts';

/** The value for "whatever suits". */
export const anyModel = 'auto';

const scratch = {
  value: 'scratch:tiny',
  label: 'A tiny one, from scratch',
  description: 'nothing to download; trained in a minute or two',
};
const distilbert = {
  value: 'distilbert/distilbert-base-uncased',
  label: 'DistilBERT',
  description: '66 million parameters, English, 270 MB to download',
};
const minilm = {
  value: 'sentence-transformers/all-MiniLM-L6-v2',
  label: 'MiniLM',
  description: '22 million parameters, English, 90 MB: quick and small',
};
const roberta = {
  value: 'FacebookAI/roberta-base',
  label: 'RoBERTa',
  description: '125 million parameters, English, 500 MB',
};
const encoders = [scratch, minilm, distilbert, roberta];

/** The first is taken when nobody says, where it needs no download. */
export const recommended: { readonly [T in TaskName]: readonly Option[] } = {
  'text-classification': encoders,
  regression: encoders,
  'token-classification': [scratch, { ...distilbert, value: 'distilbert/distilbert-base-cased' }, roberta],
  'masked-lm': [scratch, distilbert, roberta],
  'causal-lm': [
    {
      value: 'HuggingFaceTB/SmolLM2-135M-Instruct',
      label: 'SmolLM2 135M',
      description: 'chats in English; 270 MB to download',
    },
    {
      value: 'Qwen/Qwen2.5-0.5B-Instruct',
      label: 'Qwen2.5 0.5B',
      description: 'chats in many languages; 1 GB to download',
    },
    { value: 'openai-community/gpt2', label: 'GPT-2', description: 'goes on writing plain texts; 550 MB to download' },
  ],
  'image-text': [
    {
      value: 'laion/CLIP-ViT-B-32-laion2B-s34B-b79K',
      label: 'CLIP ViT-B/32',
      description: '151 million parameters, 600 MB to download',
    },
    {
      value: 'openai/clip-vit-large-patch14',
      label: 'CLIP ViT-L/14',
      description: '428 million parameters, 1.7 GB: more exact, and slow',
    },
  ],
  'image-classification': [
    { value: 'microsoft/resnet-18', label: 'ResNet-18', description: '47 MB to download: quick' },
    { value: 'microsoft/resnet-50', label: 'ResNet-50', description: '100 MB to download: more exact' },
    { value: 'google/vit-base-patch16-224', label: 'ViT', description: '350 MB to download: the most exact, and slow' },
  ],
};

export const isScratch = (model: string) => model.startsWith('scratch:');

/** @returns what is taken when nobody chose; undefined where everything there is has to be downloaded first. */
export function usualModel(task: TaskName): string | undefined {
  const [first] = recommended[task];
  return first !== undefined && isScratch(first.value) ? first.value : undefined;
}

const kinds: { readonly [task: string]: string } = {
  'causal-lm': 'writes',
  'image-classification': 'sees',
  'image-text': 'compares',
};
const kindOf = (task: string) => kinds[task] ?? 'reads';

/** Whether we recommend it, and only for tasks of another kind than this. */
export function isForOther(model: string, task: TaskName): boolean {
  const listing = Object.entries(recommended).filter(([, options]) => options.some(({ value }) => value === model));
  return listing.length > 0 && listing.every(([listed]) => kindOf(listed) !== kindOf(task));
}

/** Whose machine it is that the front's people sit at. */
const sitsHere: { readonly [F in FrontName]: boolean } = { web: true, terminal: true, discord: false, slack: false };

/** @throws UserError for a folder, asked for from a front that reaches beyond this machine. */
export function checkModel(model: string, front: FrontName): void {
  if (sitsHere[front] || isScratch(model)) return;
  const isHubId = /^[\w-][\w.-]*\/[\w-][\w.-]*(@[\w.-]+)?$/.test(model);
  if (isHubId && !existsSync(model)) return;
  throw new UserError(
    `The model ${plain(model, 80)} can't be taken here.`,
    'Name one of the Hugging Face hub as owner/name, such as distilbert/distilbert-base-uncased, or choose scratch:tiny.',
  );
}
