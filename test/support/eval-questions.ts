// Reads the blind questions of test/eval/questions; their README tells the format and how they are kept.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export const halves = ['dev', 'test'] as const;
export type Half = (typeof halves)[number];

/** Later development questions (dev-2.yaml), apart from the two halves: tuned on, and watched while tuning. */
export const laterHalves = ['tune', 'validation'] as const;
type LaterHalf = (typeof laterHalves)[number];

const words = z.string().min(1);

const questionSchema = z.strictObject({
  id: words,
  kind: z.enum(['answerable', 'unanswerable', 'false-premise', 'follow-up']),
  style: z.enum(['plain', 'casual', 'typo', 'terse', 'symptom', 'non-native']),
  turns: z.array(words).min(1),
  answers: z.array(words).default([]),
  facts: z.array(z.array(words).min(1)).default([]),
});

export type EvalQuestion = z.output<typeof questionSchema>;

const fileOf = (name: Half | 'dev-2') => new URL(`../eval/questions/${name}.yaml`, import.meta.url);

/** @throws ZodError when the file is not in the format its README tells. */
export function readQuestions(half: Half | LaterHalf): readonly EvalQuestion[] {
  const isLater = half === 'tune' || half === 'validation';
  const questions = z.array(questionSchema).parse(parse(readFileSync(fileOf(isLater ? 'dev-2' : half), 'utf8')));
  return isLater ? questions.filter((question) => laterHalfOf(question) === half) : questions;
}

/** Where a question belongs, whoever adds it: by the first byte of the SHA-256 of its turns. */
export function halfOf(question: Pick<EvalQuestion, 'turns'>): Half {
  return byteOf(question, 0) % 2 === 0 ? 'dev' : 'test';
}

/** The same of the later ones, by the second byte. */
function laterHalfOf(question: Pick<EvalQuestion, 'turns'>): LaterHalf {
  return byteOf(question, 1) % 2 === 0 ? 'tune' : 'validation';
}

function byteOf({ turns }: Pick<EvalQuestion, 'turns'>, at: number): number {
  return createHash('sha256').update(turns.join('\n')).digest()[at] ?? 0;
}

export function hashOfHalf(half: Half): string {
  return createHash('sha256')
    .update(readFileSync(fileOf(half)))
    .digest('hex');
}

export const chaptersOf = ({ answers }: Pick<EvalQuestion, 'answers'>): readonly string[] => [
  ...new Set(answers.map((place) => place.split('#')[0] ?? '')),
];
