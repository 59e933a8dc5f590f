// The Discord front: events in, replies out.
import { join } from 'node:path';
import { type Engine, maxDatasetBytes } from '../../../engine/index.ts';
import type { Guide } from '../../../knowledge/index.ts';
import type { Command } from '../../chat/command.ts';
import { createDownloads } from '../download.ts';
import type { Front, Handle } from '../front.ts';
import { apiAddress } from './address.ts';
import { type ConnectionHealth, createConnection } from './connection.ts';
import { deployCommands, describeDeployment } from './deploy.ts';
import { createInteractions } from './interactions.ts';
import { limits } from './limits.ts';
import { type ChannelFacts, createMessages } from './messages.ts';
import { inviteLink } from './permissions.ts';
import { createPosts } from './posts.ts';
import { createCalls, type Refusals } from './rest.ts';
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
  readonly shards?: number | 'auto';
  /** Least time between two edits of one message. */
  readonly cadenceMs?: number;
  readonly now: () => Date;
  readonly after?: (delayMs: number, callback: () => void) => () => void;
  readonly log: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export interface DiscordHealth extends ConnectionHealth {
  readonly refusals: Refusals;
  /** `open`: Discord refuses us, and requests wait. */
  readonly circuit: 'closed' | 'open' | 'half-open';
}

export interface DiscordFront extends Front {
  health(): DiscordHealth;
}

/** Discord keeps what people send on these hosts. */
const fileHosts = ['cdn.discordapp.com', 'media.discordapp.net'];

export function createDiscordFront(options: DiscordOptions): DiscordFront {
  const { token, engine, guide, commands, now, log } = options;
  const apiUrl = apiAddress(options.apiUrl);
  const after = options.after ?? afterDelay;
  const calls = createCalls({ token, apiUrl, now });
  let handle: Handle | undefined;
  let stopping = false;

  const connection = createConnection({
    token,
    apiUrl,
    calls,
    shards: options.shards ?? 'auto',
    onInteraction: (interaction) => void (stopping || interactions(interaction)),
    onMessage: (message) => void (stopping || messages(message)),
    now,
    log,
  });

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
    cadenceMs: options.cadenceMs ?? limits.edit.cadenceMs,
    now,
    after,
    log,
  });

  const deliver: Front['deliver'] = (place, reply, asker) => posts.deliver(place, reply, asker, work.current());

  const work = createWork({
    handle: () => handle,
    deliver,
    downloads: createDownloads({
      folder: join(options.dataDir, 'discord-files'),
      limitBytes: maxDatasetBytes,
      hosts: [...fileHosts, new URL(apiUrl).host],
    }),
    now,
    log,
  });

  const interactions = createInteractions({
    calls,
    posts,
    work,
    engine,
    commands,
    suggest: createSuggest(engine, guide),
    now,
    log,
  });
  const messages = createMessages({
    calls,
    work,
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
      const { applicationId, name } = await connection.start();
      deployCommands(calls.rest, applicationId, slashCommands(commands)).then(
        (deployment) => log.info({}, `Discord: commands ${describeDeployment(deployment)}`),
        (error: unknown) => log.warn({ err: error }, 'Discord: the commands could not be brought up to date'),
      );
      const { guilds, messageContent } = connection.health();
      const where = guilds === 0 ? 'in no server yet' : `in ${guilds} server${guilds === 1 ? '' : 's'}`;
      const reads = messageContent ? '' : ', without the message content intent (mentions and commands work)';
      return `Discord: ${name} is ${where}${reads}. Invite: ${inviteLink(applicationId)}`;
    },
    deliver,
    health: () => ({ ...connection.health(), refusals: calls.refusals(), circuit: calls.circuit.state() }),
    async stop() {
      stopping = true;
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
