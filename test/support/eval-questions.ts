// Reads the blind questions of test/eval/questions; their README tells the format and how they are kept.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export const halves = ['dev', 'test'] as const;
export type Half = (typeof halves)[number];

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

const fileOf = (half: Half) => new URL(`../eval/questions/${half}.yaml`, import.meta.url);

/** @throws ZodError when the file is not in the format its README tells. */
export function readQuestions(half: Half): readonly EvalQuestion[] {
  return z.array(questionSchema).parse(parse(readFileSync(fileOf(half), 'utf8')));
}

/** Where a question belongs, whoever adds it: by the first byte of the SHA-256 of its turns. */
export function halfOf({ turns }: Pick<EvalQuestion, 'turns'>): Half {
  return (createHash('sha256').update(turns.join('\n')).digest()[0] ?? 0) % 2 === 0 ? 'dev' : 'test';
}

export function hashOfHalf(half: Half): string {
  return createHash('sha256')
    .update(readFileSync(fileOf(half)))
    .digest('hex');
}

export const chaptersOf = ({ answers }: Pick<EvalQuestion, 'answers'>): readonly string[] => [
  ...new Set(answers.map((place) => place.split('#')[0] ?? '')),
];
