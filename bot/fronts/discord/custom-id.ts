// What a component carries: at most 100 characters that come back when it is used. What does not fit is kept in the
// database under its hash, so that a button works after a restart and in every replica.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Call, Json, Reply } from '../../chat/message.ts';
import type { FormBlock, FormState } from './forms.ts';
import { limits } from './limits.ts';

/** Something to keep before the message that refers to it is posted. */
export interface Keepsake {
  readonly id: string;
  readonly value: unknown;
}

/** What a component means, once read. */
export type Meaning =
  /** A button: carry out the call. */
  | { readonly kind: 'call'; readonly call: Call }
  /** A select: the value is added to the call under `argument`. */
  | { readonly kind: 'select'; readonly call: Call; readonly argument: string }
  /** Kept; what it is stands in the record. */
  | { readonly kind: 'kept'; readonly id: string }
  /** Part of a form: its id, the state it stands in, and what was used. */
  | { readonly kind: 'form'; readonly formId: string; readonly stateId: string; readonly part: string };

/** What may be kept under an id. */
export type Record =
  | { readonly kind: 'call'; readonly call: Call }
  | {
      readonly kind: 'select';
      readonly call: Call;
      readonly argument: string;
      /** By position, where a value was too long to be one of Discord's. */
      readonly values?: readonly string[];
    }
  /** With the reply it stands in, to draw that again. */
  | { readonly kind: 'form'; readonly form: FormBlock; readonly reply: Reply }
  | { readonly kind: 'state'; readonly state: FormState }
  | { readonly kind: 'private'; readonly reply: Reply; readonly personId: string };

const recordSchema = z.custom<Record>(
  (value) => z.object({ kind: z.enum(['call', 'select', 'form', 'state', 'private']) }).safeParse(value).success,
);

/** @returns undefined for what is not a record of ours. */
export function readRecord(value: unknown): Record | undefined {
  const read = recordSchema.safeParse(value);
  return read.success ? read.data : undefined;
}

export interface CustomIds {
  call(call: Call): string;
  select(call: Call, argument: string, values: readonly string[] | undefined): string;
  form(formId: string, stateId: string, part: string): string;
  /** Keeps a record. @returns its id. */
  keep(record: Record): string;
  /** Of a kept record. */
  kept(id: string): string;
  /** All that has to be kept before the message goes out. */
  readonly keepsakes: readonly Keepsake[];
}

/** @returns ids for the components of one message: no two of them are the same. */
export function createCustomIds(): CustomIds {
  const keepsakes: Keepsake[] = [];
  let used = 0;
  const mark = () => (used++).toString(36);

  function keep(record: Record): string {
    const id = hashOf(record);
    if (!keepsakes.some((kept) => kept.id === id)) keepsakes.push({ id, value: record });
    return id;
  }
  const kept = (id: string) => `k${mark()}.${id}`;
  const short = (prefix: string, content: Json, record: Record) => {
    const inline = `${prefix}${mark()}${JSON.stringify(content)}`;
    return inline.length <= limits.customId.characters ? inline : kept(keep(record));
  };

  return {
    keepsakes,
    keep,
    kept,
    call: (call) => short('c', [call.command, call.args], { kind: 'call', call }),
    select(call, argument, values) {
      if (values !== undefined) return kept(keep({ kind: 'select', call, argument, values }));
      return short('s', [call.command, call.args, argument], { kind: 'select', call, argument });
    },
    form: (formId, stateId, part) => `f${mark()}.${formId}.${stateId}.${part}`,
  };
}

/** 96 bits of SHA-256: nobody finds two records with one id. The order of keys does not count: a database keeps its own. */
export function hashOf(value: unknown): string {
  const sorted = (_key: string, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('base64url').slice(0, 16);
}

const args = z.record(z.string(), z.json());
const callContent = z.tuple([z.string(), args]);
const selectContent = z.tuple([z.string(), args, z.string()]);

/** @returns undefined for an id that is not ours: an older version's, or another bot's. */
export function readCustomId(customId: string): Meaning | undefined {
  const { kind, rest = '' } = /^(?<kind>[a-z])[0-9a-z]*(?<rest>[.[].*)$/s.exec(customId)?.groups ?? {};
  switch (kind) {
    case 'c': {
      const read = callContent.safeParse(parseJson(rest));
      return read.success ? { kind: 'call', call: { command: read.data[0], args: read.data[1] } } : undefined;
    }
    case 's': {
      const read = selectContent.safeParse(parseJson(rest));
      if (!read.success) return undefined;
      const [command, given, argument] = read.data;
      return { kind: 'select', call: { command, args: given }, argument };
    }
    case 'k':
      return { kind: 'kept', id: rest.slice(1) };
    case 'f': {
      const [, formId, stateId, part] = rest.split('.');
      if (formId === undefined || stateId === undefined || part === undefined) return undefined;
      return { kind: 'form', formId, stateId, part };
    }
    default:
      return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
