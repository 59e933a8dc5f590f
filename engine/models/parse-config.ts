// Checks a family's config.json against its schema and says in words what does not fit.
import type { z } from 'zod';
import { UserError } from '../errors.ts';

/** @throws UserError naming the file, the field and what is wrong with it. */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  config: { readonly [key: string]: unknown },
  source: string,
): z.output<Schema> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${source}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'does not describe a model'}`,
    'Check the config against the one the model was published with.',
  );
}
