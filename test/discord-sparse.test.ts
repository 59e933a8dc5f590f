// Other people's servers that speak Discord's protocol and leave out what they can: the bot works on them all the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Place } from '../bot/chat/message.ts';
import { button, buttons, reply, text } from '../bot/chat/reply.ts';
import { commands } from '../bot/commands/index.ts';
import { createDiscordFront, type DiscordFront } from '../bot/fronts/discord/front.ts';
import { commandCount, emptyGuide, quietLog } from './support/discord-harness.ts';
import { createPerson, type DiscordPerson } from './support/discord-people.ts';
import { createDiscordServer, type DiscordServer, type DiscordServerOptions } from './support/discord-server.ts';
import type { Channel } from './support/discord-world.ts';
import { createFakeEngine } from './support/fake-engine.ts';

let server: DiscordServer;
let front: DiscordFront;
let general: Channel;
let ann: DiscordPerson;
let dataDir: string;
const heard: string[] = [];

async function open(options: DiscordServerOptions = {}) {
  server = await createDiscordServer({ sparse: true, ...options });
  const [first] = server.addGuild('Group', ['general']).channels;
  if (first === undefined) throw new Error('no channel');
  general = first;
  ann = createPerson(server, server.addUser('Ann'));
  front = createDiscordFront({
    token: server.token,
    apiUrl: server.apiUrl,
    engine: createFakeEngine(),
    guide: emptyGuide,
    commands,
    dataDir,
    pageUrl: () => undefined,
    times: { cadenceMs: 20, patienceMs: 300, retryMs: 500 },
    now: () => new Date(),
    log: quietLog,
  });
  await front.start(async (incoming) => {
    const { place, person } = incoming;
    heard.push(
      incoming.kind === 'action' ? incoming.call.command : incoming.kind === 'message' ? incoming.text : 'form',
    );
    await front.deliver(place, { ...reply(text(`answer ${heard.length}`)), slot: 'card' }, person);
    await front.deliver(place, reply(buttons(button('Again', { command: 'help', args: {} }))), person);
  });
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'finetutor-sparse-'));
  heard.length = 0;
});
afterEach(async () => {
  await front.stop();
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a server that says no more than it must', () => {
  it('knows the commands, and is answered: mentions, follow-ups, commands with a thread, buttons', async () => {
    await open();
    await expect.poll(() => server.commands.length, { timeout: 10_000 }).toBe(commandCount);
    expect(front.health()).toMatchObject({ state: 'ready', messageContent: true });
    ann.say(general, 'hello', { mention: true });
    await expect.poll(() => heard).toEqual(['hello']);
    ann.say(server.direct(ann.user), 'and here', { files: [{ name: 'a.csv', content: 'text,label\n' }] });
    await expect.poll(() => heard).toEqual(['hello', 'and here']);
    await ann.slash(general, 'quiz', { chapter: 'any' });
    await expect.poll(() => heard.at(-1)).toBe('quiz');
    await expect.poll(() => ann.sees(general)).toMatch(/answer 3[\s\S]*Again/);
    await ann.press(general, 'Again');
    await expect.poll(() => heard.at(-1)).toBe('help');
    await expect.poll(() => ann.sees(general)).toContain('answer 4');
    expect(await ann.suggestions(general, 'finetune', 'data', 'mood')).toEqual(['Sample: Moods']);
    const place: Place = { front: 'discord', workspaceId: `discord:${general.guildId}`, conversationId: general.id };
    await front.deliver(place, reply(text('by the way')), { id: ann.user.id, name: 'Ann' });
    expect(ann.sees(general)).toContain('by the way');
    expect(server.gateway.identifies).toBe(1);
  });

  it('that refuses message content without having said so is asked again without it', async () => {
    await open({ messageContent: false });
    expect(front.health()).toMatchObject({ state: 'ready', messageContent: false });
    ann.say(general, 'not for the bot');
    ann.say(general, 'hello', { mention: true });
    await expect.poll(() => heard).toEqual(['hello']);
    expect(server.gateway.identifies).toBe(2);
  });
});
