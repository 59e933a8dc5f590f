// The gateway: discord.js connects, resumes and reconnects; here is what is made of its events, and how it stands now.
import {
  type APIInteraction,
  type APIMessage,
  ApplicationFlags,
  type Channel,
  Client,
  Events,
  GatewayDispatchEvents,
  GatewayIntentBits,
  Routes,
  Status,
} from 'discord.js';
import { UserError } from '../../../engine/index.ts';
import type { Calls } from './rest.ts';

export interface ConnectionHealth {
  readonly state: 'starting' | 'ready' | 'reconnecting' | 'refused' | 'stopped';
  readonly since: Date;
  /** Times a shard lost its connection and came back, or is coming back. */
  readonly reconnects: number;
  readonly resumes: number;
  /** Connections given up because heartbeats were not answered. */
  readonly zombies: number;
  readonly shards: number;
  readonly guilds: number;
  /** Milliseconds of the last heartbeat; undefined before the first. */
  readonly pingMs: number | undefined;
  readonly messageContent: boolean;
  readonly lastProblem: string | undefined;
}

export interface Connection {
  /** @throws UserError when Discord refuses the token. @returns who we are. */
  start(): Promise<{ readonly applicationId: string; readonly botId: string; readonly name: string }>;
  stop(): Promise<void>;
  health(): ConnectionHealth;
  /** What is known of a channel without asking. */
  channel(channelId: string): Channel | undefined;
  /** Role Discord made for the bot in a guild: people mention it by mistake. */
  botRole(guildId: string): string | undefined;
  botId(): string | undefined;
}

export interface ConnectionOptions {
  readonly token: string;
  readonly apiUrl: string;
  readonly calls: Pick<Calls, 'rest' | 'circuit'>;
  readonly shards: number | 'auto';
  readonly onInteraction: (interaction: APIInteraction) => void;
  readonly onMessage: (message: APIMessage & { readonly guild_id?: string }) => void;
  readonly now: () => Date;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

const startMs = 30_000;
const authenticationFailed = 4004;

export function createConnection(options: ConnectionOptions): Connection {
  const { token, apiUrl, calls, log } = options;
  let client: Client | undefined;
  let state: ConnectionHealth['state'] = 'starting';
  let since = options.now();
  let lastProblem: string | undefined;
  let messageContent = false;
  const counts = { reconnects: 0, resumes: 0, zombies: 0 };

  function turn(to: ConnectionHealth['state'], problem?: string) {
    if (state === 'stopped') return;
    if (state !== to) since = options.now();
    state = to;
    if (problem !== undefined) lastProblem = problem;
  }

  function listen(made: Client) {
    made.ws.on(GatewayDispatchEvents.InteractionCreate, options.onInteraction);
    made.ws.on(GatewayDispatchEvents.MessageCreate, options.onMessage);
    made.on(Events.ShardReconnecting, (shard) => {
      counts.reconnects += 1;
      turn('reconnecting', `shard ${shard} lost its connection`);
      log.warn({ shard }, 'Discord: connection lost, reconnecting');
    });
    made.on(Events.ShardResume, (shard, replayed) => {
      counts.resumes += 1;
      turn('ready');
      log.info({ shard, replayed }, 'Discord: resumed');
    });
    made.on(Events.ShardReady, () => turn('ready'));
    made.on(Events.ShardDisconnect, ({ code }) => {
      const problem = code === authenticationFailed ? 'Discord refuses the token' : `Discord closed for good (${code})`;
      if (code === authenticationFailed) calls.circuit.trip();
      turn('refused', problem);
      log.error({ code }, `Discord: ${problem}`);
    });
    made.on(Events.ShardError, (error) => turn(state, error.message));
    made.on(Events.Error, (error) => {
      turn(state, error.message);
      log.error({ err: error }, 'Discord: an error of the client');
    });
    made.on(Events.Debug, (line) => {
      if (/zombie/i.test(line)) counts.zombies += 1;
    });
  }

  /** Whether the application may read messages that do not mention it. Without an answer: it may not. */
  async function mayReadMessages(): Promise<boolean> {
    try {
      const { flags = 0 } = (await calls.rest.get(Routes.currentApplication())) as { flags?: number };
      return (flags & (ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited)) !== 0;
    } catch (error) {
      if (isUnauthorized(error)) throw refusal();
      log.warn({ err: error }, 'Discord: the application could not be looked up; going on without message content');
      return false;
    }
  }

  async function connect(): Promise<Client<true>> {
    const intents = [
      GatewayIntentBits.Guilds,
      GatewayIntentBits.GuildMessages,
      GatewayIntentBits.DirectMessages,
      ...(messageContent ? [GatewayIntentBits.MessageContent] : []),
    ];
    const made = new Client({
      intents,
      rest: { api: apiUrl, version: '10' },
      allowedMentions: { parse: [] },
      ...(options.shards === 'auto' ? {} : { shardCount: options.shards }),
    });
    client = made;
    listen(made);
    const ready = new Promise<Client<true>>((resolve) => made.once(Events.ClientReady, resolve));
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer in ${startMs / 1000} s`)), startMs);
      ready.finally(() => clearTimeout(timer)).catch(() => undefined);
      made.login(token).catch((error: unknown) => {
        clearTimeout(timer);
        reject(error);
      });
    });
    return Promise.race([ready, late]);
  }

  return {
    async start() {
      try {
        messageContent = await mayReadMessages();
        const ready = await connect();
        turn('ready');
        return { applicationId: ready.application.id, botId: ready.user.id, name: ready.user.username };
      } catch (error) {
        await client?.destroy();
        const refused = error instanceof UserError || isUnauthorized(error);
        turn('refused', error instanceof Error ? error.message : String(error));
        if (error instanceof UserError) throw error;
        if (refused) throw refusal();
        throw new UserError(
          `Discord could not be reached: ${error instanceof Error ? error.message : String(error)}.`,
          'Check the network and DISCORD_API_URL, then start again.',
          { cause: error },
        );
      }
    },
    async stop() {
      turn('stopped');
      await client?.destroy();
    },
    health: () => ({
      state,
      since,
      ...counts,
      shards: client?.ws.shards.filter((shard) => shard.status === Status.Ready).size ?? 0,
      guilds: client?.guilds.cache.size ?? 0,
      pingMs: client === undefined || !(client.ws.ping >= 0) ? undefined : Math.round(client.ws.ping),
      messageContent,
      lastProblem,
    }),
    channel: (channelId) => client?.channels.cache.get(channelId),
    botRole: (guildId) => client?.guilds.cache.get(guildId)?.members.me?.roles.botRole?.id,
    botId: () => client?.user?.id,
  };
}

const refusal = () =>
  new UserError(
    'Discord refused DISCORD_TOKEN.',
    'Make a new one: discord.com/developers/applications → your application → Bot → Reset Token, and put it in .env.',
  );

function isUnauthorized(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('status' in error && error.status === 401) || ('code' in error && error.code === 'TokenInvalid');
}
