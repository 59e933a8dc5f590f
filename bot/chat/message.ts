// What goes between a front and the conversation: what came in (`Incoming`) and what goes out (`Reply`).
// Both are plain data, so the same reply can be a web card, terminal text, a Discord container or Slack blocks.

export type FrontName = 'web' | 'terminal' | 'discord' | 'slack';

const fronts: { readonly [F in FrontName]: true } = { web: true, terminal: true, discord: true, slack: true };

/** Whether a name kept in the database is that of a front. */
export function isFront(name: string): name is FrontName {
  return Object.hasOwn(fronts, name);
}

/** Where a conversation takes place. `conversationId` is the front's own id: a browser session, a channel, a thread. */
export interface Place {
  readonly front: FrontName;
  readonly workspaceId: string;
  readonly conversationId: string;
  /** The channel of a thread, where the front knows it. */
  readonly channelId?: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** A file somebody sent, already on disk under the data folder. `name` is the sender's, never to be used as a path. */
export interface Attachment {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A command with its arguments, unvalidated: what a button carries and what typed text is parsed into. */
export interface Call {
  readonly command: string;
  readonly args: { readonly [name: string]: Json };
}

interface Arrived {
  /** Idempotency key, unique to this event: a redelivery carries the same key and is answered once. */
  readonly key: string;
  readonly place: Place;
  readonly person: Person;
  readonly receivedAt: Date;
}

/** Something a person did. */
export type Incoming =
  | (Arrived & { readonly kind: 'message'; readonly text: string; readonly attachments: readonly Attachment[] })
  | (Arrived & { readonly kind: 'action'; readonly call: Call })
  | (Arrived & {
      readonly kind: 'form';
      readonly call: Call;
      /** What was filled in, by field id; merged over `call.args` before the command validates them. */
      readonly values: { readonly [fieldId: string]: FieldValue | Attachment };
    });

export interface Button {
  readonly label: string;
  readonly style: 'primary' | 'secondary' | 'danger';
  readonly call: Call;
  readonly disabled?: boolean;
}

export interface Option {
  readonly label: string;
  readonly value: string;
  readonly description?: string;
}

interface FieldBase {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly required: boolean;
  /** Show this field only while another field has one of these values. */
  readonly when?: { readonly field: string; readonly is: readonly string[] };
}

export type Field =
  | (FieldBase & {
      readonly kind: 'text';
      readonly value?: string;
      readonly placeholder?: string;
      readonly maxLength?: number;
    })
  | (FieldBase & {
      readonly kind: 'number';
      readonly value: number;
      readonly min: number;
      readonly max: number;
      readonly integer: boolean;
    })
  | (FieldBase & { readonly kind: 'choice'; readonly value: string; readonly options: readonly Option[] })
  /** Any number of options; at least one where it is required. */
  | (FieldBase & { readonly kind: 'choices'; readonly value: readonly string[]; readonly options: readonly Option[] })
  | (FieldBase & { readonly kind: 'file'; readonly accept: readonly string[]; readonly maxBytes: number });

/** What was filled in: a list for a field of several choices, text for any other. */
export type FieldValue = string | readonly string[];

/** A place in the guide, with the words it is cited for. */
export interface SourceLink {
  readonly chapterId: string;
  readonly sectionId: string;
  /** `chapter › section`, ready to show. */
  readonly title: string;
  readonly quote: string;
  /** It stands in a document of the group, which has no page of ours. */
  readonly document?: true;
}

export interface ProgressStep {
  readonly label: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
}

/** The parts a reply is made of. `markdown` is a safe subset: bold, italic, code, fences, lists, links, headings, tables. */
export type Block =
  | { readonly kind: 'text'; readonly markdown: string }
  | { readonly kind: 'buttons'; readonly buttons: readonly Button[] }
  | {
      readonly kind: 'select';
      readonly label: string;
      readonly options: readonly Option[] /** The chosen value is added to the call's args under `argument`. */;
      readonly call: Call;
      readonly argument: string;
      /** The option that holds now: a control to turn, shown as chosen. */
      readonly value?: string;
      /** The options are steps of one scale, ascending. */
      readonly scale?: boolean;
    }
  | {
      readonly kind: 'form';
      readonly title: string;
      readonly submitLabel: string;
      readonly call: Call;
      readonly fields: readonly Field[];
    }
  | {
      readonly kind: 'table';
      readonly caption: string;
      readonly columns: readonly { readonly label: string; readonly align: 'left' | 'right' }[];
      readonly rows: readonly (readonly string[])[];
    }
  | {
      readonly kind: 'picture' /** Id in the engine's picture store (a PNG). */;
      readonly pictureId: string;
      readonly width: number;
      readonly height: number;
      readonly alt: string;
      /** A drawing of the guide, by name or by its plain words: a front that can show it as such needs no PNG. */
      readonly of?: { readonly diagram: string } | { readonly formula: string };
    }
  | {
      readonly kind: 'progress';
      readonly label: string /** From 0 to 1. */;
      readonly fraction: number;
      readonly detail: string;
      /** The stages it goes through, where a front can show them; the running one is what the rest tells of. */
      readonly steps?: readonly ProgressStep[];
    }
  | { readonly kind: 'sources'; readonly sources: readonly SourceLink[] }
  | {
      readonly kind: 'file' /** Path under the data folder. */;
      readonly path: string;
      readonly name: string;
      readonly bytes: number;
    };

/** One message of ours. */
export interface Reply {
  /** Replies with the same slot in one place are one message, edited in place. Without a slot each is a new message. */
  readonly slot?: string;
  /** `asker`: only the person who asked sees it (ephemeral, where the platform has that). */
  readonly audience: 'everyone' | 'asker';
  readonly blocks: readonly Block[];
}
