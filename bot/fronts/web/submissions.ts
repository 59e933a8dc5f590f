// What the page sends when a person does something: checked for shape here, for meaning by the command's own schema.
import { z } from 'zod';
import type { Json } from '../../chat/message.ts';
import type { Submission } from './wire.ts';

const json: z.ZodType<Json> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);
const call = z.strictObject({ command: z.string().min(1).max(64), args: z.record(z.string().max(64), json) });
const submitted = {
  key: z.string().regex(/^[A-Za-z0-9-]{8,64}$/),
  chat: z.string().regex(/^[a-z0-9]{1,32}$/),
  uploads: z.record(z.string().max(64), z.uuid()).default({}),
};

export const submissionSchema: z.ZodType<Submission> = z.discriminatedUnion('kind', [
  z.strictObject({ ...submitted, kind: z.literal('message'), text: z.string() }),
  z.strictObject({ ...submitted, kind: z.literal('action'), call }),
  z.strictObject({
    ...submitted,
    kind: z.literal('form'),
    call,
    values: z.record(z.string().max(64), z.union([z.string(), z.array(z.string()).max(1000)])),
  }),
]);
