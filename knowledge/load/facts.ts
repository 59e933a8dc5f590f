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
  different: z.array(z.strictObject({ things: z.array(words).min(2), so: words, at: place })),
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

const more =
  'increas\\w*|rais\\w*|caus\\w*|lead\\w* to|worsen\\w*|creat\\w*|produc\\w*|boost\\w*|more|higher|highest|high|larger|largest|large|greater|bigger|strong\\w*|nois\\w*';
const less =
  'reduc\\w*|lower\\w*|lowest|low|decreas\\w*|prevent\\w*|avoid\\w*|cur(?:e|es|ed|ing)\\b|fix\\w*|help\\w*|solv\\w*|less|fewer|smaller|small|shrink\\w*|limit\\w*|combat\\w*|fight\\w*|stop\\w*|against|remov\\w*|eliminat\\w*|minimi\\w*|cuts?\\b|keep\\w* .. from';
/** Up to three words on the way to the quantity, none of which changes another one or the other way. */
const gapWithout = (change: string) => `(?: (?!and\\b|but\\b|(?:${change}))\\S+){0,3} `;
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
    known.set(`+${name}`, `(?:${more})${gapWithout(less)}${pattern}|${after(rises)}`);
    known.set(`-${name}`, `(?:${less})${gapWithout(more)}${pattern}|${after(falls)}`);
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
  const apart = value.different.flatMap(({ things, so, at }, index) => {
    const line = lineOf(['different', index]);
    return things.map((names) => {
      const others = things.filter((other) => other !== names);
      return {
        fact: differentFact(
          writeOut(names, line),
          others.map((other) => writeOut(other, line)),
          so,
          at,
        ),
        line,
      };
    });
  });
  return { facts: [...facts, ...apart], problems: [...problems, ...unfit] };
}

/** What is called the same as one of the others is not. */
function differentFact(names: string, others: readonly string[], so: string, at: string): Fact {
  const other = `(?:${others.join('|')})`;
  const [chapterId = '', sectionId = ''] = at.split('#');
  const wrong = `(?:${same})${gapUpTo4}?(?:${other})|(?:and|or|with) (?:\\S+ )?${other}${gapUpTo4}(?:${same})|(?:is|are|means?) (?:just |only |simply |basically )?(?:a |an |the )?(?:other |another )?(?:name|word|term|synonym|kind of name) for ${other}`;
  const right = `(?:differ\\w*|not the same|two things)${gapUpTo4}?(?:${other})|(?:and|or) (?:\\S+ )?${other}${gapUpTo4}?differ`;
  return { of: names, names, size: 'none', points: [{ right, wrong, so, chapterId, sectionId }] };
}
const same =
  'same\\b|identical\\w*|equal to|equals|synonym\\w*|another (?:name|word|term) for|interchangeabl\\w*|nothing (?:but|else than)|no difference|one and the same|also called';

/** Up to four words, in the same half of the clause. */
const gapUpTo4 = '\\w*(?: (?!and |but )\\S+){0,4} ';

function isPattern(source: string): boolean {
  try {
    return new RegExp(source).source !== '';
  } catch {
    return false;
  }
}
