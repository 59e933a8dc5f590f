// What the page and the server say to each other: types only, read by both sides.
import type { Call, FieldValue } from '../../chat/message.ts';

interface Submitted {
  /** Chosen by the page once for each thing a person does, and kept over retries. */
  readonly key: string;
  readonly chat: string;
  /** Ids of uploads, by form field; the composer's files come as `file0`, `file1`, … */
  readonly uploads: { readonly [field: string]: string };
}

export type Submission =
  | (Submitted & { readonly kind: 'message'; readonly text: string })
  | (Submitted & { readonly kind: 'action'; readonly call: Call })
  | (Submitted & {
      readonly kind: 'form';
      readonly call: Call;
      readonly values: { readonly [field: string]: FieldValue };
    });

export type { Call, FieldValue };

/** A message that is new or was edited. */
export interface MessageUpdate {
  readonly id: number;
  /** Milliseconds since 1970; an update older than what the page shows is dropped. */
  readonly updatedAt: number;
  readonly html: string;
  /** Key of the submission this is the answer to. */
  readonly answers?: string;
}

/** The events of the live stream, by name. */
export interface StreamEvents {
  readonly message: MessageUpdate;
  /** Submissions still waiting for their first reply: sent once after (re)connecting. */
  readonly working: { readonly keys: readonly string[] };
  readonly settled: { readonly key: string };
  readonly ping: { readonly at: number };
}

export interface UploadTaken {
  readonly id: string;
}

/** Any refusal: what was wrong, and what to do. */
export interface Refusal {
  readonly message: string;
  readonly hint: string;
}

/** What the page is told when it is rendered. */
export interface PageData {
  readonly chat: string;
  /** `updatedAt` of the newest message shown. */
  readonly after: number;
  readonly uploadLimitBytes: number;
  readonly commands: readonly { readonly name: string; readonly usage: string; readonly summary: string }[];
}
