// What goes wrong between us and Discord, put into the strict server one by one: each is survived, counted and shown.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Place, Reply } from '../bot/chat/message.ts';
import { button, buttons, reply, text } from '../bot/chat/reply.ts';
import { commands } from '../bot/commands/index.ts';
import { createDiscordFront, type DiscordFront, type DiscordOptions } from '../bot/fronts/discord/front.ts';
import { limits } from '../bot/fronts/discord/limits.ts';
import { createCalls } from '../bot/fronts/discord/rest.ts';
import type { Handle } from '../bot/fronts/front.ts';
import { commandCount, emptyGuide, quietLog } from './support/discord-harness.ts';
import { createPerson, type DiscordPerson } from './support/discord-people.ts';
import {
  createDiscordServer,
  type DiscordServer,
  type DiscordServerOptions,
  permissionBits,
} from './support/discord-server.ts';
import type { Channel, Guild } from './support/discord-world.ts';
import { createFakeEngine, type FakeEngine, pixel } from './support/fake-engine.ts';

let server: DiscordServer;
let engine: FakeEngine;
let guild: Guild;
let channel: Channel;
let ann: DiscordPerson;
let place: Place;
let dataDir: string;
let offsetMs: number;
const fronts: DiscordFront[] = [];
const now = () => new Date(Date.now() + offsetMs);

async function open(options: DiscordServerOptions = {}) {
  server = await createDiscordServer({ now, ...options });
  const made = server.addGuild('Group', ['general']);
  guild = made.guild;
  const [first] = made.channels;
  if (first === undefined) throw new Error('no channel');
  channel = first;
  place = { front: 'discord', workspaceId: `discord:${guild.id}`, conversationId: channel.id };
  ann = createPerson(server, server.addUser('Ann'));
}

function create(options: Partial<DiscordOptions> = {}): DiscordFront {
  const front = createDiscordFront({
    token: server.token,
    apiUrl: server.apiUrl,
    engine,
    guide: emptyGuide,
    commands,
    dataDir,
    pageUrl: () => undefined,
    times: { cadenceMs: 20, patienceMs: 300, retryMs: 500 },
    now,
    log: quietLog,
    ...options,
  });
  fronts.push(front);
  return front;
}

async function start(handle: Handle = async () => {}, options: Partial<DiscordOptions> = {}): Promise<DiscordFront> {
  const front = create(options);
  await front.start(handle);
  await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
  return front;
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'finetutor-faults-'));
  engine = createFakeEngine();
  offsetMs = 0;
  await open();
});
afterEach(async () => {
  for (const front of fronts.splice(0)) await front.stop();
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const ours = () => channel.messages.filter(({ author, deleted }) => author === server.world.bot && !deleted);
const asker = { id: '1', name: 'Ann' };
const card = (words: string, fraction?: number): Reply => ({
  ...reply(
    text(words),
    ...(fraction === undefined ? [] : [{ kind: 'progress' as const, label: 'step', fraction, detail: '' }]),
  ),
  slot: 'run:1',
});

describe('the gateway', () => {
  it('resumes after a broken connection and is answered once for events it missed', async () => {
    const heard: string[] = [];
    const front = await start(async (incoming) => void heard.push(incoming.key));
    server.gateway.drop();
    const message = ann.say(channel, 'hello', { mention: true });
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([`discord:${message.id}`]);
    await expect.poll(() => front.health().state).toBe('ready');
    expect(front.health()).toMatchObject({ resumes: 1, reconnects: 1 });
    expect(server.gateway.identifies).toBe(1);
  });

  it('hears an event once that is sent twice, and both that come in the wrong order', async () => {
    const heard: string[] = [];
    await start(async (incoming) => void heard.push(incoming.key));
    server.gateway.mischief = 'duplicate';
    const first = ann.say(channel, 'one', { mention: true });
    server.gateway.mischief = 'reorder';
    const second = ann.say(channel, 'two', { mention: true });
    const third = ann.say(channel, 'three', { mention: true });
    await expect.poll(() => heard.length, { timeout: 5000 }).toBe(3);
    expect(new Set(heard)).toEqual(new Set([first, second, third].map(({ id }) => `discord:${id}`)));
  });

  it('reconnects when asked to, identifies anew when its session is gone, and leaves a zombie', async () => {
    server.gateway.heartbeatMs = 300;
    const front = await start();
    server.gateway.reconnect();
    await expect.poll(() => server.gateway.resumes, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => front.health().state).toBe('ready');
    server.gateway.invalidate(false);
    await expect.poll(() => server.gateway.identifies, { timeout: 15_000 }).toBe(2);
    await expect.poll(() => front.health().state, { timeout: 5000 }).toBe('ready');
    server.gateway.freeze(true);
    await expect.poll(() => front.health().zombies, { timeout: 10_000 }).toBeGreaterThan(0);
    server.gateway.freeze(false);
    await expect.poll(() => front.health().state, { timeout: 10_000 }).toBe('ready');
  }, 45_000);

  it('says that the token was revoked, and stops asking', async () => {
    const front = await start();
    server.token = 'another.token.now';
    server.gateway.close(4004);
    await expect
      .poll(() => front.health())
      .toMatchObject({ state: 'refused', lastProblem: expect.stringContaining('token') });
    const before = server.requests.length;
    expect(front.health().circuit).toBe('open');
    void front.deliver(place, reply(text('into the void')), asker).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.requests.length).toBe(before);
  });

  it('works without the message content intent: mentions are heard, other words are not asked for', async () => {
    await server.close();
    await open({ messageContent: false });
    const heard: string[] = [];
    const front = await start(async (incoming) => void heard.push(incoming.kind === 'message' ? incoming.text : ''));
    expect(front.health().messageContent).toBe(false);
    ann.say(channel, 'not for the bot');
    ann.say(channel, 'for the bot', { mention: true });
    await expect.poll(() => heard).toEqual(['for the bot']);
  });

  it('a wrong token is refused in words', async () => {
    await expect(create({ token: 'wrong.token.here' }).start(async () => {})).rejects.toThrow(
      'Discord refused DISCORD_TOKEN',
    );
  });

  it('goes on trying while Discord is away', async () => {
    server.faults.push({ matches: ({ route }) => route === '/gateway/bot', status: 503, times: 4 });
    const front = create();
    expect(await front.start(async () => {})).toMatch('goes on trying');
    await expect.poll(() => front.health().state, { timeout: 15_000 }).toBe('ready');
  }, 30_000);
});

describe('posting', () => {
  it('ends on the last state through rate limits, server errors and dropped sockets', async () => {
    const front = await start();
    await front.deliver(place, card('start', 0), asker);
    const edits = ({ method, route }: { method: string; route: string }) =>
      method === 'PATCH' && route.includes('/messages/');
    server.faults.push(
      { matches: edits, status: 429, retryAfterS: 0.3 },
      { matches: edits, status: 502 },
      { matches: edits, drop: 'after' },
      { matches: edits, delayMs: 200 },
    );
    for (let step = 1; step <= 9; step++) void front.deliver(place, card(`state ${step}`, step / 10), asker);
    await front.deliver(place, card('the last word'), asker);
    expect(ann.sees(channel)).toContain('the last word');
    expect(ours().length).toBe(1);
    expect(front.health().refusals.rateLimited).toBe(1);
  });

  it('posts once when the answer to a post was lost', async () => {
    const front = await start();
    server.faults.push({
      matches: ({ method, route }) => method === 'POST' && route.endsWith('/messages'),
      drop: 'after',
    });
    await front.deliver(place, reply(text('only once')), asker);
    expect(ours().length).toBe(1);
  });

  it('keeps to the buckets: no request is refused for being too fast', async () => {
    await server.close();
    await open({ bucket: { limit: 5, windowMs: 700 } });
    const front = await start();
    await Promise.all(Array.from({ length: 12 }, (_, n) => front.deliver(place, reply(text(`number ${n}.`)), asker)));
    expect(ours().length).toBe(12);
    expect(server.requests.filter(({ status }) => status === 429).length).toBeLessThanOrEqual(1);
  });

  it('waits for the limit of all routes together, while interactions go past it', async () => {
    const front = await start();
    server.faults.push({
      matches: ({ method, route }) => method === 'POST' && route.endsWith('/messages'),
      status: 429,
      retryAfterS: 1.5,
      global: true,
    });
    const posting = Promise.all(
      Array.from({ length: 8 }, (_, n) => front.deliver(place, reply(text(`number ${n}.`)), asker)),
    );
    await expect.poll(() => front.health().refusals.rateLimited).toBe(1);
    await ann.slash(channel, 'help');
    expect(ann.sees(channel)).not.toContain('number 0.');
    await posting;
    expect(ours().filter(({ loading }) => !loading).length).toBe(8);
    expect(server.requests.filter(({ status }) => status === 429).length).toBe(1);
  });

  it('stops asking when Discord forbids again and again, tries once after a while, and goes on when that is taken', async () => {
    const calls = createCalls({ token: server.token, apiUrl: server.apiUrl, now });
    const { requests, coolDownMs } = limits.refused;
    server.faults.push({ matches: ({ route }) => route.endsWith('/typing'), status: 403, times: requests });
    const asked = () => server.requests.filter(({ route }) => route.endsWith('/typing')).length;
    await Promise.allSettled(Array.from({ length: requests }, () => calls.typing(channel.id)));
    expect([calls.circuit.state(), calls.refusals().forbidden, asked()]).toEqual(['open', requests, requests]);
    await expect(calls.typing(channel.id)).rejects.toThrow('Discord refuses our requests');
    expect(asked()).toBe(requests);
    offsetMs += coolDownMs + 1000;
    expect(calls.circuit.state()).toBe('half-open');
    await calls.typing(channel.id);
    expect([calls.circuit.state(), asked()]).toEqual(['closed', requests + 1]);
  });

  it('rolls a live card over before its edits are capped, and edits an old one that is done in place', async () => {
    const front = await start();
    await front.deliver(place, card('early', 0.1), asker);
    offsetMs += 56 * 60_000;
    await front.deliver(place, card('late', 0.9), asker);
    expect(ours().length).toBe(2);
    expect(ann.sees(channel)).toMatch(/This card goes on below[\s\S]*late/);
    offsetMs += 56 * 60_000;
    await front.deliver(place, card('all done'), asker);
    expect(ours().length).toBe(2);
    expect(ann.sees(channel)).toContain('all done');
    expect(server.violations).toEqual([]);
  });

  it('edits on in a thread that was put away', async () => {
    const front = await start();
    await front.deliver(place, card('early', 0.1), asker);
    channel.archived = true;
    await front.deliver(place, card('late', 0.9), asker);
    expect(ann.sees(channel)).toContain('late');
    expect(channel.archived).toBe(false);
  });

  it('lets a deleted card rest until it has something final to say', async () => {
    const front = await start();
    await front.deliver(place, card('early', 0.1), asker);
    const [first] = ours();
    if (first !== undefined) first.deleted = true;
    await front.deliver(place, card('later', 0.5), asker);
    expect(ours()).toEqual([]);
    await front.deliver(place, card('the end'), asker);
    expect(ann.sees(channel)).toContain('the end');
  });

  async function withPicture(words: string): Promise<Reply> {
    const { id, width, height } = await engine.pictures.put(pixel);
    return {
      ...card(words),
      blocks: [text(words), { kind: 'picture', pictureId: id, width, height, alt: 'A line' }],
    };
  }

  it('tells a picture in words where files are refused before the news of it has come', async () => {
    const front = await start();
    await front.deliver(place, card('training', 0.5), asker);
    channel.denied = permissionBits.attachFiles;
    await front.deliver(place, await withPicture('all done'), asker);
    expect(ann.sees(channel)).toMatch(/all done[\s\S]*A line[\s\S]*I need Attach Files in #general/);
    await front.deliver(place, { ...(await withPicture('another')), slot: 'run:2' }, asker);
    expect(ann.sees(channel)).toMatch(/another[\s\S]*A line/);
    expect(ours().length).toBe(2);
  });

  it('lets a card rest whose channel was closed to it, and says how it ended to the person alone', async () => {
    const front = await start();
    const to = { id: ann.user.id, name: 'Ann' };
    await front.deliver(place, card('early', 0.1), to);
    channel.denied = permissionBits.viewChannel;
    await front.deliver(place, card('later', 0.5), to);
    const before = server.requests.length;
    await front.deliver(place, card('later still', 0.6), to);
    expect(server.requests.length).toBe(before);
    await front.deliver(place, card('the end'), to);
    expect(ann.sees(server.direct(ann.user))).toMatch(
      /I need Send Messages in #general to answer there\.[\s\S]*the end/,
    );
    await front.deliver(place, card('a word after the end'), to);
    expect(ann.sees(server.direct(ann.user))).toContain('a word after the end');
    expect(server.direct(ann.user).messages.length).toBe(1);
  });

  it('sends a picture once, however often its card changes', async () => {
    const front = await start();
    for (const words of ['a', 'b', 'c']) await front.deliver(place, await withPicture(words), asker);
    expect(server.requests.flatMap(({ files }) => files)).toEqual([expect.stringMatching(/^chart-.*\.png$/)]);
    expect(ours()[0]?.attachments.length).toBe(1);
  });
});

describe('interactions', () => {
  const answers =
    (front: () => DiscordFront, words: string): Handle =>
    async (incoming) =>
      front().deliver(incoming.place, reply(text(words)), incoming.person);

  it('answers under the interaction while its token lives, and under its own after that', async () => {
    let current: DiscordFront | undefined;
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    current = await start(async (incoming) => {
      await slow;
      await current?.deliver(incoming.place, reply(text('after a long time')), incoming.person);
    });
    const { original } = await ann.slash(channel, 'help');
    offsetMs += 16 * 60_000;
    release();
    await expect.poll(() => ann.sees(channel)).toContain('after a long time');
    expect(
      server.requests.some(({ method, route }) => method === 'POST' && route === `/channels/${channel.id}/messages`),
    ).toBe(true);
    expect(original).toBeDefined();
  });

  it('answers under its own token when the acknowledgement was refused as too late', async () => {
    let current: DiscordFront | undefined;
    current = await start((incoming) => answers(() => current as DiscordFront, 'late, but here')(incoming));
    const { interaction, payload } = server.startInteraction(ann.user, channel, 2, { id: '1', name: 'help', type: 1 });
    expect(payload).toBeDefined();
    server.faults.push({ matches: ({ route }) => route.includes(interaction.token), status: 404 });
    await expect.poll(() => ann.sees(channel)).toContain('late, but here');
    expect(interaction.acknowledged).toBeUndefined();
  });

  it('changes a private answer where it stands while its token lives', async () => {
    let current: DiscordFront | undefined;
    current = await start(async ({ place: where, person }) => {
      for (const words of ['one moment', 'here it is'])
        await current?.deliver(where, { audience: 'asker', blocks: [text(words)], slot: 'note' }, person);
    });
    await ann.slash(channel, 'help');
    await expect.poll(() => ann.sees(channel)).toContain('here it is');
    expect(ann.sees(channel)).not.toContain('one moment');
    expect(ours().map(({ visibleTo }) => visibleTo)).toEqual([ann.user.id]);
    expect(server.violations).toEqual([]);
  });

  it('leaves an interaction to the replica that acknowledged it first', async () => {
    const heard: string[] = [];
    let one: DiscordFront | undefined;
    one = await start(async (incoming) => {
      heard.push(incoming.key);
      await answers(() => one as DiscordFront, 'answered')(incoming);
    });
    await start(async (incoming) => void heard.push(incoming.key));
    await ann.slash(channel, 'help');
    await expect.poll(() => heard.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(heard.length).toBe(1);
  });

  it('acknowledges a hundred interactions a second while work goes on, 99 of 100 within 500 ms', async () => {
    let current: DiscordFront | undefined;
    const burn = () => {
      const end = performance.now() + 4;
      while (performance.now() < end);
    };
    current = await start(async (incoming) => {
      burn();
      await current?.deliver(incoming.place, reply(text('done')), incoming.person);
    });
    const total = 250;
    const waiting: Promise<{ latencyMs: number | undefined }>[] = [];
    for (let n = 0; n < total; n++) {
      waiting.push(ann.slash(channel, 'help'));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const latencies = (await Promise.all(waiting))
      .map(({ latencyMs }) => latencyMs ?? Number.POSITIVE_INFINITY)
      .sort((a, b) => a - b);
    expect(latencies[Math.floor(total * 0.99)]).toBeLessThan(500);
    await expect.poll(() => ours().filter(({ loading }) => loading).length, { timeout: 15_000 }).toBe(0);
    expect(server.violations).toEqual([]);
  }, 40_000);

  it('works where only a person has installed it, and keeps their things to them', async () => {
    const places: Place[] = [];
    let current: DiscordFront | undefined;
    current = await start(async (incoming) => {
      places.push(incoming.place);
      await current?.deliver(
        incoming.place,
        { ...reply(text('hello'), buttons(button('Again', { command: 'help', args: {} }))), slot: 's' },
        incoming.person,
      );
    });
    const { channels } = server.addGuild('Elsewhere', ['lobby'], { hasBot: false });
    const [lobby] = channels;
    if (lobby === undefined) throw new Error('no channel');
    await ann.slash(lobby, 'help');
    await expect.poll(() => ann.sees(lobby)).toContain('hello');
    await ann.press(lobby, 'Again');
    await expect.poll(() => places.length).toBe(2);
    expect(places[0]?.workspaceId).toBe(`discord:user:${ann.user.id}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.violations).toEqual([]);
  });

  it('says the rest directly where a person alone has installed it and no more can be said', async () => {
    let current: DiscordFront | undefined;
    current = await start(async (incoming) => {
      for (let n = 1; n <= 8; n++) await current?.deliver(incoming.place, reply(text(`part ${n}.`)), incoming.person);
    });
    const [lobby] = server.addGuild('Elsewhere', ['lobby'], { hasBot: false }).channels;
    if (lobby === undefined) throw new Error('no channel');
    await ann.slash(lobby, 'help');
    const direct = server.direct(ann.user);
    await expect.poll(() => ann.sees(direct)).toContain('part 8.');
    const all = `${ann.sees(lobby)} ${ann.sees(direct)}`;
    for (let n = 1; n <= 8; n++) expect(all.split(`part ${n}.`)).toHaveLength(2);
    expect(ann.sees(lobby)).toContain('part 6.');
  });

  it('knows a button of another time, and says so', async () => {
    await start();
    const message = server.world.add({
      channelId: channel.id,
      author: server.world.bot,
      components: [{ type: 1, components: [{ type: 2, style: 1, label: 'Old', custom_id: 'x9.gone' }] }],
    });
    await ann.press(channel, 'Old');
    await expect.poll(() => ann.sees(channel)).toContain('This button is out of date.');
    expect(message.deleted).toBe(false);
  });
});

it('deploys commands by difference only', async () => {
  await start();
  const writes = () =>
    server.requests.filter(({ method, route }) => method !== 'GET' && route.includes('/commands')).length;
  expect(writes()).toBe(commandCount);
  await fronts[0]?.stop();
  const [known] = server.commands;
  if (known !== undefined) Object.assign(known, { description: 'changed by hand' });
  server.commands.push({ type: 1, name: 'old', description: 'gone', id: '12345678901234567' });
  await create().start(async () => {});
  await expect.poll(() => writes()).toBe(commandCount + 2);
  expect(server.commands.map(({ name }) => name)).not.toContain('old');
});

/** What `npm start` runs. */
const startScript: string = JSON.parse(readFileSync('package.json', 'utf8')).scripts.start;

describe('the started product', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  function launch(environment: Record<string, string>, command = 'start') {
    const [program = '', ...rest] = startScript.split(' ');
    expect(program).toBe('node');
    const child = spawn(process.execPath, [...rest.slice(0, -1), command], {
      env: { ...process.env, PORT: '0', DATA_DIR: dataDir, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    return { child, output: () => output };
  }

  it('answers on the server that DISCORD_API_URL names, and ends when told', async () => {
    const { child, output } = launch({ DISCORD_TOKEN: server.token, DISCORD_API_URL: server.apiUrl });
    await expect.poll(output, { timeout: 60_000 }).toMatch(/Discord: Finetutor is in 1 server/);
    expect(output()).toMatch(/https:\/\/discord\.com\/oauth2\/authorize\?client_id=\d+/);
    const question = ann.say(channel, 'what is overfitting?', { mention: true });
    await expect
      .poll(() => server.world.channel(question.id)?.messages.length ?? 0, { timeout: 15_000 })
      .toBeGreaterThan(0);
    await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
    await ann.slash(channel, 'help');
    await expect.poll(() => ann.sees(channel), { timeout: 8000 }).toContain('I teach machine learning');
    const page = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0];
    const metrics = await (await fetch(`${page}/metrics`)).text();
    expect(metrics).toContain('finetutor_front_connected{front="discord"} 1');
    expect(metrics).toContain('finetutor_events_total{front="discord",outcome="new"} 2');
    expect(metrics).toContain('finetutor_acknowledgement_seconds_count{front="discord"} 1');
    expect(metrics).toMatch(/finetutor_replies_total\{front="discord",outcome="sent"\} \d/);
    expect(metrics).not.toContain(server.token);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(server.violations).toEqual([]);
  }, 120_000);

  it('brings the commands up to date when told, and checks the setup', async () => {
    const environment = { DISCORD_TOKEN: server.token, DISCORD_API_URL: server.apiUrl };
    const deploying = launch(environment, 'deploy-commands');
    await expect.poll(deploying.output, { timeout: 60_000 }).toMatch(/Discord: commands new: ask, explain/);
    expect(server.commands.length).toBe(commandCount);
    const checking = launch(environment, 'doctor');
    await expect.poll(checking.output, { timeout: 60_000 }).toMatch(/Discord: invite it with https:\/\/discord\.com/);
    await expect.poll(checking.output).toMatch(/Discord: \d+ commands are up to date/);
  }, 150_000);

  it('starts its other fronts with a wrong token, and says which failed and why', async () => {
    const { output } = launch({ DISCORD_TOKEN: 'wrong', DISCORD_API_URL: server.apiUrl });
    await expect.poll(output, { timeout: 60_000 }).toMatch(/Discord stays off: Discord refused DISCORD_TOKEN/);
    await expect.poll(output).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    await expect.poll(output).toMatch(/ready in/);
  }, 90_000);
});
