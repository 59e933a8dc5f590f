// The gateway: discord.js connects, resumes and reconnects; here is what is made of its events, and how it stands now.
import {
  type APIInteraction,
  type APIMessage,
  type Channel,
  Client,
  Events,
  GatewayCloseCodes,
  GatewayDispatchEvents,
  Routes,
  Status,
} from 'discord.js';
import { UserError } from '../../../engine/index.ts';
import { intentsFor, readsMessages } from './intents.ts';
import { type Calls, isUnauthorized } from './rest.ts';
import { completeInteraction, completeMessage, makeRequest } from './tolerance.ts';

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

export interface Who {
  readonly applicationId: string;
  readonly name: string;
}

export interface Connection {
  /** @throws UserError when Discord refuses the token. @returns who we are; undefined while Discord can't be reached: it goes on trying. */
  start(): Promise<Who | undefined>;
  stop(): Promise<void>;
  health(): ConnectionHealth;
  /** What is known of a channel without asking. */
  channel(channelId: string): Channel | undefined;
  /** Role Discord made for the bot in a guild: people mention it by mistake. */
  botRole(guildId: string): string | undefined;
  botId(): string | undefined;
}

/** Which shards this process runs, of how many. */
export interface Shards {
  readonly ids: 'auto' | readonly number[];
  readonly count: number;
  /** Each shard in a process of its own, this many of them. */
  readonly processes?: 'auto' | number | undefined;
}

export interface ConnectionOptions {
  readonly token: string;
  readonly apiUrl: string;
  readonly calls: Pick<Calls, 'rest' | 'circuit'>;
  readonly shards: Shards;
  /** Wait before the first new attempt when Discord can't be reached; each further wait is twice as long. */
  readonly retryMs: number;
  readonly onReady: (who: Who) => void;
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
const longestRetryMs = 5 * 60_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { token, apiUrl, calls, log } = options;
  let client: Client | undefined;
  let state: ConnectionHealth['state'] = 'starting';
  let since = options.now();
  let lastProblem: string | undefined;
  let messageContent = false;
  let retry: NodeJS.Timeout | undefined;
  const counts = { reconnects: 0, resumes: 0, zombies: 0 };

  function turn(to: ConnectionHealth['state'], problem?: string) {
    if (state === 'stopped') return;
    if (state !== to) since = options.now();
    state = to;
    if (problem !== undefined) lastProblem = problem;
  }

  function listen(made: Client) {
    // Heard before the client library looks at them.
    made.ws.on(GatewayDispatchEvents.InteractionCreate, (interaction: APIInteraction) => {
      completeInteraction(interaction);
      options.onInteraction(interaction);
    });
    made.ws.on(GatewayDispatchEvents.MessageCreate, (message: APIMessage) => {
      completeMessage(message);
      options.onMessage(message);
    });
    made.on(Events.ShardReconnecting, (shard) => {
      if (state === 'stopped') return;
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
      if (code === GatewayCloseCodes.DisallowedIntents && !made.isReady()) return;
      const revoked = code === GatewayCloseCodes.AuthenticationFailed;
      const problem = revoked ? 'Discord refuses the token: make a new one' : `Discord closed the connection (${code})`;
      log.error({ code }, `Discord: ${problem}`);
      turn(revoked ? 'refused' : 'reconnecting', problem);
      if (revoked) calls.circuit.trip();
      else if (made.isReady()) void made.destroy().then(() => tryAgain(options.retryMs));
    });
    made.on(Events.ShardError, (error) => turn(state, state === 'refused' ? undefined : error.message));
    made.on(Events.Error, (error) => {
      turn(state, state === 'refused' ? undefined : error.message);
      log.error({ err: error }, 'Discord: an error of the client');
    });
    made.on(Events.Debug, (line) => {
      if (/zombie/i.test(line)) counts.zombies += 1;
    });
  }

  /** Whether the application may read messages that do not mention it; undefined without an answer. */
  async function mayReadMessages(): Promise<boolean | undefined> {
    try {
      const { flags } = (await calls.rest.get(Routes.currentApplication())) as { flags?: number };
      return readsMessages(flags);
    } catch (error) {
      if (isUnauthorized(error)) throw refusal();
      log.warn({ err: error }, 'Discord: the application could not be looked up');
      return undefined;
    }
  }

  /** With message content unless it may not be asked for; where that is not known, the gateway says so. */
  async function connect(): Promise<Client<true>> {
    messageContent = (await mayReadMessages()) ?? true;
    try {
      return await identify();
    } catch (error) {
      if (!(error instanceof IntentsRefused) || !messageContent) throw error;
      await client?.destroy();
      messageContent = false;
      return identify();
    }
  }

  async function identify(): Promise<Client<true>> {
    const made = new Client({
      intents: intentsFor(messageContent),
      rest: { api: apiUrl, version: '10', makeRequest },
      allowedMentions: { parse: [] },
      ...(options.shards.ids === 'auto'
        ? { shards: 'auto' as const }
        : { shards: [...options.shards.ids], shardCount: options.shards.count }),
    });
    client = made;
    listen(made);
    const ready = new Promise<Client<true>>((resolve) => made.once(Events.ClientReady, resolve));
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer in ${startMs / 1000} s`)), startMs);
      ready.finally(() => clearTimeout(timer)).catch(() => undefined);
      made.once(Events.ShardDisconnect, ({ code }) => {
        if (code === GatewayCloseCodes.DisallowedIntents) reject(new IntentsRefused('Discord refuses the intents'));
      });
      made.login(token).catch((error: unknown) => {
        clearTimeout(timer);
        reject(error);
      });
    });
    return Promise.race([ready, late]);
  }

  async function attempt(): Promise<Who> {
    try {
      const ready = await connect();
      turn('ready');
      const who = { applicationId: ready.application.id, name: ready.user.username };
      options.onReady(who);
      return who;
    } catch (error) {
      await client?.destroy();
      const refused = isUnauthorized(error) || error instanceof UserError;
      turn(refused ? 'refused' : 'reconnecting', error instanceof Error ? error.message : String(error));
      throw refused ? refusal() : error;
    }
  }

  function tryAgain(delayMs: number) {
    clearTimeout(retry);
    retry = setTimeout(() => {
      attempt().catch((error: unknown) => {
        log.warn({ err: error }, 'Discord: still not there');
        if (state === 'reconnecting') tryAgain(Math.min(delayMs * 2, longestRetryMs));
      });
    }, delayMs);
  }

  return {
    async start() {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof UserError) throw error;
        log.warn({ err: error }, 'Discord: not reached');
        tryAgain(options.retryMs);
        return undefined;
      }
    },
    async stop() {
      turn('stopped');
      clearTimeout(retry);
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

class IntentsRefused extends Error {
  override readonly name = 'IntentsRefused';
}

export const refusal = () =>
  new UserError(
    'Discord refused DISCORD_TOKEN.',
    'Make a new one: discord.com/developers/applications → your application → Bot → Reset Token, and put it in .env.',
  );
