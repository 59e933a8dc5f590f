// Reads facts.yaml: what the guide says of each thing, its opposite, and where. Named wordings are written out, so that each point
// holds whole patterns.
import { z } from 'zod';
import type { Fact } from '../types.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml.ts';

const words = z.string().trim().min(1);
const place = z.string().regex(/^[a-z0-9-]+#[a-z0-9-]+$/, 'is "chapter#section"');
const schema = z.strictObject({
  words: z.record(words, words),
  quantities: z.record(words, words),
  facts: z.array(
    z.strictObject({
      of: words,
      names: words,
      size: z.union([z.literal(true), z.literal('needed')]).optional(),
      at: place,
      points: z
        .array(
          z
            .strictObject({ true: words.optional(), false: words.optional(), so: words, at: place.optional() })
            .refine((point) => point.true !== undefined || point.false !== undefined, 'needs "true" or "false"'),
        )
        .min(1),
    }),
  ),
});

interface FactsFile {
  readonly facts: readonly { readonly fact: Fact; readonly line: number }[];
  readonly problems: readonly Problem[];
}

const gap = '(?: (?!and\\b|but\\b)\\S+){0,3} ';
const more =
  'increas\\w*|rais\\w*|caus\\w*|lead\\w* to|worsen\\w*|creat\\w*|produc\\w*|boost\\w*|more|higher|highest|high|larger|largest|large|greater|bigger|strong\\w*|nois\\w*';
const less =
  'reduc\\w*|lower\\w*|lowest|low|decreas\\w*|prevent\\w*|avoid\\w*|cur(?:e|es|ed|ing)\\b|fix\\w*|help\\w*|solv\\w*|less|fewer|smaller|small|shrink\\w*|limit\\w*|combat\\w*|fight\\w*|stop\\w*|against|remov\\w*|eliminat\\w*|minimi\\w*|cuts?\\b|keep\\w* .. from';
const rises = 'increases?|rises?|grows?|goes up|worse|higher|larger|more|worsens?';
const falls = 'decreases?|falls?|drops?|shrinks?|goes down|lower|smaller|less|disappears?|vanish\\w*';

/** @param source the file's text; undefined where there is none. */
export function readFacts(source: string | undefined, file: string): FactsFile {
  if (source === undefined) return { facts: [], problems: [] };
  const { value, problems, lineOf } = readYaml(source, schema, file);
  if (value === undefined) return { facts: [], problems };
  const known = new Map(Object.entries(value.words));
  for (const [name, pattern] of Object.entries(value.quantities)) {
    const after = (change: string) => `${pattern}(?: \\S+){0,2} (?:${change})`;
    known.set(`+${name}`, `(?:${more})${gap}${pattern}|(?:${more}) ${pattern}|${after(rises)}`);
    known.set(`-${name}`, `(?:${less})${gap}${pattern}|(?:${less}) ${pattern}|${after(falls)}`);
  }
  const unfit: Problem[] = [];
  const writeOut = (pattern: string, line: number): string => {
    const whole = pattern
      .replace(/<([+-]?[a-z][a-z0-9 ]*)>/g, (_, name: string) => {
        const wording = known.get(name);
        if (wording === undefined) unfit.push({ file, line, message: `no words or quantity "${name}"` });
        return `(?:${wording ?? name})`;
      })
      .replaceAll(' .. ', gapUpTo4);
    if (!isPattern(whole)) unfit.push({ file, line, message: `"${pattern}" is no regular expression` });
    return whole;
  };
  const facts = value.facts.map(({ of, names, size, at, points }, index) => {
    const line = lineOf(['facts', index]);
    const fact: Fact = {
      of,
      names: writeOut(names, line),
      size: size === undefined ? 'none' : size === true ? 'usual' : 'needed',
      points: points.map((point) => {
        const [chapterId = '', sectionId = ''] = (point.at ?? at).split('#');
        return {
          ...(point.true === undefined ? {} : { right: writeOut(point.true, line) }),
          ...(point.false === undefined ? {} : { wrong: writeOut(point.false, line) }),
          so: point.so,
          chapterId,
          sectionId,
        };
      }),
    };
    return { fact, line };
  });
  return { facts, problems: [...problems, ...unfit] };
}

const gapUpTo4 = '(?: \\S+){0,4} ';

function isPattern(source: string): boolean {
  try {
    return new RegExp(source).source !== '';
  } catch {
    return false;
  }
}
