// kill -9 between an acknowledgement and the work: what Slack will not send again is answered after the restart, once.
import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../engine/store/client.ts';
import { deliveries } from '../engine/store/schema.ts';
import { emptyFolder } from './support/databases.ts';
import { startSlackProcess } from './support/slack-process.ts';
import { createSlackServer, type SlackServer } from './support/slack-server.ts';
import { readMessage } from './support/slack-server-methods.ts';
import type { Channel, Person } from './support/slack-server-world.ts';

let dataDir: string;
let server: SlackServer;
let ada: Person;
let channel: Channel;
let child: ChildProcess | undefined;
let bot: Awaited<ReturnType<typeof startSlackProcess>> | undefined;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'finetutor-slack-inbox-'));
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  server = await createSlackServer();
  ada = server.addPerson('Ada');
  channel = server.addChannel('study', [ada]);
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await bot?.stop();
  bot = undefined;
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const access = () => ({ dataDir, apiUrl: server.apiUrl, botToken: server.botToken, appToken: server.appToken });

/** Starts a bot that gets stuck at this point. @returns what waits until it is stuck, and kills it. */
async function startStuck(point: 'before work' | 'within work') {
  const { apiUrl, botToken, appToken } = access();
  const started = fork(
    fileURLToPath(new URL('fixtures/slack-until-killed.ts', import.meta.url)),
    [dataDir, apiUrl, botToken, appToken, point],
    { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  child = started;
  const said: unknown[] = [];
  started.on('message', (words) => said.push(words));
  await expect.poll(() => said, { timeout: 40_000 }).toContain('ready');
  return async () => {
    await expect.poll(() => said, { timeout: 10_000 }).toContain('stuck');
    const ended = new Promise((resolve) => started.once('exit', resolve));
    started.kill('SIGKILL');
    await ended;
    await expect.poll(() => server.sockets(), { timeout: 5000 }).toBe(0);
  };
}

const restart = async () => {
  bot = await startSlackProcess(access());
};
const ours = () => server.world.messages.filter((one) => one.user === server.world.botUserId && !one.deleted);
const soon = { timeout: 20_000 };
const settled = () => new Promise((resolve) => setTimeout(resolve, 500));

it('answers a slash command that was acknowledged and not worked on after the restart, once', async () => {
  const kill = await startStuck('before work');
  expect(await server.slash(ada, channel, 'help')).toBeDefined();
  await kill();
  expect(ours()).toEqual([]);
  await restart();
  await expect.poll(() => server.read(ada, channel), soon).toContain('I teach machine learning');
  await settled();
  await bot?.stop();
  await restart();
  await settled();
  expect(ours()).toHaveLength(1);
  expect(server.violations).toEqual([]);
  expect(bot?.errors).toEqual([]);
}, 90_000);

it('answers a message, and a press, that way too; sent again, each is answered no second time', async () => {
  await restart();
  await server.say(ada, channel, '@finetutor help');
  await expect.poll(() => ours().length, soon).toBe(1);
  await bot?.stop();
  const kill = await startStuck('before work');
  const asked = await server.say(ada, channel, '@finetutor explain dropout');
  await server.press(ada, 'Take a quiz');
  await kill();
  await restart();
  await expect.poll(() => ours().length, soon).toBe(3);
  await server.say(ada, channel, '@finetutor explain dropout', { ts: asked.ts });
  await settled();
  const words = ours().map(readMessage);
  expect(words.filter((one) => one.includes('Which chapter'))).toHaveLength(1);
  expect(words.filter((one) => /drop/i.test(one) && !one.includes('Which chapter'))).toHaveLength(1);
  expect(server.violations).toEqual([]);
  expect(bot?.errors).toEqual([]);
}, 90_000);

it('does not do again what had begun: the person is told; nothing of it, and no token, stays in the database', async () => {
  const kill = await startStuck('within work');
  await server.slash(ada, channel, 'help');
  await kill();
  await restart();
  await expect.poll(() => server.read(ada, channel), soon).toContain('I was restarted while I worked on this.');
  expect(server.read(ada, channel)).not.toContain('I teach machine learning');
  await bot?.stop();
  bot = undefined;
  const store = await openStore({ databaseUrl: undefined, dataDir });
  const rows = await store.db.select().from(deliveries);
  await store.close();
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.map(({ payload }) => payload)).toEqual(rows.map(() => null));
}, 90_000);
