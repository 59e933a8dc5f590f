// A handler with realistic replies, so that a front can be tried and looked at without an engine behind it.
import type { Block, Incoming, Reply } from '../../bot/chat/message.ts';
import type { Front, Handle } from '../../bot/fronts/front.ts';

export interface ScriptedTutor {
  readonly handle: Handle;
  readonly received: Incoming[];
}

interface Scripted {
  readonly front: () => Front;
  /** Ids of stored charts, in the order the run card shows them. */
  readonly charts: readonly string[];
}

export function createScriptedTutor({ front, charts }: Scripted): ScriptedTutor {
  const received: Incoming[] = [];
  const handle: Handle = async (incoming) => {
    received.push(incoming);
    for (const reply of answer(incoming, charts)) await front().deliver(incoming.place, reply, incoming.person);
  };
  return { handle, received };
}

function answer(incoming: Incoming, charts: readonly string[]): readonly Reply[] {
  if (incoming.kind === 'form')
    return [
      say(
        text(
          `Started with ${Object.entries(incoming.values)
            .map(
              ([id, value]) =>
                `${id} = ${typeof value === 'string' ? value : 'path' in value ? `${value.name} (${value.bytes} bytes)` : value.join('+')}`,
            )
            .join(', ')}`,
        ),
      ),
    ];
  const word = incoming.kind === 'message' ? (/^\/?(\w+)/.exec(incoming.text)?.[1] ?? '') : incoming.call.command;
  const args = incoming.kind === 'action' ? incoming.call.args : {};
  switch (word) {
    case 'quiz':
      return [typeof args.choice === 'string' ? quizAnswered(args.choice) : quizAsked];
    case 'finetune':
      return [form];
    case 'run':
    case 'runs':
      return [runCard(Number(args.step ?? 40), charts)];
    default:
      return [explained];
  }
}

const say = (...blocks: readonly Block[]): Reply => ({ audience: 'everyone', blocks });
const text = (markdown: string): Block => ({ kind: 'text', markdown });

const explained = say(
  text(
    '**Your model has learnt the training examples instead of what they have in common.** It overfits when it has enough freedom to fit the noise: training loss keeps falling while held-out loss turns and rises.\n\nFor example, a classifier with 4 million weights and 600 sentences can store every sentence. After epoch 3 it reached `loss = 0.02` on those and `0.71` on new ones.\n\nWhat helps, in the order to try:\n\n1. **Stop earlier**: keep the checkpoint where held-out loss was lowest.\n2. **Give it less freedom**: LoRA with rank 4, or freeze the lower layers.\n3. **Give it more data**, or augment what you have.',
  ),
  {
    kind: 'sources',
    sources: [
      {
        chapterId: 'overfitting-underfitting',
        sectionId: 'definition',
        title: 'Overfitting and underfitting › What they are',
        quote: 'A model overfits when it fits the noise of its training examples as if it were signal.',
      },
      {
        chapterId: 'overfitting-underfitting',
        sectionId: 'remedies',
        title: 'Overfitting and underfitting › What to do about it',
        quote: 'Early stopping costs nothing and is the first thing to try.',
      },
    ],
  },
);

const choices = [
  ['gap', 'Training loss falls while held-out loss rises'],
  ['both', 'Training and held-out loss are both high and flat'],
  ['same', 'Training and held-out loss fall together'],
] as const;

const question =
  '**Question 2 of 5 · Overfitting and underfitting**\n\nWhich pair of curves is the clearest sign of overfitting?';
const quizAsked: Reply = {
  slot: 'quiz:1:2',
  audience: 'everyone',
  blocks: [
    text(question),
    {
      kind: 'buttons',
      buttons: choices.map(([choice, label]) => ({
        label,
        style: 'secondary',
        call: { command: 'quiz', args: { choice } },
      })),
    },
  ],
};

function quizAnswered(chosen: string): Reply {
  const right = chosen === 'gap';
  return {
    slot: 'quiz:1:2',
    audience: 'everyone',
    blocks: [
      text(question),
      {
        kind: 'buttons',
        buttons: choices.map(([choice, label]) => ({
          label: choice === 'gap' ? `✓ ${label}` : choice === chosen ? `✗ ${label}` : label,
          style: choice === 'gap' ? 'primary' : choice === chosen ? 'danger' : 'secondary',
          call: { command: 'quiz', args: { choice } },
          disabled: true,
        })),
      },
      text(
        right
          ? '**Right.** The gap between the two curves is the definition: what is learnt no longer carries over.'
          : '**Not quite.** Both high and flat is *underfitting*: the model cannot even fit what it sees. The sign of overfitting is the gap.',
      ),
      { kind: 'buttons', buttons: [{ label: 'Next question', style: 'primary', call: { command: 'quiz', args: {} } }] },
    ],
  };
}

const form = say({
  kind: 'form',
  title: 'Fine-tune a text classifier',
  submitLabel: 'Start training',
  call: { command: 'finetune', args: {} },
  fields: [
    {
      kind: 'choice',
      id: 'data',
      label: 'Data',
      required: true,
      value: 'sample:reviews',
      options: [
        { label: 'Film reviews', value: 'sample:reviews', description: '600 short reviews, good or bad' },
        { label: 'My own file', value: 'upload', description: 'CSV, TSV or JSON lines' },
      ],
    },
    {
      kind: 'file',
      id: 'file',
      label: 'Your file',
      hint: 'One column with the text, one with its label.',
      required: true,
      accept: ['.csv', '.tsv', '.jsonl', '.json'],
      maxBytes: 50 * 1024 * 1024,
      when: { field: 'data', is: ['upload'] },
    },
    {
      kind: 'choice',
      id: 'method',
      label: 'Method',
      required: true,
      value: 'lora',
      options: [
        { label: 'LoRA', value: 'lora', description: 'Trains small added matrices; fast, light' },
        { label: 'Full', value: 'full', description: 'Trains every weight' },
      ],
    },
    { kind: 'number', id: 'epochs', label: 'Epochs', required: true, value: 3, min: 1, max: 100, integer: true },
    {
      kind: 'number',
      id: 'learningRate',
      label: 'Learning rate',
      hint: 'Smaller is slower and safer.',
      required: true,
      value: 0.0005,
      min: 0.0000001,
      max: 1,
      integer: false,
    },
    {
      kind: 'number',
      id: 'batchSize',
      label: 'Batch size',
      required: true,
      value: 16,
      min: 1,
      max: 512,
      integer: true,
    },
    {
      kind: 'number',
      id: 'loraRank',
      label: 'LoRA rank',
      required: true,
      value: 8,
      min: 1,
      max: 256,
      integer: true,
      when: { field: 'method', is: ['lora'] },
    },
    { kind: 'text', id: 'note', label: 'Note', required: false, placeholder: 'What do you want to find out?' },
  ],
});

function runCard(step: number, charts: readonly string[]): Reply {
  const pictureId = charts[step % Math.max(1, charts.length)];
  return {
    slot: 'run:7',
    audience: 'everyone',
    blocks: [
      text('### run-7 is training\nLoRA on **Film reviews** · 540 examples to learn from, 60 held out'),
      {
        kind: 'progress',
        label: `Epoch ${Math.ceil(step / 34)} of 3`,
        fraction: step / 102,
        detail: `step ${step} of 102 · loss 0.412 · 118 examples/s · 14 s left`,
      },
      ...(pictureId === undefined
        ? []
        : [
            {
              kind: 'picture',
              pictureId,
              width: 1280,
              height: 720,
              alt: 'Training loss falls from 0.69 to 0.41, held-out loss from 0.68 to 0.47',
            } as const,
          ]),
      {
        kind: 'table',
        caption: 'On the held-out examples',
        columns: [
          { label: 'class', align: 'left' },
          { label: 'precision', align: 'right' },
          { label: 'recall', align: 'right' },
          { label: 'F1', align: 'right' },
        ],
        rows: [
          ['bad', '0.84', '0.79', '0.81'],
          ['good', '0.81', '0.86', '0.83'],
        ],
      },
      {
        kind: 'buttons',
        buttons: [
          { label: 'Stop', style: 'danger', call: { command: 'run', args: { step: 80 } } },
          { label: 'Details', style: 'secondary', call: { command: 'run', args: { step: 60 } } },
        ],
      },
      { kind: 'file', path: 'runs/7/adapter_model.safetensors', name: 'adapter_model.safetensors', bytes: 312_480 },
    ],
  };
}
