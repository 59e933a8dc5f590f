// Reads the questions that the guide does not answer; kept apart, since a start from memory needs neither YAML nor its checks.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

/** Questions by subject. */
export type Outside = { readonly [subject: string]: readonly string[] };

const outsideSchema = z.record(z.string().min(1), z.array(z.string().min(1)).min(1));

/** @throws ZodError when the file does not name questions by subject. */
export async function readOutside(): Promise<Outside> {
  const source = await readFile(new URL('outside.yaml', import.meta.url), 'utf8');
  return outsideSchema.parse(parse(source));
}
