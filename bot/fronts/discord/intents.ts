// What the bot asks to hear: the least it works with, and message content where its application may have it.
import { ApplicationFlags, GatewayIntentBits } from 'discord.js';

/** @param flags of the application: the switch "Message Content Intent" on its Bot page. */
export function readsMessages(flags: number | undefined): boolean {
  return (
    ((flags ?? 0) & (ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited)) !== 0
  );
}

export function intentsFor(messageContent: boolean): readonly GatewayIntentBits[] {
  return [
    // Channels, threads and permissions.
    GatewayIntentBits.Guilds,
    // Mentions in servers, and messages to the bot alone.
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.DirectMessages,
    ...(messageContent ? [GatewayIntentBits.MessageContent] : []),
  ];
}
