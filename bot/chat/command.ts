// What a command is: a name, a typed argument schema, and a stream of replies.
import { z } from 'zod';
import type { Engine, Run, Turn } from '../../engine/index.ts';
import type { BattleHost } from './battle-host.ts';
import type { Attachment, Incoming, Json, Person, Place, Reply } from './message.ts';
import { refuse } from './refuse.ts';

/** What a command may use. Platform-neutral: a command never knows which front it answers. */
export interface CommandContext {
  readonly engine: Engine;
  readonly place: Place;
  readonly person: Person;
  /** Files that came with the message or in the form. Only a front makes these: a path never comes from arguments. */
  readonly attachments: readonly Attachment[];
  readonly incoming: Incoming;
  /** Address of the web page, for links that open a guide section; absent when the page does not run. */
  readonly pageUrl: string | undefined;
  readonly now: () => Date;
  /** Every command there is, for help. */
  readonly commands: readonly Command[];
  /** What this person and we said here before, oldest first, without the message being answered. */
  readonly turns: () => Promise<readonly Turn[]>;
  /** Posts in another place of the same workspace. */
  readonly post: (place: Place, reply: Reply) => Promise<void>;
  /** Shows the run's live card in the place its row names; resolves once it stands there. */
  readonly showRun: (run: Run) => Promise<void>;
  /** Shows quiz battles and moves them on. */
  readonly battles: Pick<BattleHost, 'show' | 'refresh' | 'next'>;
}

export interface Command {
  readonly name: string;
  /** Other words for it, when typed. */
  readonly aliases?: readonly string[];
  /** One line for the help list. */
  readonly summary: string;
  /** As a person types it: `try <run> <text>`. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** Typed words after the command's name → unvalidated arguments. `rest` keeps its spaces and line breaks. */
  readonly parse: (rest: string) => { readonly [name: string]: Json };
  /** Whether words typed after the name (without a leading `/`) are meant for this command; otherwise they are a question. */
  readonly isMeant: (rest: string) => boolean;
  /** @throws UserError naming the argument, its value and what is allowed. */
  readonly execute: (args: { readonly [name: string]: Json }, context: CommandContext) => AsyncIterable<Reply>;
}

/** Ties a command's argument schema to its body, so that the body sees validated, typed arguments only. */
export function defineCommand<Schema extends z.ZodObject>(
  definition: Omit<Command, 'execute'> & {
    readonly args: Schema;
    readonly execute: (args: z.output<Schema>, context: CommandContext) => AsyncIterable<Reply>;
  },
): Command {
  const { args: schema, execute, ...command } = definition;
  return {
    ...command,
    execute: (args, context) => {
      const checked = schema.safeParse(args);
      if (!checked.success) throw refuse(checked.error, args, command.usage);
      return execute(checked.data, context);
    },
  };
}

/** A number as a form or typed words give it: `''` and `auto` mean "not given"; the schema then has the last word. */
export function typedNumber<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    const written = value.trim();
    if (written === '' || written.toLowerCase() === 'auto') return undefined;
    const number = Number(written);
    return Number.isNaN(number) ? value : number;
  }, schema);
}

/** Text that may be left empty. */
export const optionalText = z.preprocess(
  (value) => (typeof value === 'string' && value.trim() === '' ? undefined : value),
  z.string().trim().max(200).optional(),
);
