// Reads the wrong premises, each with its true counterpart, and the threads of test/eval/questions; their README tells the format.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export const premiseHalves = ['tune', 'validation'] as const;
type PremiseHalf = (typeof premiseHalves)[number];

const words = z.string().min(1);
const premiseSchema = z.strictObject({
  chapter: words,
  wrong: words,
  right: words,
  /** One of these stands in the answer that corrects. */
  told: z.array(words).min(1),
});
const threadSchema = z.strictObject({
  kind: z.enum(['leans', 'switch', 'wrong']),
  turns: z.array(words).min(2),
  /** None where the last turn is no matter of the guide. */
  chapters: z.array(words),
  told: z.array(words).min(1),
});

type Premise = z.output<typeof premiseSchema>;
export type Thread = z.output<typeof threadSchema>;

/** @throws ZodError when the file is not in the format its README tells. */
export function readPremises(half: PremiseHalf): readonly Premise[] {
  return readRows('premises', premiseSchema).filter(({ wrong }) => halfOf(wrong) === half);
}

export function readThreads(half: PremiseHalf): readonly Thread[] {
  return readRows('threads', threadSchema).filter(({ turns }) => halfOf(turns.join('\n')) === half);
}

function readRows<Row>(file: string, schema: z.ZodType<Row>): readonly Row[] {
  const url = new URL(`../eval/questions/${file}.yaml`, import.meta.url);
  return z.array(schema).parse(parse(readFileSync(url, 'utf8')));
}

/** Its own words decide, not we: the second byte of their SHA-256. */
const halfOf = (text: string): PremiseHalf =>
  (createHash('sha256').update(text).digest()[1] ?? 0) % 2 === 0 ? 'tune' : 'validation';
