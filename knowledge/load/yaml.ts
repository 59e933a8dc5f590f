// Reads YAML against a zod schema; every problem carries the line it stands on.
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Problem } from './problem.ts';

export interface Validated<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
  /** Line of the value at `path`, or of its nearest parent that exists. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** @param firstLine line of the file on which `source` begins. */
export function readYaml<T>(source: string, schema: z.ZodType<T>, file: string, firstLine = 1): Validated<T> {
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter });
  const lineAt = (offset: number) => lineCounter.linePos(offset).line + firstLine - 1;
  const lineOf = (path: readonly PropertyKey[]) => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lineAt(node.range[0]);
    }
    return firstLine;
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      line: lineAt(error.pos[0]),
      message: `not valid YAML: ${error.message.split('\n')[0]}`,
    }));
    return { value: undefined, problems, lineOf };
  }
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return { value: parsed.data, problems: [], lineOf };
  const problems = parsed.error.issues.map((issue) => {
    const field = issue.path.map(String).join('.');
    return { file, line: lineOf(issue.path), message: field === '' ? issue.message : `${field}: ${issue.message}` };
  });
  return { value: undefined, problems, lineOf };
}
