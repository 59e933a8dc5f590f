// Reads the synonyms from their file; kept apart, since a start from memory needs neither YAML nor its checks.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { SynonymGroups } from './synonyms.ts';

const groupsSchema = z.array(z.array(z.string().min(1)).min(1));

/** @throws ZodError when the file is not a list of lists of phrases. */
export async function readSynonyms(): Promise<SynonymGroups> {
  const source = await readFile(new URL('synonyms.yaml', import.meta.url), 'utf8');
  return groupsSchema.parse(parse(source));
}
