// What a command is: a name, a typed argument schema, and a stream of replies.
import type { z } from 'zod';
import type { Engine } from '../../engine/index.ts';
import type { Attachment, Incoming, Json, Person, Place, Reply } from './message.ts';

/** What a command may use. Platform-neutral: a command never knows which front it answers. */
export interface CommandContext {
  readonly engine: Engine;
  readonly place: Place;
  readonly person: Person;
  readonly attachments: readonly Attachment[];
  readonly incoming: Incoming;
  /** Address of the web page, for links that open a guide section; absent when the page does not run. */
  readonly pageUrl: string | undefined;
  readonly now: () => Date;
}

export interface Command<Args = unknown> {
  readonly name: string;
  /** One line for the help list. */
  readonly summary: string;
  /** As a person types it: `try <run> <text>`. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** Validates what came from typed text, a button or a form alike. */
  readonly args: z.ZodType<Args>;
  /** Typed words after the command's name → unvalidated arguments. `rest` keeps its spaces and line breaks. */
  readonly parse: (rest: string) => { readonly [name: string]: Json };
  readonly execute: (args: Args, context: CommandContext) => AsyncIterable<Reply>;
}
