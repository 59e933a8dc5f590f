// The chat platforms that are set up: made only then, and started so that one that fails stops no other front.
import type { Logger } from 'pino';
import { type Engine, UserError } from '../engine/index.ts';
import type { Guide } from '../knowledge/index.ts';
import type { Meter } from './chat/meter.ts';
import { commands } from './commands/index.ts';
import type { Config } from './config.ts';
import type { Front, Handle, Vitals } from './fronts/front.ts';

/** A front that stands on somebody else's service. */
interface Platform extends Front {
  /** How the connection is, for /healthz. */
  health(): object;
  /** The same as numbers, for /metrics. */
  vitals(): Vitals;
}

export interface PlatformParts {
  readonly config: Config;
  readonly engine: Engine;
  readonly guide: Guide;
  readonly pageUrl: () => string | undefined;
  readonly meter: Meter;
  readonly log: Logger;
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

/** Each gives undefined where nothing of it is set. @throws UserError naming the setting to add or to correct. */
const makers: { readonly [name: string]: (parts: PlatformParts) => Promise<Platform | undefined> } = {
  async Discord({ config, ...parts }) {
    const { discordToken: token, discordApiUrl: apiUrl, discordShards: shards, dataDir } = config;
    if (token === undefined) return undefined;
    const { createDiscordFront } = await import('./fronts/discord/front.ts');
    const { isShardProcess } = config;
    return createDiscordFront({ ...parts, token, apiUrl, shards, isShardProcess, commands, dataDir });
  },
  async Slack({ config, guide: _, ...parts }) {
    const { readSetup } = await import('./fronts/slack/setup.ts');
    const setup = readSetup(config);
    if (setup === undefined || config.isShardProcess) return undefined;
    const { createSlackFront } = await import('./fronts/slack/front.ts');
    const { slackApiUrl: apiUrl, dataDir } = config;
    return createSlackFront({ ...parts, ...setup, ...(apiUrl && { apiUrl }), dataDir });
  },
};

export interface Platforms {
  /** Those that run. */
  readonly running: readonly Platform[];
  /** A line for each: where it is, or why it stays off and what to do. */
  readonly told: readonly string[];
  health(): { readonly [name: string]: object };
  vitals(): readonly (Vitals & { readonly front: Front['name'] })[];
}

/** @param add makes a front known before it starts, so that what it hears at once can be answered; and takes it back. */
export async function startPlatforms(
  parts: PlatformParts,
  handle: Handle,
  add: (front: Front) => () => void,
): Promise<Platforms> {
  const running: Platform[] = [];
  const failed = new Map<string, string>();
  async function startOne(name: string, make: (typeof makers)[string]): Promise<string | undefined> {
    let takeBack: (() => void) | undefined;
    try {
      const front = await make(parts);
      if (front === undefined) return undefined;
      takeBack = add(front);
      const line = await front.start(handle);
      running.push(front);
      return line;
    } catch (error) {
      takeBack?.();
      const why =
        error instanceof UserError ? `${error.message} ${error.hint}`.trim() : 'it broke; the log says where.';
      if (!(error instanceof UserError)) parts.log.error({ err: error, front: name }, 'a front could not start');
      failed.set(name.toLowerCase(), why);
      return `${name} stays off: ${why}`;
    }
  }
  const told = (await Promise.all(Object.entries(makers).map(([name, make]) => startOne(name, make)))).filter(
    (line) => line !== undefined,
  );
  return {
    running,
    told,
    vitals: () => running.map((front) => ({ front: front.name, ...front.vitals() })),
    health: () => ({
      ...Object.fromEntries(running.map((front) => [front.name, front.health()])),
      ...Object.fromEntries([...failed].map(([name, problem]) => [name, { state: 'failed', problem }])),
    }),
  };
}
