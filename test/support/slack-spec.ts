// The published contract of Slack's Web API, where it lies beside the repository: arguments and error codes of each method.
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Fields } from './slack-server-rules.ts';

const path = '../shared/specs/slack-methods.json';

/** Why outgoing calls are checked by the hand-written rules only; undefined: against the published contract too. */
export const noSpec: string | undefined = existsSync(path) ? undefined : `no ${path}`;

const specSchema = z.object({
  methods: z.record(
    z.string(),
    z.looseObject({
      args: z.record(z.string(), z.looseObject({ required: z.boolean().nullish() })),
      errors: z.union([z.record(z.string(), z.unknown()), z.array(z.string())]).nullish(),
    }),
  ),
});

const methods = noSpec === undefined ? specSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).methods : {};

/** Given with every call, or by us to provoke a failure. */
const always = new Set(['token', 'team_id']);

export function checkAgainstSpec(method: string, args: Fields, result: Fields): readonly string[] {
  if (noSpec !== undefined) return [];
  const spec = methods[method];
  if (spec === undefined) return [`${method}: not in the published contract`];
  const unknown = Object.keys(args).filter((name) => !always.has(name) && spec.args[name] === undefined);
  const missing = Object.entries(spec.args).filter(
    ([name, { required }]) => required === true && args[name] === undefined,
  );
  return [
    ...unknown.map((name) => `${method}: the published contract has no argument ${name}`),
    ...(result.ok === true ? missing.map(([name]) => `${method}: the published contract needs ${name}`) : []),
  ];
}

/** Error codes a method is documented to answer with. */
export function errorsOf(method: string): readonly string[] {
  const errors = methods[method]?.errors ?? [];
  return Array.isArray(errors) ? errors : Object.keys(errors);
}

export const methodNames = Object.keys(methods);
