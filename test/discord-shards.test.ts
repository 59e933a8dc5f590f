// Shards: each hears its part of the servers, in one process or in one each; a server is answered once.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reply, text } from '../bot/chat/reply.ts';
import { commands } from '../bot/commands/index.ts';
import { readConfig } from '../bot/config.ts';
import { createDiscordFront, type DiscordFront } from '../bot/fronts/discord/front.ts';
import { postgresServer } from './support/databases.ts';
import { isFor } from './support/discord-gateway.ts';
import { commandCount, emptyGuide, quietLog } from './support/discord-harness.ts';
import { createPerson, type DiscordPerson } from './support/discord-people.ts';
import { createDiscordServer, type DiscordServer } from './support/discord-server.ts';
import type { Channel } from './support/discord-world.ts';
import { createFakeEngine } from './support/fake-engine.ts';

let server: DiscordServer;
let dataDir: string;
let ann: DiscordPerson;
/** A channel of a guild that belongs to shard 0 of 2, and one of shard 1. */
let places: readonly [Channel, Channel];
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'finetutor-shards-'));
  server = await createDiscordServer();
  places = [guildOf(0), guildOf(1)];
  ann = createPerson(server, server.addUser('Ann'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function guildOf(shard: number): Channel {
  for (let tries = 0; tries < 10_000; tries++) {
    const { guild, channels } = server.addGuild(`Guild ${tries}`, ['general']);
    if (isFor([shard, 2], guild.id) && channels[0] !== undefined) return channels[0];
    server.world.guilds.splice(server.world.guilds.indexOf(guild), 1);
  }
  throw new Error('no guild of that shard');
}

function create(ids: readonly number[]) {
  const heard: string[] = [];
  const front: DiscordFront = createDiscordFront({
    token: server.token,
    apiUrl: server.apiUrl,
    engine: createFakeEngine(),
    guide: emptyGuide,
    commands,
    dataDir,
    pageUrl: () => undefined,
    shards: { ids, count: 2 },
    times: { cadenceMs: 20, patienceMs: 300, retryMs: 500 },
    now: () => new Date(),
    log: quietLog,
  });
  cleanups.push(() => front.stop());
  const start = () =>
    front.start(async ({ place, person }) => {
      heard.push(place.workspaceId);
      await front.deliver(place, reply(text('answered')), person);
    });
  return { front, heard, start };
}
const workspaceOf = ({ guildId }: Channel) => `discord:${guildId}`;

describe('two shards', () => {
  it('of one process hear all servers, each event once', async () => {
    const { front, heard, start } = create([0, 1]);
    await start();
    await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
    expect(server.gateway.shards()).toEqual(['0/2', '1/2']);
    expect(front.health()).toMatchObject({ state: 'ready', shards: 2, guilds: 2 });
    for (const channel of places) await ann.slash(channel, 'help');
    await expect.poll(() => [...heard].sort()).toEqual(places.map(workspaceOf).sort());
    for (const channel of places) await expect.poll(() => ann.sees(channel)).toContain('answered');
    expect(server.violations).toEqual([]);
  }, 30_000);

  it('of two processes hear their own servers only; direct messages go to the first', async () => {
    const first = create([0]);
    const second = create([1]);
    await Promise.all([first.start(), second.start()]);
    await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
    for (const channel of places) await ann.slash(channel, 'help');
    ann.say(server.direct(ann.user), 'hello');
    await expect.poll(() => [first.heard.length, second.heard.length]).toEqual([2, 1]);
    expect(first.heard).toEqual(expect.arrayContaining([workspaceOf(places[0]), `discord:user:${ann.user.id}`]));
    expect(second.heard).toEqual([workspaceOf(places[1])]);
  }, 30_000);
});

describe('the started product with a process for each shard', () => {
  const { createDatabase } = postgresServer();

  it('answers everywhere once, reconnects, and ends all of them', async () => {
    const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'bot/cli.ts', 'start'], {
      env: {
        ...process.env,
        PORT: '0',
        DATA_DIR: dataDir,
        DATABASE_URL: await createDatabase(),
        DISCORD_TOKEN: server.token,
        DISCORD_API_URL: server.apiUrl,
        DISCORD_SHARDS: 'processes:2',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    cleanups.push(() => child.kill('SIGKILL'));
    await expect
      .poll(() => output, { timeout: 120_000 })
      .toMatch(/Discord: Finetutor is here, each shard in a process of its own/);
    expect(server.gateway.shards()).toEqual(['0/2', '1/2']);
    await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
    for (const channel of places) {
      await ann.slash(channel, 'help');
      await expect.poll(() => ann.sees(channel), { timeout: 10_000 }).toContain('I teach machine learning');
    }
    const page = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    const health = async () =>
      ((await (await fetch(`${page}/healthz`)).json()) as { fronts: { discord: object } }).fronts.discord;
    await expect.poll(health, { timeout: 15_000 }).toMatchObject({ state: 'ready', shards: 2, guilds: 2 });

    server.gateway.close(4000);
    await expect.poll(() => server.gateway.shards(), { timeout: 30_000 }).toEqual(['0/2', '1/2']);

    // One process is killed: the other goes on, and it is started again.
    process.kill(shardProcess(child.pid ?? 0, 1), 'SIGKILL');
    await expect.poll(() => server.gateway.shards(), { timeout: 10_000 }).toEqual(['0/2']);
    await ann.slash(places[0], 'explain', { concept: 'dropout' });
    await expect.poll(() => ann.sees(places[0]), { timeout: 10_000 }).toMatch(/dropout/i);
    await expect.poll(() => server.gateway.shards(), { timeout: 40_000 }).toEqual(['0/2', '1/2']);
    await ann.slash(places[1], 'explain', { concept: 'dropout' });
    await expect.poll(() => ann.sees(places[1]), { timeout: 10_000 }).toMatch(/dropout/i);
    expect(output).toMatch(/the process of shard 1 ended; it is started again/);

    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await expect.poll(() => server.gateway.connections(), { timeout: 10_000 }).toBe(0);
    expect(server.violations).toEqual([]);
  }, 300_000);
});

/** The process that a started product runs this shard in. */
function shardProcess(parent: number, shard: number): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number);
  const found = children.find((pid) =>
    readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`SHARDS=${shard}`),
  );
  if (found === undefined) throw new Error(`no process runs shard ${shard}`);
  return found;
}

describe('DISCORD_SHARDS', () => {
  it('refuses processes of their own on the embedded database, and says what to do', () => {
    expect(() => readConfig({ DISCORD_SHARDS: 'processes:2' })).toThrow(/set DATABASE_URL to a PostgreSQL/);
    const DATABASE_URL = 'postgres://u:p@localhost/db';
    expect(readConfig({ DISCORD_SHARDS: 'processes', DATABASE_URL }).discordShards).toMatchObject({
      processes: 'auto',
    });
  });

  it('is told to a process that was started for one shard', () => {
    const started = { SHARDING_MANAGER: 'true', SHARDS: '1', SHARD_COUNT: '2', DISCORD_SHARDS: 'processes:2' };
    expect(readConfig(started)).toMatchObject({ isShardProcess: true, discordShards: { ids: [1], count: 2 } });
  });
});
