// A person in a Slack workspace, for the contract of every front: the protocol server, the real Bolt, and our front between.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Handle } from '../../bot/fronts/front.ts';
import { createSlackFront, type SlackFront, type SlackFrontOptions } from '../../bot/fronts/slack/front.ts';
import type { Engine } from '../../engine/index.ts';
import type { Filled, FrontHarness } from './front-contract.ts';
import { createSlackServer, type SlackServer } from './slack-server.ts';
import type { SlackServerOptions } from './slack-server-options.ts';
import { type Channel, type Message, newMessage, type Person, type UploadedFile } from './slack-server-world.ts';

export interface SlackHarness extends FrontHarness {
  readonly server: SlackServer;
  readonly dataDir: string;
  readonly ada: Person;
  readonly ben: Person;
  readonly channel: Channel;
  readonly slack: () => SlackFront;
  /** What was logged as an error. */
  readonly errors: string[];
}

export const after: SlackFrontOptions['after'] = (delayMs, callback) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};

export function createTestFront(
  server: SlackServer,
  {
    engine,
    dataDir,
    errors = [],
    ...options
  }: { engine: Engine; dataDir: string; errors?: string[] } & Partial<SlackFrontOptions>,
): SlackFront {
  return createSlackFront({
    access: { kind: 'token', botToken: server.botToken },
    transport: { kind: 'sockets', appToken: server.appToken },
    apiUrl: server.apiUrl,
    engine,
    dataDir,
    pageUrl: () => undefined,
    log: {
      info: () => {},
      warn: () => {},
      debug: () => {},
      error: (details: unknown, message?: string) => {
        const reason = typeof details === 'object' && details !== null && 'err' in details ? details.err : details;
        errors.push(`${message}: ${reason instanceof Error ? reason.stack : JSON.stringify(reason)}`);
      },
    },
    now: () => new Date(),
    after,
    cadenceMs: 100,
    ...options,
  });
}

/** Ada mentions the bot in a channel and goes on in the thread; Ben reads along. */
export async function createSlackHarness(
  engine: Engine,
  { server: serverOptions, ...options }: { server?: SlackServerOptions } & Partial<SlackFrontOptions> = {},
): Promise<SlackHarness> {
  const dataDir = await mkdtemp(join(tmpdir(), 'finetutor-slack-'));
  const server = await createSlackServer(serverOptions);
  const ada = server.addPerson('Ada');
  const ben = server.addPerson('Ben');
  const channel = server.addChannel('study', [ada, ben]);
  const errors: string[] = [];
  const create = () => createTestFront(server, { engine, dataDir, errors, ...options });
  let current = create();
  let handling: Handle = async () => {};
  let files: UploadedFile[] = [];
  const said = new Map<string, string>();
  const root = await rootMessage(server, channel, ada);

  return {
    server,
    dataDir,
    ada,
    ben,
    channel,
    errors,
    slack: () => current,
    get front() {
      return current;
    },
    place: { front: 'slack', workspaceId: server.world.teamId, conversationId: `${channel.id}:${root.ts}` },
    async start(handle) {
      handling = handle;
      await current.start(handle);
      await engine.conversations.openWorkspace(server.world.teamId, 'Team');
    },
    async say(text, { key } = {}) {
      const ts = key === undefined ? undefined : said.get(key);
      const message = await server.say(ada, channel, `@finetutor ${text}`, {
        threadTs: root.ts,
        files,
        ...(ts === undefined ? {} : { ts }),
      });
      if (key !== undefined) said.set(key, message.ts);
      files = [];
    },
    async attach({ name, content }) {
      files.push(server.upload(name, content));
    },
    async press(label) {
      await server.press(ada, label);
    },
    async othersPress(label) {
      await server.press(ben, label);
    },
    async choose(label) {
      await server.choose(ada, label);
    },
    async submit(submitLabel, values) {
      await server.press(ada, submitLabel);
      await expect.poll(() => server.openView(ada), { timeout: 3000 }).toBeDefined();
      for (const [label, value] of Object.entries(values)) await server.fill(ada, label, toFilled(server, value));
      await server.submit(ada);
    },
    transcript: async () => server.read(ada, channel),
    othersTranscript: async () => server.read(ben, channel),
    async restart() {
      await current.stop();
      current = create();
      await current.start(handling);
    },
    async stop() {
      await current.stop();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const toFilled = (server: SlackServer, value: Filled[string]) =>
  typeof value === 'object' && 'name' in value ? server.upload(value.name, value.content) : value;

/** The message the thread hangs under, said before the bot came. */
async function rootMessage(server: SlackServer, channel: Channel, person: Person): Promise<Message> {
  const message = newMessage({
    ts: server.world.nextTs(),
    channel: channel.id,
    user: person.id,
    text: 'hello everyone',
  });
  server.world.messages.push(message);
  return message;
}
