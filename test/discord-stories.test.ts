// Whole stories on Discord: real people's acts, the real client, the real conversation and database, a strict server.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Incoming } from '../bot/chat/message.ts';
import { commands } from '../bot/commands/index.ts';
import { emptyFolder } from './support/databases.ts';
import { type DiscordBot, startDiscordBot } from './support/discord-bot.ts';
import { commandCount } from './support/discord-harness.ts';
import { createPerson, type DiscordPerson } from './support/discord-people.ts';
import { createDiscordServer, type DiscordServer, permissionBits } from './support/discord-server.ts';
import type { Channel, Guild } from './support/discord-world.ts';
import { createPushedClock } from './support/pushed-clock.ts';

const clock = createPushedClock();
let server: DiscordServer;
let bot: DiscordBot;
let dataDir: string;
let guild: Guild;
let general: Channel;
let ann: DiscordPerson;
let ben: DiscordPerson;
/** What has reached the conversation. */
const seen: Incoming[] = [];

const start = (more: Partial<Parameters<typeof startDiscordBot>[0]> = {}) =>
  startDiscordBot({
    server,
    dataDir,
    now: clock.now,
    options: { after: clock.after },
    before: (handle) => (incoming) => {
      seen.push(incoming);
      return handle(incoming);
    },
    workspaceIds: server.world.guilds.map(({ id }) => `discord:${id}`),
    ...more,
  });

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'finetutor-story-'));
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  server = await createDiscordServer({ now: clock.now });
  bot = await start();
  await vi.waitFor(() => expect(server.commands.length).toBe(commandCount), { timeout: 10_000 });
});

/** A group of its own for each story. */
beforeEach(() => {
  const made = server.addGuild('Study group', ['general', 'runs']);
  guild = made.guild;
  const [first] = made.channels;
  if (first === undefined) throw new Error('no channel');
  general = first;
  ann = createPerson(server, server.addUser('Ann'));
  ben = createPerson(server, server.addUser('Ben'));
  server.violations.length = 0;
  bot.logged.length = 0;
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(bot.logged.join('\n'), server.violations);
});

afterAll(async () => {
  await bot.stop();
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The thread that hangs on a message, once it is there. */
async function threadAt(messageId: string): Promise<Channel> {
  await expect.poll(() => server.world.channel(messageId), { timeout: 8000 }).toBeDefined();
  const thread = server.world.channel(messageId);
  if (thread === undefined) throw new Error('no thread');
  return thread;
}
const newThread = () => threadAt(guild.channels.findLast(({ type }) => type === 11)?.id ?? '');
const sees = (person: DiscordPerson, channel: Channel, words: string | RegExp) =>
  expect.poll(() => person.sees(channel), { timeout: 10_000 }).toMatch(words);
const ours = (channel: Channel) =>
  channel.messages.filter(({ author, deleted }) => author === server.world.bot && !deleted);
/** Takes permissions away, and gives the news time to arrive. */
async function deny(channel: Channel, bits: bigint) {
  await expect.poll(() => bot.front.health().guilds).toBe(server.world.guilds.length);
  channel.denied = bits;
  server.gateway.dispatch('CHANNEL_UPDATE', () => server.world.toChannel(channel));
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const fine = () => {
  expect(server.violations).toEqual([]);
  expect(bot.logged.filter((line) => JSON.parse(line).level > 30)).toEqual([]);
};

describe('a study group', () => {
  it('asks in the channel, follows up in the thread, and is understood', async () => {
    const question = ann.say(general, 'why does my model overfit?', { mention: true });
    const thread = await threadAt(question.id);
    expect(thread.name).toBe('why does my model overfit?');
    await sees(ann, thread, /overfit/i);
    await sees(ann, thread, /From the guide/);
    expect(ours(general)).toEqual([]);

    ben.say(thread, 'and how do I prevent it?');
    await expect.poll(() => ours(thread).length, { timeout: 8000 }).toBe(2);
    await sees(ben, thread, /early stopping|regulari|dropout|less/i);
    fine();
  });

  it('asks, follows up, and holds a quiz battle: each answers once, the clock closes, the ranking is kept', async () => {
    const question = ann.say(general, 'what is overfitting?', { mention: true });
    const talk = await threadAt(question.id);
    await sees(ann, talk, 'From the guide');
    ben.say(talk, 'and how do I prevent it?');
    await expect.poll(() => ours(talk).length, { timeout: 8000 }).toBe(2);

    const called = ann.say(general, 'quiz battle', { mention: true });
    const lobby = await threadAt(called.id);
    await sees(ann, lobby, 'Everybody here can answer');
    await ann.submit(lobby, 'Start the battle', {
      Chapters: ['Overfitting & Underfitting'],
      Difficulty: ['Easy', 'Medium'],
      Questions: '2',
      'Seconds for each': '10',
    });
    await sees(ben, lobby, 'Question 1 of 2');
    const [first] = await bot.engine.battles.unfinished();
    const right = (round: number) => {
      const { item, choices } = first?.rounds[round - 1] ?? {};
      const at = choices?.findIndex(({ id }) => id === item?.correctChoiceId) ?? 0;
      return { yes: 'ABCD'[at] ?? '', no: 'ABCD'[at === 0 ? 1 : 0] ?? '' };
    };

    await ben.press(lobby, right(1).yes);
    await ben.press(lobby, right(1).no);
    await ann.press(lobby, right(1).no);
    await sees(ann, lobby, 'Answered: Ben and Ann.');
    expect(ann.sees(lobby)).toContain('Your answer is in.');
    await sees(ben, lobby, 'Your first answer stands');
    // Only whoever started it moves it on; what the others are told, they alone see.
    await ben.press(lobby, 'Next question');
    await sees(ben, lobby, 'Whoever started the battle moves it on.');
    expect(ann.sees(lobby)).not.toContain('Whoever started the battle');
    await ann.press(lobby, 'Next question');
    await sees(ann, lobby, 'Right: Ben.');
    await sees(ann, lobby, 'Question 2 of 2');

    await ann.press(lobby, right(2).yes);
    await sees(ann, lobby, 'Answered: Ann.');
    // The clock closes the last question.
    clock.advance(20_000);
    await sees(ben, lobby, /Ann and Ben share the first place with 3 points|(Ann|Ben) wins/);
    await ann.press(lobby, 'All battles');
    await sees(ben, lobby, 'All battles held here');
    expect(
      (await bot.engine.battles.members(`discord:${guild.id}`)).map(({ name, battles }) => [name, battles]),
    ).toEqual(
      expect.arrayContaining([
        ['Ann', 1],
        ['Ben', 1],
      ]),
    );
    // Two questions and the ranking: each is one message, whatever happened to it.
    expect(ours(lobby).filter(({ components }) => JSON.stringify(components).includes('of 2** ·')).length).toBe(2);
    fine();
  }, 60_000);

  it('takes a quiz in a thread of its own; another person can not answer for it', async () => {
    await ann.slash(general, 'quiz', { chapter: 'overfitting-underfitting', questions: 2 });
    await expect.poll(() => guild.channels.some(({ type }) => type === 11), { timeout: 8000 }).toBe(true);
    const thread = await newThread();
    expect(thread.name).toMatch(/^Quiz: /);
    await sees(ann, thread, 'Question 1 of 2');
    expect(ann.sees(general)).toMatch(/Quiz: .* · Ann/);

    await ben.press(thread, 'B');
    await sees(ben, thread, /started by somebody else|another person|belongs|start/i);
    expect(ann.sees(thread)).not.toContain('✓ Right');

    await ann.press(thread, 'A');
    await sees(ann, thread, 'Question 2 of 2');
    await sees(ann, thread, /✓ Right|✗ Not quite/);
    const before = ours(thread).length;
    await ann.press(thread, 'C');
    await sees(ann, thread, /of 2 right/);
    // The question and its correction are one message; the summary is the only new one.
    expect(ours(thread).length).toBe(before + 1);
    fine();
  });

  it('uses the menu of a message: explain this, quiz me on this', async () => {
    const message = ben.say(general, 'dropout');
    await ann.menu(general, 'Explain this', message);
    await sees(ann, general, /dropout/i);
    await sees(ann, general, 'From the guide');
    await ann.menu(
      general,
      'Quiz me on this',
      ben.say(general, 'my training loss falls but the validation loss rises, is this overfitting?'),
    );
    await sees(ann, general, /Which chapter|Question 1/).catch(async () => sees(ann, await newThread(), 'Question 1'));
    fine();
  });

  it('gets an answer to every command by its slash, in the words of that command', async () => {
    const given: { readonly [command: string]: Parameters<DiscordPerson['slash']>[2] } = {
      ask: { question: 'what is dropout?' },
      explain: { concept: 'dropout' },
      feedback: { answer: 1, helpful: 'yes' },
      learn: { action: 'list' },
      quiz: {},
      demo: { name: 'gradient-descent' },
      try: { text: 'a fine day' },
    };
    for (const { name } of commands) {
      const { channels } = server.addGuild(`For ${name}`, ['room']);
      const [room] = channels;
      if (room === undefined) throw new Error('no channel');
      await ann.slash(room, name, given[name]);
      await expect.poll(() => ann.sees(room), { timeout: 10_000, message: `/${name}` }).toMatch(/\S{3}/);
      expect(ann.sees(room), name).not.toMatch(/is not one of mine|went wrong|…$/);
      expect(ours(room).filter(({ loading }) => loading)).toEqual([]);
    }
    fine();
  }, 60_000);

  it('sends a document by /learn, and a file by /finetune, as they are', async () => {
    await ann.slash(general, 'learn', { file: { name: 'notes.md', content: '# Notes\n\nDropout.' } });
    await expect
      .poll(() => seen.at(-1))
      .toMatchObject({ kind: 'form', call: { command: 'learn' }, values: { file: { name: 'notes.md', bytes: 17 } } });
    await ann.slash(general, 'finetune', { file: csv });
    await sees(ann, general, /40 examples/);
    expect(server.violations).toEqual([]);
  });

  it('gets suggestions while typing', async () => {
    expect(await ann.suggestions(general, 'finetune', 'recipe', 'lora')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^lora: small added matrices/), expect.stringMatching(/^qlora: /)]),
    );
    expect(await ann.suggestions(general, 'roadmap', 'phase', 'phase 1')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Phase 1: /)]),
    );
    expect(await ann.suggestions(general, 'demo', 'name', '')).toHaveLength(
      25 - Math.max(0, 25 - bot.engine.demos.list.length),
    );
    expect(await ann.suggestions(general, 'quiz', 'chapter', 'overf')).toEqual(
      expect.arrayContaining([expect.stringMatching(/overfit/i)]),
    );
    expect((await ann.suggestions(general, 'explain', 'concept', 'drop')).length).toBeGreaterThan(0);
    expect(await ann.suggestions(general, 'finetune', 'data', 'mood')).toEqual(['Sample: Moods']);
    fine();
  });

  it('talks in direct messages and by slash command, each place with its own memory', async () => {
    const direct = server.direct(ann.user);
    ann.say(direct, 'what is dropout?');
    await sees(ann, direct, 'From the guide');
    await ann.slash(general, 'ask', { question: 'what is a learning rate?' });
    await sees(ben, general, /learning rate/i);
    await ann.slash(general, 'help');
    await sees(ann, general, 'I teach machine learning');
    fine();
  });
});

const rows = Array.from({ length: 40 }, (_, row) => `text number ${row},${row % 2 === 0 ? 'yes' : 'no'}`);
const csv = { name: 'reviews.csv', content: `text,label\n${rows.join('\n')}\n` };

describe('a run', () => {
  it('starts from the form with an uploaded file; the card is edited in place, over a restart, and its chart arrives once', async () => {
    await ann.slash(general, 'finetune');
    await sees(ann, general, 'Fine-tune a model');
    await ann.choose(general, 'Upload my own file');
    await sees(ann, general, /File \(asked next\)/);
    await ann.submit(general, 'Start training', { File: csv });
    await expect.poll(() => guild.channels.some(({ type }) => type === 11), { timeout: 10_000 }).toBe(true);
    const thread = await newThread();
    expect(thread.name).toBe('Fine-tuning: reviews.csv');
    await sees(ann, thread, '40 examples');
    await sees(ann, thread, /step [1-9]\d* of 24/);
    const card = ours(thread).find((message) => JSON.stringify(message.components).includes('of 24'));
    const posted = ours(thread).length;

    await bot.stop();
    bot = await start();
    await sees(ann, thread, /Done in/);
    await sees(ann, thread, 'model.safetensors');
    expect(ours(thread).length).toBe(posted);
    expect(ours(thread).find(({ id }) => id === card?.id)?.deleted).toBe(false);
    const charts = ours(thread).flatMap(({ attachments }) =>
      attachments.filter(({ filename }) => filename.startsWith('chart-')),
    );
    expect(charts.length).toBe(2);

    expect(await ann.suggestions(general, 'runs', 'run', 'revi')).toEqual([
      expect.stringMatching(/^run-1: reviews\.csv, /),
    ]);
    await ann.press(thread, 'Try it');
    await sees(ann, thread, 'Try run-1');
    await ann.submit(thread, 'Classify', { Text: 'a fine day' });
    await sees(ann, thread, /75\.0 %/);
    expect(server.violations).toEqual([]);
  }, 60_000);

  it('says privately what is wrong with a file, and leaves no thread behind', async () => {
    await ann.slash(general, 'finetune', {
      file: { name: 'reviews.csv', content: 'text,label\nonly one,row\n' },
      epochs: 2,
    });
    await sees(ann, general, /reviews\.csv/);
    expect(ben.sees(general)).not.toMatch(/reviews\.csv/);
    expect(guild.channels.filter(({ type }) => type === 11)).toEqual([]);
    expect(ours(general).filter(({ loading }) => loading)).toEqual([]);
    fine();
  });
});

describe('a forum', () => {
  const postIn = (forum: Channel) => guild.channels.find(({ parentId }) => parentId === forum.id);

  it('gets a post of its own for a quiz, with the tag that fits, and a link where it was asked for', async () => {
    const tags = ['Help', 'Quiz time'].map((name) => ({ name, moderated: false }));
    const forum = server.addForum(guild, 'learning', { needsTag: true, tags });
    await ann.slash(general, 'quiz', { chapter: 'overfitting-underfitting', questions: 1, forum });
    await expect.poll(() => postIn(forum)?.name, { timeout: 8000 }).toMatch(/^Quiz: /);
    const post = postIn(forum);
    if (post === undefined) throw new Error('no post');
    expect(post.appliedTags).toEqual([forum.tags?.[1]?.id]);
    await sees(ben, post, 'Question 1 of 1');
    await sees(ann, general, 'It goes on in its own post.');
    expect(JSON.stringify(ours(general))).toContain(`<#${post.id}>`);
    await ann.press(post, 'A');
    await sees(ann, post, /of 1 right/);
    fine();
  });

  it('gets a post for a run, and its card lives there', async () => {
    const forum = server.addForum(guild, 'runs-forum');
    await ann.slash(general, 'finetune', { data: 'sample:moods', forum });
    await expect.poll(() => postIn(forum)?.name, { timeout: 8000 }).toBe('Fine-tuning: Moods');
    const post = postIn(forum);
    if (post === undefined) throw new Error('no post');
    await sees(ann, post, /step \d+ of|Done in|Waiting/);
    expect(server.violations).toEqual([]);
  });

  it('says which permission or tag is lacking, and opens nothing', async () => {
    const closed = server.addForum(guild, 'closed');
    await deny(closed, permissionBits.sendMessages);
    await ann.slash(general, 'quiz', { chapter: 'overfitting-underfitting', questions: 1, forum: closed });
    await sees(ann, general, 'I need Send Messages in #closed to open a post there.');
    const untagged = server.addForum(guild, 'untagged', { needsTag: true, tags: [{ name: 'Staff', moderated: true }] });
    await ann.slash(general, 'quiz', { chapter: 'overfitting-underfitting', questions: 1, forum: untagged });
    await sees(ann, general, 'A post in #untagged needs a tag, and there is none I may use.');
    expect([postIn(closed), postIn(untagged)]).toEqual([undefined, undefined]);
    expect(server.violations).toEqual([]);
  });
});

describe('what may not be', () => {
  it('a picture it may not attach is told in words, with the permission by name', async () => {
    const { width, height, id } = await bot.engine.pictures.put(onePixel);
    await deny(general, permissionBits.attachFiles);
    await bot.engine.conversations.openWorkspace(`discord:${guild.id}`, 'x');
    await bot.front.deliver(
      { front: 'discord', workspaceId: `discord:${guild.id}`, conversationId: general.id },
      { audience: 'everyone', blocks: [{ kind: 'picture', pictureId: id, width, height, alt: 'A falling line' }] },
      { id: ann.user.id, name: 'Ann' },
    );
    expect(ann.sees(general)).toContain('A falling line');
    expect(ann.sees(general)).toContain('I need Attach Files in #general');
    expect(server.violations).toEqual([]);
  });

  it('a mention it may not answer is answered directly, with the permission by name', async () => {
    await deny(general, permissionBits.sendMessages | permissionBits.publicThreads);
    ann.say(general, 'what is dropout?', { mention: true });
    await sees(ann, server.direct(ann.user), 'I need Send Messages in #general to answer there.');
    await sees(ann, server.direct(ann.user), /dropout/i);
    expect(server.violations).toEqual([]);
  });

  it('where it may not open threads nor read back it answers in the channel, referring to nothing', async () => {
    await deny(general, permissionBits.publicThreads | permissionBits.readHistory);
    ann.say(general, 'what is dropout?', { mention: true });
    await expect
      .poll(() => ours(general).map(({ reference }) => reference ?? 'none'), { timeout: 8000 })
      .toEqual(['none']);
    expect(server.violations).toEqual([]);
    await deny(general, permissionBits.publicThreads);
    const asked = ann.say(general, 'what is a learning rate?', { mention: true });
    await expect.poll(() => ours(general).at(-1)?.reference, { timeout: 8000 }).toBe(asked.id);
  });

  it('what is for one person stands in their direct messages as it is, without a button to show it', async () => {
    await deny(general, permissionBits.sendMessages);
    await bot.engine.conversations.openWorkspace(`discord:${guild.id}`, 'x');
    const whisper = (markdown: string) =>
      bot.front.deliver(
        { front: 'discord', workspaceId: `discord:${guild.id}`, conversationId: general.id },
        { audience: 'asker', blocks: [{ kind: 'text', markdown }], slot: 'note' },
        { id: ann.user.id, name: 'Ann' },
      );
    await whisper('between us');
    expect(ann.sees(server.direct(ann.user))).toContain('between us');
    expect(ann.sees(server.direct(ann.user))).not.toContain('Show');
    await whisper('still between us');
    expect(ann.sees(server.direct(ann.user))).toContain('still between us');
    expect(ann.sees(server.direct(ann.user))).not.toContain('Show');
    expect(server.direct(ann.user).messages.length).toBe(1);
    expect(server.violations).toEqual([]);
  });

  it('nothing a person types can ping anyone', async () => {
    ann.say(general, '@everyone <@&1> explain @here', { mention: true });
    await expect
      .poll(() => ours(server.world.channel(general.messages.at(-1)?.id ?? '') ?? general).length, { timeout: 8000 })
      .toBeGreaterThan(0);
    const posts = server.requests.filter(
      ({ body }) => typeof body === 'object' && body !== null && 'components' in body,
    );
    expect(posts.length).toBeGreaterThan(0);
    for (const { body } of posts) expect(body).toMatchObject({ allowed_mentions: { parse: [] } });
  });
});

const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
