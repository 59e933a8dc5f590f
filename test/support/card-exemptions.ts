// Reads test/support/card-exemptions/<chapter>.yaml: which sections of the guide need which part of a card not, and why.
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = new URL('./card-exemptions/', import.meta.url);

/** One group of sections that lack one part for one reason. */
const groupSchema = z.strictObject({
  part: z.enum(['intuition', 'example', 'formula', 'code', 'use', 'pitfall']),
  sections: z.array(z.string().min(1)).min(1),
  reason: z.string().min(10),
});

type Exemption = z.output<typeof groupSchema> & { readonly chapterId: string };

/** @throws ZodError when a file is not a list of groups. */
export function readCardExemptions(): readonly Exemption[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) =>
      z
        .array(groupSchema)
        .parse(parse(readFileSync(new URL(name, folder), 'utf8')))
        .map((group) => ({ ...group, chapterId: name.replace(/\.yaml$/, '') })),
    );
}
