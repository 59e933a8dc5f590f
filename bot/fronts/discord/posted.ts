// What stands on Discord for one reply, as it is kept beside it: a restart goes on editing the same messages.
import type { APIMessage } from 'discord.js';
import { z } from 'zod';

const postedSchema = z.object({
  channelId: z.string(),
  messages: z.array(
    z.object({ id: z.string(), files: z.array(z.object({ id: z.string(), name: z.string() })).default([]) }),
  ),
  /** Somebody deleted it, or took the place away from us: no more progress is shown. */
  gone: z.boolean().default(false),
  /** It stands in the person's direct messages, because of this. */
  toldWhy: z.string().optional(),
});
export type Posted = z.output<typeof postedSchema>;

/** @returns undefined for what is not posted yet, or not in our words. */
export function readPosted(externalId: string | undefined): Posted | undefined {
  if (externalId === undefined) return undefined;
  const read = postedSchema.safeParse(JSON.parse(externalId));
  return read.success ? read.data : undefined;
}

export const toPosted = ({ id, attachments }: APIMessage): Posted['messages'][number] => ({
  id,
  files: (attachments ?? []).map((attachment) => ({ id: attachment.id, name: attachment.filename })),
});

const discordEpochMs = 1_420_070_400_000n;

/** A snowflake holds the time it was made. */
const snowflakeAtMs = (id: string) => Number((BigInt(id) >> 22n) + discordEpochMs);

export const postedAtMs = ({ messages }: Posted) => (messages[0] === undefined ? 0 : snowflakeAtMs(messages[0].id));
