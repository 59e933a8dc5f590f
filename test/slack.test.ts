// The bot in Slack, as people there meet it: threads, commands, presses, forms, its Home, its shortcuts and workflow steps.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Place } from '../bot/chat/message.ts';
import { reply } from '../bot/chat/reply.ts';
import type { Run } from '../engine/index.ts';
import { metrics, pixel } from './support/fake-engine.ts';
import { type SlackBot, type SlackBotOptions, startSlackBot } from './support/slack-bot.ts';
import { readMessage } from './support/slack-server-methods.ts';
import type { Channel, Message, Person } from './support/slack-server-world.ts';

let bot: SlackBot;
let mayViolate = false;
afterEach(async () => {
  await bot.stop();
  if (!mayViolate) expect(bot.server.violations).toEqual([]);
  expect(bot.errors).toEqual([]);
  expect(bot.server.timeouts).toEqual([]);
  mayViolate = false;
});

async function start(options?: SlackBotOptions) {
  bot = await startSlackBot(options);
  return bot;
}

const soon = { timeout: 5000 };
const ours = ({ server }: SlackBot) =>
  server.world.messages.filter((one) => one.user === server.world.botUserId && !one.deleted);
const newest = (from: SlackBot) => ours(from).at(-1);
const sees = (person: Person, channel: Channel, words: string) =>
  expect.poll(() => bot.server.read(person, channel), soon).toContain(words);
const posted = (count: number) => expect.poll(() => ours(bot).length, soon).toBe(count);
/** Long enough for an answer that must not come. */
const quietly = () => new Promise((resolve) => setTimeout(resolve, 150));

describe('conversations', () => {
  it('answers a mention in its thread, once, though Slack tells of it twice', async () => {
    const { server, ada, channel } = await start();
    const asked = await server.say(ada, channel, '@finetutor why does my model overfit?');
    await sees(ada, channel, 'watch the gap');
    await quietly();
    expect(ours(bot)).toHaveLength(1);
    expect(newest(bot)?.threadTs).toBe(asked.ts);
    expect(bot.engine().asked.map(({ question }) => question)).toEqual(['why does my model overfit?']);
  });

  it('follows up in its thread without a mention, with what was said before', async () => {
    const { server, ada, ben, channel } = await start();
    const root = await server.say(ada, channel, '@finetutor why does my model overfit?');
    await posted(1);
    await server.say(ben, channel, 'and what helps against it?', { threadTs: root.ts });
    await posted(2);
    expect(bot.engine().asked.at(-1)).toMatchObject({
      question: 'and what helps against it?',
      turns: [
        { role: 'user', text: 'why does my model overfit?' },
        { role: 'assistant', text: 'The guide says: **watch the gap**.' },
      ],
    });
  });

  it('leaves alone what is not meant for it', async () => {
    const { server, ada, ben, channel } = await start();
    const other = await server.say(ada, channel, 'lunch?');
    await server.say(ben, channel, 'yes', { threadTs: other.ts });
    const root = await server.say(ada, channel, '@finetutor what is a learning rate?');
    await posted(1);
    // To somebody else, in our thread:
    const message = { type: 'message', channel_type: 'channel', channel: channel.id, user: ben.id, thread_ts: root.ts };
    await server.sendEvent({ ...message, ts: server.world.nextTs(), text: `<@${ada.id}> do you believe that?` });
    // An edit, and what the bot itself said:
    await server.sendEvent({
      ...message,
      subtype: 'message_changed',
      ts: server.world.nextTs(),
      text: 'what is a rate?',
    });
    await server.sendEvent({
      ...message,
      user: server.world.botUserId,
      ts: server.world.nextTs(),
      text: 'The guide says',
    });
    await quietly();
    expect(ours(bot)).toHaveLength(1);
  });

  it('answers a direct message in a thread of its own, and follows up there', async () => {
    const { server, ada } = await start();
    const direct = server.world.im(ada.id);
    const asked = await server.say(ada, direct, 'what is overfitting?');
    await posted(1);
    expect(newest(bot)).toMatchObject({ channel: direct.id, threadTs: asked.ts });
    await server.say(ada, direct, 'how do I prevent it?', { threadTs: asked.ts });
    await posted(2);
    expect(newest(bot)?.threadTs).toBe(asked.ts);
    expect(
      bot
        .engine()
        .asked.at(-1)
        ?.turns.map(({ text }) => text),
    ).toContain('what is overfitting?');
  });

  it('answers under nothing when what was asked has been deleted meanwhile', async () => {
    const { server, ada } = await start();
    const direct = server.world.im(ada.id);
    server.fault({ method: 'assistant.threads.setStatus', times: 1, delayMs: 200 });
    const asked = await server.say(ada, direct, 'what is dropout?');
    asked.deleted = true;
    await posted(1);
    expect(newest(bot)).toMatchObject({ channel: direct.id, threadTs: undefined });
  });

  it('offers prompts in its own view, says that it is looking, and gives what begins there a title', async () => {
    const { server, ada } = await start();
    const direct = server.world.im(ada.id);
    await server.openMessages(ada);
    const call = (method: string) => server.calls.find((one) => one.method === method);
    await expect.poll(() => call('assistant.threads.setSuggestedPrompts')?.result.ok, soon).toBe(true);
    // With a thread, Slack leaves them out of its agent view without a word.
    expect(call('assistant.threads.setSuggestedPrompts')?.args).not.toHaveProperty('thread_ts');
    const asked = await server.say(ada, direct, 'explain LoRA');
    await sees(ada, direct, 'The section on 4 letters');
    const place = { channel_id: direct.id, thread_ts: asked.ts };
    expect(call('assistant.threads.setStatus')).toMatchObject({ args: place, result: { ok: true } });
    expect(call('assistant.threads.setTitle')).toMatchObject({
      args: { ...place, title: 'explain LoRA' },
      result: { ok: true },
    });
    const order = server.calls.map(({ method }) => method);
    expect(order.indexOf('assistant.threads.setStatus')).toBeLessThan(order.indexOf('chat.postMessage'));
    expect(server.world.homes.size).toBe(0);
  });

  it('does so in the assistant view of apps made earlier, too', async () => {
    const { server, ada } = await start();
    const direct = server.world.im(ada.id);
    const thread = await server.startAssistant(ada);
    await expect
      .poll(
        () => server.calls.find(({ method }) => method === 'assistant.threads.setSuggestedPrompts')?.args.thread_ts,
        soon,
      )
      .toBe(thread.ts);
    await server.say(ada, direct, 'explain LoRA', { threadTs: thread.ts });
    await sees(ada, direct, 'The section on 4 letters');
    expect(newest(bot)?.threadTs).toBe(thread.ts);
    const status = server.calls.findIndex(({ method }) => method === 'assistant.threads.setStatus');
    expect(server.calls[status]?.result.ok).toBe(true);
    expect(status).toBeLessThan(server.calls.findIndex(({ method }) => method === 'chat.postMessage'));
  });

  it('streams a long answer in its own view, with what was looked up as a task, and posts it whole where that is refused', async () => {
    const { server, ada } = await start({ pageUrl: () => 'https://learn.example' });
    const direct = server.world.im(ada.id);
    const thread = await server.startAssistant(ada);
    const place: Place = {
      front: 'slack',
      workspaceId: server.world.teamId,
      conversationId: `${direct.id}:${thread.ts}`,
    };
    const long = Array.from(
      { length: 30 },
      (_, n) => `Sentence ${n} of a **long** answer, with \\<!channel\\> in it.`,
    ).join('\n\n');
    const answer = reply(
      { kind: 'text', markdown: long },
      {
        kind: 'sources',
        sources: [{ chapterId: 'c', sectionId: 's', title: 'A chapter › A section', quote: 'In its own words.' }],
      },
      { kind: 'buttons', buttons: [{ label: 'More', style: 'primary', call: { command: 'help', args: {} } }] },
    );
    await bot.front().deliver(place, answer, ada);
    const streamed = newest(bot);
    expect(streamed?.streaming).toBe(false);
    expect(server.calls.filter(({ method }) => method === 'chat.appendStream').length).toBeGreaterThan(2);
    for (const words of ['Sentence 0 of a long', 'Sentence 29', '<!channel>', 'More'])
      expect(readMessage(streamed as Message)).toContain(words);
    expect(ours(bot).filter((one) => one.threadTs === thread.ts)).toHaveLength(1);
    const started = server.calls.find(({ method }) => method === 'chat.startStream')?.args;
    expect(started).toMatchObject({ task_display_mode: 'timeline', chunks: [{ status: 'in_progress' }, {}] });
    expect(streamed?.blocks.filter(({ type }) => type === 'task_card')).toMatchObject([
      {
        title: 'Looked it up in the guide',
        status: 'complete',
        sources: [{ type: 'url', url: 'https://learn.example/guide/c#s', text: 'A chapter › A section' }],
      },
    ]);

    server.fault({ method: 'chat.appendStream', times: 1, error: 'channel_type_not_supported' });
    await bot.front().deliver(place, answer, ada);
    const whole = ours(bot).filter((one) => one.threadTs === thread.ts);
    expect(whole).toHaveLength(2);
    expect(whole[1]?.blocks.some((block) => block.type === 'rich_text')).toBe(true);
  });

  it('begins a thread with its first answer to a slash command, and stays in it', async () => {
    const { server, ada, ben, channel } = await start();
    await server.slash(ada, channel, 'quiz overfitting-underfitting');
    await posted(1);
    const root = newest(bot);
    expect(root?.threadTs).toBeUndefined();
    expect(readMessage(root as Message)).toContain('ada: /finetutor quiz overfitting-underfitting');
    await server.press(ada, 'A');
    await sees(ada, channel, '✓ Right.');
    await sees(ada, channel, 'Question 2 of 2');
    expect(newest(bot)?.threadTs).toBe(root?.ts);
    // The edited root still says what was asked, also to a new process.
    await bot.restart();
    await server.press(ada, 'B');
    await sees(ada, channel, '1 of 2 right');
    expect(server.read(ben, channel)).toContain('ada: /finetutor quiz');
    // Somebody follows up in that thread.
    await server.say(ben, channel, 'why is that?', { threadTs: root?.ts ?? '' });
    await sees(ben, channel, 'watch the gap');
    expect(bot.engine().asked).toHaveLength(1);
  });

  it('tells another person privately that a quiz is not theirs', async () => {
    const { server, ada, ben, channel } = await start();
    await server.slash(ada, channel, 'quiz overfitting-underfitting');
    await posted(1);
    await server.press(ben, 'A');
    await sees(ben, channel, 'This quiz belongs to someone else');
    expect(server.read(ada, channel)).not.toContain('someone else');
  });

  it('keeps one quiz answer, however often the press is sent', async () => {
    const { server, ada, channel } = await start();
    await server.slash(ada, channel, 'quiz overfitting-underfitting');
    await posted(1);
    const sent = new Promise<{ [name: string]: unknown }>((resolve) => {
      const original = server.context.triggers.set.bind(server.context.triggers);
      server.context.triggers.set = (id, trigger) => {
        resolve({ id });
        return original(id, trigger);
      };
    });
    await server.press(ada, 'A');
    await sees(ada, channel, 'Question 2 of 2');
    const [message] = ours(bot);
    await server.sendInteraction('interactive', {
      type: 'block_actions',
      team: { id: server.world.teamId },
      user: { id: ada.id, name: 'ada' },
      trigger_id: (await sent).id,
      channel: { id: channel.id },
      container: { type: 'message', message_ts: message?.ts, channel_id: channel.id },
      message: { ts: message?.ts },
      actions: [
        {
          action_id: 'call:0',
          block_id: 'x',
          value: JSON.stringify({ command: 'quiz', args: { chapter: 'overfitting-underfitting' } }),
        },
      ],
    });
    await quietly();
    expect(ours(bot)).toHaveLength(2);
  });
});

describe('forms', () => {
  it('opens a modal, shows a field when it is needed, and starts one run', async () => {
    const { server, ada, channel } = await start();
    await server.say(ada, channel, '@finetutor finetune');
    await sees(ada, channel, 'Fine-tune a model');
    await server.press(ada, 'Start training');
    await expect.poll(() => server.openView(ada), soon).toBeDefined();
    const labels = () =>
      ((server.openView(ada)?.content.blocks ?? []) as { label?: { text: string } }[]).map(
        (block) => block.label?.text,
      );
    expect(labels()).not.toContain('LoRA rank');
    await server.fill(ada, 'Method', 'LoRA');
    expect(labels()).toContain('LoRA rank');
    await server.fill(ada, 'LoRA rank', '4');
    expect(await server.submit(ada)).toEqual({});
    await sees(ada, channel, 'run-1');
    expect((await bot.engine().runs.get(server.world.teamId, 'run-1')).spec).toMatchObject({
      method: 'lora',
      hyper: { loraRank: 4 },
    });
  });

  it('says in the modal that a file is too large or of another kind', async () => {
    const { server, ada, channel } = await start();
    await server.say(ada, channel, '@finetutor finetune');
    await sees(ada, channel, 'Fine-tune a model');
    await server.press(ada, 'Start training');
    await expect.poll(() => server.openView(ada), soon).toBeDefined();
    await server.fill(ada, 'Data', 'Upload my own file');
    await server.fill(ada, 'File', server.upload('holiday.png', 'x'));
    expect(await server.submit(ada)).toMatchObject({
      response_action: 'errors',
      errors: { 'field:file': expect.stringContaining('.csv') },
    });
    await server.fill(ada, 'File', { ...server.upload('big.csv', 'x'), bytes: 10 ** 9 });
    expect(JSON.stringify(await server.submit(ada))).toContain('at most');
  });

  it('answers a global shortcut in a direct message', async () => {
    const { server, ada } = await start();
    await server.shortcut(ada, 'ask');
    await expect.poll(() => server.openView(ada), soon).toBeDefined();
    await server.fill(ada, 'Your question', 'what is momentum?');
    await server.submit(ada);
    await sees(ada, server.world.im(ada.id), 'watch the gap');
    await server.shortcut(ada, 'review');
    await sees(ada, server.world.im(ada.id), 'Nothing is due');
    await server.shortcut(ada, 'quiz');
    await sees(ada, server.world.im(ada.id), 'Which chapter');
  });

  it('explains a message, and makes a quiz of one, in its thread', async () => {
    const { server, ada, ben, channel } = await start();
    const said = await server.say(ben, channel, 'my validation loss rises while the training loss falls, is that bad?');
    await server.messageShortcut(ada, 'explain_this', said);
    await sees(ada, channel, 'watch the gap');
    expect(newest(bot)?.threadTs).toBe(said.ts);
    await server.messageShortcut(ada, 'quiz_on_this', said);
    await sees(ada, channel, 'Question 1 of 2');
  });
});

describe('files', () => {
  it('takes in an attached file, and not from anywhere else', async () => {
    const { server, ada, channel } = await start();
    const file = server.upload('moods.csv', 'text,label\nfine,good\nbad,bad\nwell,good\n');
    await server.say(ada, channel, '@finetutor finetune', { files: [file] });
    await sees(ada, channel, 'moods.csv');
    let asked = 0;
    const { createServer } = await import('node:http');
    const elsewhere = createServer((_request, response) => {
      asked += 1;
      response.end('text,label');
    }).listen(0, '127.0.0.2');
    await new Promise((resolve) => elsewhere.once('listening', resolve));
    const address = elsewhere.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await server.sendEvent({
      type: 'message',
      channel_type: 'im',
      subtype: 'file_share',
      channel: server.world.im(ada.id).id,
      user: ada.id,
      ts: server.world.nextTs(),
      text: 'finetune',
      files: [{ id: 'F1', name: 'x.csv', size: 10, url_private_download: `http://127.0.0.2:${port}/x.csv` }],
    });
    await sees(ada, server.world.im(ada.id), 'does not lie where this chat keeps its files');
    expect(asked).toBe(0);
    elsewhere.close();
  });

  it('shows a finished chart once, over restarts, and a growing one seldom', async () => {
    const { server, ada, channel } = await start();
    await server.say(ada, channel, '@finetutor finetune moods');
    await sees(ada, channel, 'run-1');
    const engine = bot.engine();
    const started: Run['start'] = {
      type: 'start',
      step: 0,
      totalSteps: 10,
      stepsPerEpoch: 5,
      epochs: 2,
      trainExamples: 9,
      evalExamples: 8,
      labels: ['bad', 'good'],
      parameters: 10,
      trainableParameters: 10,
      device: 'cpu',
      warnings: [],
    };
    const stepAt = (step: number) =>
      ({
        type: 'step',
        step,
        epoch: 1,
        loss: 0.5,
        learningRate: 0.001,
        examplesPerSecond: 10,
        secondsLeft: 5,
      }) as const;
    engine.change('id-1', { status: 'running', start: started, progress: stepAt(3) });
    await sees(ada, channel, '30%');
    const uploads = () =>
      server.calls.filter(({ method, result }) => method === 'files.completeUploadExternal' && result.ok);
    expect(uploads()).toHaveLength(0);
    await bot.restart();
    engine.change('id-1', { progress: stepAt(6) });
    await sees(ada, channel, '60%');
    engine.change('id-1', {
      status: 'done',
      finishedAt: new Date(),
      metrics,
      result: { type: 'done', step: 10, seconds: 5, metrics, artifact: 'nowhere', samples: [], peakRssBytes: 1 },
    });
    await sees(ada, channel, 'Accuracy 87.5 %');
    await bot.restart();
    await quietly();
    const cards = ours(bot).filter((message) => readMessage(message).includes('run-1'));
    expect(cards).toHaveLength(1);
    expect(cards[0]?.blocks.filter((block) => block.type === 'image')).toHaveLength(2);
    // Both pictures are the same pixel here: one upload serves them.
    expect(uploads()).toHaveLength(1);
    expect(server.read(ada, channel)).not.toContain('@everyone');
  });

  it('waits for a picture that Slack has not digested, and sends an artifact when it is asked for', async () => {
    mayViolate = true;
    const { server, ada, channel, dataDir } = await start();
    const picture = await bot.engine().pictures.put(pixel);
    await mkdir(join(dataDir, 'runs'), { recursive: true });
    const path = join(dataDir, 'runs', 'model.onnx');
    await writeFile(path, 'weights');
    const root = await server.say(ada, channel, 'hello');
    const place: Place = {
      front: 'slack',
      workspaceId: server.world.teamId,
      conversationId: `${channel.id}:${root.ts}`,
    };
    server.context.slowFiles = 1;
    await bot
      .front()
      .deliver(
        place,
        reply(
          { kind: 'picture', pictureId: picture.id, width: 1, height: 1, alt: 'A line' },
          { kind: 'file', path, name: 'model.onnx', bytes: 7 },
          { kind: 'file', path: '/etc/hostname', name: 'hostname', bytes: 7 },
        ),
        ada,
      );
    expect(newest(bot)?.blocks[0]?.type).toBe('image');
    await server.choose(ada, 'model.onnx');
    await expect.poll(() => newest(bot)?.files[0]?.content?.toString(), soon).toBe('weights');
    expect(newest(bot)?.threadTs).toBe(root.ts);
    // A path outside of the data folder is never handed out.
    await server.choose(ada, 'hostname');
    await sees(ada, channel, 'hostname is not here any more');
  });
});

describe('its Home', () => {
  it('shows progress, runs and settings; what is pressed there is answered directly', async () => {
    const { server, ada, channel } = await start();
    await server.slash(ada, channel, 'finetune moods');
    await sees(ada, channel, 'run-1');
    await server.openHome(ada);
    await expect.poll(() => server.home(ada), soon).toContain('run-1');
    expect(server.home(ada)).toContain('No quiz yet');
    await server.press(ada, 'Open', { in: 'home' });
    await sees(ada, server.world.im(ada.id), 'run-1');
  });

  it('offers what is due, and is up to date once that is answered', async () => {
    const { server, ada } = await start();
    const direct = server.world.im(ada.id);
    await server.openHome(ada);
    await expect.poll(() => server.home(ada), soon).toContain('Nothing is due');
    await server.press(ada, 'Take a quiz', { in: 'home' });
    await sees(ada, direct, 'Which chapter');
    await server.choose(ada, 'Overfitting and underfitting');
    await sees(ada, direct, 'Question 1 of 2');
    await server.press(ada, 'B');
    await sees(ada, direct, 'Question 2 of 2');
    await server.press(ada, 'A');
    await expect.poll(() => server.home(ada), soon).toMatch(/50 % Overfitting and underfitting · 2 of 2 asked/);
    expect(server.home(ada)).toContain('1 question is due for review now.');

    await server.press(ada, 'Review now', { in: 'home' });
    await sees(ada, direct, 'Question 1 of 1');
    await server.press(ada, 'A');
    await sees(ada, direct, 'Review: 1 of 1 right.');
    await expect.poll(() => server.home(ada), soon).toContain('Nothing is due now; the next review comes in 3 days.');
    expect(server.home(ada)).not.toContain('Review now');
    expect(server.home(ada)).toContain('Day 1 of a streak');
  });

  it('keeps what is set there', async () => {
    const { server, ada } = await start();
    await server.openHome(ada);
    await expect.poll(() => server.home(ada), soon).toContain('Remind me of reviews');
    await server.choose(ada, 'From 08:00 UTC', { in: 'home' });
    await server.choose(ada, 'Follow up in threads without a mention', { in: 'home' });
    await quietly();
    await bot.restart();
    server.world.homes.clear();
    await server.openHome(ada);
    await expect.poll(() => server.home(ada), soon).not.toBe('');
    const settings = JSON.stringify(server.world.homes.get(ada.id));
    expect(settings).toContain(
      '"initial_option":{"text":{"type":"plain_text","text":"From 08:00 UTC","emoji":true},"value":"8"}',
    );
    expect(settings).not.toContain('initial_options');
  });

  it('lets a person turn follow-ups without a mention off', async () => {
    const { server, ada, channel } = await start();
    const root = await server.say(ada, channel, '@finetutor what is dropout?');
    await posted(1);
    await server.openHome(ada);
    await expect.poll(() => server.home(ada), soon).toContain('Follow up in threads');
    await server.choose(ada, 'Follow up in threads without a mention', { in: 'home' });
    await quietly();
    await server.say(ada, channel, 'and what else?', { threadTs: root.ts });
    await quietly();
    expect(ours(bot)).toHaveLength(1);
    await server.say(ada, channel, '@finetutor and what else?', { threadTs: root.ts });
    await posted(2);
  });
});

describe('steps for workflows', () => {
  it('asks the guide, once, and starts a run that shows its card', async () => {
    const { server, ada, channel } = await start();
    const asked = await server.runFunction(ada, 'ask_guide', { question: 'what is overfitting?' });
    await expect
      .poll(() => server.context.executions.get(asked)?.outcome, soon)
      .toEqual({
        outputs: { answer: 'The guide says: watch the gap.', sources: 'Overfitting and underfitting › Definition' },
      });
    const started = await server.runFunction(ada, 'start_run', {
      dataset: 'moods',
      method: 'lora',
      channel_id: channel.id,
    });
    await expect
      .poll(() => server.context.executions.get(started)?.outcome, soon)
      .toEqual({ outputs: { run: 'run-1' } });
    const wrong = await server.runFunction(ada, 'start_run', { dataset: 'nothing', channel_id: channel.id });
    await expect
      .poll(() => server.context.executions.get(wrong)?.outcome, soon)
      .toEqual({ error: 'There is no dataset called nothing. There are: Moods.' });
    bot.engine().change('id-1', { status: 'running' });
    await sees(ada, channel, 'run-1');
  });
});

it('repeats what a person wrote as they wrote it, with nothing in it that could notify somebody', async () => {
  const { server, ada, channel } = await start();
  await server.say(ada, channel, '@finetutor /nonsense<!channel> <@U12345678> @here *b* `c` &amp;');
  await sees(ada, channel, 'There is no command “nonsense<\u200B!channel>');
});
