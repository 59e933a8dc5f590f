// The whole bot in a Slack workspace: protocol server, real Bolt, our front, the conversation, run cards, any engine.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBattleHost } from '../../bot/chat/battle-host.ts';
import { createConversation } from '../../bot/chat/conversation.ts';
import { createLiveCards } from '../../bot/chat/live.ts';
import { commands } from '../../bot/commands/index.ts';
import type { SlackFront, SlackFrontOptions } from '../../bot/fronts/slack/front.ts';
import type { Engine } from '../../engine/index.ts';
import { createFakeEngine, type FakeEngine } from './fake-engine.ts';
import { after, createTestFront } from './slack-harness.ts';
import { createSlackServer, type SlackServer } from './slack-server.ts';
import type { SlackServerOptions } from './slack-server-options.ts';
import type { Channel, Person } from './slack-server-world.ts';

export interface SlackBot<E extends Engine = FakeEngine> {
  readonly server: SlackServer;
  readonly ada: Person;
  readonly ben: Person;
  readonly channel: Channel;
  readonly dataDir: string;
  readonly engine: () => E;
  readonly front: () => SlackFront;
  /** What was logged as an error. */
  readonly errors: string[];
  /** What `start` said. */
  readonly told: () => string;
  /** Ends the process as it were, and begins a new one on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface SlackBotOptions extends Partial<SlackFrontOptions> {
  readonly server?: SlackServerOptions;
  /** What of the front depends on the server. */
  readonly prepare?: (server: SlackServer) => Partial<SlackFrontOptions>;
}

/** With an engine in memory, kept over restarts. */
export function startSlackBot(options: SlackBotOptions = {}): Promise<SlackBot> {
  const engine = createFakeEngine();
  return startSlackBotOn(async () => engine, options);
}

/** @param openEngine opens the engine on a data folder, for each start. */
export async function startSlackBotOn<E extends Engine>(
  openEngine: (dataDir: string) => Promise<E>,
  options: SlackBotOptions = {},
): Promise<SlackBot<E>> {
  const { server: serverOptions, prepare, ...frontOptions } = options;
  const dataDir = frontOptions.dataDir ?? (await mkdtemp(join(tmpdir(), 'finetutor-slack-')));
  const server = await createSlackServer(serverOptions);
  const ada = server.addPerson('Ada');
  const ben = server.addPerson('Ben');
  const channel = server.addChannel('study', [ada, ben]);
  const errors: string[] = [];
  const more = prepare?.(server) ?? {};

  async function begin() {
    const engine = await openEngine(dataDir);
    const front = createTestFront(server, { engine, dataDir, errors, ...frontOptions, ...more });
    const log = {
      error: (details: unknown, message?: string) => {
        const reason = typeof details === 'object' && details !== null && 'err' in details ? details.err : details;
        errors.push(`${message}: ${reason instanceof Error ? reason.stack : JSON.stringify(reason)}`);
      },
      debug: () => {},
    };
    const live = createLiveCards({
      runs: engine.runs,
      deliver: front.deliver,
      shownAt: async (place, slot, personId) =>
        (await engine.conversations.history(place, personId, 200)).find((message) => message.slot === slot)?.updatedAt,
      log,
      now: () => new Date(),
      after,
    });
    const battles = createBattleHost({
      battles: engine.battles,
      deliver: front.deliver,
      runs: () => true,
      log,
      now: () => new Date(),
      after,
    });
    const handle = createConversation({
      engine,
      commands,
      deliver: front.deliver,
      log,
      now: () => new Date(),
      newErrorId: () => 'e-1',
      pageUrl: () => undefined,
      showRun: live.show,
      battles,
    });
    const told = await front.start(handle);
    await live.start(await engine.conversations.workspaces());
    await battles.start();
    return { engine, front, live, battles, told };
  }

  let current = await begin();
  async function end() {
    await current.front.stop();
    await current.battles.stop();
    await current.live.stop();
    await current.engine.close();
  }

  return {
    server,
    ada,
    ben,
    channel,
    dataDir,
    errors,
    engine: () => current.engine,
    front: () => current.front,
    told: () => current.told,
    async restart() {
      await end();
      current = await begin();
    },
    async stop() {
      await end();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
