// How well texts and images find each other: recall in both directions beside chance, and the contrastive loss.
import type { RetrievalMetrics } from '../runs/events.ts';

export interface Retrieval {
  /** [texts, images], every text and image different. */
  readonly logits: Float32Array;
  readonly texts: number;
  readonly images: number;
  /** Which belong together; a text may have several images and an image several texts. */
  readonly pairs: readonly { readonly text: number; readonly image: number }[];
}

/** One direction: each question's logits over all answers, and which answers are right. */
interface Direction {
  readonly questions: number;
  readonly answers: number;
  at(question: number, answer: number): number;
  readonly right: readonly ReadonlySet<number>[];
}

export function retrievalMetrics({ logits, texts, images, pairs }: Retrieval): RetrievalMetrics {
  const at = (text: number, image: number) => logits[text * images + image] ?? Number.NaN;
  const group = (count: number, key: 'text' | 'image', value: 'text' | 'image') => {
    const sets = Array.from({ length: count }, () => new Set<number>());
    for (const pair of pairs) sets[pair[key]]?.add(pair[value]);
    return sets;
  };
  const ofImages: Direction = {
    questions: images,
    answers: texts,
    at: (image, text) => at(text, image),
    right: group(images, 'image', 'text'),
  };
  const ofTexts: Direction = { questions: texts, answers: images, at, right: group(texts, 'text', 'image') };
  return {
    kind: 'retrieval',
    loss: (lossOf(ofImages) + lossOf(ofTexts)) / 2,
    chanceLoss: (chanceLossOf(ofImages) + chanceLossOf(ofTexts)) / 2,
    imageToText: recallOf(ofImages),
    textToImage: recallOf(ofTexts),
    images,
    texts,
    examples: pairs.length,
  };
}

/** Mean over pairs of −log softmax, the question's other right answers left out. */
function lossOf(direction: Direction): number {
  return meanOfPairs(direction, (question, right) => {
    const { answers, at } = direction;
    const wrong = Array.from({ length: answers }, (_, answer) => answer).filter(
      (answer) => !direction.right[question]?.has(answer),
    );
    const values = [right, ...wrong].map((answer) => at(question, answer));
    const highest = Math.max(...values);
    const sum = values.reduce((total, value) => total + Math.exp(value - highest), 0);
    return highest + Math.log(sum) - at(question, right);
  });
}

const chanceLossOf = (direction: Direction) =>
  meanOfPairs(direction, (question) => Math.log(direction.answers - (direction.right[question]?.size ?? 0) + 1));

function meanOfPairs({ right }: Direction, lossOfPair: (question: number, answer: number) => number): number {
  let sum = 0;
  let count = 0;
  for (const [question, answers] of right.entries()) {
    for (const answer of answers) {
      sum += lossOfPair(question, answer);
      count++;
    }
  }
  return sum / count;
}

function recallOf(direction: Direction): RetrievalMetrics['imageToText'] {
  const ranks = direction.right.map((_, question) => rankOfBest(direction, question));
  const recall = (first: number) => ranks.filter((rank) => rank < first).length / direction.questions;
  const chance = (first: number) => {
    const shares = direction.right.map(({ size }) => chanceOf(size, direction.answers, first));
    return shares.reduce((sum, share) => sum + share, 0) / direction.questions;
  };
  return { recallAt1: recall(1), recallAt5: recall(5), chanceAt1: chance(1), chanceAt5: chance(5) };
}

/** How many wrong answers stand before the best right one; equal ones count as before it, so that a constant finds nothing. */
function rankOfBest({ answers, at, right }: Direction, question: number): number {
  const own = right[question] ?? new Set();
  const best = Math.max(...Array.from(own, (answer) => at(question, answer)));
  let before = 0;
  for (let answer = 0; answer < answers; answer++) {
    if (!own.has(answer) && !(at(question, answer) < best)) before++;
  }
  return before;
}

/** That at least one of `right` answers is among the `first` of a random order: 1 − Π (wrong − i) ÷ (all − i). */
function chanceOf(right: number, all: number, first: number): number {
  let none = 1;
  for (let i = 0; i < Math.min(first, all); i++) none *= Math.max(0, all - right - i) / (all - i);
  return 1 - none;
}
