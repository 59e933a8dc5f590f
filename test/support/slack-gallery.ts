// Pages for the gallery: real conversations with the real engine, as Slack would show them.
import { cpSync } from 'node:fs';
import { createEngine, type Engine } from '../../engine/index.ts';
import { loadGuide } from '../../knowledge/index.ts';
import { emptyFolder } from './databases.ts';
import { startSlackBotOn } from './slack-bot.ts';
import { drawChannel, drawHome, drawModal } from './slack-preview.ts';
import type { Channel } from './slack-server-world.ts';

interface GalleryPage {
  /** File name without its ending. */
  readonly name: string;
  readonly html: string;
}

const quiet = { info() {}, warn() {}, error: console.error };

async function openEngine(dataDir: string): Promise<Engine> {
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  return createEngine({
    dataDir,
    databaseUrl: undefined,
    device: 'cpu',
    guide: loadGuide(),
    now: () => new Date(),
    log: quiet,
    randomSeed: 5,
  });
}

export async function drawSlack(): Promise<readonly GalleryPage[]> {
  const bot = await startSlackBotOn(openEngine);
  const { server, ada, ben } = bot;
  const { world } = server;
  const pages: GalleryPage[] = [];
  const ours = () => world.messages.filter((one) => one.user === world.botUserId && !one.deleted);
  async function until(done: () => boolean, what: string) {
    for (let tries = 0; tries < 2400; tries++) {
      if (done()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never saw ${what}; errors: ${bot.errors.join('\n')}`);
  }
  const room = (name: string) => server.addChannel(name, [ada, ben]);
  const draw = (name: string, channel: Channel) =>
    pages.push({ name: `slack-${name}`, html: drawChannel(world, channel.id, ada.id, `# ${channel.name}`) });
  async function say(channel: Channel, text: string, threadTs?: string) {
    const before = ours().length;
    const message = await server.say(ada, channel, text, threadTs === undefined ? {} : { threadTs });
    await until(() => ours().length > before, `an answer to ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return message;
  }

  try {
    const answers = room('answers');
    await say(answers, '@finetutor why does my model do well in training and badly on new data?');
    await say(answers, '@finetutor what is the weather in Oslo?');
    await say(answers, '@finetutor /fintune');
    draw('answers', answers);

    const explained = room('explain');
    await say(explained, '@finetutor explain LoRA');
    draw('explain', explained);

    const help = room('help');
    await say(help, '@finetutor help');
    await say(help, '@finetutor help finetune');
    draw('help', help);

    const quiz = room('quiz');
    await server.slash(ada, quiz, 'quiz overfitting 2');
    await until(() => server.read(ada, quiz).includes('Question 1'), 'a question');
    await server.press(ada, 'A');
    await until(() => server.read(ada, quiz).includes('Question 2'), 'the second question');
    await server.press(ada, 'B');
    await until(() => server.read(ada, quiz).includes('of 2 right'), 'the summary');
    await server.slash(ada, quiz, 'progress');
    await until(() => server.read(ada, quiz).includes('chapters begun'), 'the progress');
    draw('quiz', quiz);

    const runs = room('runs');
    await say(runs, '@finetutor finetune');
    await server.press(ada, 'Start training');
    await until(() => server.openView(ada) !== undefined, 'the modal');
    await server.fill(ada, 'Data', 'Upload my own file');
    await server.fill(ada, 'Method', 'LoRA');
    const view = server.openView(ada);
    if (view !== undefined) pages.push({ name: 'slack-modal', html: drawModal(world, view) });
    await server.fill(ada, 'Data', 'Sample: Moods');
    await server.fill(ada, 'Method', 'Full');
    await server.submit(ada);
    await until(() => server.read(ada, runs).includes('step '), 'the run');
    draw('run-going', runs);
    await until(() => server.read(ada, runs).includes('Accuracy'), 'the end of the run');
    draw('run-done', runs);

    const tried = room('try');
    await say(tried, '@finetutor try run-1 what a lovely evening, I would come again');
    await say(tried, '@finetutor runs');
    draw('try', tried);
    await server.openHome(ada);
    await until(() => server.home(ada) !== '', 'Home');
    pages.push({ name: 'slack-home', html: drawHome(world, ada.id) });
    if (server.violations.length > 0) throw new Error(`Slack would refuse: ${server.violations.join('\n')}`);
    return pages;
  } finally {
    await bot.stop();
  }
}
