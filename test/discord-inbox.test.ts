// kill -9 between an acknowledgement and the work: what Discord will not send again is answered after the restart, once.
import { type ChildProcess, fork } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFrontInbox } from '../bot/fronts/inbox.ts';
import { createConversations } from '../engine/store/conversations.ts';
import { createInbox, type KeptEvent } from '../engine/store/inbox.ts';
import { describeOnEveryDatabase, emptyFolder } from './support/databases.ts';
import { type DiscordBot, startDiscordBot } from './support/discord-bot.ts';
import { commandCount } from './support/discord-harness.ts';
import { createPerson, type DiscordPerson } from './support/discord-people.ts';
import { createDiscordServer, type DiscordServer } from './support/discord-server.ts';
import type { Channel } from './support/discord-world.ts';

const minuteMs = 60_000;

describe('a process that is killed between acknowledging and answering', () => {
  let dataDir: string;
  let server: DiscordServer;
  let general: Channel;
  let ann: DiscordPerson;
  let child: ChildProcess | undefined;
  let bot: DiscordBot | undefined;
  let offsetMs: number;
  const now = () => new Date(Date.now() + offsetMs);

  beforeEach(async () => {
    offsetMs = 0;
    dataDir = mkdtempSync(join(tmpdir(), 'finetutor-inbox-'));
    cpSync(await emptyFolder(), dataDir, { recursive: true });
    server = await createDiscordServer({ now });
    const [first] = server.addGuild('Study group', ['general']).channels;
    if (first === undefined) throw new Error('no channel');
    general = first;
    ann = createPerson(server, server.addUser('Ann'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await bot?.stop();
    bot = undefined;
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Starts a bot that gets stuck at this point. @returns what waits until it is stuck, and kills it. */
  async function startStuck(point: 'before work' | 'within work') {
    const started = fork(
      fileURLToPath(new URL('fixtures/discord-until-killed.ts', import.meta.url)),
      [dataDir, server.apiUrl, server.token, point],
      { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    child = started;
    const said: unknown[] = [];
    started.on('message', (words) => said.push(words));
    await expect.poll(() => said, { timeout: 90_000 }).toContain('ready');
    await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
    return async () => {
      await expect.poll(() => said, { timeout: 10_000 }).toContain('stuck');
      const ended = new Promise((resolve) => started.once('exit', resolve));
      started.kill('SIGKILL');
      await ended;
    };
  }
  const restart = async () => {
    bot = await startDiscordBot({ server, dataDir, now });
  };
  const ours = () => general.messages.filter(({ author, deleted }) => author === server.world.bot && !deleted);
  const settled = () => new Promise((resolve) => setTimeout(resolve, 500));

  it('is answered once after the restart, in place of "thinking…"', async () => {
    const kill = await startStuck('before work');
    await ann.slash(general, 'help');
    await kill();
    expect(ours().map(({ loading }) => loading)).toEqual([true]);
    await restart();
    await expect.poll(() => ann.sees(general), { timeout: 10_000 }).toContain('I teach machine learning');
    await settled();
    expect(ours().map(({ loading }) => loading)).toEqual([false]);
    await bot?.stop();
    await restart();
    await settled();
    expect(ours().length).toBe(1);
    expect(server.violations).toEqual([]);
  }, 150_000);

  it('is answered under the token of the bot when that of the interaction has expired', async () => {
    const kill = await startStuck('before work');
    await ann.slash(general, 'help');
    await kill();
    offsetMs = 16 * minuteMs;
    await restart();
    await expect.poll(() => ann.sees(general), { timeout: 10_000 }).toContain('I teach machine learning');
    expect(
      server.requests.filter(({ route, method }) => method === 'POST' && /channels.*messages/.test(route)),
    ).toHaveLength(1);
    expect(server.violations).toEqual([]);
  }, 150_000);

  it('a message is answered after the restart, once', async () => {
    const kill = await startStuck('before work');
    const asked = ann.say(general, 'explain dropout', { mention: true });
    await kill();
    expect(server.world.channel(asked.id)).toBeUndefined();
    await restart();
    await expect.poll(() => server.world.channel(asked.id)?.messages.length ?? 0, { timeout: 10_000 }).toBe(1);
    server.redeliver(asked);
    await settled();
    expect(server.world.channel(asked.id)?.messages.length).toBe(1);
  }, 150_000);

  it('once a command has begun, it is not done again: the person is told', async () => {
    const kill = await startStuck('within work');
    await ann.slash(general, 'help');
    await kill();
    await restart();
    await expect
      .poll(() => ann.sees(general), { timeout: 10_000 })
      .toContain('I was restarted while I worked on this.');
    expect(ann.sees(general)).not.toContain('I teach machine learning');
    expect(server.violations).toEqual([]);
  }, 150_000);
});

describeOnEveryDatabase(
  'the inbox',
  (open) => {
    const event = { workspaceId: 'w', key: 'k', front: 'discord', payload: { words: ['a', 1] } };
    const at = new Date('2026-01-01T00:00:00Z');

    async function inboxes(alone: boolean) {
      const { store } = await open();
      await store.execute("insert into workspaces (id, name) values ('w', 'W')");
      const of = (holder: string) => createInbox({ db: store.db, now: () => at, holder, alone });
      return { store, first: of('first'), second: of('second') };
    }

    it('keeps an event for one process only, and forgets its words once it is done', async () => {
      const { store, first, second } = await inboxes(false);
      expect(await Promise.all([first.keep(event), second.keep(event)])).toEqual(expect.arrayContaining([true, false]));
      await first.done(event);
      expect(await second.keep(event)).toBe(false);
      expect((await store.execute('select payload, held_by from deliveries')).rows).toEqual([
        { payload: null, held_by: null },
      ]);
    });

    it('leaves what a living process holds, and takes it over once that has not renewed', async () => {
      const { store, first, second } = await inboxes(false);
      await first.keep(event);
      expect(await second.takeOver('discord')).toEqual([]);
      await store.execute("update deliveries set held_until = now() - interval '1 second'");
      expect(await first.takeOver('discord')).toEqual([]);
      expect(await second.takeOver('discord')).toEqual([]);
      await store.execute("update deliveries set held_until = now() - interval '1 second'");
      expect(await second.takeOver('slack')).toEqual([]);
      expect(await second.takeOver('discord')).toEqual([
        { workspaceId: 'w', key: 'k', receivedAt: at, payload: event.payload, begun: false },
      ]);
      expect(await second.takeOver('discord')).toEqual([]);
    });

    it('takes over at once where no other process can live', async () => {
      const { first, second } = await inboxes(true);
      await first.keep(event);
      expect(await second.takeOver('discord')).toHaveLength(1);
    });

    it('keeps many at once, each for one process', async () => {
      const { first, second } = await inboxes(false);
      const keys = Array.from({ length: 700 }, (_, n) => `k${n % 600}`);
      const kept = await Promise.all(keys.map((key, n) => (n % 3 === 0 ? second : first).keep({ ...event, key })));
      expect(kept.filter((ours) => ours)).toHaveLength(600);
      expect(kept.slice(600)).toEqual(keys.slice(600).map(() => false));
    });

    it('keeps the others of a batch apart from one that can not be written', async () => {
      const { first } = await inboxes(false);
      await expect(first.keep({ ...event, workspaceId: 'unknown' })).rejects.toThrow();
      expect(await first.keep(event)).toBe(true);
    });

    it('adds what lay in a file, unless it is held or done; what had begun, has', async () => {
      const { store, first, second } = await inboxes(true);
      const conversations = createConversations({ db: store.db, now: () => at });
      await first.keep({ ...event, key: 'done' });
      await first.done({ workspaceId: 'w', key: 'done' });
      await conversations.claim('w', 'begun');
      for (const key of ['new', 'done', 'begun']) await second.leave({ ...event, key, receivedAt: at });
      const left = await second.takeOver('discord');
      expect(left.map(({ key, begun }) => [key, begun]).sort()).toEqual([
        ['begun', true],
        ['new', false],
      ]);
    });

    it('finds in a file what the database had not taken in when the process was killed', async () => {
      const { store, second } = await inboxes(true);
      const folder = mkdtempSync(join(tmpdir(), 'finetutor-spool-'));
      const redone: KeptEvent[] = [];
      const log = { info() {}, error: (fields: object) => expect(fields).toBeUndefined() };
      const front = (inbox: typeof second) =>
        createFrontInbox({
          engine: { inbox, conversations: createConversations({ db: store.db, now: () => at }) },
          front: 'discord',
          folder,
          redo: async (one) => void redone.push(one),
          now: () => at,
          after: () => () => {},
          log,
        });
      void front({ ...second, keep: () => new Promise(() => {}) }).keep({
        workspaceId: 'v',
        key: 'k',
        payload: ['hi'],
      });
      // Another was being written: nobody was told that it had arrived.
      const [name = ''] = readdirSync(folder);
      appendFileSync(join(folder, name), '\n{"event":{"workspaceId":"w","k');
      const next = front(second);
      next.start();
      await expect
        .poll(() => redone)
        .toEqual([{ workspaceId: 'v', key: 'k', payload: ['hi'], receivedAt: at, begun: false }]);
      await next.stop();
      expect(readdirSync(folder)).toEqual([]);
      const once = front(second);
      once.start();
      expect(await once.keep({ workspaceId: 'v', key: 'k', payload: ['hi'] }).ours).toBe(false);
      const other = once.keep({ workspaceId: 'v', key: 'other', payload: 1 });
      expect(await other.ours).toBe(true);
      await other.written;
      // The same again, while it is worked on, is nobody's.
      expect(await once.keep({ workspaceId: 'v', key: 'other', payload: 1 }).ours).toBe(false);
      await once.stop();
      // It is still being worked on: the file stays until that is done.
      expect(readdirSync(folder)).toHaveLength(1);
      await once.done({ workspaceId: 'v', key: 'other' });
      await expect.poll(() => readdirSync(folder)).toEqual([]);
      rmSync(folder, { recursive: true });
    });
  },
  { reuse: true },
);
