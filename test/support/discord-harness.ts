// A person in one of the bot's threads in the small Discord, for the contract every front keeps.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../../bot/chat/message.ts';
import { commands } from '../../bot/commands/index.ts';
import { createDiscordFront, type DiscordFront, type DiscordOptions } from '../../bot/fronts/discord/front.ts';
import { slashCommands } from '../../bot/fronts/discord/slash.ts';
import type { Handle } from '../../bot/fronts/front.ts';
import type { Guide } from '../../knowledge/index.ts';
import { createPerson, type DiscordPerson, type SentFile } from './discord-people.ts';
import { createDiscordServer, type DiscordServer } from './discord-server.ts';
import type { Channel, Message } from './discord-world.ts';
import type { FakeEngine } from './fake-engine.ts';
import type { FrontHarness } from './front-contract.ts';

export const emptyGuide: Guide = {
  chapters: [],
  passages: [],
  quizItems: [],
  chapter: () => undefined,
  section: () => undefined,
};

/** How many commands, and menus of a message, Discord knows once they are deployed. */
export const commandCount = slashCommands(commands).length;

export const quietLog: DiscordOptions['log'] = { debug() {}, info() {}, warn() {}, error() {} };

export interface DiscordHarness extends FrontHarness {
  readonly server: DiscordServer;
  readonly person: DiscordPerson;
  readonly thread: Channel;
}

export async function createDiscordHarness(engine: FakeEngine): Promise<DiscordHarness> {
  const dataDir = await mkdtemp(join(tmpdir(), 'finetutor-discord-'));
  const server = await createDiscordServer();
  const { guild, channels } = server.addGuild('Study group', ['general']);
  const thread: Channel = {
    id: server.world.newId(),
    type: 11,
    guildId: guild.id,
    name: 'contract',
    parentId: channels[0]?.id,
    ownerId: server.world.bot.id,
    recipients: [],
    denied: 0n,
    archived: false,
    messages: [],
  };
  guild.channels.push(thread);
  const person = createPerson(server, server.addUser('Contract'));
  const other = createPerson(server, server.addUser('Other'));
  const place: Place = { front: 'discord', workspaceId: `discord:${guild.id}`, conversationId: thread.id };

  const create = () =>
    createDiscordFront({
      token: server.token,
      apiUrl: server.apiUrl,
      engine,
      guide: emptyGuide,
      commands,
      dataDir,
      pageUrl: () => undefined,
      times: { cadenceMs: 20, patienceMs: 300, retryMs: 500 },
      now: () => new Date(),
      log: quietLog,
    });
  let current: DiscordFront = create();
  let handling: Handle = async () => {};
  const waiting: SentFile[] = [];
  const sent = new Map<string, Message>();
  const opened = new Set<string>();

  /** A note that is for this person only is opened with its button, as they would. */
  async function openNotes() {
    for (const message of person.messages(thread)) {
      if (opened.has(message.id) || !JSON.stringify(message.components).includes('"Show"')) continue;
      opened.add(message.id);
      await person.press(thread, 'Show');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  return {
    server,
    person,
    thread,
    get front() {
      return current;
    },
    place,
    async start(handle) {
      handling = handle;
      await current.start(handle);
    },
    async say(text, { key } = {}) {
      const before = key === undefined ? undefined : sent.get(key);
      if (before !== undefined) {
        server.redeliver(before);
        return;
      }
      const message = person.say(thread, text, { files: waiting.splice(0) });
      if (key !== undefined) sent.set(key, message);
    },
    async attach(file) {
      waiting.push(file);
    },
    press: async (label) => void (await person.press(thread, label)),
    othersPress: async (label) => void (await other.press(thread, label)),
    choose: async (label) => void (await person.choose(thread, label)),
    submit: async (label, values) => void (await person.submit(thread, label, values)),
    async transcript() {
      await openNotes();
      return person.sees(thread);
    },
    othersTranscript: async () => other.sees(thread),
    async restart() {
      await current.stop();
      current = create();
      await current.start(handling);
    },
    async stop() {
      await current.stop();
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
      if (server.violations.length > 0) throw new Error(`Discord refused:\n${server.violations.join('\n')}`);
    },
  };
}
