// What was found in somebody's data, and what is worth knowing before training on it.
import type { Dataset } from '../../engine/index.ts';
import { code, plain, shorten } from './escape.ts';
import type { Block, Reply } from './message.ts';
import { short } from './metrics-words.ts';
import { reply, text } from './reply.ts';
import { taskWords } from './task-words.ts';

const shownLabels = 12;
const shownSamples = 3;

export function describeDataset({ name, report }: Dataset): Reply {
  const { tasks, numbers, labels, samples, warnings, skipped, skippedCount } = report;
  const { found, teaches } = taskWords[tasks[0]];
  const blocks: Block[] = [
    text(`**${plain(name, 80)}**: ${found(report, code)}. ${capital(teaches)}.${describeLengths(report)}`),
  ];
  if (numbers) {
    blocks.push(
      text(`The numbers go from ${short(numbers.min)} to ${short(numbers.max)}, ${short(numbers.mean)} on average.`),
    );
  }
  if (labels.length > 0) blocks.push(labelTable(report));
  else if (samples.some(({ label }) => label !== '')) blocks.push(sampleTable(samples));
  const notes = [
    ...warnings,
    ...(skippedCount === 0
      ? []
      : [`${skippedCount} rows left out, for example line ${skipped[0]?.line}: ${skipped[0]?.reason}.`]),
  ];
  if (notes.length > 0) blocks.push(text(notes.map((note) => `- ${plain(note, 300)}`).join('\n')));
  return reply(...blocks);
}

const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

function describeLengths({ tasks, textLength }: Dataset['report']): string {
  if (textLength === undefined) return '';
  const unit = tasks[0] === 'token-classification' ? 'words' : 'characters';
  return ` Half of the texts are shorter than ${textLength.median} ${unit}.`;
}

const plural = { Tag: 'Tags', Class: 'Classes', Label: 'Labels' } as const;

function labelTable({ tasks, labels }: Dataset['report']): Block {
  const [what, things] =
    tasks[0] === 'token-classification'
      ? (['Tag', 'Words'] as const)
      : tasks[0] === 'image-classification'
        ? (['Class', 'Pictures'] as const)
        : (['Label', 'Examples'] as const);
  const all = labels.reduce((sum, { count }) => sum + count, 0);
  return {
    kind: 'table',
    caption: labels.length > shownLabels ? `The ${shownLabels} commonest of ${labels.length}` : plural[what],
    columns: [
      { label: what, align: 'left' },
      { label: things, align: 'right' },
      { label: 'Share', align: 'right' },
    ],
    rows: labels
      .toSorted((a, b) => b.count - a.count)
      .slice(0, shownLabels)
      .map(({ label, count }) => [label, count.toLocaleString('en'), `${((count / all) * 100).toFixed(0)} %`]),
  };
}

function sampleTable(samples: Dataset['report']['samples']): Block {
  const line = (words: string) => shorten(words.replace(/\s+/g, ' ').trim(), 90);
  return {
    kind: 'table',
    caption: 'The first ones',
    columns: [
      { label: 'Text', align: 'left' },
      { label: 'Answer', align: 'left' },
    ],
    rows: samples.slice(0, shownSamples).map(({ text, label }) => [line(text), line(label)]),
  };
}
