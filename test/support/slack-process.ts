// A bot on the real engine at a Slack that is already there: in this process, or in one that is to be killed.

import { createConversation } from '../../bot/chat/conversation.ts';
import { commands } from '../../bot/commands/index.ts';
import type { Handle } from '../../bot/fronts/front.ts';
import { createSlackFront } from '../../bot/fronts/slack/front.ts';
import { createEngine } from '../../engine/index.ts';
import { loadGuide } from '../../knowledge/index.ts';
import { noBattles } from './fake-engine.ts';
import { realClock } from './stopped-clock.ts';

export interface SlackProcessOptions {
  readonly dataDir: string;
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  /** Around the conversation: acknowledged, not worked on. */
  readonly before?: (handle: Handle) => Handle;
  /** The command has begun and said nothing yet. */
  readonly beforeDelivery?: () => Promise<void>;
}

export async function startSlackProcess(options: SlackProcessOptions) {
  const { dataDir, apiUrl, botToken, appToken, before = (handle) => handle, beforeDelivery } = options;
  const errors: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn() {},
    error(details: object, message?: string) {
      errors.push(`${message}: ${'err' in details ? String(details.err) : JSON.stringify(details)}`);
    },
  };
  const guide = await loadGuide();
  const engine = await createEngine({
    dataDir,
    databaseUrl: undefined,
    device: 'cpu',
    guide,
    ...realClock,
    log,
    workers: 0,
  });
  const front = createSlackFront({
    access: { kind: 'token', botToken },
    transport: { kind: 'sockets', appToken },
    apiUrl,
    engine,
    dataDir,
    pageUrl: () => undefined,
    log,
    ...realClock,
    cadenceMs: 100,
  });
  const handle = createConversation({
    engine,
    commands,
    async deliver(place, reply, asker) {
      await beforeDelivery?.();
      await front.deliver(place, reply, asker);
    },
    log,
    now: realClock.now,
    newErrorId: () => 'e-1',
    pageUrl: () => undefined,
    showRun: async () => {},
    battles: noBattles,
  });
  await front.start(before(handle));
  return {
    errors,
    async stop() {
      await front.stop();
      await engine.close();
    },
  };
}
