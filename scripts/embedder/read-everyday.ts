// Reads the everyday words beside those of the guide.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { PhraseGroups } from './disturb.ts';

/** @throws ZodError when the file is not a list of lists of phrases. */
export async function readEveryday(): Promise<PhraseGroups> {
  const source = await readFile(new URL('everyday.yaml', import.meta.url), 'utf8');
  return z.array(z.array(z.coerce.string().min(1)).min(2)).parse(parse(source));
}
