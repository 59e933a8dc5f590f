// JSON lines in, JSON lines out, in order: a bad line is answered as such and the rest goes on.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { UserError } from '../../engine/index.ts';
import { show } from '../chat/refuse.ts';

const identified = z.looseObject({ id: z.union([z.string(), z.number()]) });

/**
 * Answers every line of `input` with one line.
 * @returns how many lines could not be answered.
 */
export async function answerLines<Schema extends z.ZodType>(
  input: Readable,
  print: (value: object) => void,
  schema: Schema,
  answer: (request: z.output<Schema>) => Promise<object>,
): Promise<number> {
  let refused = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    let id: string | number | null = null;
    try {
      const value = parseLine(line);
      const found = identified.safeParse(value);
      if (found.success) id = found.data.id;
      const request = schema.safeParse(value);
      if (!request.success) throw new UserError(complain(request.error, value), '');
      print({ id, ...(await answer(request.data)) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refused += 1;
      print({ id, error: [error.message, error.hint].filter((part) => part !== '').join(' ') });
    }
  }
  return refused;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UserError(`This line is not JSON: ${show(line)}.`, 'Write one JSON object a line.', { cause: error });
  }
}

function complain(error: z.ZodError, value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `A line must be a JSON object, not ${show(value)}.`;
  return error.issues.map((issue) => `${issue.path.join('.') || 'The line'}: ${issue.message}.`).join(' ');
}
