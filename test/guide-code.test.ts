// Code in the guide is read by a parser of its own language: a snippet that does not parse fails, with its file and line.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser as python } from '@lezer/python';
import { transformSync } from 'esbuild';
import { visit } from 'unist-util-visit';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { parseMarkdown } from '../knowledge/load/markdown.ts';

interface Snippet {
  /** `file:line` of its first line of code. */
  readonly at: string;
  readonly language: string;
  readonly code: string;
}

const folders = ['knowledge/guide', 'docs', '.'];
const snippets: readonly Snippet[] = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => {
      const file = join(folder, name);
      const found: Snippet[] = [];
      visit(parseMarkdown(readFileSync(file, 'utf8')), 'code', ({ lang, value, position }) => {
        found.push({ at: `${file}:${(position?.start.line ?? 0) + 1}`, language: lang ?? '', code: value });
      });
      return found;
    }),
);

/** @returns what is wrong with a piece of code; undefined where it parses. */
type Check = (code: string) => string | undefined;

const inWords = (check: (code: string) => void): Check => {
  return (code) => {
    try {
      check(code);
      return undefined;
    } catch (error) {
      return String(error);
    }
  };
};

const typescript = inWords((code) => transformSync(code, { loader: 'ts' }));
const shell: Check = (code) => spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' }).stderr.trim() || undefined;

const checks: { readonly [language: string]: Check } = {
  python: (code) => {
    let wrong: string | undefined;
    python.parse(code).iterate({
      enter: ({ type, from }) => {
        if (type.isError) wrong ??= `line ${code.slice(0, from).split('\n').length}: ${code.slice(from, from + 40)}`;
      },
    });
    return wrong;
  },
  // Several values may stand below each other, as in a file of JSON lines.
  json: inWords((code) => {
    for (const value of code.split(/\n(?=[{[])/)) JSON.parse(value);
  }),
  yaml: (code) => parseDocument(code).errors[0]?.message,
  js: typescript,
  ts: typescript,
  typescript,
  bash: shell,
  sh: shell,
};
/** Not code: formulas, figures, and what a terminal shows. */
const words = new Set(['text', 'math', 'console', '']);

const hasBash = spawnSync('bash', ['--version']).status === 0;

describe('code in the guide and the documents', () => {
  it.each([
    ['python', 'def f(x)\n    return x'],
    ['python', 'model.fit(X, y'],
    ['python', 'for x in xs:\nprint(x)'],
    ['python', 'print("a)'],
    ['python', 'x = 1 +'],
    ['json', '{"a": 1,}'],
    ['yaml', 'a: [1'],
    ['ts', 'const x: = 1'],
  ])('is not let through where it is wrong: %s %j', (language, code) => {
    expect(checks[language]?.(code)).toBeDefined();
  });

  it('is in a language that is checked', () => {
    expect(snippets.filter(({ language }) => !words.has(language) && !checks[language]).map(({ at }) => at)).toEqual(
      [],
    );
    expect(snippets.filter(({ language }) => language === 'python').length).toBeGreaterThan(150);
  });

  it.for(Object.keys(checks))('parses: %s', (language, { skip }) => {
    if (checks[language] === shell && !hasBash) skip('there is no bash on this machine');
    const wrong = snippets
      .filter((snippet) => snippet.language === language)
      .flatMap(({ at, code }) => {
        const problem = checks[language]?.(code);
        return problem === undefined ? [] : [`${at}: ${problem}`];
      });
    expect(wrong).toEqual([]);
  });
});
