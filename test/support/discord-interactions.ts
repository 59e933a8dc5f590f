// Interactions in the small Discord: people use something, and it is acknowledged once, in time, and answered under its token.

import { checkChoices } from './discord-command-rules.ts';
import type { Gateway } from './discord-gateway.ts';
import { checkModal } from './discord-modal-rules.ts';
import {
  type Answer,
  allPermissions,
  done,
  fileBytes,
  ok,
  type Posting,
  permissionBits,
  type Sent,
} from './discord-posting.ts';
import { flagBits, Refused } from './discord-rules.ts';
import type { Request } from './discord-traffic.ts';
import type { Channel, Interaction, Message, User, World } from './discord-world.ts';

export const acknowledgeMs = 3000;
const tokenMs = 15 * 60_000;
/** Of an interaction in a place where only a person has installed the application. */
const followUps = 5;
/** What an interaction of each type may be answered with. */
const answersTo: { readonly [type: number]: readonly number[] } = {
  2: [4, 5, 9],
  3: [4, 5, 6, 7, 9],
  4: [8],
  5: [4, 5, 6, 7],
};

export interface InteractionOptions {
  readonly world: World;
  readonly gateway: Gateway;
  readonly posting: Posting;
  readonly nowMs: () => number;
}
export type Interactions = ReturnType<typeof createInteractionRules>;

export function createInteractionRules({ world, gateway, posting, nowMs }: InteractionOptions) {
  const { checkBySpec, need, checkOutgoing, contentOf, edit, isMember, announce } = posting;
  const byToken = new Map<string, Interaction>();

  function acknowledge(id: string, token: string, request: Request, sent: Sent): Answer {
    const interaction = world.interactions.get(id);
    if (interaction === undefined || interaction.token !== token) throw new Refused(404, 10062, 'Unknown interaction');
    if (interaction.acknowledged !== undefined)
      throw new Refused(400, 40060, 'Interaction has already been acknowledged.');
    if (
      nowMs() - interaction.createdAtMs > acknowledgeMs ||
      performance.now() - interaction.dispatchedAt > acknowledgeMs
    ) {
      throw new Refused(404, 10062, 'Unknown interaction');
    }
    const { type, data } = sent.body as { type: number; data?: { flags?: number } };
    if (!answersTo[interaction.type]?.includes(type))
      throw new Refused(
        400,
        50035,
        `Invalid Form Body: type ${type} does not answer an interaction of type ${interaction.type}`,
      );
    checkBySpec(request, sent.body);
    const isPrivate = ((data?.flags ?? 0) & flagBits.ephemeral) !== 0;
    const visibleTo = isPrivate ? interaction.user.id : undefined;
    switch (type) {
      case 4: {
        const body = checkOutgoing(request, sent, 'answer', undefined, data);
        interaction.original = world.add({
          channelId: interaction.channel.id,
          author: world.bot,
          ...contentOf(body, sent, undefined),
          visibleTo,
          token,
        });
        break;
      }
      case 5:
        interaction.original = world.add({
          channelId: interaction.channel.id,
          author: world.bot,
          loading: true,
          visibleTo,
          token,
        });
        break;
      case 6:
      case 7:
        if (interaction.source === undefined)
          throw new Refused(400, 50035, 'Invalid Form Body: there is no message to update');
        interaction.original = interaction.source;
        if (type === 7) edit(interaction.source, request, sent, 'answer-edit', data);
        break;
      case 8:
        interaction.choices = checkChoices(data).choices;
        break;
      case 9:
        interaction.modal = checkModal(data);
        break;
    }
    interaction.acknowledged = type;
    interaction.latencyMs = performance.now() - interaction.dispatchedAt;
    interaction.settle();
    if (request.query.get('with_response') !== 'true') return done;
    const { original } = interaction;
    return ok({
      interaction: {
        id,
        type: interaction.type,
        response_message_id: original?.id,
        response_message_loading: original?.loading ?? false,
        response_message_ephemeral: isPrivate,
      },
      ...(original === undefined ? {} : { resource: { type, message: world.toMessage(original) } }),
    });
  }

  function webhook(method: string, token: string, target: string | undefined, request: Request, sent: Sent): Answer {
    const interaction = byToken.get(token);
    if (interaction === undefined || interaction.acknowledged === undefined)
      throw new Refused(404, 10015, 'Unknown Webhook');
    if (nowMs() - interaction.createdAtMs > tokenMs) throw new Refused(401, 50027, 'Invalid Webhook Token');
    if (interaction.acknowledged === 8 || interaction.acknowledged === 9)
      throw new Refused(404, 10015, 'Unknown Webhook');
    if (target === undefined && method === 'POST') {
      if (sent.files.length > 0) need(interaction.channel, permissionBits.attachFiles);
      // The first answer after a deferred one takes its place, and its audience.
      if (interaction.original?.loading && !interaction.original.deleted)
        return ok(world.toMessage(edit(interaction.original, request, sent, 'answer')));
      const body = checkOutgoing(request, sent, 'answer', undefined);
      interaction.followUps += 1;
      if (interaction.followUps > followUps && !isMember(interaction.channel))
        throw new Refused(400, 40094, 'This interaction has reached the maximum number of follow-up messages');
      const visibleTo = ((body.flags ?? 0) & flagBits.ephemeral) !== 0 ? interaction.user.id : undefined;
      const message = world.add({
        channelId: interaction.channel.id,
        author: world.bot,
        ...contentOf(body, sent, undefined),
        visibleTo,
        token,
      });
      announce('MESSAGE_CREATE', message);
      return ok(world.toMessage(message));
    }
    const message =
      target === '@original'
        ? interaction.original
        : interaction.channel.messages.find(({ id, token: its }) => id === target && its === token);
    if (message === undefined || message.deleted) throw new Refused(404, 10008, 'Unknown Message');
    if (method === 'GET') return ok(world.toMessage(message));
    if (method === 'DELETE') {
      message.deleted = true;
      return done;
    }
    if (sent.files.length > 0) need(interaction.channel, permissionBits.attachFiles);
    return ok(world.toMessage(edit(message, request, sent, 'answer-edit')));
  }

  function payloadOf(interaction: Interaction, data: object, extra: object): object {
    const { channel, user, source } = interaction;
    const guild = world.guilds.find(({ id }) => id === channel.guildId);
    const member = {
      user,
      roles: [],
      joined_at: new Date(0).toISOString(),
      deaf: false,
      mute: false,
      permissions: String(allPermissions),
      flags: 0,
    };
    return {
      id: interaction.id,
      application_id: world.bot.id,
      type: interaction.type,
      token: interaction.token,
      version: 1,
      locale: 'en-US',
      entitlements: [],
      attachment_size_limit: fileBytes,
      app_permissions: String(guild?.hasBot === false ? permissionBits.attachFiles : world.permissions(channel)),
      context: channel.type === 1 ? 1 : channel.type === 3 ? 2 : 0,
      authorizing_integration_owners:
        guild === undefined
          ? channel.type === 1
            ? { 0: '0' }
            : { 1: user.id }
          : guild.hasBot
            ? { 0: guild.id }
            : { 1: user.id },
      channel: world.toChannel(channel),
      channel_id: channel.id,
      ...(guild === undefined
        ? { user }
        : {
            guild_id: guild.id,
            guild: { id: guild.id, locale: 'en-US', features: [] },
            guild_locale: 'en-US',
            member,
          }),
      ...(source === undefined ? {} : { message: world.toMessage(source) }),
      data,
      ...extra,
    };
  }

  function start(
    user: User,
    channel: Channel,
    type: number,
    data: object,
    source?: Message,
    extra: object = {},
  ): { interaction: Interaction; payload: object } {
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const interaction: Interaction = {
      id: world.newId(),
      token: `token-${world.newId()}`,
      type,
      channel,
      user,
      createdAtMs: nowMs(),
      source,
      acknowledged: undefined,
      latencyMs: undefined,
      original: undefined,
      followUps: 0,
      modal: undefined,
      choices: undefined,
      settled,
      settle: () => settle(),
      dispatchedAt: performance.now(),
    };
    world.interactions.set(interaction.id, interaction);
    byToken.set(interaction.token, interaction);
    const payload = payloadOf(interaction, data, extra);
    gateway.dispatch('INTERACTION_CREATE', () => payload);
    return { interaction, payload };
  }

  return { acknowledge, webhook, start };
}
