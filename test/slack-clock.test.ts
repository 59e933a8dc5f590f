// What in Slack depends on time, over hours and days of a clock that only the test moves: triggers, retries, sockets that are
// refreshed, addresses and tokens that expire, reminders.
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type SlackBot, type SlackBotOptions, startSlackBot } from './support/slack-bot.ts';
import { createSlackServer, type SlackServer } from './support/slack-server.ts';
import { readMessage } from './support/slack-server-methods.ts';
import { everyScope } from './support/slack-server-options.ts';
import { createStoppedClock, type StoppedClock } from './support/stopped-clock.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const soon = { timeout: 5000 };

async function openServer(clock: StoppedClock) {
  const server = await createSlackServer({ clock, retryDelaysMs: [0, minuteMs, 5 * minuteMs] });
  cleanups.push(server.stop);
  return server;
}

async function startBot(clock: StoppedClock, { server = {}, ...options }: SlackBotOptions = {}): Promise<SlackBot> {
  const bot = await startSlackBot({
    server: { clock, ...server },
    now: clock.now,
    after: clock.after,
    ...options,
  });
  cleanups.push(() => passing(clock, bot.stop()));
  return bot;
}

/** An app that hears everything and says nothing. */
async function openDeafApp(server: SlackServer) {
  const response = await fetch(`${server.apiUrl}apps.connections.open`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.appToken}` },
  });
  const { url } = Object(await response.json());
  const heard: { [name: string]: unknown }[] = [];
  const socket = new WebSocket(String(url));
  socket.on('message', (data) => heard.push(JSON.parse(String(data))));
  await expect.poll(() => heard.length, soon).toBe(1);
  cleanups.push(async () => socket.terminate());
  return heard;
}

/** Time goes on while something waits for it. */
async function passing<T>(clock: StoppedClock, work: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  while (!done) await clock.advance(1000);
  return work;
}

const ours = (bot: SlackBot) =>
  bot.server.world.messages.filter((one) => one.user === bot.server.world.botUserId && !one.deleted);

describe('the Slack for tests', () => {
  it('sends an event again three seconds after silence, then a minute and five minutes later, and then no more', async () => {
    const clock = createStoppedClock();
    const server = await openServer(clock);
    const heard = await openDeafApp(server);
    const sent = server.sendEvent({ type: 'app_mention' });
    const attempts = () => heard.filter(({ type }) => type === 'events_api').map(({ retry_attempt }) => retry_attempt);
    await expect.poll(attempts, soon).toEqual([0]);
    await clock.advance(2900);
    expect(attempts()).toEqual([0]);
    await clock.advance(200);
    await expect.poll(attempts, soon).toEqual([0, 1]);
    expect(heard.at(-1)?.retry_reason).toBe('timeout');
    await clock.advance(minuteMs + 3000);
    await expect.poll(attempts, soon).toEqual([0, 1, 2]);
    await clock.advance(5 * minuteMs + 3000);
    await expect.poll(attempts, soon).toEqual([0, 1, 2, 3]);
    await clock.advance(hourMs);
    await sent;
    expect(attempts()).toEqual([0, 1, 2, 3]);
    expect(server.timeouts).toEqual(['event app_mention']);
  });

  it('lets a trigger serve for three seconds', async () => {
    const clock = createStoppedClock();
    const server = await openServer(clock);
    const heard = await openDeafApp(server);
    const ada = server.addPerson('Ada');
    const channel = server.addChannel('study', [ada]);
    const open = async (triggerId: unknown) => {
      const response = await fetch(`${server.apiUrl}views.open`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${server.botToken}` },
        body: JSON.stringify({
          trigger_id: triggerId,
          view: { type: 'modal', title: { type: 'plain_text', text: 'T' }, blocks: [] },
        }),
      });
      return Object(await response.json()).error;
    };
    const triggers = () => heard.flatMap(({ payload }) => Object(payload).trigger_id ?? []);
    void server.slash(ada, channel, 'one');
    void server.slash(ada, channel, 'two');
    await expect.poll(() => triggers().length, soon).toBe(2);
    await clock.advance(2900);
    expect(await open(triggers()[0])).toBeUndefined();
    await clock.advance(200);
    expect(await open(triggers()[1])).toBe('expired_trigger_id');
  });

  it('lets an address to answer at serve five times, and for half an hour', async () => {
    const clock = createStoppedClock();
    const server = await openServer(clock);
    await openDeafApp(server);
    const ada = server.addPerson('Ada');
    const channel = server.addChannel('study', [ada]);
    const answer = async (url: string) => {
      const body = JSON.stringify({ response_type: 'ephemeral', text: 'hi' });
      return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status;
    };
    void server.slash(ada, channel, 'one');
    const first = server.lastResponseUrl();
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push(await answer(first));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 404]);
    void server.slash(ada, channel, 'two');
    const second = server.lastResponseUrl();
    await clock.advance(29 * minuteMs);
    expect(await answer(second)).toBe(200);
    await clock.advance(2 * minuteMs);
    expect(await answer(second)).toBe(404);
  });
});

describe('sockets that Slack refreshes every four hours', () => {
  it('lose nothing and answer nothing twice over a day of questions', async () => {
    const clock = createStoppedClock();
    const bot = await startBot(clock, { server: { socketLifeMs: 4 * hourMs } });
    const { server, ada, channel } = bot;
    const opened = () => server.calls.filter(({ method }) => method === 'apps.connections.open').length;
    const began = opened();
    const asked: string[] = [];
    for (let hour = 0; hour < 24; hour++) {
      const question = `what is number ${hour}?`;
      asked.push(question);
      // After every fourth hour that is the very moment of the refresh.
      const said = server.say(ada, channel, `@finetutor ${question}`);
      await clock.advance(2000);
      await said;
      await clock.leap(hourMs);
    }
    await expect.poll(() => bot.engine().asked.length, soon).toBe(asked.length);
    await clock.advance(minuteMs);
    expect(
      bot
        .engine()
        .asked.map(({ question }) => question)
        .toSorted(),
    ).toEqual(asked.toSorted());
    await expect.poll(() => ours(bot).length, soon).toBe(asked.length);
    expect(opened() - began).toBeGreaterThanOrEqual(8);
    expect(bot.front().health()).toMatchObject({ state: 'connected', sockets: 2 });
    expect(server.violations).toEqual([]);
    expect(server.timeouts).toEqual([]);
  }, 30_000);
});

describe('tokens that expire after twelve hours', () => {
  const signingSecret = 's'.repeat(32);
  const lifeMs = 12 * hourMs;

  it('are renewed before they do, once for all who need it, and the answers go on', async () => {
    const clock = createStoppedClock(new Date());
    const bot = await startBot(clock, {
      server: { http: { url: 'http://127.0.0.1:9/', signingSecret } },
      access: { kind: 'oauth', clientId: '1.2', clientSecret: 'client', sealKey: 'k'.repeat(40) },
      transport: { kind: 'http', signingSecret, port: 0, host: '127.0.0.1' },
    });
    const { server, ada, ben, channel } = bot;
    const base = `http://127.0.0.1:${bot.front().port()}`;
    server.useHttp({ url: `${base}/slack/events`, signingSecret });
    const { teamId, botUserId, botId, appId } = server.world;
    const grantOf = (n: number) => ({
      access_token: `xoxe.xoxb-${n}`,
      refresh_token: `xoxe-${n}`,
      expires_in: lifeMs / 1000,
      token_type: 'bot',
      scope: everyScope.join(','),
      bot_user_id: botUserId,
      app_id: appId,
      team: { id: teamId, name: 'Team' },
      enterprise: null,
      authed_user: { id: 'U1' },
      is_enterprise_install: false,
    });
    const allow = (n: number) =>
      server.grant(`xoxe.xoxb-${n}`, { team_id: teamId, user_id: botUserId, bot_id: botId }, lifeMs);
    server.context.grants.set('code-1', grantOf(0));
    server.context.grants.set('xoxe-0', grantOf(1));
    server.context.grants.set('xoxe-1', grantOf(2));
    allow(0);
    const began = await fetch(`${base}/slack/install`, { redirect: 'manual' });
    const state = new URL(began.headers.get('location') ?? '').searchParams.get('state');
    const cookie = began.headers.get('set-cookie')?.split(';')[0] ?? '';
    await fetch(`${base}/slack/oauth_redirect?code=code-1&state=${state}`, { headers: { cookie }, redirect: 'manual' });
    const renewals = () =>
      server.calls.filter(({ method, args }) => method === 'oauth.v2.access' && args.grant_type === 'refresh_token');

    await server.say(ada, channel, '@finetutor what is dropout?');
    await expect.poll(() => ours(bot).length, soon).toBe(1);
    expect(renewals()).toHaveLength(0);

    await clock.leap(11 * hourMs);
    allow(1);
    await Promise.all([
      server.say(ada, channel, '@finetutor what is momentum?'),
      server.say(ben, channel, '@finetutor what is a learning rate?'),
    ]);
    await clock.advance(5000);
    await expect.poll(() => ours(bot).length, soon).toBe(3);
    expect(renewals().map(({ args }) => args.refresh_token)).toEqual(['xoxe-0']);

    await clock.leap(11 * hourMs);
    allow(2);
    await server.say(ada, channel, '@finetutor what is a batch?');
    await clock.advance(5000);
    await expect.poll(() => ours(bot).length, soon).toBe(4);
    expect(renewals().map(({ args }) => args.refresh_token)).toEqual(['xoxe-0', 'xoxe-1']);
    const [kept] = await bot.engine().kept.list(teamId, 'slack.installation');
    expect(String(kept?.value)).toMatch(/^v1\./);
    expect(server.violations).toEqual([]);
    expect(bot.errors).toEqual([]);
  }, 30_000);
});

describe('reminders', () => {
  it('come once a day from the hour that was chosen, to those who want them, while something is due', async () => {
    const clock = createStoppedClock(new Date('2026-03-02T06:30:00Z'));
    const bot = await startBot(clock);
    const { server, ada, ben, channel } = bot;
    for (const person of [ada, ben]) {
      await server.slash(person, channel, 'quiz overfitting-underfitting');
      await expect.poll(() => server.read(person, channel), soon).toContain('Question 1 of 2');
      await server.press(person, 'B');
      await clock.advance(5000);
      await expect.poll(() => server.read(person, channel), soon).toContain('Not quite');
      server.world.messages.length = 0;
    }
    await server.openHome(ada);
    await expect.poll(() => server.home(ada), soon).toContain('Remind me');
    await server.choose(ada, 'From 08:00 UTC', { in: 'home' });
    await expect.poll(() => bot.engine().kept.list(server.world.teamId, 'slack.reminder'), soon).toHaveLength(1);
    const direct = server.world.im(ada.id);
    const hours = async (count: number) => {
      for (let n = 0; n < count; n++) await clock.leap(hourMs);
    };
    const reminders = () => ours(bot).filter((one) => readMessage(one).includes('1 question is due for review.'));

    await hours(1);
    expect(reminders()).toEqual([]);
    await hours(1);
    await expect.poll(() => reminders().map(({ channel: where }) => where), soon).toEqual([direct.id]);
    await hours(10);
    await passing(clock, bot.restart());
    await hours(1);
    expect(reminders()).toHaveLength(1);
    await hours(24);
    await expect.poll(() => reminders().length, soon).toBe(2);

    await server.press(ada, 'Review now');
    await expect.poll(() => server.read(ada, direct), soon).toContain('Question 1 of 1');
    await server.press(ada, 'A');
    await clock.advance(5000);
    await expect.poll(() => server.read(ada, direct), soon).toContain('1 of 1 right');
    await hours(48);
    expect(reminders()).toHaveLength(2);
    expect(server.violations).toEqual([]);
  }, 60_000);
});
