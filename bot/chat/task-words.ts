// The tasks in the words of people who never heard of them: in the form, on the card, and of the data they need.
import type { Dataset, TaskName } from '../../engine/index.ts';

interface TaskWords {
  /** What somebody wants: an option of the form. */
  readonly wish: string;
  readonly description: string;
  /** Ends “it …” of the data. */
  readonly teaches: string;
  /** What was found in the data, in a sentence without its end. */
  readonly found: (report: Dataset['report'], quote?: (name: string) => string) => string;
}

const number = (count: number) => count.toLocaleString('en');
const quoted = (name: string) => `"${name}"`;

export const taskWords: { readonly [T in TaskName]: TaskWords } = {
  'text-classification': {
    wish: 'Classify texts',
    description: 'a label for each text, such as positive or negative',
    teaches: 'it teaches a model to classify texts',
    found: ({ rows, labels, textColumn, labelColumn }, quote = quoted) =>
      `${number(rows)} examples, ${labels.length} labels; text from ${quote(textColumn)}, label from ${quote(labelColumn)}`,
  },
  regression: {
    wish: 'Predict a number',
    description: 'a number for each text, such as a rating or a price',
    teaches: 'it teaches a model to predict a number',
    found: ({ rows, textColumn, labelColumn }, quote = quoted) =>
      `${number(rows)} examples with a number; text from ${quote(textColumn)}, number from ${quote(labelColumn)}`,
  },
  'token-classification': {
    wish: 'Tag words',
    description: 'a tag for each word, such as names of people and places',
    teaches: 'it teaches a model to tag words',
    found: ({ rows, labels }) => `${number(rows)} sentences, ${labels.length} different tags on their words`,
  },
  'causal-lm': {
    wish: 'Teach a chat model',
    description: 'questions and answers, chats, or plain texts to go on writing',
    teaches: 'it teaches a model to write',
    found: ({ rows, tasks }) => `${number(rows)} ${tasks.includes('masked-lm') ? 'texts' : 'chats'}`,
  },
  'masked-lm': {
    wish: 'Fill in hidden words',
    description: 'plain texts: an encoder gets to know their language',
    teaches: 'it teaches a model to fill in hidden words',
    found: ({ rows }) => `${number(rows)} texts`,
  },
  'image-classification': {
    wish: 'Classify pictures',
    description: 'a zip with one folder of pictures a class',
    teaches: 'it teaches a model to classify pictures',
    found: ({ rows, labels }) => `${number(rows)} pictures in ${labels.length} classes`,
  },
  'image-text': {
    wish: 'Match pictures and texts',
    description: 'a zip of pictures and one table with a caption for each',
    teaches: 'it teaches a model which words fit which picture',
    found: ({ rows, textColumn, labelColumn }, quote = quoted) =>
      `${number(rows)} pictures with a caption; pictures from ${quote(labelColumn)}, captions from ${quote(textColumn)}`,
  },
};
