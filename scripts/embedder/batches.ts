// Draws batches of pairs: two texts of one section, each section at most once, so that every other text is a wrong answer.
import type { FloatTensor, Tensor } from '../../engine/graph/tensor.ts';
import type { Random } from '../../engine/random.ts';
import { type Feature, featuresOf, readWords } from '../../knowledge/embed/features.ts';
import { type BatchShape, floatFeed } from './network.ts';
import type { Subject } from './texts.ts';

export interface Batching {
  readonly subjects: readonly Subject[];
  readonly shape: BatchShape;
  readonly tableRows: number;
  readonly random: Random;
  readonly disturb: (text: string) => string;
}

export interface PairBatch {
  /** For each word of each text the rows of the table it is made of; none for padding. */
  readonly places: readonly (readonly Feature[])[];
  readonly feeds: { readonly [name: string]: Tensor };
}

const padding = -10_000;
/** How often a word is shown without its own row, and without its stem's: its pieces must carry it then. */
const hideWord = 0.45;
const hideStem = 0.3;
const hidePiece = 0.1;

export function createBatches(batching: Batching): () => PairBatch {
  const { subjects, shape, random } = batching;
  let waiting: Subject[] = [];
  return () => {
    if (waiting.length < shape.pairs) waiting = random.shuffle(subjects);
    const pairs = waiting.splice(0, shape.pairs).map((subject) => drawPair(subject, batching));
    return assemble([...pairs.map(([first]) => first), ...pairs.map(([, second]) => second)], batching);
  };
}

/** Upper ends of the shares of two sentences, two wordings, a wording and a title; the rest is a wording and a sentence. */
const sentencePairs = 0.15;
const askPairs = 0.6;
const titlePairs = 0.7;

function drawPair({ asks, titles, sentences }: Subject, { random, disturb }: Batching): [string, string] {
  const pick = (items: readonly string[]) => items[random.below(Math.max(1, items.length))] ?? '';
  const chance = random.next();
  if (asks.length === 0 || (chance < sentencePairs && sentences.length > 1)) {
    const at = random.below(Math.max(1, sentences.length - 1));
    return [disturb(sentences[at] ?? ''), sentences[at + 1] ?? pick(titles)];
  }
  const first = pick(asks);
  const hasOnlyAsks = titles.length === 0 && sentences.length === 0;
  if ((chance < askPairs || hasOnlyAsks) && asks.length > 1)
    return [disturb(first), disturb(pick(asks.filter((ask) => ask !== first)))];
  if (chance < titlePairs || sentences.length === 0) return [disturb(first), pick(titles)];
  return [disturb(first), pick(sentences)];
}

function assemble(texts: readonly string[], { shape: { pairs, length }, tableRows, random }: Batching): PairBatch {
  const words = new Map<string, Feature[]>();
  const places: (readonly Feature[])[] = Array.from({ length: 2 * pairs * length }, () => []);
  const mask = new Float32Array(2 * pairs * length).fill(padding);
  for (const [row, text] of texts.entries()) {
    for (const [at, word] of readWords(text).slice(0, length).entries()) {
      const features = words.get(word) ?? showFeatures(word, tableRows, random);
      words.set(word, features);
      places[row * length + at] = features;
      mask[row * length + at] = 0;
    }
  }
  const targets = new Float32Array(pairs * pairs);
  for (let pair = 0; pair < pairs; pair++) targets[pair * pairs + pair] = 1 / pairs;
  return {
    places,
    feeds: { padding: floatFeed([2 * pairs, 1, 1, length], mask), targets: floatFeed([pairs, pairs], targets) },
  };
}

function showFeatures(word: string, tableRows: number, random: Random): Feature[] {
  const [own, stemmed, ...pieces] = featuresOf(word, tableRows);
  const shown = [random.next() < hideWord ? undefined : own, random.next() < hideStem ? undefined : stemmed];
  return [...shown.flatMap((feature) => feature ?? []), ...pieces.filter(() => random.next() >= hidePiece)];
}

/** @returns [places, dimensions]: the sum of each place's rows; zeros for padding. */
export function sumRows(places: PairBatch['places'], { shape, data }: FloatTensor): Tensor {
  const dimensions = shape[1] ?? 0;
  const sums = new Float32Array(places.length * dimensions);
  const known = new Map<readonly Feature[], number>();
  for (const [place, features] of places.entries()) {
    const to = place * dimensions;
    const before = known.get(features);
    if (before !== undefined) {
      sums.copyWithin(to, before, before + dimensions);
      continue;
    }
    for (const { row, weight } of features) {
      const from = row * dimensions;
      for (let i = 0; i < dimensions; i++) sums[to + i] = (sums[to + i] ?? 0) + weight * (data[from + i] ?? 0);
    }
    known.set(features, to);
  }
  return floatFeed([places.length, dimensions], sums);
}

/** The way back of `sumRows`: what each row of the table gets of the gradient of the sums. */
export function spreadToRows(
  places: PairBatch['places'],
  gradient: Float32Array,
  { shape }: FloatTensor,
): Float32Array {
  const [rows = 0, dimensions = 0] = shape;
  const spread = new Float32Array(rows * dimensions);
  const sums = new Map<readonly Feature[], Float32Array>();
  for (const [place, features] of places.entries()) {
    if (features.length === 0) continue;
    const sum = sums.get(features) ?? new Float32Array(dimensions);
    const from = place * dimensions;
    for (let i = 0; i < dimensions; i++) sum[i] = (sum[i] ?? 0) + (gradient[from + i] ?? 0);
    sums.set(features, sum);
  }
  for (const [features, sum] of sums) {
    for (const { row, weight } of features) {
      const to = row * dimensions;
      for (let i = 0; i < dimensions; i++) spread[to + i] = (spread[to + i] ?? 0) + weight * (sum[i] ?? 0);
    }
  }
  return spread;
}
