// `finetutor predict`: a trained artifact on texts, one by one, in order.
import { z } from 'zod';
import { loadTraining, UserError } from '../../engine/index.ts';
import { percent } from '../chat/run-card.ts';
import { answerLines } from './lines.ts';
import { printJson, printWords } from './print.ts';

const request = z.object({ text: z.string({ error: 'needs "text", a text' }) });

export async function predict(
  artifact: string,
  text: string,
  { jsonl, device }: { jsonl?: boolean; device: string },
): Promise<void> {
  if (!jsonl && text === '') throw new UserError('There is no text.', 'Write it after the artifact, or use --jsonl.');
  const { loadClassifier } = await loadTraining();
  const classifier = await loadClassifier(artifact, { device });
  const classify = async (words: string) => {
    const [prediction] = await classifier.predict([words]);
    if (prediction === undefined) throw new Error(`${artifact} gave no prediction for a text`);
    return prediction;
  };
  try {
    if (jsonl) {
      const refused = await answerLines(process.stdin, printJson, request, ({ text }) => classify(text));
      if (refused > 0) process.exitCode = 1;
    } else {
      const { label, scores } = await classify(text);
      const ranked = Object.entries(scores).sort(([, a], [, b]) => b - a);
      printWords([label, ...ranked.map(([name, score]) => `  ${percent(score).padStart(7)}  ${name}`)].join('\n'));
    }
  } finally {
    await classifier.close();
  }
}
