// Reads misconceptions.yaml: what people wrongly take for granted, how it is recognised, and where the guide says what is so.
import { z } from 'zod';
import type { Misconception } from '../types.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml.ts';

const words = z.string().trim().min(1);
const pattern = words.refine(isPattern, 'is no regular expression');
const schema = z.array(
  z.strictObject({
    id: words,
    claims: z.array(words).min(1),
    about: pattern.optional(),
    says: pattern.optional(),
    unless: pattern.optional(),
    negated: z.boolean().default(false),
    ordered: z.boolean().default(false),
    denial: words,
    section: z.string().regex(/^[a-z0-9-]+#[a-z0-9-]+$/, 'is "chapter#section"'),
    quote: words,
  }),
);

interface MisconceptionsFile {
  readonly misconceptions: readonly { readonly misconception: Misconception; readonly line: number }[];
  readonly problems: readonly Problem[];
}

/** @param source the file's text; undefined where there is none. */
export function readMisconceptions(source: string | undefined, file: string): MisconceptionsFile {
  if (source === undefined) return { misconceptions: [], problems: [] };
  const { value = [], problems, lineOf } = readYaml(source, schema, file);
  const ids = new Set<string>();
  const repeated: Problem[] = [];
  const misconceptions = value.map(({ section, about, says, unless, ...rest }, index) => {
    const [chapterId = '', sectionId = ''] = section.split('#');
    if (ids.has(rest.id)) repeated.push({ file, line: lineOf([index]), message: `id "${rest.id}" stands twice` });
    ids.add(rest.id);
    return {
      misconception: {
        ...rest,
        ...(about === undefined ? {} : { about }),
        ...(says === undefined ? {} : { says }),
        ...(unless === undefined ? {} : { unless }),
        chapterId,
        sectionId,
      },
      line: lineOf([index, 'section']),
    };
  });
  return { misconceptions, problems: [...problems, ...repeated] };
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source).source !== '';
  } catch {
    return false;
  }
}
