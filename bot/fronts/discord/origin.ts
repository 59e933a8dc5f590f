// Where something happened on Discord, and what may be done there: read from an event, once.
import {
  type APIInteraction,
  type APIUser,
  ApplicationIntegrationType,
  ChannelType,
  InteractionContextType,
} from 'discord.js';
import type { Person } from '../../chat/message.ts';
import { limits } from './limits.ts';
import { missing } from './permissions.ts';

export interface Origin {
  readonly workspaceId: string;
  readonly channelId: string;
  readonly channelName: string | undefined;
  readonly person: Person;
  /** A conversation with the bot alone: everything in it is private. */
  readonly direct: boolean;
  /** The bot itself is in the place and can write with its own token; not so where only a person has installed it. */
  readonly botPresent: boolean;
  /** A thread can be opened at a message here. */
  readonly threads: boolean;
  /** The bot's permissions; undefined where they are not known. */
  readonly bits: bigint | undefined;
  /** Largest file that can be sent, in bytes. */
  readonly fileBytes: number;
}

export const personOf = (user: Pick<APIUser, 'id' | 'username' | 'global_name'>): Person => ({
  id: user.id,
  name: (user.global_name ?? user.username).replace(/\p{C}/gu, ''),
});

export const guildWorkspace = (guildId: string) => `discord:${guildId}`;
export const personWorkspace = (personId: string) => `discord:user:${personId}`;

export function canThread(channelType: ChannelType | undefined, bits: bigint | undefined): boolean {
  const right = channelType === ChannelType.GuildText || channelType === ChannelType.GuildAnnouncement;
  return right && missing(bits, ['Create Public Threads', 'Send Messages in Threads']).length === 0;
}

/** @returns undefined for an interaction without a person or a channel (a ping). */
export function originOf(interaction: APIInteraction): Origin | undefined {
  const user = interaction.member?.user ?? interaction.user;
  const channelId = interaction.channel?.id ?? interaction.channel_id;
  if (user === undefined || channelId === undefined) return undefined;
  const owners = interaction.authorizing_integration_owners ?? {};
  const byGuild = owners[ApplicationIntegrationType.GuildInstall];
  const byPerson = owners[ApplicationIntegrationType.UserInstall];
  const guildId = interaction.guild_id;
  const botPresent = byGuild !== undefined || byPerson === undefined;
  const bits = interaction.app_permissions === undefined ? undefined : BigInt(interaction.app_permissions);
  const channel = interaction.channel;
  return {
    workspaceId: guildId !== undefined && botPresent ? guildWorkspace(guildId) : personWorkspace(byPerson ?? user.id),
    channelId,
    channelName: channel !== undefined && 'name' in channel ? (channel.name ?? undefined) : undefined,
    person: personOf(user),
    direct: guildId === undefined && interaction.context !== InteractionContextType.PrivateChannel,
    botPresent: botPresent && interaction.context !== InteractionContextType.PrivateChannel,
    threads: guildId !== undefined && botPresent && canThread(channel?.type, bits),
    bits: guildId === undefined ? undefined : bits,
    fileBytes: interaction.attachment_size_limit ?? limits.message.fileBytes,
  };
}
