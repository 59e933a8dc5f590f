// `finetutor predict`: a trained artifact on texts, one by one, in order.
import { z } from 'zod';
import { loadTraining, UserError } from '../../engine/index.ts';
import { predictionInWords } from '../chat/prediction-words.ts';
import { answerLines } from './lines.ts';
import { printJson, printWords } from './print.ts';

const request = z.object({ text: z.string({ error: 'needs "text", a text' }) });

export async function predict(
  artifact: string,
  text: string,
  { jsonl, device }: { jsonl?: boolean; device: string },
): Promise<void> {
  if (!jsonl && text === '') throw new UserError('There is no text.', 'Write it after the artifact, or use --jsonl.');
  const { loadPredictor } = await loadTraining();
  const predictor = await loadPredictor(artifact, { device });
  const answer = async (words: string) => {
    const [prediction] = await predictor.predict([words]);
    if (prediction === undefined) throw new Error(`${artifact} gave no prediction for a text`);
    return prediction;
  };
  try {
    if (jsonl) {
      const refused = await answerLines(process.stdin, printJson, request, ({ text }) => answer(text));
      if (refused > 0) process.exitCode = 1;
    } else {
      printWords(predictionInWords(await answer(text)));
    }
  } finally {
    await predictor.close();
  }
}
