// A small Discord that speaks the real protocol (REST v10 and Gateway v10) to the real client library, and is strict: what
// Discord would refuse is refused with Discord's own codes. People act in it, and faults can be put into it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CommandBody } from './discord-command-rules.ts';
import { createGateway, type Gateway, isFor } from './discord-gateway.ts';
import { acknowledgeMs, createInteractionRules } from './discord-interactions.ts';
import { allPermissions, createPosting, type PutFile } from './discord-posting.ts';
import { createRoutes } from './discord-routes.ts';
import { Refused } from './discord-rules.ts';
import { bareAnswer, bareEvent } from './discord-sparse.ts';
import { loadSpec } from './discord-spec.ts';
import {
  createLimits,
  type Fault,
  type Limited,
  type LimitOptions,
  type Request,
  readBody,
  sendJson,
  takeFault,
} from './discord-traffic.ts';
import {
  type Channel,
  createWorld,
  type Guild,
  type Interaction,
  type Message,
  type User,
  type World,
} from './discord-world.ts';

export { permissionBits } from './discord-posting.ts';

export interface DiscordServerOptions extends LimitOptions {
  readonly now?: () => Date;
  readonly messageContent?: boolean;
  readonly port?: number;
  /** Asks the API's own description too, where it is here; so unless told. */
  readonly spec?: boolean;
  /** Permissions of the bot in every channel; all it is invited with, unless told. */
  readonly allowed?: bigint;
  /** People may install the application for themselves; so unless told. */
  readonly personal?: boolean;
  /** Says no more than a server must for the client library to work, as other people's may. */
  readonly sparse?: boolean;
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

export async function createDiscordServer(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const now = options.now ?? (() => new Date());
  const nowMs = () => now().getTime();
  const allowed = options.allowed ?? allPermissions;
  const mayReadMessages = options.messageContent ?? true;
  const world = createWorld({ now, allowed });
  const requests: Request[] = [];
  const violations: string[] = [];
  const faults: Fault[] = [];
  const files = new Map<string, Buffer>();
  const commands: (CommandBody & { readonly id: string })[] = [];
  const limit = createLimits(options);

  const http = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      violations.push(`the server itself failed: ${error instanceof Error ? error.stack : String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;
  const gatewayUrl = `ws://127.0.0.1:${port}/gateway`;

  const gateway = createGateway(http, {
    token: () => server.token,
    mayReadMessages: () => mayReadMessages,
    url: () => gatewayUrl,
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
    shown: options.sparse ? bareEvent : (_event, data) => data,
  });

  const putFile: PutFile = (name, content) => {
    const id = world.newId();
    const bytes = Buffer.from(content);
    files.set(`${id}/${encodeURIComponent(name)}`, bytes);
    return { id, filename: name, url: `${base}/files/${id}/${encodeURIComponent(name)}`, size: bytes.length };
  };
  const posting = createPosting({
    world,
    gateway,
    checkSpec: options.spec === false ? () => [] : loadSpec(),
    putFile,
    nowMs,
  });
  const { announce, addChannel } = posting;
  const interactions = createInteractionRules({ world, gateway, posting, nowMs });
  const direct = (user: User) =>
    world.directs.find(({ recipients, type }) => type === 1 && recipients.includes(user)) ??
    addChannel(undefined, { type: 1, name: user.username, recipients: [user] });
  const serve = createRoutes({
    ...{ world, gateway, posting, interactions, commands, gatewayUrl, mayReadMessages, allowed, direct, nowMs },
    token: () => server.token,
    personal: options.personal ?? true,
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse) {
    const url = new URL(incoming.url ?? '/', base);
    if (url.pathname.startsWith('/files/')) {
      const content = files.get(url.pathname.slice('/files/'.length));
      response.writeHead(content === undefined ? 404 : 200).end(content);
      return;
    }
    const sent = await readBody(incoming);
    const request: Request = {
      method: incoming.method ?? 'GET',
      route: decodeURIComponent(url.pathname).replace(/^\/api\/v10/, ''),
      body: sent.body,
      files: sent.files.map(({ name }) => name),
      query: url.searchParams,
      status: 0,
      atMs: nowMs(),
    };
    requests.push(request);
    const fault = takeFault(faults, request);
    if (fault?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault?.drop === 'before') incoming.socket.destroy();
    else if (fault?.status === 429)
      refuseForNow(request, response, {
        headers: {},
        retryAfterS: fault.retryAfterS ?? 0.1,
        isGlobal: fault.global ?? false,
      });
    else if (fault?.status !== undefined) {
      request.status = fault.status;
      sendJson(response, fault.status, { message: `${fault.status}: fault`, code: 0 });
    } else await take(request, sent, incoming, response, fault);
  }

  async function take(
    request: Request,
    sent: Awaited<ReturnType<typeof readBody>>,
    incoming: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ) {
    const { authorization } = incoming.headers;
    try {
      const limited = limit(request, authorization !== undefined);
      if (limited.retryAfterS !== undefined) {
        refuseForNow(request, response, limited);
        return;
      }
      if (options.sparse) bareAnswer(request);
      const result = await serve(request, sent, authorization);
      request.status = result.status;
      if (fault?.drop === 'after') incoming.socket.destroy();
      // A 204 has no body and no type: the client library takes a JSON type as a promise of JSON.
      else if (result.status === 204)
        response.writeHead(204, options.sparse ? { 'content-type': 'application/json' } : limited.headers).end();
      else sendJson(response, result.status, result.body, limited.headers);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      request.status = error.status;
      if (![10008, 10003].includes(error.code) && !options.sparse)
        violations.push(`${request.method} ${request.route} → ${error.status} ${error.code} ${error.message}`);
      sendJson(response, error.status, {
        message: error.message,
        code: error.code,
        ...(error.errors === undefined ? {} : { errors: error.errors }),
      });
    }
  }

  function refuseForNow(request: Request, response: ServerResponse, { headers, retryAfterS, isGlobal }: Limited) {
    request.status = 429;
    sendJson(
      response,
      429,
      { message: 'You are being rate limited.', retry_after: retryAfterS, global: isGlobal },
      {
        ...headers,
        'retry-after': String(retryAfterS),
        'x-ratelimit-scope': isGlobal ? 'global' : 'user',
        ...(isGlobal ? { 'x-ratelimit-global': 'true' } : {}),
      },
    );
  }

  const server: DiscordServer = {
    apiUrl: `${base}/api`,
    world,
    gateway,
    token: 'test-token.of.finetutor',
    requests,
    violations,
    faults,
    commands,
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
    direct,
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
    startInteraction: interactions.start,
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
    putFile,
    async close() {
      await gateway.end();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}
