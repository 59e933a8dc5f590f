// A small Discord that speaks the real protocol (REST v10 and Gateway v10) to the real client library, and is strict: what
// Discord would refuse is refused with Discord's own codes. People act in it, and faults can be put into it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway, type Gateway, intents, isFor } from './discord-gateway.ts';
import {
  type CommandBody,
  checkChoices,
  checkCommand,
  checkMessage,
  checkModal,
  checkPost,
  checkThread,
  flagBits,
  Refused,
  type Use,
} from './discord-rules.ts';
import { loadSpec } from './discord-spec.ts';
import {
  type Channel,
  createWorld,
  type Guild,
  type Interaction,
  type Message,
  type User,
  type World,
} from './discord-world.ts';

export const permissionBits = {
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readHistory: 1n << 16n,
  publicThreads: 1n << 35n,
  sendInThreads: 1n << 38n,
} as const;
const allPermissions = Object.values(permissionBits).reduce((all, bit) => all | bit, 0n);

interface Request {
  readonly method: string;
  readonly route: string;
  readonly body: unknown;
  readonly files: readonly string[];
  readonly query: URLSearchParams;
  status: number;
  readonly atMs: number;
}

/** What to do with a request instead of answering it. */
interface Fault {
  readonly matches: (request: Request) => boolean;
  /** How often; once unless told. */
  times?: number;
  readonly status?: number;
  readonly retryAfterS?: number;
  readonly global?: boolean;
  readonly delayMs?: number;
  /** Closes the socket without an answer, before or after the request has had its effect. */
  readonly drop?: 'before' | 'after';
}

export interface DiscordServerOptions {
  readonly now?: () => Date;
  /** Requests of one bucket in a window; Discord's own for messages is 5 in 5 s. */
  readonly bucket?: { readonly limit: number; readonly windowMs: number };
  /** Requests a second under the bot's token, whatever the route. */
  readonly global?: number;
  readonly messageContent?: boolean;
  readonly port?: number;
  /** Asks the API's own description too, where it is here; so unless told. */
  readonly spec?: boolean;
  /** Permissions of the bot in every channel; all it is invited with, unless told. */
  readonly allowed?: bigint;
}

export interface DiscordServer {
  readonly apiUrl: string;
  readonly world: World;
  readonly gateway: Gateway;
  token: string;
  readonly requests: Request[];
  /** What was refused, in words: a well-behaved bot leaves this empty. */
  readonly violations: string[];
  readonly faults: Fault[];
  readonly commands: (CommandBody & { readonly id: string })[];
  addGuild(
    name: string,
    channels: readonly string[],
    options?: { hasBot?: boolean },
  ): { guild: Guild; channels: Channel[] };
  addForum(
    guild: Guild,
    name: string,
    options?: Pick<Channel, 'needsTag'> & {
      readonly tags?: readonly { readonly name: string; readonly moderated: boolean }[];
    },
  ): Channel;
  addUser(name: string): User;
  /** The channel between a person and the bot. */
  direct(user: User): Channel;
  /** A person writes. */
  say(
    user: User,
    channel: Channel,
    text: string,
    options?: { mention?: boolean; files?: readonly { name: string; content: string }[]; replyTo?: Message },
  ): Message;
  /** Sends a message's event once more, as a resume does. */
  redeliver(message: Message): void;
  /** A person uses something; resolves once it has been acknowledged. */
  interact(
    user: User,
    channel: Channel,
    type: number,
    data: object,
    source?: Message,
    extra?: object,
  ): Promise<Interaction>;
  startInteraction(
    user: User,
    channel: Channel,
    type: number,
    data: object,
    source?: Message,
    extra?: object,
  ): { interaction: Interaction; payload: object };
  putFile(name: string, content: string | Buffer): { id: string; filename: string; url: string; size: number };
  close(): Promise<void>;
}

const acknowledgeMs = 3000;
const tokenMs = 15 * 60_000;
const hourMs = 60 * 60_000;
const lateEdits = 5;
const fileBytes = 10 * 1024 * 1024;
/** Of an interaction in a place where only a person has installed the application. */
const followUps = 5;
/** What an interaction of each type may be answered with. */
const answersTo: { readonly [type: number]: readonly number[] } = {
  2: [4, 5, 9],
  3: [4, 5, 6, 7, 9],
  4: [8],
  5: [4, 5, 6, 7],
};

export async function createDiscordServer(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const now = options.now ?? (() => new Date());
  const nowMs = () => now().getTime();
  const world = createWorld({ now, allowed: options.allowed ?? allPermissions });
  const checkSpec = options.spec === false ? () => [] : loadSpec();
  const requests: Request[] = [];
  const violations: string[] = [];
  const faults: Fault[] = [];
  const files = new Map<string, Buffer>();
  const buckets = new Map<string, { remaining: number; resetAt: number }>();
  const globalWindow = { startedAt: 0, count: 0 };
  const byToken = new Map<string, Interaction>();

  const http = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      violations.push(`the server itself failed: ${error instanceof Error ? error.stack : String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;
  let mayReadMessages = options.messageContent ?? true;
  if (options.messageContent === undefined) mayReadMessages = true;

  const gateway = createGateway(http, {
    token: () => server.token,
    mayReadMessages: () => mayReadMessages,
    url: () => `ws://127.0.0.1:${port}/gateway`,
    ready: (shard) => ({
      user: { ...world.bot, discriminator: '0', avatar: null, flags: 0, verified: true, mfa_enabled: false },
      application: { id: world.bot.id, flags: mayReadMessages ? 1 << 19 : 0 },
      guilds: world.guilds
        .filter(({ id, hasBot }) => hasBot && isFor(shard, id))
        .map(({ id }) => ({ id, unavailable: true })),
      shard,
    }),
    guilds: () =>
      world.guilds.filter(({ hasBot }) => hasBot).map((guild) => ({ ...world.toGuild(guild), id: guild.id })),
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse) {
    const url = new URL(incoming.url ?? '/', base);
    if (url.pathname.startsWith('/files/')) {
      const content = files.get(url.pathname.slice('/files/'.length));
      response.writeHead(content === undefined ? 404 : 200).end(content);
      return;
    }
    const route = decodeURIComponent(url.pathname).replace(/^\/api\/v10/, '');
    const sent = await readBody(incoming);
    const request: Request = {
      method: incoming.method ?? 'GET',
      route,
      body: sent.body,
      files: sent.files.map(({ name }) => name),
      query: url.searchParams,
      status: 0,
      atMs: nowMs(),
    };
    requests.push(request);
    const fault = takeFault(request);
    if (fault?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault?.drop === 'before') {
      incoming.socket.destroy();
      return;
    }
    if (fault?.status === 429) {
      request.status = 429;
      sendJson(
        response,
        429,
        {
          message: 'You are being rate limited.',
          retry_after: fault.retryAfterS ?? 0.1,
          global: fault.global ?? false,
        },
        {
          'retry-after': String(fault.retryAfterS ?? 0.1),
          'x-ratelimit-scope': fault.global ? 'global' : 'user',
          ...(fault.global ? { 'x-ratelimit-global': 'true' } : {}),
        },
      );
      return;
    }
    if (fault?.status !== undefined) {
      request.status = fault.status;
      sendJson(response, fault.status, { message: `${fault.status}: fault`, code: 0 });
      return;
    }
    try {
      const limited = limit(request, incoming.headers.authorization !== undefined);
      if (limited.retryAfterS !== undefined) {
        request.status = 429;
        sendJson(
          response,
          429,
          { message: 'You are being rate limited.', retry_after: limited.retryAfterS, global: limited.isGlobal },
          {
            ...limited.headers,
            'retry-after': String(limited.retryAfterS),
            'x-ratelimit-scope': limited.isGlobal ? 'global' : 'user',
            ...(limited.isGlobal ? { 'x-ratelimit-global': 'true' } : {}),
          },
        );
        return;
      }
      const result = await serve(request, sent, incoming.headers.authorization);
      request.status = result.status;
      if (fault?.drop === 'after') {
        incoming.socket.destroy();
        return;
      }
      // A 204 has no body and no type: the client library takes a JSON type as a promise of JSON.
      if (result.status === 204) response.writeHead(204, limited.headers).end();
      else sendJson(response, result.status, result.body, limited.headers);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      request.status = error.status;
      if (![10008, 10003].includes(error.code))
        violations.push(`${request.method} ${route} → ${error.status} ${error.code} ${error.message}`);
      sendJson(response, error.status, {
        message: error.message,
        code: error.code,
        ...(error.errors === undefined ? {} : { errors: error.errors }),
      });
    }
  }

  function takeFault(request: Request): Fault | undefined {
    const fault = faults.find((one) => one.matches(request));
    if (fault === undefined) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) faults.splice(faults.indexOf(fault), 1);
    return fault;
  }

  function limit(
    { method, route }: Request,
    isBot: boolean,
  ): { headers: Record<string, string>; retryAfterS?: number; isGlobal?: boolean } {
    if (options.global !== undefined && isBot && !route.startsWith('/interactions') && !route.startsWith('/webhooks')) {
      if (Date.now() - globalWindow.startedAt > 1000) Object.assign(globalWindow, { startedAt: Date.now(), count: 0 });
      globalWindow.count += 1;
      if (globalWindow.count > options.global)
        return {
          headers: {},
          retryAfterS: Math.max(0.05, (globalWindow.startedAt + 1000 - Date.now()) / 1000),
          isGlobal: true,
        };
    }
    const key = bucketOf(method, route);
    if (options.bucket === undefined || key === undefined) return { headers: {} };
    const at = Date.now();
    let bucket = buckets.get(key);
    if (bucket === undefined || bucket.resetAt <= at) {
      bucket = { remaining: options.bucket.limit, resetAt: at + options.bucket.windowMs };
      buckets.set(key, bucket);
    }
    const resetS = (bucket.resetAt - at) / 1000;
    bucket.remaining -= 1;
    const headers = {
      'x-ratelimit-limit': String(options.bucket.limit),
      'x-ratelimit-remaining': String(Math.max(0, bucket.remaining)),
      'x-ratelimit-reset': String(bucket.resetAt / 1000),
      'x-ratelimit-reset-after': String(resetS),
      'x-ratelimit-bucket': Buffer.from(key.replace(/\d{5,}/g, 'x')).toString('base64url'),
    };
    return bucket.remaining < 0 ? { headers, retryAfterS: resetS, isGlobal: false } : { headers };
  }

  interface Sent {
    readonly body: unknown;
    readonly files: readonly { name: string; bytes: Buffer }[];
  }
  interface Answer {
    readonly status: number;
    readonly body?: unknown;
  }
  const ok = (body: unknown, status = 200): Answer => ({ status, body });
  const done: Answer = { status: 204 };

  async function serve(request: Request, sent: Sent, authorization: string | undefined): Promise<Answer> {
    const { method, route, body } = request;
    const is = (wanted: string, pattern: RegExp) => (method === wanted ? pattern.exec(route) : null);
    const withToken = route.startsWith('/interactions/') || route.startsWith('/webhooks/');
    if (!withToken && authorization !== `Bot ${server.token}`) throw new Refused(401, 0, '401: Unauthorized');

    const callback = is('POST', /^\/interactions\/(\d+)\/([^/]+)\/callback$/);
    if (callback) return acknowledge(callback[1] ?? '', callback[2] ?? '', request, sent);
    const hook = /^\/webhooks\/(\d+)\/([^/]+)(?:\/messages\/(@original|\d+))?$/.exec(route);
    if (hook) return webhook(method, hook[2] ?? '', hook[3], request, sent);

    if (is('GET', /^\/gateway\/bot$/))
      return ok({
        url: `ws://127.0.0.1:${port}/gateway`,
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
            permissions: String(options.allowed ?? allPermissions),
            features: [],
          })),
      );
    if (is('GET', /^\/(oauth2\/)?applications\/@me$/))
      return ok({
        id: world.bot.id,
        name: 'Finetutor',
        flags: mayReadMessages ? 1 << 19 : 0,
        bot_public: true,
        install_params: null,
      });
    const listed = is('GET', /^\/applications\/(\d+)\/commands$/);
    if (listed) return ok(server.commands);
    if (is('POST', /^\/applications\/(\d+)\/commands$/)) {
      checkBySpec(request, body);
      // One of the same name and type is overwritten, as Discord does.
      const made = checkCommand(body);
      const at = server.commands.findIndex(({ name, type }) => name === made.name && type === made.type);
      const command = { ...made, id: server.commands[at]?.id ?? world.newId() };
      if (at < 0) server.commands.push(command);
      else server.commands[at] = command;
      return ok(command, at < 0 ? 201 : 200);
    }
    const one = /^\/applications\/\d+\/commands\/(\d+)$/.exec(route);
    if (one) {
      const at = server.commands.findIndex(({ id }) => id === one[1]);
      const known = server.commands[at];
      if (known === undefined) throw new Refused(404, 10063, 'Unknown application command');
      if (method === 'DELETE') {
        server.commands.splice(at, 1);
        return done;
      }
      checkBySpec(request, body);
      const changed = { ...checkCommand({ ...(body as object) }), id: known.id };
      server.commands[at] = changed;
      return ok(changed);
    }
    if (is('POST', /^\/users\/@me\/channels$/)) {
      const user = world.users.find(({ id }) => id === (body as { recipient_id?: string }).recipient_id);
      if (user === undefined) throw new Refused(400, 50033, 'Invalid Recipient(s)');
      return ok(world.toChannel(server.direct(user)));
    }
    const inChannel = /^\/channels\/(\d+)(\/.*)?$/.exec(route);
    if (inChannel) return channelRoute(method, inChannel[1] ?? '', inChannel[2] ?? '', request, sent);
    throw new Refused(404, 0, `404: Not Found (${method} ${route})`);
  }

  function checkBySpec({ method, route }: Request, body: unknown) {
    const wrong = checkSpec(method, route.replace('@original', '1'), body);
    if (wrong.length > 0)
      throw new Refused(400, 50035, `Invalid Form Body (by the API description): ${wrong.join('; ')}`);
  }

  function need(channel: Channel, ...bits: readonly bigint[]) {
    if (channel.type === 1) return;
    const has = world.permissions(channel);
    if ((has & permissionBits.viewChannel) === 0n) throw new Refused(403, 50001, 'Missing Access');
    if (bits.some((bit) => (has & bit) === 0n)) throw new Refused(403, 50013, 'Missing Permissions');
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

  function checkOutgoing(
    request: Request,
    sent: Sent,
    use: Use,
    before: Message | undefined,
    body: unknown = sent.body,
  ) {
    const isV2 = before !== undefined && !before.loading && (before.flags & flagBits.componentsV2) !== 0;
    const checked = checkMessage(
      body,
      use,
      sent.files.map(({ name }) => name),
      before === undefined ? undefined : { isV2, attachments: before.attachments },
    );
    if (request.body === body) checkBySpec(request, body);
    if (sent.files.some(({ bytes }) => bytes.length > fileBytes))
      throw new Refused(413, 40005, 'Request entity too large');
    return checked;
  }

  function contentOf(body: ReturnType<typeof checkMessage>, sent: Sent, before: Message | undefined) {
    const kept =
      body.attachments == null
        ? (before?.attachments ?? [])
        : (before?.attachments ?? []).filter(({ id }) => body.attachments?.some((one) => String(one.id) === id));
    const fresh = sent.files.map((file, index) => {
      const described = body.attachments?.find((one) => String(one.id) === String(index));
      const { id, url } = server.putFile(file.name, file.bytes);
      return {
        id,
        filename: file.name,
        bytes: file.bytes,
        url,
        ...(described?.description === undefined ? {} : { description: described.description }),
      };
    });
    return {
      content: body.content ?? (body.components == null ? (before?.content ?? '') : ''),
      components: body.components ?? before?.components ?? [],
      flags: (body.flags ?? before?.flags ?? 0) & ~flagBits.ephemeral,
      attachments: [...kept, ...fresh],
    };
  }

  function edit(message: Message, request: Request, sent: Sent, use: Use, body: unknown = sent.body): Message {
    const checked = checkOutgoing(request, sent, use, message, body);
    if (nowMs() - message.createdAtMs > hourMs && ++message.lateEdits > lateEdits) {
      throw new Refused(400, 30046, 'Maximum number of edits to messages older than 1 hour reached');
    }
    Object.assign(message, contentOf(checked, sent, message), {
      editedAtMs: message.loading ? undefined : nowMs(),
      loading: false,
    });
    announce('MESSAGE_UPDATE', message);
    return message;
  }

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

  /** The bot itself is there, not just a person who has it. */
  const isMember = ({ type, guildId }: Channel) =>
    guildId === undefined ? type === 1 : world.guilds.some(({ id, hasBot }) => id === guildId && hasBot);

  /** Tells the clients, with what their intents let them see. */
  function announce(event: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE', message: Message) {
    if (message.visibleTo !== undefined) return;
    const channel = world.channel(message.channelId);
    if (channel === undefined || channel.type === 3) return;
    if (channel.guildId !== undefined && !world.guilds.some(({ id, hasBot }) => id === channel.guildId && hasBot))
      return;
    gateway.dispatch(event, (its) => {
      const wanted = channel.guildId === undefined ? intents.directMessages : intents.guildMessages;
      if ((its & wanted) === 0) return undefined;
      const full = {
        ...world.toMessage(message),
        ...(channel.guildId === undefined
          ? {}
          : {
              guild_id: channel.guildId,
              member: { roles: [], joined_at: new Date(0).toISOString(), deaf: false, mute: false, flags: 0 },
            }),
        ...(message.reference === undefined ? {} : { referenced_message: referenced(channel, message.reference) }),
      };
      const readable =
        (its & intents.messageContent) !== 0 ||
        channel.guildId === undefined ||
        message.author === world.bot ||
        message.mentions.includes(world.bot);
      return readable ? full : { ...full, content: '', attachments: [], components: [], embeds: [] };
    });
  }

  const referenced = (channel: Channel, id: string) => {
    const found = channel.messages.find((message) => message.id === id);
    return found === undefined ? null : world.toMessage(found);
  };

  function addChannel(guild: Guild | undefined, given: Partial<Channel> & Pick<Channel, 'type' | 'name'>): Channel {
    const channel: Channel = {
      id: world.newId(),
      guildId: guild?.id,
      parentId: undefined,
      ownerId: undefined,
      recipients: [],
      denied: 0n,
      archived: false,
      messages: [],
      ...given,
    };
    (guild?.channels ?? world.directs).push(channel);
    return channel;
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

  const server: DiscordServer = {
    apiUrl: `${base}/api`,
    world,
    gateway,
    token: 'test-token.of.finetutor',
    requests,
    violations,
    faults,
    commands: [],
    addGuild(name, channels, { hasBot = true } = {}) {
      const guild: Guild = { id: world.newId(), name, channels: [], hasBot };
      world.guilds.push(guild);
      for (const channel of channels) addChannel(guild, { type: 0, name: channel });
      if (hasBot) gateway.dispatch('GUILD_CREATE', () => world.toGuild(guild));
      return { guild, channels: guild.channels };
    },
    addForum(guild, name, { tags = [], needsTag = false } = {}) {
      const withIds = tags.map((tag) => ({ ...tag, id: world.newId() }));
      const forum = addChannel(guild, { type: 15, name, tags: withIds, needsTag });
      gateway.dispatch('CHANNEL_CREATE', () => world.toChannel(forum));
      return forum;
    },
    addUser(name) {
      const user: User = { id: world.newId(), username: name.toLowerCase(), global_name: name, bot: false };
      world.users.push(user);
      return user;
    },
    direct: (user) =>
      world.directs.find(({ recipients, type }) => type === 1 && recipients.includes(user)) ??
      addChannel(undefined, { type: 1, name: user.username, recipients: [user] }),
    say(user, channel, text, { mention = false, files: attached = [], replyTo } = {}) {
      const mentions = mention || replyTo?.author === world.bot ? [world.bot] : [];
      const message = world.add({
        channelId: channel.id,
        author: user,
        content: mention ? `<@${world.bot.id}> ${text}` : text,
        mentions,
        attachments: attached.map(({ name, content }) => ({
          ...server.putFile(name, content),
          bytes: Buffer.from(content),
        })),
        reference: replyTo?.id,
      });
      announce('MESSAGE_CREATE', message);
      return message;
    },
    redeliver: (message) => announce('MESSAGE_CREATE', message),
    startInteraction(user, channel, type, data, source, extra = {}) {
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
    },
    async interact(user, channel, type, data, source, extra) {
      const { interaction } = server.startInteraction(user, channel, type, data, source, extra);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          violations.push(`interaction of type ${type} was not acknowledged in ${acknowledgeMs} ms`);
          reject(new Error('The application did not respond'));
        }, acknowledgeMs + 200);
      });
      await Promise.race([interaction.settled, late]).finally(() => clearTimeout(timer));
      return interaction;
    },
    putFile(name, content) {
      const id = world.newId();
      const bytes = Buffer.from(content);
      files.set(`${id}/${encodeURIComponent(name)}`, bytes);
      return { id, filename: name, url: `${base}/files/${id}/${encodeURIComponent(name)}`, size: bytes.length };
    },
    async close() {
      await gateway.end();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}

/** Discord's own buckets for messages: by channel and method; the rest is not limited here. */
function bucketOf(method: string, route: string): string | undefined {
  const channel = /^\/channels\/(\d+)\/messages/.exec(route)?.[1];
  return channel === undefined ? undefined : `${method} messages ${channel}`;
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body ?? null));
}

async function readBody(
  request: IncomingMessage,
): Promise<{ body: unknown; files: { name: string; bytes: Buffer }[] }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  if (raw.length === 0) return { body: undefined, files: [] };
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return { body: JSON.parse(raw.toString()), files: [] };
  const form = await new Response(raw, { headers: { 'content-type': type } }).formData();
  const files: { name: string; bytes: Buffer }[] = [];
  for (const [key, value] of form) {
    const index = /^files\[(\d+)\]$/.exec(key)?.[1];
    if (index !== undefined && typeof value !== 'string')
      files[Number(index)] = { name: value.name, bytes: Buffer.from(await value.arrayBuffer()) };
  }
  const payload = form.get('payload_json');
  return { body: typeof payload === 'string' ? JSON.parse(payload) : undefined, files };
}
