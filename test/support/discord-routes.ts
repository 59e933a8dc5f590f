// The REST routes of the small Discord.

import { type CommandBody, checkCommand, checkPost, checkThread } from './discord-command-rules.ts';
import { type Gateway, intents } from './discord-gateway.ts';
import type { Interactions } from './discord-interactions.ts';
import { type Answer, done, ok, type Posting, permissionBits, type Sent } from './discord-posting.ts';
import { Refused } from './discord-rules.ts';
import type { Request } from './discord-traffic.ts';
import type { Channel, Message, World } from './discord-world.ts';

export interface RoutesOptions {
  readonly world: World;
  readonly gateway: Gateway;
  readonly posting: Posting;
  readonly interactions: Interactions;
  readonly commands: (CommandBody & { readonly id: string })[];
  readonly token: () => string;
  readonly gatewayUrl: string;
  readonly mayReadMessages: boolean;
  readonly allowed: bigint;
  /** People may install it for themselves. */
  readonly personal: boolean;
  readonly direct: (user: World['users'][number]) => Channel;
  readonly nowMs: () => number;
}

/** @returns what answers a request. It throws Refused. */
export function createRoutes(options: RoutesOptions) {
  const { world, gateway, posting, interactions, commands, nowMs } = options;
  const { checkBySpec, need, checkOutgoing, contentOf, edit, announce, addChannel } = posting;

  async function serve(request: Request, sent: Sent, authorization: string | undefined): Promise<Answer> {
    const { method, route, body } = request;
    const is = (wanted: string, pattern: RegExp) => (method === wanted ? pattern.exec(route) : null);
    const withToken = route.startsWith('/interactions/') || route.startsWith('/webhooks/');
    if (!withToken && authorization !== `Bot ${options.token()}`) throw new Refused(401, 0, '401: Unauthorized');

    const callback = is('POST', /^\/interactions\/(\d+)\/([^/]+)\/callback$/);
    if (callback) return interactions.acknowledge(callback[1] ?? '', callback[2] ?? '', request, sent);
    const hook = /^\/webhooks\/(\d+)\/([^/]+)(?:\/messages\/(@original|\d+))?$/.exec(route);
    if (hook) return interactions.webhook(method, hook[2] ?? '', hook[3], request, sent);

    if (is('GET', /^\/gateway\/bot$/))
      return ok({
        url: options.gatewayUrl,
        shards: 1,
        session_start_limit: { total: 1000, remaining: 999, reset_after: 14_400_000, max_concurrency: 16 },
      });
    if (is('GET', /^\/users\/@me$/)) return ok(world.bot);
    if (is('GET', /^\/users\/@me\/guilds$/))
      return ok(
        world.guilds
          .filter(({ hasBot }) => hasBot)
          .map(({ id, name }) => ({
            id,
            name,
            owner: false,
            permissions: String(options.allowed),
            features: [],
          })),
      );
    if (is('GET', /^\/(oauth2\/)?applications\/@me$/))
      return ok({
        id: world.bot.id,
        name: 'Finetutor',
        flags: options.mayReadMessages ? 1 << 19 : 0,
        bot_public: true,
        install_params: null,
        integration_types_config: options.personal ? { 0: {}, 1: {} } : { 0: {} },
      });
    const listed = is('GET', /^\/applications\/(\d+)\/commands$/);
    if (listed) return ok(commands);
    if (is('POST', /^\/applications\/(\d+)\/commands$/)) {
      checkBySpec(request, body);
      // One of the same name and type is overwritten, as Discord does.
      const made = checkCommand(body);
      const at = commands.findIndex(({ name, type }) => name === made.name && type === made.type);
      const command = { ...made, id: commands[at]?.id ?? world.newId() };
      if (at < 0) commands.push(command);
      else commands[at] = command;
      return ok(command, at < 0 ? 201 : 200);
    }
    if (is('PUT', /^\/applications\/(\d+)\/commands$/)) {
      checkBySpec(request, body);
      const made = (body as readonly unknown[]).map((command) => ({ ...checkCommand(command), id: world.newId() }));
      commands.splice(0, commands.length, ...made);
      return ok(commands);
    }
    const one = /^\/applications\/\d+\/commands\/(\d+)$/.exec(route);
    if (one) {
      const at = commands.findIndex(({ id }) => id === one[1]);
      const known = commands[at];
      if (known === undefined) throw new Refused(404, 10063, 'Unknown application command');
      if (method === 'DELETE') {
        commands.splice(at, 1);
        return done;
      }
      checkBySpec(request, body);
      const changed = { ...checkCommand({ ...(body as object) }), id: known.id };
      commands[at] = changed;
      return ok(changed);
    }
    if (is('POST', /^\/users\/@me\/channels$/)) {
      const user = world.users.find(({ id }) => id === (body as { recipient_id?: string }).recipient_id);
      if (user === undefined) throw new Refused(400, 50033, 'Invalid Recipient(s)');
      return ok(world.toChannel(options.direct(user)));
    }
    const inChannel = /^\/channels\/(\d+)(\/.*)?$/.exec(route);
    if (inChannel) return channelRoute(method, inChannel[1] ?? '', inChannel[2] ?? '', request, sent);
    throw new Refused(404, 0, `404: Not Found (${method} ${route})`);
  }

  async function channelRoute(
    method: string,
    channelId: string,
    rest: string,
    request: Request,
    sent: Sent,
  ): Promise<Answer> {
    const channel = world.channel(channelId);
    if (
      channel === undefined ||
      (channel.guildId !== undefined && !world.guilds.some(({ id, hasBot }) => id === channel.guildId && hasBot))
    ) {
      throw channel === undefined
        ? new Refused(404, 10003, 'Unknown Channel')
        : new Refused(403, 50001, 'Missing Access');
    }
    if (method === 'GET' && rest === '') return ok(world.toChannel(channel));
    if (method === 'PATCH' && rest === '') {
      channel.archived = (request.body as { archived?: boolean }).archived ?? channel.archived;
      return ok(world.toChannel(channel));
    }
    if (method === 'POST' && rest === '/typing') {
      need(channel, permissionBits.sendMessages);
      return done;
    }
    if (method === 'POST' && rest === '/messages') {
      const isThread = channel.type === 11;
      need(
        channel,
        isThread ? permissionBits.sendInThreads : permissionBits.sendMessages,
        ...(sent.files.length > 0 ? [permissionBits.attachFiles] : []),
      );
      const body = checkOutgoing(request, sent, 'post', undefined);
      if (
        body.message_reference !== undefined &&
        (world.permissions(channel) & permissionBits.readHistory) === 0n &&
        channel.type !== 1
      )
        throw new Refused(400, 160002, 'Cannot reply without permission to read message history');
      const nonce = body.nonce === undefined ? undefined : String(body.nonce);
      const before =
        body.enforce_nonce && nonce !== undefined
          ? channel.messages.find((message) => message.nonce === nonce && nowMs() - message.createdAtMs < 5 * 60_000)
          : undefined;
      if (before !== undefined) return ok(world.toMessage(before));
      channel.archived = false;
      const message = world.add({
        channelId,
        author: world.bot,
        ...contentOf(body, sent, undefined),
        nonce,
        reference: body.message_reference?.message_id,
      });
      announce('MESSAGE_CREATE', message);
      return ok(world.toMessage(message));
    }
    if (method === 'POST' && rest === '/threads') {
      if (channel.type !== 15) throw new Refused(400, 50024, 'Cannot execute action on this channel type');
      need(channel, permissionBits.sendMessages);
      checkBySpec(request, request.body);
      const { name, message: opening, applied_tags: tags = [] } = checkPost(request.body);
      const known = new Map((channel.tags ?? []).map((tag) => [tag.id, tag]));
      if (tags.some((id) => known.get(id)?.moderated !== false))
        throw new Refused(400, 50035, 'Invalid Form Body: TAG');
      if (channel.needsTag && tags.length === 0)
        throw new Refused(400, 40067, 'A tag is required to create a forum post in this channel');
      const made = addChannel(
        world.guilds.find(({ id }) => id === channel.guildId),
        { type: 11, name, parentId: channel.id, ownerId: world.bot.id, appliedTags: tags },
      );
      const body = checkOutgoing(request, sent, 'post', undefined, opening);
      world.add({ id: made.id, channelId: made.id, author: world.bot, ...contentOf(body, sent, undefined) });
      gateway.dispatch('THREAD_CREATE', (its) =>
        (its & intents.guilds) === 0 ? undefined : { ...world.toChannel(made), newly_created: true },
      );
      return ok(world.toChannel(made), 201);
    }
    const thread = /^\/messages\/(\d+)\/threads$/.exec(rest);
    if (thread && method === 'POST') {
      need(channel, permissionBits.publicThreads);
      checkBySpec(request, request.body);
      const { name } = checkThread(request.body);
      if (world.channel(thread[1] ?? '') !== undefined)
        throw new Refused(400, 160004, 'A thread has already been created for this message');
      findMessage(channel, thread[1] ?? '');
      if (channel.type !== 0 && channel.type !== 5)
        throw new Refused(400, 50024, 'Cannot execute action on this channel type');
      const made = addChannel(
        world.guilds.find(({ id }) => id === channel.guildId),
        { id: thread[1] ?? '', type: 11, name, parentId: channel.id, ownerId: world.bot.id },
      );
      gateway.dispatch('THREAD_CREATE', (its) =>
        (its & intents.guilds) === 0 ? undefined : { ...world.toChannel(made), newly_created: true },
      );
      return ok(world.toChannel(made), 201);
    }
    const on = /^\/messages\/(\d+)$/.exec(rest);
    if (on) {
      const message = findMessage(channel, on[1] ?? '');
      if (method === 'GET') return ok(world.toMessage(message));
      if (message.visibleTo !== undefined) throw new Refused(404, 10008, 'Unknown Message');
      if (method === 'DELETE') {
        if (message.author !== world.bot) throw new Refused(403, 50013, 'Missing Permissions');
        message.deleted = true;
        return done;
      }
      if (message.author !== world.bot) throw new Refused(403, 50005, 'Cannot edit a message authored by another user');
      need(channel, ...(sent.files.length > 0 ? [permissionBits.attachFiles] : []));
      if (channel.archived) throw new Refused(400, 50083, 'Thread is archived');
      return ok(world.toMessage(edit(message, request, sent, 'edit')));
    }
    throw new Refused(404, 0, '404: Not Found');
  }

  function findMessage(channel: Channel, id: string): Message {
    const message = channel.messages.find((one) => one.id === id && !one.deleted);
    if (message === undefined) throw new Refused(404, 10008, 'Unknown Message');
    return message;
  }

  return serve;
}
