// `finetutor predict`: a trained artifact on texts or pictures, one by one, in order.
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import {
  type Comparison,
  loadTraining,
  type TaskName,
  UserError,
  type WritingOptions,
  writingSchema,
} from '../../engine/index.ts';
import { predictionInWords } from '../chat/prediction-words.ts';
import { refuse } from '../chat/refuse.ts';
import { processEnvironment, readConfig } from '../config.ts';
import { answerLines } from './lines.ts';
import { printJson, printWords } from './print.ts';

interface Options {
  readonly jsonl?: boolean;
  readonly json?: boolean;
  readonly image?: readonly string[];
  readonly caption?: readonly string[];
  readonly device: string;
  readonly maxTokens?: string;
  readonly temperature?: string;
  readonly topP?: string;
  readonly seed?: string;
}

const mostPictureBytes = 64 * 2 ** 20;

const textLine = z.object({ text: z.string({ error: 'needs "text", a text' }) });
const pictureLine = z.object({ image: z.string({ error: 'needs "image", the path of a picture' }).min(1) });
const captions = z.array(z.string().trim().min(1)).min(1);
const comparisonLine = z.union(
  [
    z.object({ image: z.string().min(1), captions }),
    z.object({ caption: z.string().trim().min(1), images: z.array(z.string().min(1)).min(1) }),
  ],
  { error: 'needs "image" and "captions", or "caption" and "images"' },
);

export async function predict(artifact: string, text: string, options: Options): Promise<void> {
  const { jsonl, json, image = [], caption = [], device } = options;
  const writing = readWriting(options);
  if ([jsonl === true, image.length > 0, text !== ''].filter(Boolean).length !== 1) {
    throw new UserError(
      'It takes one of: a text, --image or --jsonl.',
      'Write a text after the artifact, give a picture with --image, or pipe in JSON lines with --jsonl.',
    );
  }
  const { loadPredictor } = await loadTraining();
  const { hub } = readConfig(processEnvironment());
  const predictor = await loadPredictor(artifact, { device, hub });
  const { task } = predictor;
  const seesPictures = task === 'image-classification' || task === 'image-text';
  const answer = async (input: string) => {
    const [prediction] = await predictor.predict([input], writing);
    if (prediction === undefined) throw new Error(`${artifact} gave no prediction for an input`);
    return prediction;
  };
  try {
    if (jsonl) {
      const refused =
        task === 'image-text'
          ? await answerLines(process.stdin, printJson, comparisonLine, async (line) =>
              answer(
                'captions' in line
                  ? await readComparison([line.image], line.captions)
                  : await readComparison(line.images, [line.caption]),
              ),
            )
          : seesPictures
            ? await answerLines(process.stdin, printJson, pictureLine, async (line) =>
                answer(await readPicture(line.image)),
              )
            : await answerLines(process.stdin, printJson, textLine, (line) => answer(line.text));
      if (refused > 0) process.exitCode = 1;
      return;
    }
    if (seesPictures !== image.length > 0) {
      throw new UserError(
        `${artifact} was trained for ${task}: it reads ${seesPictures ? 'pictures' : 'texts'}.`,
        seesPictures ? 'Give one with --image.' : 'Write a text after the artifact.',
      );
    }
    const prediction = await answer(await readGiven(task, text, image, caption));
    if (json) printJson(prediction);
    else printWords(predictionInWords(prediction));
  } finally {
    await predictor.close();
  }
}

/** The input of one answer: a text, a picture, or pictures and captions to compare. */
async function readGiven(
  task: TaskName,
  text: string,
  images: readonly string[],
  captions: readonly string[],
): Promise<string> {
  if (task === 'image-text') return readComparison(images, captions);
  if (captions.length > 0) {
    throw new UserError(`A model for ${task} compares no captions.`, 'Leave --caption out.');
  }
  const [picture, second] = images;
  if (second !== undefined) throw new UserError('One picture is answered at a time.', 'Give --image once.');
  return picture === undefined ? text : readPicture(picture);
}

/** One picture with captions to choose from, or one caption with pictures. */
async function readComparison(images: readonly string[], captions: readonly string[]): Promise<string> {
  const [image, secondImage] = images;
  const [caption, secondCaption] = captions;
  if (image === undefined || caption === undefined || (secondImage !== undefined && secondCaption !== undefined)) {
    throw new UserError(
      `This model compares pictures with captions; ${images.length} and ${captions.length} were given.`,
      'Give one --image and several --caption, or one --caption and several --image.',
    );
  }
  const comparison: Comparison =
    secondImage === undefined
      ? { image: await readPicture(image), captions: [...captions] }
      : { caption, images: await Promise.all(images.map(async (name) => ({ name, image: await readPicture(name) }))) };
  return JSON.stringify(comparison);
}

/** @throws UserError naming the option, its value and what it must be. */
function readWriting({ maxTokens, temperature, topP, seed }: Options): WritingOptions {
  const given = Object.entries({ maxTokens, temperature, topP, seed }).filter(([, value]) => value !== undefined);
  const numbers = Object.fromEntries(given.map(([name, value]) => [name, toNumber(value ?? '')]));
  const writing = writingSchema.safeParse(numbers);
  if (writing.success) return writing.data;
  throw refuse(
    writing.error,
    numbers,
    'predict <artifact> <text> --max-tokens 200 --temperature 0.7 --top-p 0.9 --seed 1',
  );
}

/** What is no number stays as it was, to be refused by its words. */
function toNumber(written: string): number | string {
  const number = Number(written);
  return written.trim() === '' || Number.isNaN(number) ? written : number;
}

/** As the data URL that a predictor takes; what kind of picture it is, is seen from its bytes. */
async function readPicture(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UserError(`There is no picture ${path} that can be read.`, 'Give the path of a picture.', {
      cause: error,
    });
  });
  if (!found.isFile()) throw new UserError(`${path} is no file.`, 'Give the path of a picture.');
  if (found.size === 0) throw new UserError(`${path} is empty.`, 'Give another picture.');
  if (found.size > mostPictureBytes) {
    throw new UserError(
      `${path} has ${Math.ceil(found.size / 2 ** 20)} MB; a picture may have ${mostPictureBytes / 2 ** 20} MB.`,
      'Make it smaller.',
    );
  }
  return `data:image/any;base64,${(await readFile(path)).toString('base64')}`;
}
