// What the bot may do where, and the words for what it misses.
import { PermissionFlagsBits } from 'discord.js';

/** Permissions by the name Discord's settings show. */
const named = {
  'View Channels': PermissionFlagsBits.ViewChannel,
  'Send Messages': PermissionFlagsBits.SendMessages,
  'Send Messages in Threads': PermissionFlagsBits.SendMessagesInThreads,
  'Create Public Threads': PermissionFlagsBits.CreatePublicThreads,
  'Attach Files': PermissionFlagsBits.AttachFiles,
  'Embed Links': PermissionFlagsBits.EmbedLinks,
  'Read Message History': PermissionFlagsBits.ReadMessageHistory,
} as const;
export type Permission = keyof typeof named;

/** What the invite link asks for, and no more. */
export const invited: readonly Permission[] = Object.keys(named) as Permission[];

const invitedBits = Object.values(named).reduce((all, bit) => all | bit, 0n);

/** @param bits undefined where nothing is known of them: then nothing is missing, and Discord has the last word. */
export function missing(bits: bigint | undefined, wanted: readonly Permission[]): readonly Permission[] {
  if (bits === undefined || (bits & PermissionFlagsBits.Administrator) !== 0n) return [];
  return wanted.filter((permission) => (bits & named[permission]) === 0n);
}

/** What a message there would take. @param channel what is known of it. */
export function lackingToWrite({ bits, isThread }: { readonly bits: bigint | undefined; readonly isThread: boolean }) {
  return missing(bits, ['View Channels', isThread ? 'Send Messages in Threads' : 'Send Messages']);
}

/** `I need *Attach Files* in #runs`. */
export function needs(permissions: readonly Permission[], channelName: string | undefined): string {
  const list = permissions.map((permission) => `*${permission}*`).join(' and ');
  return `I need ${list} in ${channelName === undefined ? 'this channel' : `#${channelName}`}`;
}

export function inviteLink(applicationId: string): string {
  const query = new URLSearchParams({
    client_id: applicationId,
    scope: 'bot applications.commands',
    permissions: String(invitedBits),
  });
  return `https://discord.com/oauth2/authorize?${query}`;
}
