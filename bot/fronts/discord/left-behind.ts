// What the inbox keeps of an event of Discord, and how one is taken up that an ended process left behind.
import type { APIInteraction, APIMessage } from 'discord.js';
import { z } from 'zod';
import { type KeptEvent, UserError } from '../../../engine/index.ts';

export type GuildMessage = APIMessage & { readonly guild_id?: string };

/** From a process that ended. */
export interface LeftBehind {
  readonly receivedAt: Date;
  /** A command had begun to answer it. */
  readonly begun: boolean;
}

export type LeftInDiscord =
  | { readonly kind: 'interaction'; readonly interaction: APIInteraction }
  | { readonly kind: 'message'; readonly message: GuildMessage };

// Discord's own words, written by us: only that it is one of the two is looked at.
const isLeftInDiscord = (payload: unknown): payload is LeftInDiscord =>
  z
    .union([
      z.looseObject({ kind: z.literal('interaction'), interaction: z.looseObject({ id: z.string() }) }),
      z.looseObject({ kind: z.literal('message'), message: z.looseObject({ id: z.string() }) }),
    ])
    .safeParse(payload).success;

export interface Redoers {
  readonly interaction: (interaction: APIInteraction, left: LeftBehind) => Promise<void>;
  readonly message: (message: GuildMessage, left: LeftBehind) => Promise<void>;
}

/** @returns what works on a kept event; one that is not Discord's (any more) is passed over. */
export function createRedo(redoers: Redoers): (event: KeptEvent) => Promise<void> {
  return async ({ payload, receivedAt, begun }) => {
    if (!isLeftInDiscord(payload)) return;
    const left = { receivedAt, begun };
    if (payload.kind === 'interaction') await redoers.interaction(payload.interaction, left);
    else await redoers.message(payload.message, left);
  };
}

/** How far the process came that ended, nobody knows: doing it all again could launch a run twice. */
export const cutShort = () =>
  Promise.reject(new UserError('I was restarted while I worked on this.', 'If no answer came, ask again.'));
