// Composition root: settings → engine → conversation → fronts, and the way down again.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { createEngine, readAhead, UserError } from '../engine/index.ts';
import { loadGuide } from '../knowledge/index.ts';
import { createBattleHost } from './chat/battle-host.ts';
import { createConversation } from './chat/conversation.ts';
import { createLiveCards } from './chat/live.ts';
import type { Person, Place, Reply } from './chat/message.ts';
import type { Meter } from './chat/meter.ts';
import { commands } from './commands/index.ts';
import type { Config } from './config.ts';
import type { Front } from './fronts/front.ts';
import { createTerminalFront } from './fronts/terminal/front.ts';
import type { TerminalOutput } from './fronts/terminal/screen.ts';
import { createWebFront } from './fronts/web/front.ts';
import { createMetrics } from './metrics.ts';
import { type Platforms, startPlatforms } from './platforms.ts';

export interface BotOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Which fronts to run. */
  readonly fronts: { readonly web: boolean; readonly terminal: boolean };
  readonly input: Readable;
  readonly output: TerminalOutput;
  readonly colours: boolean;
  /** Milliseconds since the process began. */
  readonly uptimeMs: () => number;
  /** The person left the terminal. */
  readonly onLeave: () => void;
}

export interface Bot {
  /** Stops taking messages, delivers what is under way, closes the database. Safe to call twice. */
  stop(): Promise<void>;
}

const local = 'local';
const host = '127.0.0.1';
/** Messages of a conversation searched for a run's card on the start. */
const cardsLookedAt = 200;

/** @throws UserError when the port is taken, the data folder can't be written, or the database can't be opened. */
export async function startBot(options: BotOptions): Promise<Bot> {
  const { config, log, output } = options;
  const now = () => new Date();
  makeFolder(config.dataDir);
  const reading = loadGuide();
  const engine = await createEngine({
    ...config,
    guide: reading,
    now,
    log,
    ...(config.isShardProcess && { workers: 0 }),
  });
  const guide = await reading;
  const fronts: Front[] = [];
  let platforms: Platforms | undefined;
  const metrics = createMetrics({ runs: engine.runs, vitals: () => platforms?.vitals() ?? [] });
  const { meter } = metrics;
  const { deliver, answered } = createDelivery(fronts, meter, log);
  const live = createLiveCards({
    runs: engine.runs,
    deliver,
    shownAt: async (place, slot, personId) => {
      const kept = await engine.conversations.history(place, personId, cardsLookedAt);
      return kept.find((message) => message.slot === slot)?.updatedAt;
    },
    log,
    now,
    after,
  });

  const hasWeb = options.fronts.web && !config.isShardProcess;
  const web = hasWeb
    ? createWebFront({
        port: config.port,
        host,
        engine,
        guide,
        commands: commands.map(toHint),
        dataDir: config.dataDir,
        health: () => platforms?.health() ?? {},
        metrics,
        log,
        now,
      })
    : undefined;
  if (web !== undefined) fronts.push(web);
  const pageUrl = () => web?.address;
  const terminal = options.fronts.terminal ? createTerminal(options, engine.conversations, pageUrl, now) : undefined;
  if (terminal !== undefined) fronts.push(terminal);

  const battles = createBattleHost({
    battles: engine.battles,
    deliver,
    runs: (name) => fronts.some((front) => front.name === name),
    log,
    now,
    after,
  });
  const handle = createConversation({
    engine,
    commands,
    deliver,
    log,
    now,
    newErrorId: () => randomBytes(4).toString('hex'),
    pageUrl,
    showRun: live.show,
    battles,
    meter,
  });

  let stopping: Promise<void> | undefined;
  async function stopAll() {
    for (const front of fronts) await front.stop();
    await battles.stop();
    await live.stop();
    await answered();
    await engine.close();
    metrics.stop();
  }
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };

  try {
    await engine.conversations.openWorkspace(local, 'This computer');
    const told = web === undefined ? [] : [await web.start(handle)];
    if (options.fronts.web) {
      platforms = await startPlatforms({ config, engine, guide, pageUrl, meter, log, now, after }, handle, (front) => {
        fronts.push(front);
        return () => fronts.splice(fronts.indexOf(front), 1);
      });
      told.push(...platforms.told);
    }
    if (config.isShardProcess) reportToParent(() => platforms?.health() ?? {});
    // Runs are trained, and their cards kept up to date, by the process that starts the shards.
    else await live.start(await engine.conversations.workspaces());
    await battles.start();
    // Last, so that nothing is printed over its prompt.
    if (terminal !== undefined) told.push(await terminal.start(handle));
    told.push(`ready in ${Math.round(options.uptimeMs())} ms`);
    // The process that starts the shards tells of them.
    if (!config.isShardProcess) output.write(`${told.join('\n')}\n`);
    readAhead(guide).catch((error: unknown) => log.error({ err: error }, 'the guide could not be read ahead'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** Hands a reply to the front of its place. A front that does not run now has no one to show it to. */
function createDelivery(fronts: readonly Front[], meter: Meter, log: Pick<Logger, 'debug'>) {
  const underWay = new Set<Promise<void>>();
  async function deliver(place: Place, reply: Reply, asker: Person): Promise<void> {
    const front = fronts.find((candidate) => candidate.name === place.front);
    if (front === undefined) {
      log.debug({ place }, 'a reply for a front that does not run');
      return;
    }
    const delivery = front.deliver(place, reply, asker);
    underWay.add(delivery);
    try {
      await delivery;
      meter.reply(place.front, 'sent');
    } catch (error) {
      meter.reply(place.front, 'failed');
      throw error;
    } finally {
      underWay.delete(delivery);
    }
  }
  return {
    deliver,
    answered: async () => {
      await Promise.allSettled(underWay);
    },
  };
}

function createTerminal(
  { config, input, output, colours, onLeave }: BotOptions,
  conversations: Parameters<typeof createTerminalFront>[0]['conversations'],
  pageUrl: () => string | undefined,
  now: () => Date,
): Front {
  return createTerminalFront({
    input,
    output,
    person: { id: 'terminal', name: 'You' },
    place: { front: 'terminal', workspaceId: local, conversationId: 'terminal' },
    conversations,
    colours,
    picturePath: (pictureId) => join(config.dataDir, 'pictures', `${pictureId}.png`),
    sectionUrl: (chapterId, sectionId) => {
      const page = pageUrl();
      return page && `${page}/guide/${encodeURIComponent(chapterId)}#${encodeURIComponent(sectionId)}`;
    },
    now,
    newKey: () => `terminal:${randomUUID()}`,
    onClose: onLeave,
  });
}

const toHint = ({ name, usage, summary }: (typeof commands)[number]) => ({ name, usage, summary });

const reportEveryMs = 5000;

/** How a shard's process tells the one that started it how it is. */
function reportToParent(health: () => { readonly [name: string]: object }) {
  const tell = () => process.send?.({ report: health().discord ?? { state: 'failed' } });
  tell();
  setInterval(tell, reportEveryMs).unref();
}

function makeFolder(path: string) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`DATA_DIR ${path} can't be made: ${reason}`, 'Set DATA_DIR to a folder you may write in.', {
      cause: error,
    });
  }
}

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
