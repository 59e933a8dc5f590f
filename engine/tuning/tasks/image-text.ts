// Contrastive training on pictures and their captions (CLIP): both towers learn to draw a pair together and others apart.
import { type CaptionedPicture, readCaptions } from '../../data/images/captions.ts';
import type { Tokenizer } from '../../data/tokenizer.ts';
import { UserError } from '../../errors.ts';
import { probabilities } from '../../evaluate/probabilities.ts';
import { retrievalMetrics } from '../../evaluate/retrieval.ts';
import type { ImageTextBase } from '../../models/image-base.ts';
import { createRandom } from '../../random.ts';
import { type Comparison, comparisonSchema } from '../../runs/comparison.ts';
import type { Prediction } from '../../runs/prediction.ts';
import type { SpecOf } from '../../runs/spec.ts';
import type { PixelRows } from '../features.ts';
import { contrastObjective, contrastTargets } from '../losses.ts';
import { readPictureUrl } from './picture-url.ts';
import { pixelRows } from './pixels.ts';
import { chooseSamples } from './samples.ts';
import { readSides, type Sides } from './sides.ts';
import type { Answering, EncodedTask, Feeds, Task } from './task.ts';
import { forEachBatch, type TextShape, textInputs } from './text-batches.ts';

type Spec = SpecOf<'image-text'>;

const evaluationRows = 16;
/** Held-out pairs that are measured: their similarities are computed for all captions with all pictures. */
const mostMeasured = 1000;

export const imageText: Task<'image-text'> = {
  async read(spec) {
    const { data, hyper } = spec;
    const read = async (path: string) => {
      const set = await readCaptions(path, data.columns);
      return { items: set.pairs, warnings: set.warnings };
    };
    // All captions of a picture stand on the same side.
    const sides = await readSides(data, hyper.seed, read, ({ hash }) => hash);
    const { train, held, warnings } = sides;
    return {
      head: { kind: 'contrast' },
      labels: [],
      texts: train.map(({ caption }) => caption),
      trainExamples: train.length,
      warnings: [
        ...warnings,
        ...(hyper.accumulate > 1
          ? [
              'A pair is told apart from the others of its own batch only: accumulate adds none, a larger batchSize does.',
            ]
          : []),
      ],
      fingerprint: [...train, ...held].map(({ hash, caption }) => JSON.stringify([hash, caption])),
      encodePairs: (base, { maxLength }) => encode(spec, sides, base, maxLength),
    };
  },
  async predict(network, { base, maxLength }, inputs) {
    const answers: Prediction[] = [];
    for (const input of inputs) answers.push(await compare(network, base, maxLength, readComparison(input)));
    return answers;
  },
  pipeline: 'zero-shot-image-classification',
  peftType: null,
};

function readComparison(input: string): Comparison {
  const hint = 'Give a picture and captions to choose from, or a caption and pictures.';
  let given: unknown;
  try {
    given = JSON.parse(input);
  } catch (error) {
    throw new UserError('That is nothing to compare.', hint, { cause: error });
  }
  const parsed = comparisonSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new UserError('That is nothing to compare: a picture, or what to compare it with, is missing.', hint);
}

/** Softmax over the captions or pictures given, as zero-shot classification does (Radford et al. 2021). */
async function compare(
  network: Answering,
  base: ImageTextBase,
  maxLength: number,
  asked: Comparison,
): Promise<Prediction> {
  const [captions, pictures] =
    'captions' in asked
      ? [[...new Set(asked.captions)], [{ name: 'the picture', image: asked.image }]]
      : [[asked.caption], asked.images];
  const shape = { padId: base.tokenizer.padId, maxLength };
  const texts = await textVectors(
    network,
    captions.map((caption) => base.tokenizer.encode(caption, maxLength)),
    shape,
  );
  const readable = pictures.map(({ name, image }) => ({ name, read: async () => readPictureUrl(image) }));
  const images = await imageVectors(network, pixelRows(readable, base.preprocessor));
  const [scores = []] = probabilities(products(texts, images), Math.max(texts.count, images.count));
  const names = 'captions' in asked ? captions : pictures.map(({ name }) => name);
  return {
    kind: 'classification',
    label: names[scores.indexOf(Math.max(...scores))] ?? '',
    scores: Object.fromEntries(names.map((name, at) => [name, scores[at] ?? 0])),
  };
}

interface Vectors {
  readonly count: number;
  /** [count, width] */
  readonly data: Float32Array;
}

/** Ids as feeds; of each row the place of its last token, where the model reads the text's vector. */
function captionInputs(captions: readonly (readonly number[])[], rows: number, shape: TextShape): Feeds {
  const { inputs, length } = textInputs(captions, rows, shape);
  const ends = Int32Array.from(
    { length: rows },
    (_, row) => row * length + Math.max(0, (captions[row]?.length ?? 1) - 1),
  );
  return { ...inputs, ends: { type: 'int32', shape: [rows], data: ends } };
}

async function textVectors(
  network: Answering,
  captions: readonly (readonly number[])[],
  shape: TextShape,
): Promise<Vectors> {
  const rows = Math.min(evaluationRows, captions.length);
  let data = new Float32Array(0);
  await forEachBatch(captions, rows, async (indices, chosen) => {
    const answer = await network.answer(captionInputs(chosen, rows, shape));
    const width = answer.length / rows;
    if (data.length === 0) data = new Float32Array(captions.length * width);
    indices.forEach((index, row) => {
      data.set(answer.subarray(row * width, (row + 1) * width), index * width);
    });
  });
  return { count: captions.length, data };
}

async function imageVectors(network: Answering, pixels: PixelRows): Promise<Vectors> {
  const rows = Math.min(evaluationRows, pixels.count);
  let data = new Float32Array(0);
  for (let start = 0; start < pixels.count; start += rows) {
    const indices = Array.from({ length: Math.min(rows, pixels.count - start) }, (_, at) => start + at);
    const answer = await network.answer(await pixels.load(indices, rows));
    const width = answer.length / rows;
    if (data.length === 0) data = new Float32Array(pixels.count * width);
    data.set(answer.subarray(0, indices.length * width), start * width);
  }
  return { count: pixels.count, data };
}

/** Logits [texts, images]: the texts' vectors carry the scale. */
function products(texts: Vectors, images: Vectors): Float32Array {
  const width = texts.data.length / texts.count;
  const logits = new Float32Array(texts.count * images.count);
  for (let text = 0; text < texts.count; text++) {
    for (let image = 0; image < images.count; image++) {
      let sum = 0;
      for (let at = 0; at < width; at++)
        sum += (texts.data[text * width + at] ?? 0) * (images.data[image * width + at] ?? 0);
      logits[text * images.count + image] = sum;
    }
  }
  return logits;
}

function encode({ hyper }: Spec, { train, held }: Sides<CaptionedPicture>, base: ImageTextBase, maxLength: number) {
  const { tokenizer, preprocessor } = base;
  const shape = { padId: tokenizer.padId, maxLength };
  const captions = train.map(({ caption }) => tokenizer.encode(caption, maxLength));
  const pixels = pixelRows(train, preprocessor);
  // What is the same picture or the same words to the model is no wrong pair.
  const words = train.map(({ caption }) => caption.toLowerCase());
  const measured = takeSome(held, hyper.seed);
  const encoded: EncodedTask = {
    objective: contrastObjective,
    lengths: captions.map((ids) => ids.length),
    heldExamples: held.length,
    warnings: [
      ...cutCaptions(train, tokenizer, maxLength),
      ...(measured.length === held.length
        ? []
        : [`Recall is measured on ${measured.length} of the ${held.length} held-out pairs, drawn by the seed.`]),
    ],
    async trainingBatch(chosen, rows) {
      const { targets, weight } = contrastTargets(chosen.length, rows, (text, image) => {
        const [one = -1, other = -1] = [chosen[text], chosen[image]];
        return train[one]?.hash === train[other]?.hash || words[one] === words[other];
      });
      const texts = chosen.map((index) => captions[index] ?? []);
      return {
        inputs: { ...(await pixels.load(chosen, rows)), ...captionInputs(texts, rows, shape) },
        targets,
        weight,
      };
    },
    measure: measureOn(measured, base, shape, hyper.seed),
    record: {},
  };
  return encoded;
}

/** As many as are measured, in their own order, pictures whole. */
function takeSome(held: readonly CaptionedPicture[], seed: number): readonly CaptionedPicture[] {
  const chosen = new Set<string>();
  let pairs = 0;
  for (const hash of createRandom(seed).shuffle([...new Set(held.map((pair) => pair.hash))])) {
    pairs += held.filter((pair) => pair.hash === hash).length;
    if (pairs > mostMeasured && chosen.size > 0) break;
    chosen.add(hash);
  }
  return held.filter(({ hash }) => chosen.has(hash));
}

function cutCaptions(train: readonly CaptionedPicture[], tokenizer: Tokenizer, maxLength: number): string[] {
  const cut = train.filter(({ caption }) => tokenizer.encode(caption, Number.POSITIVE_INFINITY).length > maxLength);
  return cut.length === 0 ? [] : [`${cut.length} captions are longer than ${maxLength} tokens and are cut.`];
}

/** Compares the held-out pairs' captions with all of their pictures; what is decoded once is kept. */
function measureOn(
  held: readonly CaptionedPicture[],
  base: ImageTextBase,
  shape: TextShape,
  seed: number,
): EncodedTask['measure'] {
  const captions = [...new Set(held.map(({ caption }) => caption))];
  const pictures = [...new Map(held.map((pair) => [pair.hash, pair])).values()];
  const textOf = new Map(captions.map((caption, at) => [caption, at]));
  const imageOf = new Map(pictures.map(({ hash }, at) => [hash, at]));
  const pairs = held.map(({ caption, hash }) => ({ text: textOf.get(caption) ?? 0, image: imageOf.get(hash) ?? 0 }));
  const ids = captions.map((caption) => base.tokenizer.encode(caption, shape.maxLength));
  const pixels = pixelRows(pictures, base.preprocessor);
  return async (network) => {
    const texts = await textVectors(network, ids, shape);
    const images = await imageVectors(network, pixels);
    const logits = products(texts, images);
    return {
      metrics: retrievalMetrics({ logits, texts: texts.count, images: images.count, pairs }),
      async samples() {
        return chooseSamples(pictures.length, seed).flatMap((image) => {
          const picture = pictures[image];
          if (!picture) return [];
          const own = Float32Array.from(captions, (_, text) => logits[text * images.count + image] ?? 0);
          const [scores = []] = probabilities(own, captions.length);
          const confidence = Math.max(...scores);
          const predicted = captions[scores.indexOf(confidence)] ?? '';
          return [{ text: picture.name, actual: picture.caption, predicted, confidence }];
        });
      },
    };
  };
}
