// The started product, as people start it, against a Slack elsewhere (SLACK_API_URL): it answers, survives kill -9, and a
// wrong token stops Slack only.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { emptyFolder } from './support/databases.ts';
import { createSlackServer, type SlackServer } from './support/slack-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function newFolder() {
  const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-slack-start-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  return dataDir;
}

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

async function start(server: SlackServer, dataDir: string, more: { [name: string]: string } = {}): Promise<Started> {
  let said = '';
  const child = spawn(process.execPath, ['bin/finetutor.js', 'start'], {
    env: {
      ...process.env,
      PORT: '0',
      DATA_DIR: dataDir,
      SLACK_API_URL: server.apiUrl,
      SLACK_BOT_TOKEN: server.botToken,
      SLACK_APP_TOKEN: server.appToken,
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  await expect.poll(() => said, { timeout: 40_000 }).toContain('ready in');
  return { child, said: () => said, ended };
}

it('answers in Slack, goes on after kill -9 without answering twice, and shows its health', async () => {
  const server = await createSlackServer();
  cleanups.push(server.stop);
  const dataDir = await newFolder();
  const ada = server.addPerson('Ada');
  const channel = server.addChannel('study', [ada]);
  const ours = () => server.world.messages.filter((one) => one.user === server.world.botUserId);

  const first = await start(server, dataDir);
  expect(first.said()).toContain('Slack: Team (Socket Mode)');
  const asked = await server.say(ada, channel, '@finetutor explain dropout');
  await expect.poll(() => ours().length, { timeout: 10_000 }).toBe(1);
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await start(server, dataDir);
  await server.say(ada, channel, '@finetutor explain dropout', { ts: asked.ts });
  await server.say(ada, channel, 'explain momentum', { threadTs: asked.ts });
  await expect.poll(() => ours().length, { timeout: 10_000 }).toBe(2);
  const page = /http:\/\/127\.0\.0\.1:\d+/.exec(second.said())?.[0];
  const health = await (await fetch(`${page}/healthz`)).json();
  expect(health).toMatchObject({ status: 'ok', fronts: { slack: { state: 'connected', sockets: 2, troubled: [] } } });
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  expect(server.violations).toEqual([]);
  expect(server.timeouts).toEqual([]);
}, 90_000);

it('answers over HTTP, where SLACK_SIGNING_SECRET is set instead of an app token', async () => {
  const server = await createSlackServer();
  cleanups.push(server.stop);
  const ada = server.addPerson('Ada');
  const channel = server.addChannel('study', [ada]);
  const signingSecret = '0123456789abcdef0123456789abcdef';
  const { child, said, ended } = await start(server, await newFolder(), {
    SLACK_APP_TOKEN: '',
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_PORT: '0',
  });
  const port = /Slack: Team \(HTTP on port (\d+), \/slack\/events\)/.exec(said())?.[1];
  const url = `http://127.0.0.1:${port}/slack/events`;
  server.useHttp({ url, signingSecret });
  // What Slack asks once, when the address is entered in the app's settings.
  expect(await server.challenge('c-1')).toBe('c-1');
  await server.slash(ada, channel, 'help');
  await expect.poll(() => server.read(ada, channel), { timeout: 10_000 }).toContain('I teach machine learning');
  await server.press(ada, 'Take a quiz');
  await expect.poll(() => server.read(ada, channel), { timeout: 10_000 }).toContain('Which chapter');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(server.violations).toEqual([]);
  expect(server.timeouts).toEqual([]);
}, 60_000);

it('starts its other fronts with a wrong token, and says what is wrong with it', async () => {
  const server = await createSlackServer();
  cleanups.push(server.stop);
  const { said } = await start(server, await newFolder(), { SLACK_BOT_TOKEN: 'xoxb-made-up-token' });
  expect(said()).toMatch(/Slack stays off: Slack does not take SLACK_BOT_TOKEN: invalid_auth\. Copy it again/);
  expect(said()).toContain('web page on http://127.0.0.1:');
  expect(said()).not.toContain('made-up');
  const page = /http:\/\/127\.0\.0\.1:\d+/.exec(said())?.[0];
  const health = await (await fetch(`${page}/healthz`)).json();
  expect(health).toMatchObject({ status: 'ok', fronts: { slack: { state: 'failed' } } });
}, 60_000);
