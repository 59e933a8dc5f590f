// The form of a run: data, task, model and method; of what it asks, only what applies is shown.
import type { z } from 'zod';
import { type Dataset, type Engine, hyperSchema, maxUploadBytes, type TaskName } from '../../engine/index.ts';
import type { Block, Field, Option } from './message.ts';
import { anyModel, recommended } from './models.ts';
import { taskWords } from './task-words.ts';

/** The form's value for "a file of mine". */
export const ownFile = 'upload';
export const fileEndings = ['.csv', '.tsv', '.jsonl', '.json', '.txt', '.md', '.conll', '.zip'];

/** In the order of the form; filling in hidden words is for those who type its name. */
export const offeredTasks = [
  'text-classification',
  'regression',
  'token-classification',
  'causal-lm',
  'image-classification',
  'image-text',
] as const satisfies readonly TaskName[];

const { batchSize, loraRank } = hyperSchema.shape;

/**
 * @param chosen data that is known already: then the form is for its task.
 * @param task what it is to teach, where several are possible.
 */
export async function finetuneForm(
  datasets: Engine['datasets'],
  workspaceId: string,
  chosen?: Dataset,
  task?: TaskName,
): Promise<Block> {
  const known = task ?? chosen?.report.tasks[0];
  return {
    kind: 'form',
    title: known === undefined ? 'Fine-tune a model' : `Fine-tune: ${taskWords[known].wish.toLowerCase()}`,
    submitLabel: 'Start training',
    call: { command: 'finetune', args: {} },
    fields: [
      ...(await dataFields(datasets, workspaceId, chosen)),
      ...taskFields(chosen, known),
      ...(known === undefined ? modelFieldsOfAny : [modelField(known)]),
      {
        kind: 'text',
        id: 'otherModel',
        label: 'Another model',
        hint: 'instead of the chosen one: owner/name on the Hugging Face hub',
        required: false,
        maxLength: 200,
      },
      ...(known === undefined ? methodFieldsOfAny : [methodField(known)]),
      hyperField('epochs', 'Epochs', 'auto, or how often to go through the data'),
      hyperField('learningRate', 'Learning rate', 'auto, or a number such as 0.001'),
      numberField('batchSize', 'Batch size', batchSize.unwrap(), batchSize.parse(undefined)),
      {
        ...numberField('loraRank', 'LoRA rank', loraRank.unwrap(), loraRank.parse(undefined)),
        when: { field: 'method', is: ['lora', 'qlora'] },
      },
    ],
  };
}

async function dataFields(
  datasets: Engine['datasets'],
  workspaceId: string,
  chosen: Dataset | undefined,
): Promise<readonly Field[]> {
  const kept = await datasets.list(workspaceId);
  const options = [
    ...datasets.samples.map(({ id, title, description }) => ({ value: id, label: `Sample: ${title}`, description })),
    ...kept.map(({ id, name, rows, task }) => ({
      value: id,
      label: name,
      description: `${taskWords[task].wish}: ${rows.toLocaleString('en')} examples`,
    })),
    {
      value: ownFile,
      label: 'Upload my own file',
      description: 'a table, JSON lines, chats, a text, or a zip of pictures, with captions',
    },
  ];
  const value = chosen?.id ?? options[0]?.value ?? ownFile;
  const data: Field = { kind: 'choice', id: 'data', label: 'Data', required: true, value, options };
  // What was read already is not asked about again.
  if (chosen !== undefined) return [data];
  const when = { field: 'data', is: [ownFile] };
  return [
    data,
    {
      kind: 'file',
      id: 'file',
      label: 'File',
      hint: 'one example a row; a zip for pictures',
      required: true,
      accept: fileEndings,
      maxBytes: maxUploadBytes,
      when,
    },
    ...(['text', 'label'] as const).map(
      (column): Field => ({
        kind: 'text',
        id: `${column}Column`,
        label: `${column === 'text' ? 'Text' : 'Label'} column`,
        hint: 'empty: found by itself',
        required: false,
        maxLength: 200,
        when,
      }),
    ),
  ];
}

function taskFields(chosen: Dataset | undefined, known: TaskName | undefined): readonly Field[] {
  const possible: readonly TaskName[] = chosen?.report.tasks ?? offeredTasks;
  const options = possible.map((task) => ({
    value: task,
    label: taskWords[task].wish,
    description: taskWords[task].description,
  }));
  // Where only one is possible there is nothing to choose.
  if (known !== undefined) return options.length === 1 ? [] : [taskField(known, options)];
  const any = { value: 'auto', label: 'What the data are for', description: 'seen from what they hold' };
  return [taskField('auto', [any, ...options])];
}

const taskField = (value: string, options: readonly Option[]): Field => ({
  kind: 'choice',
  id: 'task',
  label: 'Task',
  required: true,
  value,
  options,
});

const ofTexts = ['auto', 'text-classification', 'regression', 'token-classification'];
const onlyWhen = (field: Field, tasks: readonly string[]): Field => ({ ...field, when: { field: 'task', is: tasks } });

function modelField(task: TaskName, id = 'model'): Field {
  const options = recommended[task];
  return { kind: 'choice', id, label: 'Model', required: true, value: options[0]?.value ?? anyModel, options };
}

const modelFieldsOfAny: readonly Field[] = [
  onlyWhen(modelField('text-classification'), ofTexts),
  onlyWhen(modelField('causal-lm', 'writingModel'), ['causal-lm']),
  onlyWhen(modelField('image-classification', 'seeingModel'), ['image-classification']),
  onlyWhen(modelField('image-text', 'comparingModel'), ['image-text']),
];

const auto = { value: 'auto', label: 'What suits the model', description: 'full from scratch, LoRA for chat models' };
const full = { value: 'full', label: 'Full', description: 'every weight learns; best from scratch' };
const lora = { value: 'lora', label: 'LoRA', description: 'small added matrices learn; small files' };
const ofTextModels = [
  auto,
  full,
  lora,
  { value: 'qlora', label: 'QLoRA', description: 'the same on a base kept in four bits; little memory' },
];
const ofImageModels = [
  {
    value: 'head',
    label: 'A new head',
    description: 'the model stays as it is; what it sees is computed once: minutes, not hours',
  },
  { ...full, description: 'every weight learns: slow, for many pictures' },
  { ...lora, description: 'small added matrices learn; for ViT' },
];

const ofTowers = [{ ...lora, description: 'small added matrices learn in both towers; little memory' }, full];
const methodsOfOthers: { readonly [T in TaskName]?: readonly Option[] } = {
  'image-classification': ofImageModels,
  'image-text': ofTowers,
};

function methodField(task: TaskName, id = 'method'): Field {
  const options = methodsOfOthers[task] ?? ofTextModels;
  return { kind: 'choice', id, label: 'Method', required: true, value: options[0]?.value ?? 'auto', options };
}

const methodFieldsOfAny: readonly Field[] = [
  onlyWhen(methodField('text-classification'), [...ofTexts, 'causal-lm']),
  onlyWhen(methodField('image-classification', 'imageMethod'), ['image-classification']),
  onlyWhen(methodField('image-text', 'comparingMethod'), ['image-text']),
];

const hyperField = (id: string, label: string, hint: string): Field => ({
  kind: 'text',
  id,
  label,
  hint,
  required: false,
  value: 'auto',
  maxLength: 20,
});

/** A field with the very bounds that the run's spec has. */
function numberField(
  id: string,
  label: string,
  bounds: z.ZodNumber,
  value: number,
): Extract<Field, { kind: 'number' }> {
  const { minValue, maxValue } = bounds;
  if (minValue === null || maxValue === null) throw new RangeError(`${id} has no bounds to show`);
  return { kind: 'number', id, label, required: true, value, min: minValue, max: maxValue, integer: true };
}
