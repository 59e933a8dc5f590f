// A run's spec from outside, checked: what is out of bounds is refused in words, with the field, its value and the bound.
import type { z } from 'zod';
import { UserError } from '../errors.ts';
import { type RunSpec, runSpecSchema, task_names } from './spec.ts';

/** @throws UserError naming every field that is wrong, its value, and what it must be. */
export function parseRunSpec(input: unknown): RunSpec {
  const parsed = runSpecSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => describeIssue(issue, input));
  throw new UserError(
    `${problems.slice(0, 5).join('; ')}.`,
    problems.length === 1 ? 'Correct it and start the run again.' : 'Correct these and start the run again.',
  );
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const field = String(issue.path.at(-1) ?? 'the spec');
  const value = valueAt(input, issue.path);
  const is = value === undefined ? `${field} is missing` : `${field} is ${show(value)}`;
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'string') return `${is}: it must not be empty`;
      return `${is}: it must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `${is}: it must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_type':
      return `${is}: it must be ${issue.expected === 'int' ? 'a whole number' : `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`}`;
    case 'invalid_value':
      return `${is}: it must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `${field} has ${issue.keys.map(show).join(', ')}, which no run has`;
    case 'invalid_union': {
      if (issue.discriminator === 'task') return `${is}: it must be one of ${task_names.join(', ')}`;
      // The member that the value is closest to: one that complains of a bound rather than of the type.
      const closest = issue.errors.map((errors) => errors[0]).find((error) => error?.code !== 'invalid_type');
      return closest === undefined
        ? `${is}: it must be a file or a fraction`
        : describeIssue({ ...closest, path: issue.path }, input);
    }
    default:
      return `${is}: ${issue.message}`;
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
}

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
