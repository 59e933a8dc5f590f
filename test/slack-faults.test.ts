// What goes wrong between Slack and us: sockets that go, tokens that are revoked, refusals, waits, events that come twice.
import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Block, Place, Reply } from '../bot/chat/message.ts';
import { button, buttons, reply, text } from '../bot/chat/reply.ts';
import { UserError } from '../engine/index.ts';
import { createFakeEngine, pixel } from './support/fake-engine.ts';
import { type SlackBot, type SlackBotOptions, startSlackBot } from './support/slack-bot.ts';
import { createTestFront } from './support/slack-harness.ts';
import { createSlackServer, type SlackServer } from './support/slack-server.ts';
import { readMessage } from './support/slack-server-methods.ts';
import { everyScope } from './support/slack-server-options.ts';
import type { Channel, Person } from './support/slack-server-world.ts';

let bot: SlackBot;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(options?: SlackBotOptions) {
  bot = await startSlackBot(options);
  cleanups.push(bot.stop);
  return bot;
}

const soon = { timeout: 6000 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ours = (server: SlackServer) =>
  server.world.messages.filter((one) => one.user === server.world.botUserId && !one.deleted);
const sees = (person: Person, channel: Channel, words: string) =>
  expect.poll(() => bot.server.read(person, channel), soon).toContain(words);
const callsOf = (method: string) => bot.server.calls.filter((call) => call.method === method);

async function placeUnder(person: Person, channel: Channel): Promise<Place> {
  const root = await bot.server.say(person, channel, 'hello');
  return { front: 'slack', workspaceId: bot.server.world.teamId, conversationId: `${channel.id}:${root.ts}` };
}

const training: Block = {
  kind: 'progress',
  label: 'step 3 of 9',
  fraction: 1 / 3,
  detail: 'loss 0.5',
  steps: [
    { label: 'Read the data', state: 'done' },
    { label: 'Train', state: 'running' },
    { label: 'Measure', state: 'waiting' },
  ],
};

describe('sockets', () => {
  it('are two, so that a refresh of one leaves no gap', async () => {
    const { server, ada, channel } = await start();
    expect(server.sockets()).toBe(2);
    server.refreshSockets('one');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => server.slash(ada, channel, `what is number ${n}?`)),
    );
    expect(answers).not.toContain(undefined);
    await expect.poll(() => server.sockets(), soon).toBe(2);
    await expect.poll(() => bot.engine().asked.length, soon).toBe(20);
  });

  it('come back after all were cut or refreshed, and events of the gap are answered once', async () => {
    const { server, ada, channel } = await start();
    server.dropSockets();
    expect(bot.front().health().state).not.toBe('off');
    const said = server.say(ada, channel, '@finetutor what is dropout?');
    await expect.poll(() => server.sockets(), soon).toBe(2);
    await said;
    server.refreshSockets();
    await server.say(ada, channel, '@finetutor what is momentum?');
    await expect.poll(() => ours(server).length, soon).toBe(2);
    await expect.poll(() => bot.front().health(), soon).toMatchObject({ state: 'connected', sockets: 2 });
    await pause(100);
    expect(bot.engine().asked.map(({ question }) => question)).toEqual(['what is dropout?', 'what is momentum?']);
  });

  it('survive a revoked app token: it is seen in the health, and the process goes on', async () => {
    const { server } = await start();
    server.revoke(server.appToken, 'invalid_auth');
    server.dropSockets();
    await expect
      .poll(() => bot.front().health(), soon)
      .toMatchObject({ state: 'refused', problem: 'invalid_auth', sockets: 0 });
  });
});

describe('once', () => {
  it('answers an event once, though it is sent again while the first is worked on, and after a restart', async () => {
    const { server, ada, channel } = await start();
    const event = {
      type: 'app_mention',
      user: ada.id,
      channel: channel.id,
      text: `<@${server.world.botUserId}> hi`,
      ts: '1760000009.000100',
    };
    server.world.messages.push({ ...(await server.say(ada, channel, 'x')), ts: event.ts, text: event.text });
    await Promise.all([1, 2, 3].map(() => server.sendEvent({ ...event, event_ts: event.ts }, { eventId: 'Ev1' })));
    await sees(ada, channel, 'Ask me anything');
    await bot.restart();
    await server.sendEvent({ ...event, event_ts: event.ts }, { eventId: 'Ev1' });
    await pause(200);
    expect(ours(server)).toHaveLength(1);
  });

  it('launches one run from one form, however often it is sent', async () => {
    const { server, ada, channel } = await start();
    await server.say(ada, channel, '@finetutor finetune');
    await sees(ada, channel, 'Fine-tune a model');
    await server.press(ada, 'Start training');
    await expect.poll(() => server.openView(ada), soon).toBeDefined();
    const view = server.openView(ada);
    await server.submit(ada);
    if (view !== undefined) view.open = true;
    await server.submit(ada);
    await sees(ada, channel, 'run-1');
    await pause(200);
    expect(await bot.engine().runs.list(server.world.teamId, 10)).toHaveLength(1);
  });

  it('posts a message once, though the answer to the call is lost', async () => {
    const { server, ada, channel } = await start();
    server.fault({ method: 'chat.postMessage', times: 1, cut: true });
    await server.say(ada, channel, '@finetutor why does my model overfit?');
    await expect.poll(() => callsOf('conversations.replies').length, soon).toBe(1);
    await pause(300);
    expect(ours(server)).toHaveLength(1);
    expect(bot.front().health().refused.unreachable).toBe(1);
  });
});

describe('refusals', () => {
  it('waits as long as Slack asks, then delivers the last state', async () => {
    const { server, ada, channel } = await start({ cadenceMs: 2000 });
    const place = await placeUnder(ada, channel);
    const show = (words: string) => bot.front().deliver(place, { ...reply(text(words)), slot: 'card' }, ada);
    await show('state 0');
    server.fault({ method: 'chat.update', times: 1, status: 429, retryAfter: 1 });
    const beganMs = Date.now();
    await Promise.all(Array.from({ length: 30 }, (_, n) => show(`state ${n + 1}`)));
    await sees(ada, channel, 'state 30');
    const [refused, written] = callsOf('chat.update');
    expect((written?.atMs ?? 0) - (refused?.atMs ?? 0)).toBeGreaterThanOrEqual(1000);
    expect(callsOf('chat.update').length).toBeLessThanOrEqual(3);
    expect(Date.now() - beganMs).toBeLessThan(6000);
    expect(bot.front().health().refused.rateLimited).toBe(1);
    expect(ours(server)).toHaveLength(1);
  });

  it('delivers after a restart what Slack made it wait for, once', async () => {
    const { server, ada, channel } = await start({ longestStopMs: 300 });
    const place = await placeUnder(ada, channel);
    const show = (words: string) => bot.front().deliver(place, { ...reply(text(words)), slot: 'card' }, ada);
    await show('running');
    server.fault({ method: 'chat.update', times: 1, status: 429, retryAfter: 600 });
    server.fault({ method: 'chat.postMessage', times: 1, status: 429, retryAfter: 600 });
    void show('done').catch(() => {});
    void bot
      .front()
      .deliver(place, reply(text('an answer')), ada)
      .catch(() => {});
    await expect.poll(() => bot.front().health().refused.rateLimited, soon).toBe(2);
    await bot.restart();
    await sees(ada, channel, 'an answer');
    await sees(ada, channel, 'done');
    expect(ours(server)).toHaveLength(2);
    expect(await bot.engine().kept.list(server.world.teamId, 'slack.unsent')).toEqual([]);
  }, 20_000);

  it('gets over a Slack that is broken for a while', async () => {
    const { server, ada, channel } = await start();
    server.fault({ method: 'chat.postMessage', times: 2, status: 503 });
    await server.say(ada, channel, '@finetutor why does my model overfit?');
    await sees(ada, channel, 'watch the gap');
  });

  it('stops calling with a token that was revoked, and says so in the health', async () => {
    const { server, ada, channel } = await start();
    server.revoke(server.botToken);
    await server.say(ada, channel, '@finetutor one');
    await expect
      .poll(() => bot.front().health(), soon)
      .toMatchObject({ state: 'refused', problem: 'token_revoked', troubled: [{ problem: 'token_revoked' }] });
    const before = server.calls.length;
    const quick = await Promise.allSettled(
      Array.from({ length: 10 }, () => server.say(ada, channel, '@finetutor again')),
    );
    expect(quick.every(({ status }) => status === 'fulfilled')).toBe(true);
    await pause(200);
    expect(server.calls.length).toBe(before);
    expect(bot.front().health().refused.unauthorised).toBe(1);
  });

  it('names the channel it must be invited to, privately, where a command was given', async () => {
    const { server, ada } = await start();
    const foreign = server.addChannel('runs', [ada], { withBot: false });
    await server.slash(ada, foreign, 'what is dropout?');
    await expect.poll(() => server.read(ada, foreign), soon).toContain('Invite me with `/invite @Finetutor`');
  });

  it('names the scope that is missing, and shows the rest', async () => {
    const { server, ada, channel } = await start({
      server: { scopes: everyScope.filter((one) => one !== 'files:write') },
    });
    expect(bot.front().health().missingScopes).toEqual(['files:write']);
    const picture = await bot.engine().pictures.put(pixel);
    const place = await placeUnder(ada, channel);
    await bot.front().deliver(
      place,
      reply(text('the curve'), {
        kind: 'picture',
        pictureId: picture.id,
        width: 1,
        height: 1,
        alt: 'A falling line',
      }),
      ada,
    );
    await sees(ada, channel, 'the curve');
    expect(server.read(ada, channel)).toContain('A falling line');
    await expect.poll(() => server.read(ada, server.world.im(ada.id)), soon).toContain('files:write');
    // Slack said at the start what the token may do: it is not asked for what it would refuse.
    expect(callsOf('files.getUploadURLExternal')).toEqual([]);
    expect(bot.front().health().refused.forbidden).toBe(0);
  });

  it('shows a run as a plan: what is read, what is trained, what is yet to be measured', async () => {
    const { server, ada, channel } = await start();
    await bot.front().deliver(await placeUnder(ada, channel), reply(training), ada);
    await sees(ada, channel, 'step 3 of 9');
    const plan = ours(server)[0]?.blocks.find(({ type }) => type === 'plan');
    expect(plan).toMatchObject({
      title: 'step 3 of 9',
      tasks: [
        { title: 'Read the data', status: 'complete' },
        { title: 'Train', status: 'in_progress', details: { type: 'rich_text' } },
        { title: 'Measure', status: 'pending' },
      ],
    });
    expect(JSON.stringify(plan)).toContain('33%');
  });

  it('draws with older blocks where the newer ones are refused', async () => {
    const { server, ada, channel } = await start();
    server.fault({ method: 'chat.postMessage', times: 1, error: 'invalid_blocks' });
    const place = await placeUnder(ada, channel);
    const shown: Reply = reply(
      text('# A title\n\nSome **bold** words about `x < y`.'),
      { kind: 'progress', label: 'step 1 of 2', fraction: 0.5, detail: 'loss 0.5' },
      { ...training, detail: 'loss 0.25' },
      { kind: 'table', caption: 'T', columns: [{ label: 'a', align: 'left' }], rows: [['<b>']] },
    );
    await bot.front().deliver(place, shown, ada);
    await sees(ada, channel, 'Some bold words about x < y.');
    const types = new Set(ours(server)[0]?.blocks.map((block) => block.type));
    expect([...types]).toEqual(['section']);
  });

  it('does not post again what somebody deleted', async () => {
    const { server, ada, channel } = await start();
    const place = await placeUnder(ada, channel);
    await bot.front().deliver(place, { ...reply(text('one')), slot: 'card' }, ada);
    const [card] = ours(server);
    if (card !== undefined) card.deleted = true;
    await bot.front().deliver(place, { ...reply(text('two')), slot: 'card' }, ada);
    expect(ours(server)).toHaveLength(0);
  });
});

describe('what does not fit', () => {
  it('keeps a call too long for a button, and an option too long for a select', async () => {
    const { server, ada, channel } = await start();
    const place = await placeUnder(ada, channel);
    const question = `why ${'very '.repeat(500)}long?`;
    const value = `what about ${'x'.repeat(300)}?`;
    await bot.front().deliver(
      place,
      reply(buttons(button('Long', { command: 'ask', args: { question } })), {
        kind: 'select',
        label: 'Many',
        options: [
          ...Array.from({ length: 150 }, (_, n) => ({ label: `Option ${n}`, value: `v${n}` })),
          { label: 'Longest', value },
        ],
        call: { command: 'ask', args: {} },
        argument: 'question',
      }),
      ada,
    );
    await bot.restart();
    await server.press(ada, 'Long');
    await expect.poll(() => bot.engine().asked.at(-1)?.question, soon).toBe(question);
    await server.choose(ada, 'Longest');
    await expect.poll(() => bot.engine().asked.at(-1)?.question, soon).toBe(value);
    expect(server.violations).toEqual([]);
  });

  it('edits every part of a long message, and takes away the parts that are not needed any more', async () => {
    const { server, ada, channel } = await start();
    const place = await placeUnder(ada, channel);
    const long = Array.from({ length: 300 }, (_, n) => `Line ${n} ${'word '.repeat(18)}`).join('\n\n');
    const show = (words: string) => bot.front().deliver(place, { ...reply(text(words)), slot: 'card' }, ada);
    await show(long);
    const parts = ours(server).length;
    expect(parts).toBeGreaterThan(1);
    await show('short now');
    await expect.poll(() => ours(server).map((message) => readMessage(message)), soon).toEqual(['short now']);
    await bot.restart();
    await show('shorter');
    await expect.poll(() => ours(server).map((message) => readMessage(message)), soon).toEqual(['shorter']);
  });
});

describe('over HTTP', () => {
  const signingSecret = '0123456789abcdef0123456789abcdef';
  const overHttp = (): SlackBotOptions => ({
    transport: { kind: 'http', signingSecret, port: 0, host: '127.0.0.1' },
    server: { http: { url: 'http://127.0.0.1:9/', signingSecret } },
  });
  async function startHttp() {
    await start(overHttp());
    const url = `http://127.0.0.1:${bot.front().port()}/slack/events`;
    bot.server.useHttp({ url, signingSecret });
    return { ...bot, url };
  }

  it('takes signed events, commands, presses and forms', async () => {
    const { server, ada, channel } = await startHttp();
    await server.say(ada, channel, '@finetutor finetune');
    await sees(ada, channel, 'Fine-tune a model');
    await server.press(ada, 'Start training');
    await expect.poll(() => server.openView(ada), soon).toBeDefined();
    expect(await server.submit(ada)).toEqual({});
    await sees(ada, channel, 'run-1');
    expect(await server.slash(ada, channel, 'what is dropout?')).toEqual({});
    await sees(ada, channel, 'watch the gap');
    expect(server.timeouts).toEqual([]);
    expect(server.violations).toEqual([]);
  });

  it('refuses what is not signed, signed by somebody else, or old', async () => {
    const { url, server, ada, channel } = await startHttp();
    const body = JSON.stringify({
      type: 'event_callback',
      team_id: server.world.teamId,
      event_id: 'Ev1',
      event: { type: 'app_mention', user: ada.id, channel: channel.id, text: 'hi', ts: '1.1' },
    });
    const post = async (secret: string | undefined, atMs: number, signed = body) => {
      const timestamp = String(Math.floor(atMs / 1000));
      const signature =
        secret && `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${signed}`).digest('hex')}`;
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'x-slack-request-timestamp': timestamp,
          ...(signature === undefined ? {} : { 'x-slack-signature': signature }),
        },
      });
      return response.status;
    };
    expect(await post(undefined, Date.now())).toBe(401);
    expect(await post('f'.repeat(32), Date.now())).toBe(401);
    expect(await post(signingSecret, Date.now() - 10 * 60_000)).toBe(401);
    expect(await post(signingSecret, Date.now(), `${body} `)).toBe(401);
    expect(await post(signingSecret, Date.now())).toBe(200);
    await expect.poll(() => server.calls.length, soon).toBeGreaterThan(0);
  });
});

describe('a start that fails', () => {
  const failing = async (
    change: (server: SlackServer) => void,
    options: Parameters<typeof createTestFront>[1] | undefined = undefined,
  ) => {
    const server = await createSlackServer();
    cleanups.push(server.stop);
    change(server);
    const front = createTestFront(server, options ?? { engine: createFakeEngine(), dataDir: '/nowhere' });
    const error = await front.start(async () => {}).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    return error instanceof UserError ? `${error.message} ${error.hint}` : '';
  };

  it('says which token is wrong, why, and what to do', async () => {
    expect(await failing((server) => server.revoke(server.botToken, 'account_inactive'))).toBe(
      'Slack does not take SLACK_BOT_TOKEN: account_inactive. The app was removed from the workspace: install it again and copy the new token.',
    );
    expect(await failing((server) => server.revoke(server.appToken, 'invalid_auth'))).toContain(
      'Slack does not take SLACK_APP_TOKEN: invalid_auth',
    );
    expect(
      await failing(() => {}, { engine: createFakeEngine(), dataDir: '/nowhere', apiUrl: 'http://127.0.0.1:9/api/' }),
    ).toContain("Slack can't be reached at 127.0.0.1:9");
  });
});

it('acknowledges a thousand interactions in ten seconds at once, while each waits for its answer', async () => {
  const { server, ada } = await start({ server: { acknowledgeMs: 3000 } });
  const direct = server.world.im(ada.id);
  // The first use of everything compiles it: that is not what is measured.
  for (let n = 0; n < 10; n++) await server.slash(ada, direct, 'what is warming up?');
  server.acks.length = 0;
  const sent: Promise<unknown>[] = [];
  for (let n = 0; n < 1000; n++) {
    sent.push(server.slash(ada, direct, `what is number ${n}?`));
    if (n % 10 === 9) await pause(40);
  }
  const answers = await Promise.all(sent);
  expect(answers).not.toContain(undefined);
  const delays = server.acks.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  expect(delays).toHaveLength(1000);
  const p99 = delays[989] ?? Number.POSITIVE_INFINITY;
  console.log(`acknowledged 1,000 interactions: median ${delays[500]?.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  expect(p99).toBeLessThan(500);
  expect(server.violations).toEqual([]);
}, 30_000);
