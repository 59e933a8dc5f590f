// finetune: a form or a typed line → the data checked and described → a run in the queue with its live card.
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { type Dataset, hyperSchema, maxDatasetBytes, UserError } from '../../engine/index.ts';
import { type CommandContext, defineCommand, optionalText, typedNumber } from '../chat/command.ts';
import { code, plain } from '../chat/escape.ts';
import type { Block, Field, Json, Reply } from '../chat/message.ts';
import { reply, text } from '../chat/reply.ts';
import { splitWords } from '../chat/words.ts';

const { epochs, learningRate, batchSize, loraRank } = hyperSchema.shape;
/** The form's value for "a file of mine". */
const ownFile = 'upload';
const fileEndings = ['.csv', '.tsv', '.jsonl', '.json'];

const args = z.strictObject({
  data: optionalText,
  method: z.enum(['full', 'lora', 'qlora']).default('full'),
  epochs: typedNumber(epochs),
  learningRate: typedNumber(learningRate),
  batchSize: typedNumber(batchSize),
  loraRank: typedNumber(loraRank),
  textColumn: optionalText,
  labelColumn: optionalText,
});
type Args = z.output<typeof args>;

export const finetune = defineCommand({
  name: 'finetune',
  summary: 'train a text classifier on your own examples, or on a built-in sample',
  usage:
    'finetune [file or sample] [--method full|lora|qlora] [--epochs auto] [--learning-rate auto] [--batch-size 16] [--rank 8] [--text-column name] [--label-column name]',
  examples: ['finetune', 'finetune reviews.csv', 'finetune reviews.csv --method lora --rank 4 --epochs 5'],
  args,
  parse,
  isMeant: (rest) =>
    rest === '' || /^(--|\S+$|"[^"]+"|\S*\.(csv|tsv|jsonl|json)\b)/i.test(rest) || rest.includes(' --'),
  async *execute(given, context) {
    if (given.data === undefined && context.attachments.length === 0) {
      yield await offerForm(context);
      return;
    }
    const dataset = await findDataset(given, context);
    yield describe(dataset);
    if (given.data === undefined) yield await offerForm(context, dataset);
    else await launch(dataset, given, context);
  },
});

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

async function launch(dataset: Dataset, given: Args, { engine, place, person, showRun }: CommandContext) {
  const { textColumn, labelColumn } = dataset.report;
  const run = await engine.runs.submit({
    workspaceId: place.workspaceId,
    personId: person.id,
    front: place.front,
    conversationId: place.conversationId,
    datasetName: dataset.name,
    spec: {
      task: 'text-classification',
      method: given.method,
      data: { train: dataset.path, columns: { text: textColumn, label: labelColumn } },
      hyper: {
        batchSize: given.batchSize,
        loraRank: given.loraRank,
        ...(given.epochs === undefined ? {} : { epochs: given.epochs }),
        ...(given.learningRate === undefined ? {} : { learningRate: given.learningRate }),
      },
    },
  });
  await showRun(run);
}

const shownLabels = 12;

/** What was found in the data, and what is worth knowing before training on it. */
function describe({ name, report }: Dataset): Reply {
  const { rows, labels, textColumn, labelColumn, textLength, warnings, skipped, skippedCount } = report;
  const blocks: Block[] = [
    text(
      `**${plain(name, 80)}**: ${rows.toLocaleString('en')} examples, ${labels.length} labels. ` +
        `Text from ${code(textColumn)}, label from ${code(labelColumn)}; half of the texts are shorter than ${textLength?.median ?? 0} characters.`,
    ),
    {
      kind: 'table',
      caption: labels.length > shownLabels ? `The ${shownLabels} commonest of ${labels.length} labels` : 'Labels',
      columns: [
        { label: 'Label', align: 'left' },
        { label: 'Examples', align: 'right' },
        { label: 'Share', align: 'right' },
      ],
      rows: labels
        .toSorted((a, b) => b.count - a.count)
        .slice(0, shownLabels)
        .map(({ label, count }) => [label, count.toLocaleString('en'), `${((count / rows) * 100).toFixed(0)} %`]),
    },
  ];
  const notes = [
    ...warnings,
    ...(skippedCount === 0
      ? []
      : [`${skippedCount} rows left out, for example line ${skipped[0]?.line}: ${skipped[0]?.reason}.`]),
  ];
  if (notes.length > 0) blocks.push(text(notes.map((note) => `- ${plain(note, 300)}`).join('\n')));
  return reply(...blocks);
}

/** @param chosen data that came with the message, already checked: the form starts from it. */
async function offerForm({ engine, place }: CommandContext, chosen?: Dataset): Promise<Reply> {
  const kept = await engine.datasets.list(place.workspaceId);
  const options = [
    ...engine.datasets.samples.map(({ id, title, description }) => ({
      value: id,
      label: `Sample: ${title}`,
      description,
    })),
    ...kept.map(({ id, name, rows }) => ({
      value: id,
      label: name,
      description: `${rows.toLocaleString('en')} examples`,
    })),
    {
      value: ownFile,
      label: 'Upload my own file',
      description: 'CSV, TSV, JSON or JSON lines, a text and a label column',
    },
  ];
  const fields: readonly Field[] = [
    {
      kind: 'choice',
      id: 'data',
      label: 'Data',
      required: true,
      value: chosen?.id ?? options[0]?.value ?? ownFile,
      options,
    },
    {
      kind: 'file',
      id: 'file',
      label: 'File',
      hint: 'one example a row',
      required: true,
      accept: fileEndings,
      maxBytes: maxDatasetBytes,
      when: { field: 'data', is: [ownFile] },
    },
    ...['text', 'label'].map(
      (column): Field => ({
        kind: 'text',
        id: `${column}Column`,
        label: `${column === 'text' ? 'Text' : 'Label'} column`,
        hint: 'empty: found by itself',
        required: false,
        maxLength: 200,
        when: { field: 'data', is: [ownFile] },
      }),
    ),
    {
      kind: 'choice',
      id: 'method',
      label: 'Method',
      required: true,
      value: 'full',
      options: [
        { value: 'full', label: 'Full', description: 'every weight learns; best from scratch' },
        { value: 'lora', label: 'LoRA', description: 'small added matrices learn; small files' },
        { value: 'qlora', label: 'QLoRA', description: 'the same on a base kept in four bits; little memory' },
      ],
    },
    {
      kind: 'text',
      id: 'epochs',
      label: 'Epochs',
      hint: 'auto, or how often to go through the data',
      required: false,
      value: 'auto',
      maxLength: 20,
    },
    {
      kind: 'text',
      id: 'learningRate',
      label: 'Learning rate',
      hint: 'auto, or a number such as 0.001',
      required: false,
      value: 'auto',
      maxLength: 20,
    },
    numberField('batchSize', 'Batch size', batchSize.unwrap(), batchSize.parse(undefined)),
    {
      ...numberField('loraRank', 'LoRA rank', loraRank.unwrap(), loraRank.parse(undefined)),
      when: { field: 'method', is: ['lora', 'qlora'] },
    },
  ];
  return reply({
    kind: 'form',
    title: 'Fine-tune a text classifier',
    submitLabel: 'Start training',
    call: { command: 'finetune', args: {} },
    fields,
  });
}

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
