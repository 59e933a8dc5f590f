// Written messages: mentions, direct messages, and what is said in the bot's own threads.
import { type APIMessage, type Channel, ChannelType, MessageType } from 'discord.js';
import type { Engine } from '../../../engine/index.ts';
import type { Command } from '../../chat/command.ts';
import { shorten } from '../../chat/escape.ts';
import type { Attachment, Place } from '../../chat/message.ts';
import type { FrontInbox } from '../inbox.ts';
import { createThread, type Exchange } from './exchange.ts';
import { cutShort, type GuildMessage, type LeftBehind, type LeftInDiscord } from './left-behind.ts';
import { limits } from './limits.ts';
import { canThread, guildWorkspace, type Origin, personOf, personWorkspace } from './origin.ts';
import { lackingToWrite } from './permissions.ts';
import type { Calls } from './rest.ts';
import type { RemoteFile, Work } from './work.ts';

/** What is known of a channel without asking. */
export interface ChannelFacts {
  readonly channel: Channel | undefined;
  readonly name: string | undefined;
  readonly bits: bigint | undefined;
  readonly isThread: boolean;
}

export interface MessagesOptions {
  readonly calls: Calls;
  readonly work: Work;
  readonly inbox: FrontInbox;
  readonly conversations: Engine['conversations'];
  readonly commands: readonly Command[];
  readonly botId: () => string | undefined;
  readonly botRole: (guildId: string) => string | undefined;
  readonly channelFacts: (channelId: string) => ChannelFacts;
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}

/** An answer that takes longer than this is announced by "typing…". */
const quickMs = 700;

/** @returns the handler of messages; it never throws. */
export function createMessages(options: MessagesOptions): (message: GuildMessage, left?: LeftBehind) => Promise<void> {
  const { calls, work, conversations, inbox, log } = options;

  async function take(message: GuildMessage, left?: LeftBehind): Promise<void> {
    const botId = options.botId();
    if (botId === undefined || !isSpoken(message) || (left === undefined && work.seen(message.id))) return;
    const facts = options.channelFacts(message.channel_id);
    // One that was kept was for us then; a thread of ours may not be known yet after a restart.
    if (left === undefined && !isForUs(message, botId, facts)) return;

    const origin = originOfMessage(message, facts);
    const said = wordsOf(
      message,
      botId,
      message.guild_id === undefined ? undefined : options.botRole(message.guild_id),
    );
    const files = new Map(message.attachments.map((file, index) => [String(index), toRemote(file)]));
    const words = said === '' && files.size > 0 ? 'finetune' : said;
    const exchange = exchangeFor(message, origin, words, botId);
    const place: Place = {
      front: 'discord',
      workspaceId: origin.workspaceId,
      conversationId: exchange.thread?.id ?? origin.channelId,
      channelId: (facts.channel?.isThread() ? facts.channel.parentId : undefined) ?? origin.channelId,
    };
    const key = `discord:${message.id}`;
    const event = { workspaceId: place.workspaceId, key };
    const payload: LeftInDiscord = { kind: 'message', message };
    if (left === undefined && !(await inbox.keep({ ...event, payload }).ours)) return;
    const quiet = options.after(quickMs, () => {
      if (lackingToWrite(facts).length > 0) return;
      calls
        .typing(message.channel_id)
        .catch((error: unknown) => log.warn({ err: error }, 'Discord: could not show typing'));
    });
    const begun = left?.begun === true;
    await work.run({ key, place, person: origin.person, exchange }, begun ? new Map() : files, async (fetched) => {
      if (begun) return cutShort();
      await conversations.openWorkspace(place.workspaceId, place.workspaceId);
      await conversations.say(place, { personId: origin.person.id, slot: `said:${key}`, content: { text: words } });
      return { kind: 'message', text: words, attachments: [...fetched.values()] satisfies readonly Attachment[] };
    });
    quiet();
    if (left === undefined) await inbox.done(event);
  }

  function exchangeFor(message: GuildMessage, origin: Origin, words: string, botId: string): Exchange {
    const repliesToUs = message.referenced_message?.author.id === botId;
    return {
      origin,
      arrivedAtMs: options.now().getTime(),
      token: undefined,
      sourceMessageId: undefined,
      answers: message.id,
      thinking: false,
      thread:
        origin.threads && !repliesToUs
          ? createThread({
              calls,
              parentId: message.channel_id,
              messageId: message.id,
              name: shorten(words.replace(/\s+/g, ' ').trim() || 'Finetutor', limits.thread.nameCharacters),
              onRefused: (error) =>
                log.warn({ err: error }, 'Discord: no thread could be opened; answering in the channel'),
            })
          : undefined,
    };
  }

  function isForUs(message: GuildMessage, botId: string, { channel }: ChannelFacts): boolean {
    if (message.guild_id === undefined) return true;
    if (message.mentions.some(({ id }) => id === botId) || mentionOf(botId).test(message.content)) return true;
    const role = options.botRole(message.guild_id);
    if (role !== undefined && message.mention_roles.includes(role)) return true;
    // In a thread we opened everything is for us, unless it is said to somebody else; without the message content intent
    // Discord leaves the words out, and there is nothing to answer.
    const ours = channel?.isThread() === true && channel.ownerId === botId;
    const toOthers = message.mentions.length > 0 || message.referenced_message?.author.id !== undefined;
    return ours && !toOthers && (message.content !== '' || message.attachments.length > 0);
  }

  return (message, left) =>
    take(message, left).catch((error: unknown) =>
      log.error({ err: error, message: message.id }, 'Discord: a message could not be handled'),
    );
}

/** By a person, with words or files: no bot, no webhook, no "pinned a message". */
function isSpoken({ author, webhook_id, type }: GuildMessage): boolean {
  return (
    author.bot !== true && webhook_id === undefined && (type === MessageType.Default || type === MessageType.Reply)
  );
}

function originOfMessage(message: GuildMessage, { channel, name, bits }: ChannelFacts): Origin {
  const { guild_id, channel_id, author } = message;
  return {
    workspaceId: guild_id === undefined ? personWorkspace(author.id) : guildWorkspace(guild_id),
    channelId: channel_id,
    channelName: name,
    person: personOf(author),
    direct: guild_id === undefined,
    botPresent: true,
    threads: guild_id !== undefined && canThread(channel?.type ?? ChannelType.DM, bits),
    bits,
    fileBytes: limits.message.fileBytes,
  };
}

const mentionOf = (id: string) => new RegExp(`<@!?${id}>`);

/** What was said, without calling us; other people by their names, since an id says nothing to a reader. */
function wordsOf(message: GuildMessage, botId: string, role: string | undefined): string {
  const names = new Map(message.mentions.map((user) => [user.id, personOf(user).name]));
  return message.content
    .replace(/<@!?(\d+)>/g, (whole, id: string) => (id === botId ? '' : names.has(id) ? `@${names.get(id)}` : whole))
    .replace(/<@&(\d+)>/g, (whole, id: string) => (id === role ? '' : whole))
    .trim();
}

const toRemote = ({ url, filename, size }: APIMessage['attachments'][number]): RemoteFile => ({
  url,
  name: filename,
  bytes: size,
});
