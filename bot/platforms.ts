// The chat platforms that are set up: made only then, and started so that one that fails stops no other front.
import type { Logger } from 'pino';
import { type Engine, UserError } from '../engine/index.ts';
import type { Config } from './config.ts';
import type { Front, Handle } from './fronts/front.ts';

/** A front that stands on somebody else's service. */
export interface Platform extends Front {
  /** How the connection is, for /healthz. */
  health(): object;
}

export interface PlatformParts {
  readonly config: Config;
  readonly engine: Engine;
  readonly pageUrl: () => string | undefined;
  readonly log: Logger;
  readonly now: () => Date;
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

/** Each gives undefined where nothing of it is set. @throws UserError naming the setting to add or to correct. */
const makers: { readonly [name: string]: (parts: PlatformParts) => Promise<Platform | undefined> } = {
  async Slack({ config, engine, pageUrl, log, now, after }) {
    const { readSetup } = await import('./fronts/slack/setup.ts');
    const setup = readSetup(config);
    if (setup === undefined) return undefined;
    const { createSlackFront } = await import('./fronts/slack/front.ts');
    const { slackApiUrl: apiUrl, dataDir } = config;
    return createSlackFront({ ...setup, ...(apiUrl && { apiUrl }), engine, dataDir, pageUrl, log, now, after });
  },
};

export interface Platforms {
  /** Those that run. */
  readonly running: readonly Platform[];
  /** A line for each: where it is, or why it stays off and what to do. */
  readonly told: readonly string[];
  health(): { readonly [name: string]: object };
}

/** @param add makes a front known before it starts, so that what it hears at once can be answered; and takes it back. */
export async function startPlatforms(
  parts: PlatformParts,
  handle: Handle,
  add: (front: Front) => () => void,
): Promise<Platforms> {
  const running: Platform[] = [];
  const told: string[] = [];
  const failed = new Map<string, string>();
  for (const [name, make] of Object.entries(makers)) {
    let takeBack: (() => void) | undefined;
    try {
      const front = await make(parts);
      if (front === undefined) continue;
      takeBack = add(front);
      told.push(await front.start(handle));
      running.push(front);
    } catch (error) {
      takeBack?.();
      const why =
        error instanceof UserError ? `${error.message} ${error.hint}`.trim() : 'it broke; the log says where.';
      if (!(error instanceof UserError)) parts.log.error({ err: error, front: name }, 'a front could not start');
      failed.set(name.toLowerCase(), why);
      told.push(`${name} stays off: ${why}`);
    }
  }
  return {
    running,
    told,
    health: () => ({
      ...Object.fromEntries(running.map((front) => [front.name, front.health()])),
      ...Object.fromEntries([...failed].map(([name, problem]) => [name, { state: 'failed', problem }])),
    }),
  };
}
