// The Discord front: events in, replies out.
import { join } from 'node:path';
import { type Engine, maxUploadBytes } from '../../../engine/index.ts';
import type { Guide } from '../../../knowledge/index.ts';
import type { Command } from '../../chat/command.ts';
import type { Meter } from '../../chat/meter.ts';
import { createDownloads } from '../download.ts';
import type { Front, Handle, Vitals } from '../front.ts';
import { createFrontInbox } from '../inbox.ts';
import { apiAddress } from './address.ts';
import { type Connection, type ConnectionHealth, createConnection, type Shards } from './connection.ts';
import { deployCommands, describeDeployment } from './deploy.ts';
import { createInteractions } from './interactions.ts';
import { createRedo } from './left-behind.ts';
import { limits } from './limits.ts';
import { type ChannelFacts, createMessages } from './messages.ts';
import { inviteLink } from './permissions.ts';
import { createPosts } from './posts.ts';
import { createCalls, type Refusals } from './rest.ts';
import { createShardProcesses } from './shard-processes.ts';
import { slashCommands } from './slash.ts';
import { createSuggest } from './suggest.ts';
import { createWork } from './work.ts';

export interface DiscordOptions {
  readonly token: string;
  /** Where the API is; `https://discord.com/api` unless told. */
  readonly apiUrl?: string | undefined;
  readonly engine: Engine;
  readonly guide: Guide;
  readonly commands: readonly Command[];
  /** Fetched files lie under it while they are handled. */
  readonly dataDir: string;
  /** Address of the web page. A link is shown only where others can open it. */
  readonly pageUrl: () => string | undefined;
  /** Shards this process runs: as many as Discord says, unless told. */
  readonly shards?: Shards;
  /** One shard of many, started by the process that deploys the commands. */
  readonly isShardProcess?: boolean;
  readonly times?: Partial<Times>;
  readonly meter?: Meter;
  readonly now: () => Date;
  readonly after?: (delayMs: number, callback: () => void) => () => void;
  readonly log: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** In milliseconds. */
interface Times {
  /** Least time between two edits of one message. */
  readonly cadenceMs: number;
  /** How long a stop waits for what Discord makes us wait for. */
  readonly patienceMs: number;
  /** Wait before the first new attempt when Discord can't be reached. */
  readonly retryMs: number;
}
const standardTimes: Times = { cadenceMs: limits.edit.cadenceMs, patienceMs: 5000, retryMs: 5000 };

interface DiscordHealth extends ConnectionHealth {
  readonly refusals: Refusals;
  /** `open`: Discord refuses us, and requests wait. */
  readonly circuit: 'closed' | 'open' | 'half-open';
}

export interface DiscordFront extends Front {
  health(): DiscordHealth;
  vitals(): Vitals;
}

/** Discord keeps what people send on these hosts. */
const fileHosts = ['cdn.discordapp.com', 'media.discordapp.net'];

export function createDiscordFront(options: DiscordOptions): DiscordFront {
  const { token, engine, guide, commands, now, log } = options;
  const times: Times = { ...standardTimes, ...options.times };
  const apiUrl = apiAddress(options.apiUrl);
  const after = options.after ?? afterDelay;
  const calls = createCalls({ token, apiUrl, now });
  let handle: Handle | undefined;
  let stopping = false;

  const shards = options.shards ?? { ids: 'auto', count: 1 };
  const onReady = ({ applicationId }: { readonly applicationId: string }) => {
    inbox.start();
    if (!options.isShardProcess) void bringUpToDate(applicationId);
  };
  const hear = () =>
    createConnection({
      token,
      apiUrl,
      calls,
      shards,
      retryMs: times.retryMs,
      onReady,
      onInteraction: (interaction) => void (stopping || interactions(interaction)),
      onMessage: (message) => void (stopping || messages(message)),
      now,
      log,
    });
  const connection: Connection =
    shards.processes === undefined
      ? hear()
      : createShardProcesses({ token, calls, amount: shards.processes, onReady, now, log });

  async function bringUpToDate(applicationId: string) {
    try {
      const deployment = await deployCommands(calls.rest, applicationId, slashCommands(commands));
      log.info({}, `Discord: commands ${describeDeployment(deployment)}`);
    } catch (error) {
      log.warn({ err: error }, 'Discord: the commands could not be brought up to date');
    }
  }

  function channelFacts(channelId: string): ChannelFacts {
    const channel = connection.channel(channelId);
    const me = connection.botId();
    if (channel === undefined || channel.isDMBased() || me === undefined)
      return { channel, name: undefined, bits: undefined, isThread: false };
    return {
      channel,
      name: channel.name,
      bits: channel.permissionsFor(me)?.bitfield,
      isThread: channel.isThread(),
    };
  }

  const posts = createPosts({
    calls,
    engine,
    dataDir: options.dataDir,
    sectionUrl: (chapterId, sectionId) => {
      const page = options.pageUrl();
      if (page === undefined || isLocal(page)) return undefined;
      return `${page}/guide/${encodeURIComponent(chapterId)}#${encodeURIComponent(sectionId)}`;
    },
    channelFacts,
    cadenceMs: times.cadenceMs,
    patienceMs: times.patienceMs,
    now,
    after,
    log,
  });

  const deliver: Front['deliver'] = async (place, reply, asker) => {
    const exchange = work.current();
    await work.turn();
    await posts.deliver(place, reply, asker, exchange);
  };

  const inbox = createFrontInbox({
    engine,
    front: 'discord',
    folder: join(options.dataDir, 'inbox', 'discord'),
    redo: createRedo({
      interaction: (interaction, left) => interactions(interaction, left),
      message: (message, left) => messages(message, left),
    }),
    now,
    after,
    log,
  });

  const work = createWork({
    handle: () => handle,
    deliver,
    downloads: createDownloads({
      folder: join(options.dataDir, 'discord-files'),
      limitBytes: maxUploadBytes,
      hosts: [...fileHosts, new URL(apiUrl).hostname],
    }),
    onDuplicate: () => options.meter?.event('discord', 'duplicate'),
    now,
    log,
  });

  const interactions = createInteractions({
    calls,
    posts,
    work,
    inbox,
    engine,
    commands,
    suggest: createSuggest(engine, guide),
    bitsIn: (channelId) => channelFacts(channelId).bits,
    acknowledged: (delayMs) => options.meter?.acknowledged('discord', delayMs),
    now,
    after,
    log,
  });
  const messages = createMessages({
    calls,
    work,
    inbox,
    conversations: engine.conversations,
    commands,
    botId: connection.botId,
    botRole: connection.botRole,
    channelFacts,
    now,
    after,
    log,
  });

  return {
    name: 'discord',
    async start(given) {
      handle = given;
      const who = await connection.start();
      if (who === undefined)
        return `Discord: not reached yet (${connection.health().lastProblem ?? ''}); it goes on trying`;
      const { guilds, messageContent } = connection.health();
      const where =
        shards.processes !== undefined
          ? 'here, each shard in a process of its own'
          : guilds === 0
            ? 'in no server yet'
            : `in ${guilds} server${guilds === 1 ? '' : 's'}`;
      const reads = messageContent ? '' : ', without the message content intent (mentions and commands work)';
      return `Discord: ${who.name} is ${where}${reads}. Invite: ${inviteLink(who.applicationId)}`;
    },
    deliver,
    health: () => ({ ...connection.health(), refusals: calls.refusals(), circuit: calls.circuit.state() }),
    vitals() {
      const { state, reconnects, zombies } = connection.health();
      const { unauthorized, forbidden, rateLimited } = calls.refusals();
      return {
        connected: state === 'ready',
        reconnects,
        zombies,
        refused: { 401: unauthorized, 403: forbidden, 429: rateLimited },
        circuit: calls.circuit.state(),
      };
    },
    async stop() {
      stopping = true;
      await inbox.stop();
      await work.idle();
      await posts.drain();
      await connection.stop();
    },
  };
}

const isLocal = (address: string) => {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.') || hostname === '0.0.0.0';
};

function afterDelay(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
