// Turns a schema's complaint into words for a person: which argument, what was given, what is allowed.
import type { z } from 'zod';
import { UserError } from '../../engine/index.ts';
import { shorten } from './escape.ts';

/** `learningRate` → `learning rate`. */
function spell(path: readonly PropertyKey[]): string {
  return path
    .map(String)
    .join('.')
    .replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

/** What the schema allows, in words: "a whole number from 1 to 100". */
function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small': {
      if (issue.origin === 'string') return issue.minimum === 1 ? 'some text' : `at least ${issue.minimum} characters`;
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    }
    case 'too_big': {
      if (issue.origin === 'string') return `at most ${issue.maximum} characters`;
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    }
    case 'invalid_type':
      return expected[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

const expected: { readonly [type: string]: string } = { int: 'a whole number', number: 'a number', string: 'text' };

/** How a value is shown back to the person who gave it. */
export function show(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  return shorten(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)), 60);
}

/** A refusal of `args` that names every wrong argument with its value and what is allowed, and shows the usage line. */
export function refuse(error: z.ZodError, args: { readonly [name: string]: unknown }, usage: string): UserError {
  const complaints = error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `There is no option ${issue.keys.join(', ')}.`;
    return `The ${spell(issue.path)} can't be ${show(valueAt(args, issue.path))}: it must be ${allowed(issue)}.`;
  });
  return new UserError([...new Set(complaints)].join(' '), `Usage: ${usage}`, { cause: error });
}

function valueAt(from: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    from,
  );
}
