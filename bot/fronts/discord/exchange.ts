// One event being answered: where its answers go while its token lives, and the thread it may open.
import {
  type APIInteraction,
  type APIMessageComponentInteraction,
  type APIModalSubmitInteraction,
  ChannelType,
} from 'discord.js';
import { limits } from './limits.ts';
import type { Origin } from './origin.ts';
import { type Calls, codeOf, codes, type InteractionToken } from './rest.ts';

export interface Exchange {
  readonly origin: Origin;
  readonly arrivedAtMs: number;
  readonly token: InteractionToken | undefined;
  /** The message a used component stands on. */
  readonly sourceMessageId: string | undefined;
  /** The message of a person that is answered. */
  readonly answers: string | undefined;
  /** Our acknowledgement shows "thinking…" until something replaces it. */
  thinking: boolean;
  /** The thread that the conversation goes on in; opened when something is first said there. */
  thread: Thread | undefined;
}

export const tokenOf = ({ application_id, id, token }: APIInteraction): InteractionToken => ({
  applicationId: application_id,
  interactionId: id,
  token,
});

export interface Thread {
  /** The message it hangs on gives it its id. */
  readonly id: string;
  /** @returns the channel to write in: the thread, or its parent where none could be opened. */
  open(): Promise<string>;
  opened(): boolean;
}

export const isFresh = ({ token, arrivedAtMs }: Exchange, nowMs: number): boolean =>
  token !== undefined && nowMs - arrivedAtMs < limits.interaction.tokenMs;

/** That of a used component or a sent modal. */
export const exchangeOf = (
  interaction: APIMessageComponentInteraction | APIModalSubmitInteraction,
  { origin, atMs }: { readonly origin: Origin; readonly atMs: number },
  late: boolean,
): Exchange => ({
  origin,
  arrivedAtMs: atMs,
  token: late ? undefined : tokenOf(interaction),
  sourceMessageId: interaction.message?.id,
  answers: undefined,
  thinking: false,
  thread: undefined,
});

/** @param before what has to stand in the parent first, such as the words the thread hangs on. */
export function createThread(options: {
  calls: Pick<Calls, 'openThread'>;
  parentId: string;
  messageId: string;
  name: string;
  before?: () => Promise<void>;
  onRefused: (error: unknown) => void;
}): Thread {
  const { calls, parentId, messageId, name } = options;
  let opening: Promise<string> | undefined;

  async function open(): Promise<string> {
    await options.before?.();
    try {
      await calls.openThread(parentId, messageId, name.slice(0, limits.thread.nameCharacters));
    } catch (error) {
      if (codeOf(error) === codes.threadExists) return messageId;
      if (codeOf(error) === undefined) throw error;
      options.onRefused(error);
      return parentId;
    }
    return messageId;
  }

  return {
    id: messageId,
    open() {
      opening ??= open();
      opening.catch(() => {
        opening = undefined;
      });
      return opening;
    },
    opened: () => opening !== undefined,
  };
}

export const threadTypes: ReadonlySet<number> = new Set([
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
]);
