// How every interaction is received: written down, acknowledged at once, then worked on, and its "thinking…" taken away.
import { type APIInteraction, type APIInteractionResponse, InteractionResponseType, MessageFlags } from 'discord.js';
import type { Attachment, Place } from '../../chat/message.ts';
import type { FrontInbox } from '../inbox.ts';
import { type Exchange, threadTypes, tokenOf } from './exchange.ts';
import { cutShort, type LeftBehind, type LeftInDiscord } from './left-behind.ts';
import { limits } from './limits.ts';
import type { Origin } from './origin.ts';
import { type Calls, codeOf, codes } from './rest.ts';
import type { RemoteFile, Said, Work } from './work.ts';

export interface Arrival {
  readonly origin: Origin;
  readonly atMs: number;
  readonly left: LeftBehind | undefined;
  /** It is kept, by this process. */
  held: boolean;
}

export interface Acknowledged {
  /** The message that answers, where it was asked for. */
  readonly messageId: string | undefined;
  /** The token serves no more: what is said goes out under the bot's own. */
  readonly late: boolean;
  /** It shows "thinking…" until something replaces it. */
  readonly thinking: boolean;
}

/** What a person asked for, once the files they gave with it are here. */
export type Say = (files: ReadonlyMap<string, Attachment>) => Promise<Said> | Said;

/** An exchange with what was posted for a thread to hang on. */
export type Started = Exchange & { readonly starterId?: string };

export interface Reception {
  /** Keeps it before it is acknowledged. The database is not waited for: Discord takes one acknowledgement, and whose that is, answers. */
  hold(interaction: APIInteraction, arrival: Arrival): Promise<void>;
  /** It needs no more work. */
  done(interaction: APIInteraction, arrival: Arrival): Promise<void>;
  /**
   * @returns undefined when somebody else has acknowledged it (another replica, or a redelivery): it is theirs.
   * Too late is not lost: the answer then goes out under the bot's own token.
   */
  acknowledge(
    interaction: APIInteraction,
    arrival: Arrival,
    response: APIInteractionResponse,
    wantsMessage?: boolean,
  ): Promise<Acknowledged | undefined>;
  /** Hands it to the conversation. */
  answer(
    interaction: APIInteraction,
    arrival: Arrival,
    exchange: Started,
    files: ReadonlyMap<string, RemoteFile>,
    say: Say,
  ): Promise<void>;
}

export interface ReceptionOptions {
  readonly calls: Calls;
  readonly work: Work;
  readonly inbox: FrontInbox;
  /** Told how long each acknowledgement took. */
  readonly acknowledged: (delayMs: number) => void;
  readonly now: () => Date;
  readonly log: { warn(fields: object, message: string): void };
}

export function createReception({ calls, work, inbox, acknowledged, now, log }: ReceptionOptions): Reception {
  const nowMs = () => now().getTime();
  const eventOf = ({ id }: APIInteraction, { workspaceId }: Origin) => ({ workspaceId, key: `discord:${id}` });

  /** What the process that ended had acknowledged goes on where it stood; undefined where it had not come that far. */
  async function findAnswer(interaction: APIInteraction, atMs: number): Promise<Acknowledged | undefined> {
    if (nowMs() - atMs >= limits.interaction.tokenMs) return tooLate;
    try {
      const { id, flags = 0 } = await calls.getAnswer(tokenOf(interaction));
      return { messageId: id, late: false, thinking: (flags & MessageFlags.Loading) !== 0 };
    } catch (error) {
      log.warn({ err: error, interaction: interaction.id }, 'Discord: an interaction left behind had no answer yet');
      return undefined;
    }
  }

  return {
    async hold(interaction, arrival) {
      if (arrival.left !== undefined) return;
      const payload: LeftInDiscord = { kind: 'interaction', interaction };
      arrival.held = true;
      await inbox.keep({ ...eventOf(interaction, arrival.origin), payload }).written;
    },

    async done(interaction, { origin, held }) {
      if (held) await inbox.done(eventOf(interaction, origin));
    },

    async acknowledge(interaction, { atMs, left }, response, wantsMessage = false) {
      const answered = left === undefined ? undefined : await findAnswer(interaction, atMs);
      if (answered !== undefined) return answered;
      try {
        const messageId = await calls.acknowledge(tokenOf(interaction), response, wantsMessage);
        if (left === undefined) acknowledged(nowMs() - atMs);
        return { messageId, late: false, thinking: thinks(response) };
      } catch (error) {
        if (codeOf(error) === codes.acknowledged) return undefined;
        log.warn({ err: error, interaction: interaction.id }, 'Discord: an acknowledgement was refused');
        return tooLate;
      }
    },

    async answer(interaction, { origin, left }, exchange, files, say) {
      const { token, thread } = exchange;
      const place: Place = {
        front: 'discord',
        workspaceId: origin.workspaceId,
        conversationId: thread?.id ?? origin.channelId,
        channelId: parentOf(interaction) ?? origin.channelId,
      };
      const { key } = eventOf(interaction, origin);
      const begun = left?.begun === true;
      await work.run(
        { key, place, person: origin.person, exchange },
        begun ? new Map() : files,
        begun ? cutShort : say,
      );
      try {
        if (token !== undefined && exchange.thinking) await calls.deleteAnswer(token, '@original');
        if (token !== undefined && exchange.starterId !== undefined && thread?.opened() === false) {
          await calls.deleteAnswer(token, exchange.starterId);
        }
      } catch (error) {
        log.warn({ err: error }, 'Discord: an unused answer could not be taken back');
      }
    },
  };
}

const tooLate: Acknowledged = { messageId: undefined, late: true, thinking: false };

const thinks = ({ type }: APIInteractionResponse) => type === InteractionResponseType.DeferredChannelMessageWithSource;

/** The channel of the thread it happened in. */
function parentOf({ channel }: APIInteraction): string | undefined {
  if (channel === undefined || !threadTypes.has(channel.type)) return undefined;
  return 'parent_id' in channel ? (channel.parent_id ?? undefined) : undefined;
}
