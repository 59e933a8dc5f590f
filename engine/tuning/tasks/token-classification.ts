// Token classification: one tag a word, told by the word's first piece.
import { readTagged, type TaggedSentence } from '../../data/tagged.ts';
import type { Tokenizer } from '../../data/tokenizer.ts';
import { UserError } from '../../errors.ts';
import { classificationMetrics } from '../../evaluate/classification.ts';
import { entityScores } from '../../evaluate/entities.ts';
import { probabilities } from '../../evaluate/probabilities.ts';
import type { Base } from '../../models/base.ts';
import type { SpecOf } from '../../runs/spec.ts';
import { classObjective, classTargets } from '../losses.ts';
import { chooseSamples } from './samples.ts';
import { readSides, type Sides } from './sides.ts';
import type { Answering, EncodedTask, Task } from './task.ts';
import { evaluation_rows, forEachBatch, predictionRows, type TextShape, textInputs } from './text-batches.ts';

type Spec = SpecOf<'token-classification'>;

interface EncodedSentence {
  readonly ids: readonly number[];
  /** Where each word's first piece stands; words that were cut off have none. */
  readonly starts: readonly number[];
}

export const tokenClassification: Task<'token-classification'> = {
  async read(spec) {
    const { data, hyper } = spec;
    const read = (path: string) => readTagged(path, data.columns, path === data.train ? 'training' : 'evaluation');
    const sides = await readSides(data, hyper.seed, read, ({ words }) => words.join(' ').toLowerCase());
    const { train, held, warnings } = sides;
    // A rare tag may have gone to the held-out part of one file; a second file must not bring new ones.
    const known = typeof data.eval === 'number' ? [...train, ...held] : train;
    const labels = [...new Set(known.flatMap(({ tags }) => tags))].sort();
    refuseUnseenTags(labels, held);
    return {
      head: { kind: 'token-classification', labels: labels.length },
      labels,
      texts: train.map(({ words }) => words.join(' ')),
      trainExamples: train.length,
      warnings,
      fingerprint: [...train, ...held].map((sentence) => JSON.stringify(sentence)),
      encode: (base, { maxLength }) => encode(spec, sides, labels, base, maxLength),
    };
  },
  async predict(network, { base, labels, maxLength }, texts) {
    const words = texts.map(splitWords);
    const encoded = words.map((one) => encodeWords(base.tokenizer, one, maxLength));
    const shape = { padId: base.tokenizer.padId, maxLength };
    const logits = await answerWords(network, encoded, labels.length, predictionRows(texts.length), shape);
    return words.map((one, index) => ({
      kind: 'tokens',
      words: probabilities(logits[index] ?? new Float32Array(), labels.length).map((row, at) => {
        const score = Math.max(...row);
        return { word: one[at] ?? '', label: labels[row.indexOf(score)] ?? '', score };
      }),
    }));
  },
  pipeline: 'token-classification',
  peftType: 'TOKEN_CLS',
};

/** Words and marks, as tagged data has them: `Ada's` is `Ada` and `'s`. */
function splitWords(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+(?:[-.][\p{L}\p{N}_]+)*|'\p{L}+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

function encodeWords(tokenizer: Tokenizer, words: readonly string[], maxLength: number): EncodedSentence {
  const ids: number[] = [];
  const starts: number[] = [];
  words.forEach((word, index) => {
    starts.push(ids.length);
    const pieces = tokenizer.encodePart(index === 0 ? word : ` ${word}`);
    // A word of signs that the tokenizer drops still has its tag.
    ids.push(...(pieces.length > 0 ? pieces : [tokenizer.unknownId ?? tokenizer.padId]));
  });
  const { ids: wrapped, opening } = tokenizer.wrap(ids, maxLength);
  const closing = tokenizer.wrap([], maxLength).ids.length - opening;
  const end = wrapped.length - closing;
  return { ids: wrapped, starts: starts.map((start) => start + opening).filter((start) => start < end) };
}

/** The logits of each sentence's words: [words, labels]. */
async function answerWords(
  network: Answering,
  sentences: readonly EncodedSentence[],
  labels: number,
  rows: number,
  shape: TextShape,
): Promise<Float32Array[]> {
  const answers: Float32Array[] = sentences.map(() => new Float32Array());
  const ids = sentences.map((sentence) => sentence.ids);
  await forEachBatch(ids, rows, async (indices, chosen) => {
    const { inputs, length } = textInputs(chosen, rows, shape);
    const answer = await network.answer(inputs);
    indices.forEach((index, row) => {
      const starts = sentences[index]?.starts ?? [];
      const logits = new Float32Array(starts.length * labels);
      starts.forEach((start, at) => {
        const from = (row * length + start) * labels;
        logits.set(answer.subarray(from, from + labels), at * labels);
      });
      answers[index] = logits;
    });
  });
  return answers;
}

function encode(
  { hyper }: Spec,
  { train, held }: Sides<TaggedSentence>,
  labels: readonly string[],
  base: Base,
  maxLength: number,
): EncodedTask {
  const { tokenizer } = base;
  const shape = { padId: tokenizer.padId, maxLength };
  const encodeAll = (set: readonly TaggedSentence[]) =>
    set.map(({ words }) => encodeWords(tokenizer, words, maxLength));
  const trained = encodeAll(train);
  const measured = encodeAll(held);
  const cut = trained.filter(({ starts }, index) => starts.length < (train[index]?.words.length ?? 0)).length;
  const weights = labels.map(() => 1);
  const idOf = new Map(labels.map((label, id) => [label, id]));
  return {
    objective: classObjective,
    lengths: trained.map(({ ids }) => ids.length),
    heldExamples: held.length,
    warnings:
      cut === 0 ? [] : [`${cut} sentences are longer than ${maxLength} tokens: their last words are not learnt.`],
    trainingBatch(chosen, rows) {
      const sentences = chosen.map((index) => trained[index] ?? { ids: [], starts: [] });
      const { inputs, length } = textInputs(
        sentences.map(({ ids }) => ids),
        rows,
        shape,
      );
      const answers = sentences.flatMap(({ starts }, row) =>
        starts.map((start, word) => ({
          row: row * length + start,
          label: idOf.get(train[chosen[row] ?? 0]?.tags[word] ?? '') ?? 0,
        })),
      );
      return { inputs, ...classTargets(answers, rows * length, weights, hyper.labelSmoothing) };
    },
    async measure(network) {
      const logits = await answerWords(network, measured, labels.length, evaluation_rows, shape);
      const actual = held.map(({ tags }, index) => tags.slice(0, measured[index]?.starts.length));
      const all = new Float32Array(logits.reduce((sum, { length }) => sum + length, 0));
      logits.reduce((at, one) => {
        all.set(one, at);
        return at + one.length;
      }, 0);
      const classes = actual.flat().map((tag) => idOf.get(tag) ?? 0);
      const predicted = logits.map((one) =>
        probabilities(one, labels.length).map((row) => labels[row.indexOf(Math.max(...row))] ?? ''),
      );
      const entities = entityScores(actual, predicted);
      return {
        metrics: {
          ...classificationMetrics({ actual: classes, logits: all, labels }),
          ...(entities === undefined ? {} : { entities }),
        },
        samples: async () =>
          chooseSamples(held.length, hyper.seed).map((index) => ({
            text: held[index]?.words.join(' ') ?? '',
            actual: inWords(held[index]?.words ?? [], actual[index] ?? []),
            predicted: inWords(held[index]?.words ?? [], predicted[index] ?? []),
          })),
      };
    },
    record: {},
  };
}

/** `Ada/B-PER works/O`, without the words outside any name where there are names. */
function inWords(words: readonly string[], tags: readonly string[]): string {
  const named = tags.flatMap((tag, index) => (tag === 'O' ? [] : [`${words[index] ?? ''}/${tag}`]));
  return named.length > 0 ? named.join(' ') : 'O';
}

function refuseUnseenTags(labels: readonly string[], held: readonly TaggedSentence[]): void {
  const known = new Set(labels);
  const unseen = [...new Set(held.flatMap(({ tags }) => tags))].filter((tag) => !known.has(tag));
  if (unseen.length === 0) return;
  throw new UserError(
    `The evaluation data has tags that the training data never shows: ${unseen.slice(0, 5).join(', ')}.`,
    'Check the spelling, add training sentences with them, or hold out a smaller part.',
  );
}
