// A team in Slack trains a model: the real conversation, engine, queue, trainer process and embedded database, over two restarts.
import { cpSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { createEngine, type Engine } from '../engine/index.ts';
import { loadGuide } from '../knowledge/index.ts';
import { emptyFolder } from './support/databases.ts';
import { type SlackBot, startSlackBotOn } from './support/slack-bot.ts';
import { readMessage } from './support/slack-server-methods.ts';
import type { Message } from './support/slack-server-world.ts';

let bot: SlackBot<Engine> | undefined;
afterEach(async () => {
  await bot?.stop();
  bot = undefined;
});

const guide = loadGuide();
const empty = emptyFolder();
const began = new Set<string>();

async function openEngine(dataDir: string): Promise<Engine> {
  if (!began.has(dataDir)) cpSync(await empty, dataDir, { recursive: true });
  began.add(dataDir);
  const quiet = { info() {}, warn() {}, error: console.error };
  return createEngine({
    dataDir,
    databaseUrl: undefined,
    device: 'cpu',
    guide,
    now: () => new Date(),
    log: quiet,
    randomSeed: 7,
  });
}

/** Two kinds of sentences that a small model can tell apart. */
function makeCsv(rows: number): string {
  const good = ['lovely', 'bright', 'kind', 'wonderful', 'calm'];
  const bad = ['awful', 'grey', 'rude', 'dreadful', 'noisy'];
  const lines = Array.from({ length: rows }, (_, n) => {
    const words = n % 2 === 0 ? good : bad;
    return `"what a ${words[n % 5]} day, number ${n}, it was ${words[(n * 3) % 5]}",${n % 2 === 0 ? 'good' : 'bad'}`;
  });
  return ['text,label', ...lines].join('\n');
}

it('lets a team ask, follow up, upload, launch a run, and see its chart once, though the bot restarts twice', async () => {
  bot = await startSlackBotOn(openEngine);
  const { server, ada, ben, channel } = bot;
  const patient = { timeout: 60_000, interval: 50 };
  const ours = () => server.world.messages.filter((one) => one.user === server.world.botUserId && !one.deleted);
  const sees = (words: string) => expect.poll(() => server.read(ada, channel), patient).toContain(words);

  const root = await server.say(ada, channel, '@finetutor what is overfitting?');
  await expect.poll(() => ours().length, patient).toBe(1);
  expect(server.read(ada, channel).toLowerCase()).toContain('overfit');
  await server.say(ben, channel, 'how do I prevent it?', { threadTs: root.ts });
  await expect.poll(() => ours().length, patient).toBe(2);
  expect(readMessage(ours()[1] as Message).toLowerCase()).toContain('overfit');

  await server.say(ada, channel, 'finetune', { threadTs: root.ts });
  await sees('Fine-tune a model');
  await server.press(ada, 'Start training');
  await expect.poll(() => server.openView(ada), patient).toBeDefined();
  await server.fill(ada, 'Data', 'Upload my own file');
  await server.fill(ada, 'File', server.upload('days.csv', makeCsv(240)));
  await server.fill(ada, 'Epochs', '8');
  await server.submit(ada);
  await sees('240 examples, 2 labels');
  await sees('step ');
  const card = () => ours().filter((message) => readMessage(message).includes('run-1 ·'));

  await bot.restart();
  await bot.restart();
  await expect.poll(() => readMessage(card()[0] as Message), { timeout: 90_000, interval: 100 }).toContain('Accuracy');
  // Give a second, wrong card or picture the time to show itself.
  await new Promise((resolve) => setTimeout(resolve, 500));

  expect(card()).toHaveLength(1);
  const run = await bot.engine().runs.get(server.world.teamId, 'run-1');
  expect(run.status).toBe('done');
  const charts = card()[0]?.blocks.filter((block) => block.type === 'image') ?? [];
  expect(charts).toHaveLength(2);
  // Two charts of the run, and the diagram of the section the first answer is from.
  const pictures = [...server.world.files.values()].filter((file) => file.name.endsWith('.png') && !file.deleted);
  expect(pictures).toHaveLength(3);
  for (const picture of pictures) expect(picture.content?.subarray(1, 4).toString()).toBe('PNG');
  expect(card()[0]?.threadTs).toBe(root.ts);

  await server.say(ben, channel, 'try run-1 what a lovely and kind day', { threadTs: root.ts });
  await sees('how sure it is');
  expect(server.violations).toEqual([]);
  expect(server.timeouts).toEqual([]);
  expect(bot.errors).toEqual([]);
}, 180_000);

it('holds a quiz battle: each answers once, nobody else moves it on, and the ranking is kept', async () => {
  bot = await startSlackBotOn(openEngine);
  const { server, ada, ben, channel } = bot;
  const patient = { timeout: 20_000 };
  const sees = (words: string | RegExp) => expect.poll(() => server.read(ben, channel), patient).toMatch(words);
  await server.slash(ada, channel, 'battle overfitting 2');
  await sees(/Question 1 of 2/);
  await server.press(ada, 'A');
  await server.press(ben, 'B');
  await server.press(ben, 'C');
  await sees(/Answered: .*(ada.* ben|ben.* ada)/i);
  await server.press(ben, 'Next question');
  await sees('Whoever started the battle moves it on.');
  await server.press(ada, 'Next question');
  await sees(/Question 2 of 2/);
  await bot.restart();
  await server.press(ben, 'A');
  await server.press(ada, 'Show the result');
  await sees(/Quiz battle: /);
  const finals = server.world.messages.filter(
    (one) => one.user === server.world.botUserId && !one.deleted && readMessage(one).includes('Quiz battle: '),
  );
  expect(finals).toHaveLength(1);
  const members = () => bot?.engine().battles.members(server.world.teamId);
  await expect.poll(async () => (await members())?.map(({ battles }) => battles), patient).toEqual([1, 1]);
  expect(server.violations).toEqual([]);
  expect(bot.errors).toEqual([]);
}, 120_000);

it('quizzes one person in a thread of its own, while another may not answer for them', async () => {
  bot = await startSlackBotOn(openEngine);
  const { server, ada, ben, channel } = bot;
  const patient = { timeout: 20_000 };
  await server.slash(ada, channel, 'quiz overfitting 2');
  await expect.poll(() => server.read(ben, channel), patient).toContain('Question 1 of 2');
  await server.press(ben, 'A');
  await expect.poll(() => server.read(ben, channel), patient).toMatch(/belongs to|someone else|another person/i);
  await server.press(ada, 'A');
  await expect.poll(() => server.read(ada, channel), patient).toContain('Question 2 of 2');
  await bot.restart();
  await server.press(ada, 'B');
  await expect.poll(() => server.read(ada, channel), patient).toMatch(/of 2 right/);
  const quiz = server.world.messages.filter(
    (one) => one.user === server.world.botUserId && one.visibleTo === undefined,
  );
  const [first, ...rest] = quiz;
  expect(first?.threadTs).toBeUndefined();
  expect(rest.map((one) => [readMessage(one).slice(0, 20), one.threadTs])).toEqual(
    rest.map((one) => [readMessage(one).slice(0, 20), first?.ts]),
  );
  expect(server.violations).toEqual([]);
}, 60_000);
