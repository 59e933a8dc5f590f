// What a button, a select or a form of ours means, as it travels through Slack and back. What does not fit is kept in the
// database under the hash of its content, so a press means the same after a restart and on any replica.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Block, Call, Json } from '../../chat/message.ts';
import { limits } from './limits.ts';

/** Keepsakes lie in the database as this. */
export const partKind = 'slack.part';

/** Content kept under its own hash. */
export interface Keepsake {
  readonly name: string;
  readonly value: unknown;
}

export type FormBlock = Extract<Block, { kind: 'form' }>;

/** What a press asks for, read back. */
export type Pressed =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'kept-call'; readonly name: string }
  | { readonly kind: 'form'; readonly name: string }
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'pick'; readonly name: string; readonly value: string };

const json: z.ZodType<Json> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);
export const callSchema = z.strictObject({ command: z.string(), args: z.record(z.string(), json) });

export function keep(value: unknown): Keepsake {
  const name = createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
  return { name, value };
}

const ids = { call: 'call', form: 'form', file: 'file', pick: 'pick' } as const;

/** A button's `action_id` and `value`. @param index tells the buttons of one block apart. */
export function callAction(call: Call, index: number, kept: Keepsake[]) {
  // Nothing in it looks like a mention to anybody.
  const written = JSON.stringify({ command: call.command, args: call.args }).replaceAll('<', '\\u003c');
  if (written.length <= limits.buttonValue) return { action_id: `${ids.call}:${index}`, value: written };
  const keepsake = keep({ command: call.command, args: call.args });
  kept.push(keepsake);
  return { action_id: `${ids.call}:${index}`, value: `#${keepsake.name}` };
}

export function formAction(form: FormBlock, kept: Keepsake[]) {
  const keepsake = keep(form);
  kept.push(keepsake);
  return { action_id: `${ids.form}:0`, value: `#${keepsake.name}` };
}

export interface FileReference {
  readonly path: string;
  readonly name: string;
}

export function fileAction(file: FileReference, index: number, kept: Keepsake[]) {
  const keepsake = keep({ path: file.path, name: file.name });
  kept.push(keepsake);
  return { action_id: `${ids.file}:${index}`, value: `#${keepsake.name}` };
}

/** The same for an option of a select of files. */
export function fileOption(file: FileReference, kept: Keepsake[]): string {
  return fileAction(file, 0, kept).value;
}
export const filesActionId = `${ids.file}:s`;

/** A select's `action_id`: the call and the argument are kept, the chosen value travels with the option. */
export function pickAction(call: Call, argument: string, kept: Keepsake[]) {
  const keepsake = keep({ call: { command: call.command, args: call.args }, argument });
  kept.push(keepsake);
  return { action_id: `${ids.pick}:${keepsake.name}` };
}

/** An option's value; a long one is kept. */
export function optionValue(value: string, kept: Keepsake[]): string {
  if (value !== '' && value.length <= limits.optionValue && !value.startsWith('#')) return value;
  const keepsake = keep(value);
  kept.push(keepsake);
  return `#${keepsake.name}`;
}

/** @returns undefined for something that is not a press of ours. */
export function readAction(
  actionId: string,
  value: string | undefined,
  chosen: string | undefined,
): Pressed | undefined {
  const [kind = '', rest = ''] = actionId.split(':');
  if (kind === ids.pick && chosen !== undefined) return { kind: 'pick', name: rest, value: chosen };
  if (kind === ids.file && chosen?.startsWith('#')) return { kind: 'file', name: chosen.slice(1) };
  if (value === undefined) return undefined;
  const name = value.startsWith('#') ? value.slice(1) : undefined;
  if (kind === ids.form && name !== undefined) return { kind: 'form', name };
  if (kind === ids.file && name !== undefined) return { kind: 'file', name };
  if (kind !== ids.call) return undefined;
  if (name !== undefined) return { kind: 'kept-call', name };
  const call = callSchema.safeParse(parseJson(value));
  return call.success ? { kind: 'call', call: call.data } : undefined;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export const pickSchema = z.strictObject({ call: callSchema, argument: z.string() });
export const fileSchema = z.strictObject({ path: z.string(), name: z.string() });

/** A form comes back from the database as we put it in; its outer shape is checked again. */
export const formSchema = z.custom<FormBlock>(
  (value) =>
    z
      .looseObject({ kind: z.literal('form'), call: callSchema, fields: z.array(z.looseObject({ id: z.string() })) })
      .safeParse(value).success,
);
