// Slack as other people's servers speak it, and as organisations have it: what may be left out is not missed.
import { afterEach, describe, expect, it } from 'vitest';
import { commands } from '../bot/commands/index.ts';
import { type SlackBot, type SlackBotOptions, startSlackBot } from './support/slack-bot.ts';
import { createTestFront } from './support/slack-harness.ts';
import type { SlackServer } from './support/slack-server.ts';
import { readMessage } from './support/slack-server-methods.ts';

let bot: SlackBot;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options?: SlackBotOptions) {
  bot = await startSlackBot(options);
  cleanups.push(bot.stop);
  return bot;
}

const soon = { timeout: 6000 };
const ours = (server: SlackServer) =>
  server.world.messages.filter((one) => one.user === server.world.botUserId && !one.deleted);

describe('a server that has the oldest methods and blocks only, and says no more than it must', () => {
  it.each(['sockets', 'http'] as const)(
    'is answered over %s: mentions, commands, presses, forms, edits',
    async (kind) => {
      const signingSecret = 's'.repeat(32);
      const { server, ada, channel } = await start({
        server: { frugal: true },
        ...(kind === 'http' ? { transport: { kind, signingSecret, port: 0, host: '127.0.0.1' } } : {}),
      });
      if (kind === 'http')
        server.useHttp({ url: `http://127.0.0.1:${bot.front().port()}/slack/events`, signingSecret });
      const sees = (words: string) => expect.poll(() => server.read(ada, channel), soon).toContain(words);

      await server.say(ada, channel, '@finetutor what is overfitting?');
      await sees('watch the gap');
      expect(bot.engine().asked.map(({ question }) => question)).toEqual(['what is overfitting?']);
      await server.press(ada, 'Quiz: Overfitting and underfitting');
      await sees('Question 1 of 2');
      await server.press(ada, 'B');
      await sees('Question 2 of 2');
      await server.slash(ada, channel, 'finetune');
      await sees('Fine-tune a model');
      await server.press(ada, 'Start training');
      await expect.poll(() => server.openView(ada), soon).toBeDefined();
      await server.submit(ada);
      await sees('run-1');
      const direct = server.world.im(ada.id);
      await server.say(ada, direct, 'what is dropout?');
      await expect.poll(() => server.read(ada, direct), soon).not.toBe('');
      expect(bot.front().health()).toMatchObject({ state: 'connected', missingScopes: [] });
      expect(server.timeouts).toEqual([]);
      expect(bot.errors).toEqual([]);
    },
  );
});

describe('every command', () => {
  it('is taken as a slash command, with its own examples, and nothing it says is refused', async () => {
    const { server, ada, channel } = await start();
    for (const { name, examples } of commands) {
      const before = server.calls.filter(({ result }) => result.ok).length;
      expect(await server.slash(ada, channel, examples[0] ?? name), name).toBeDefined();
      await expect.poll(() => server.calls.filter(({ result }) => result.ok).length, soon).toBeGreaterThan(before);
    }
    await expect.poll(() => ours(server).length, soon).toBeGreaterThanOrEqual(commands.length - 3);
    expect(server.violations).toEqual([]);
    expect(bot.errors).toEqual([]);
  });
});

describe('events of an organisation', () => {
  it('that name no workspace belong to the organisation, and are answered there', async () => {
    const { server, ada, channel } = await start({ server: { enterpriseId: 'E0ORG' } });
    const installed = { enterprise_id: 'E0ORG', team_id: null, user_id: server.world.botUserId, is_bot: true };
    const said = await server.say(ada, channel, 'nothing for us');
    const event = {
      type: 'app_mention',
      user: ada.id,
      channel: channel.id,
      text: `<@${server.world.botUserId}> what is dropout?`,
      ts: said.ts,
      event_ts: said.ts,
    };
    await server.sendEvent(event, { body: { team_id: null, authorizations: [installed] } });
    await expect.poll(() => server.read(ada, channel), soon).toContain('watch the gap');
    await server.press(ada, 'Quiz: Overfitting and underfitting');
    await expect.poll(() => server.read(ada, channel), soon).toContain('Question 1 of 2');
    const kept = await bot.engine().conversations.workspaces();
    expect(kept).toContain('E0ORG');
    expect(server.violations).toEqual([]);
  });
});

describe('what people say to each other in a channel', () => {
  it('is kept nowhere, for nobody would miss it; what is said to us is kept until it is answered', async () => {
    const { server, ada, channel } = await start();
    const kept: string[] = [];
    const { inbox } = bot.engine();
    const keep = inbox.keep.bind(inbox);
    Object.assign(inbox, {
      keep: (event: Parameters<typeof keep>[0]) => {
        kept.push(event.key);
        return keep(event);
      },
    });
    await server.say(ada, channel, 'shall we have lunch?');
    const asked = await server.say(ada, channel, '@finetutor what is dropout?');
    await expect.poll(() => ours(server).length, soon).toBe(1);
    expect(new Set(kept)).toEqual(new Set([`slack:message:${channel.id}:${asked.ts}`]));
  });
});

describe('two bots at one database', () => {
  it('answer each event once, whichever of them it reaches, how often it is sent, and in whatever order', async () => {
    const { server, ada, channel } = await start();
    const engine = bot.engine();
    const taken: string[] = [];
    const other = createTestFront(server, { engine, dataDir: `${bot.dataDir}/other` });
    await other.start(async ({ key, place }) => {
      if (await engine.conversations.claim(place.workspaceId, key)) taken.push(key);
    });
    cleanups.push(other.stop);
    expect(server.sockets()).toBe(4);
    const release = server.holdEvents();
    const said = Array.from({ length: 6 }, (_, n) => server.say(ada, channel, `@finetutor what is number ${n}?`));
    const again = server.sendEvent(
      { type: 'app_mention', user: ada.id, channel: channel.id, text: 'hi', ts: '1760000099.000100' },
      { eventId: 'Ev-twice' },
    );
    const twice = server.sendEvent(
      { type: 'app_mention', user: ada.id, channel: channel.id, text: 'hi', ts: '1760000099.000100' },
      { eventId: 'Ev-twice' },
    );
    await release();
    await Promise.all([...said, again, twice]);
    await expect.poll(() => engine.asked.length + taken.length, soon).toBeGreaterThanOrEqual(6);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answered = ours(server).map(readMessage);
    expect(answered.length + taken.length).toBe(7);
    const asked = engine.asked.map(({ question }) => question);
    expect(new Set(asked).size).toBe(asked.length);
    expect(server.timeouts).toEqual([]);
  });
});

describe('a socket that stands, and through which nothing comes any more', () => {
  it('is left, and another opened; what is said meanwhile is answered', async () => {
    const { server, ada, channel } = await start();
    server.freezeSockets();
    const said = server.say(ada, channel, '@finetutor what is dropout?');
    await expect.poll(() => server.sockets(), { timeout: 20_000, interval: 100 }).toBe(2);
    await said;
    await expect.poll(() => ours(server).length, soon).toBe(1);
    await expect.poll(() => bot.front().health(), soon).toMatchObject({ state: 'connected', sockets: 2 });
    expect(bot.front().vitals().reconnects).toBe(2);
  }, 30_000);
});
