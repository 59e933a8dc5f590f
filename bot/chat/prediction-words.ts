// What a model answered, by its kind: as plain lines for a terminal, and as blocks for a chat.
import type { Prediction } from '../../engine/index.ts';
import { code, plain } from './escape.ts';
import type { Block } from './message.ts';
import { percent, short } from './metrics-words.ts';
import { text } from './reply.ts';

type Kind = Prediction['kind'];
type Of<K extends Kind> = Extract<Prediction, { kind: K }>;

interface Words<K extends Kind> {
  readonly lines: (prediction: Of<K>) => readonly string[];
  /** @param given what the model was asked. */
  readonly blocks: (prediction: Of<K>, given: string, run: string) => readonly Block[];
}

const shownScores = 10;
const ranked = ({ scores }: Of<'classification'>) => Object.entries(scores).sort(([, a], [, b]) => b - a);

const words: { readonly [K in Kind]: Words<K> } = {
  classification: {
    lines: (prediction) => [
      prediction.label,
      ...ranked(prediction).map(([name, score]) => `  ${percent(score).padStart(7)}  ${name}`),
    ],
    blocks: (prediction, given, run) => [
      text(`**${plain(prediction.label)}** · “${plain(given, 200)}”`),
      scoreTable(
        ranked(prediction).length > shownScores
          ? `${run}: the ${shownScores} likeliest labels`
          : `${run}: how sure it is`,
        'Label',
        ranked(prediction).slice(0, shownScores),
      ),
    ],
  },
  regression: {
    lines: ({ value }) => [short(value)],
    blocks: ({ value }, given) => [text(`**${short(value)}** · “${plain(given, 200)}”`)],
  },
  tokens: {
    lines: ({ words }) => words.map(({ word, label, score }) => `${percent(score).padStart(7)}  ${word}\t${label}`),
    blocks: ({ words }) => [
      ...entityTable(words),
      {
        kind: 'table',
        caption: 'Each word',
        columns: [
          { label: 'Word', align: 'left' },
          { label: 'Tag', align: 'left' },
          { label: 'Probability', align: 'right' },
        ],
        rows: words.map(({ word, label, score }) => [word, label, percent(score)]),
      },
    ],
  },
  continuation: {
    lines: (prediction) => [prediction.text],
    blocks: (prediction) => [
      text(prediction.text.trim() === '' ? '*It wrote nothing.*' : plain(prediction.text, 3000)),
    ],
  },
  filled: {
    lines: ({ text: whole, hidden }) => [
      whole,
      ...hidden.map((guesses) => guesses.map(({ token, score }) => `${token} ${percent(score)}`).join(', ')),
    ],
    blocks: ({ text: whole, hidden }, _given, run) => [
      text(code(whole)),
      ...hidden.slice(0, 5).map((guesses, index) =>
        scoreTable(
          `${run}: hidden word ${index + 1}`,
          'Word',
          guesses.map(({ token, score }): [string, number] => [token, score]),
        ),
      ),
    ],
  },
};

export function predictionInWords<K extends Kind>(prediction: Of<K>): string {
  return words[prediction.kind as K].lines(prediction).join('\n');
}

export function predictionBlocks<K extends Kind>(prediction: Of<K>, given: string, run: string): readonly Block[] {
  return words[prediction.kind as K].blocks(prediction, given, run);
}

function scoreTable(caption: string, what: string, scores: readonly (readonly [string, number])[]): Block {
  return {
    kind: 'table',
    caption,
    columns: [
      { label: what, align: 'left' },
      { label: 'Probability', align: 'right' },
    ],
    rows: scores.map(([name, probability]) => [name, percent(probability)]),
  };
}

interface Tagged {
  readonly word: string;
  readonly label: string;
}

/** Names of several words, where tags begin with B- and I- (Ramshaw and Marcus 1995). */
function entityTable(words: readonly Tagged[]): readonly Block[] {
  const found: { words: string[]; type: string }[] = [];
  let open: (typeof found)[number] | undefined;
  for (const { word, label } of words) {
    const [, position, type = ''] = /^([BI])-(.+)$/.exec(label) ?? [];
    if (position === undefined) open = undefined;
    else if (position === 'I' && open?.type === type) open.words.push(word);
    else {
      open = { words: [word], type };
      found.push(open);
    }
  }
  if (found.length === 0) return [];
  return [
    {
      kind: 'table',
      caption: 'Found',
      columns: [
        { label: 'Name', align: 'left' },
        { label: 'Kind', align: 'left' },
      ],
      rows: found.map(({ words, type }) => [words.join(' '), type]),
    },
  ];
}
