// `npm run gallery`: what each chat platform would show for the replies of the product, as pages to open and judge.
// Real answers, real charts, real forms; one function a platform. Writes data/gallery/*.html.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedQuestion, finalRanking, openQuestion } from '../../bot/chat/battle-card.ts';
import { createConversation } from '../../bot/chat/conversation.ts';
import type { Incoming, Reply } from '../../bot/chat/message.ts';
import { runCard } from '../../bot/chat/run-card.ts';
import { commands } from '../../bot/commands/index.ts';
import { createCustomIds } from '../../bot/fronts/discord/custom-id.ts';
import { buildModal, initialState, layOut } from '../../bot/fronts/discord/forms.ts';
import { renderReply } from '../../bot/fronts/discord/render.ts';
import { confusionChart } from '../../engine/charts/confusion.ts';
import { lossChart } from '../../engine/charts/loss.ts';
import { renderPng } from '../../engine/charts/render.ts';
import { createEngine, type Engine, type Run, runSpecSchema } from '../../engine/index.ts';
import { loadGuide } from '../../knowledge/index.ts';
import { drawMessage, drawModal } from './discord-preview.ts';
import { metrics, noBattles } from './fake-engine.ts';
import { drawSlack } from './slack-gallery.ts';

interface Sample {
  readonly title: string;
  readonly reply: Reply;
}

interface Samples {
  readonly samples: readonly Sample[];
  readonly pictures: Engine['pictures'];
}

/** Replies of every kind, made by the product itself. */
async function makeSamples(dataDir: string): Promise<Samples> {
  const now = () => new Date();
  const guide = await loadGuide();
  const quiet = { debug() {}, info() {}, warn() {}, error: console.error };
  const engine = await createEngine({
    dataDir,
    databaseUrl: undefined,
    device: 'cpu',
    guide,
    now,
    log: quiet,
    workers: 0,
    randomSeed: 7,
  });
  const said: Reply[] = [];
  const handle = createConversation({
    engine,
    commands,
    deliver: async (_place, reply) => void said.push(reply),
    log: quiet,
    now,
    newErrorId: () => '5e1f00d2',
    pageUrl: () => undefined,
    showRun: async () => {},
    battles: noBattles,
  });
  let keys = 0;
  const send = async (
    what: { kind: 'message'; text: string } | Pick<Extract<Incoming, { kind: 'action' }>, 'kind' | 'call'>,
  ) => {
    const before = said.length;
    const arrived = {
      key: `key-${++keys}`,
      place: { front: 'discord', workspaceId: 'gallery', conversationId: 'c' },
      person: { id: 'ann', name: 'Ann' },
      receivedAt: now(),
    } as const;
    await handle(what.kind === 'message' ? { ...arrived, ...what, attachments: [] } : { ...arrived, ...what });
    return said.slice(before);
  };
  const say = async (title: string, text: string) =>
    (await send({ kind: 'message', text })).map((reply) => ({ title, reply }));

  const samples: Sample[] = [
    ...(await say('A question', 'why does my model do well in training and badly on new data?')),
    ...(await say('A comparison', 'what is the difference between LoRA and full fine-tuning?')),
    ...(await say('A concept', 'explain learning-rate')),
    ...(await say('Not in the guide', 'what is the weather in Paris?')),
    ...(await say('Chapters to be asked about', 'quiz')),
    ...(await say('A quiz question', 'quiz overfitting-underfitting 3')),
  ];
  const press = said.at(-1)?.blocks.find((block) => block.kind === 'buttons');
  const call = press?.kind === 'buttons' ? press.buttons[0]?.call : undefined;
  if (call !== undefined)
    samples.push(...(await send({ kind: 'action', call })).map((reply) => ({ title: 'Its correction', reply })));
  samples.push(
    ...(await say('A form', 'finetune')),
    ...(await runCards(engine)),
    ...(await say('No runs', 'runs')),
    ...(await say('Help', 'help')),
    ...(await say('An error', '/quiz nonsense')),
  );
  samples.push(...(await say('A battle to set up', 'battle')), ...(await battleCards(engine)));
  await engine.close();
  return { samples, pictures: engine.pictures };
}

/** A question of a battle while it is open and when it is closed, and the end. */
async function battleCards({ battles }: Engine): Promise<readonly Sample[]> {
  const workspaceId = 'gallery';
  const started = await battles.start({
    ...{ workspaceId, front: 'discord', conversationId: 'battle', personId: 'ann' },
    ...{ chapters: ['overfitting-underfitting'], difficulties: [], length: 1, roundSeconds: 30 },
  });
  const [round] = started.rounds;
  if (round === undefined) throw new Error('a battle has a round');
  const { item } = round;
  const wrong = item.choices.find(({ id }) => id !== item.correctChoiceId)?.id ?? '';
  for (const [name, choiceId] of [
    ['Ben', item.correctChoiceId],
    ['Ann', wrong],
    ['Cem', item.correctChoiceId],
  ] as const) {
    await battles.answer({
      ...{ workspaceId, battleId: started.id, itemId: item.id, choiceId },
      person: { id: name, name },
    });
  }
  const open = await battles.get(workspaceId, started.id);
  const closed = await battles.close(open, 1);
  const [opened, answered] = [open.rounds[0], closed?.rounds[0]];
  if (opened === undefined || closed === undefined || answered === undefined)
    throw new Error('the round was not closed');
  return [
    { title: 'A battle', reply: openQuestion(open, opened) },
    { title: 'Its answer and scoreboard', reply: closedQuestion(closed, answered) },
    { title: 'Its end', reply: finalRanking(closed) },
  ];
}

async function runCards(engine: Engine): Promise<readonly Sample[]> {
  const run: Run = {
    id: 'id-7',
    workspaceId: 'gallery',
    name: 'run-7',
    datasetName: 'Film reviews',
    spec: runSpecSchema.parse({ task: 'text-classification', method: 'lora', data: { train: 'x.csv' }, out: 'out' }),
    status: 'running',
    start: {
      type: 'start',
      step: 0,
      totalSteps: 102,
      stepsPerEpoch: 34,
      epochs: 3,
      trainExamples: 540,
      evalExamples: 60,
      labels: ['bad', 'good'],
      parameters: 412_290,
      trainableParameters: 24_322,
      device: 'cpu',
      warnings: ['Two texts are there twice.'],
    },
    progress: {
      type: 'step',
      step: 40,
      epoch: 2,
      loss: 0.412,
      learningRate: 0.001,
      examplesPerSecond: 118,
      secondsLeft: 14,
    },
    metrics: undefined,
    result: undefined,
    error: undefined,
    hint: undefined,
    front: 'discord',
    conversationId: 'c',
    startedBy: 'ann',
    createdAt: new Date(),
    finishedAt: undefined,
  };
  const train = Array.from({ length: 102 }, (_, step) => ({
    step: step + 1,
    loss: 0.7 * Math.exp(-step / 45) + 0.04 * Math.sin(step) + 0.1,
  }));
  const held = [34, 68, 102].map((step, at) => ({ step, loss: [0.55, 0.43, 0.47][at] ?? 0.5 }));
  const loss = await lossChart({ title: 'run-7: loss', train, held });
  const confusion = await confusionChart({
    title: 'run-7: held-out examples',
    labels: ['bad', 'good'],
    confusion: [
      [27, 4],
      [3, 26],
    ],
  });
  const lossPicture = { ...(await engine.pictures.put((await renderPng(loss.svg)).png)), alt: loss.alt };
  const confusionPicture = { ...(await engine.pictures.put((await renderPng(confusion.svg)).png)), alt: confusion.alt };
  const held2 = {
    ...metrics,
    perClass: metrics.perClass.map((one, at) => ({ ...one, label: ['bad', 'good'][at] ?? 'x' })),
  };
  const samplesSeen = [
    {
      text: 'I have rarely been so moved by a film with so few words',
      actual: 'good',
      predicted: 'good',
      confidence: 0.97,
    },
    { text: 'Two hours of my life that nobody gives back', actual: 'bad', predicted: 'bad', confidence: 0.93 },
    { text: 'Not the disaster everyone said it was', actual: 'good', predicted: 'bad', confidence: 0.61 },
  ];
  const done: Run = {
    ...run,
    status: 'done',
    metrics: held2,
    result: {
      type: 'done',
      step: 102,
      artifact: 'out',
      metrics: held2,
      samples: samplesSeen,
      seconds: 75,
      peakRssBytes: 4e8,
    },
  };
  const failed: Run = {
    ...run,
    status: 'failed',
    error: 'The loss became NaN at step 41.',
    hint: 'Start again with a smaller learning rate.',
  };
  return [
    { title: 'A run on its way', reply: runCard(run, { loss: lossPicture, confusion: undefined, files: [] }) },
    {
      title: 'A run that is done',
      reply: runCard(done, {
        loss: lossPicture,
        confusion: confusionPicture,
        files: [{ path: 'out/adapter_model.safetensors', name: 'adapter_model.safetensors', bytes: 312_480 }],
      }),
    },
    { title: 'A run that failed', reply: runCard(failed, { loss: lossPicture, confusion: undefined, files: [] }) },
  ];
}

const escapeHtml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** As Discord shows it, dark. */
async function drawDiscord({ samples, pictures }: Samples): Promise<string> {
  const parts: string[] = [];
  for (const { title, reply } of samples) {
    const { pages } = renderReply(reply, { sectionUrl: () => undefined, fileBytes: 10 * 1024 * 1024 });
    for (const { components, files } of pages) {
      const attachments = await Promise.all(
        files.map(async ({ name, from }) => {
          const bytes = from.kind === 'picture' ? await pictures.get(from.id) : undefined;
          return { filename: name, url: '', ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes) }) };
        }),
      );
      const note =
        reply.audience === 'asker' ? '<div class="only">👁 Only you can see this · Dismiss message</div>' : '';
      parts.push(
        `<h4>${escapeHtml(title)}</h4><div class="message"><div class="avatar">f</div><div class="body"><div class="name">Finetutor <span class="app">APP</span> <time>Today at 14:02</time></div>${drawMessage({ components, attachments })}${note}</div></div>`,
      );
    }
    for (const block of reply.blocks) {
      if (block.kind !== 'form') continue;
      const state = { ...initialState(block), data: 'upload', method: 'lora' };
      const { asked, more } = layOut(block, state);
      const again = renderReply(reply, { sectionUrl: () => undefined, fileBytes: 1, formState: state }).pages[0];
      parts.push(
        `<h4>${escapeHtml(title)}: with a file of one's own</h4><div class="message"><div class="avatar">f</div><div class="body">${drawMessage({ components: again?.components ?? [] })}</div></div>`,
      );
      for (const fields of [asked, more]) {
        if (fields.length === 0) continue;
        parts.push(drawModal(buildModal(block, state, fields, createCustomIds().form('a', 'b', 'send'))));
      }
    }
  }
  return `<!doctype html><meta charset="utf-8"><title>Finetutor on Discord</title><style>${discordStyle}</style><main>${parts.join('\n')}</main>`;
}

const discordStyle = `
body{margin:0;background:#313338;color:#dbdee1;font:16px/1.375 "gg sans","Noto Sans","Helvetica Neue",Helvetica,Arial,sans-serif}
main{max-width:860px;margin:0 auto;padding:24px 16px}
h4{color:#949ba4;font-size:12px;text-transform:uppercase;letter-spacing:.04em;margin:28px 0 6px;border-top:1px solid #3f4147;padding-top:12px}
.message{display:flex;gap:16px}.avatar{flex:none;width:40px;height:40px;border-radius:50%;background:#5b6cff;color:#fff;display:grid;place-items:center;font-weight:700;font-size:20px}
.body{min-width:0;flex:1}.name{color:#f2f3f5;font-weight:500}.name time{color:#949ba4;font-size:12px;font-weight:400}.app{background:#5865f2;border-radius:3px;font-size:10px;padding:1px 4px;vertical-align:1px}
.text{margin:2px 0}.text>div,.item{white-space:pre-wrap;overflow-wrap:anywhere}.gap{height:8px}.small{font-size:13px;color:#949ba4;line-height:1.3}.item{display:flex;gap:8px}.item>span:first-child{flex:none;min-width:14px}
h1,h2,h3{color:#f2f3f5;margin:8px 0 4px;line-height:1.25}h1{font-size:24px}h2{font-size:20px}h3{font-size:16px}
b{color:#f2f3f5;font-weight:600}code{background:#1e1f22;border-radius:4px;padding:1px 4px;font:14px/1.3 "gg mono",Consolas,"DejaVu Sans Mono",monospace}
pre{background:#2b2d31;border:1px solid #1e1f22;border-radius:4px;padding:8px;margin:6px 0 0;max-width:90%;overflow:auto;white-space:pre-wrap}pre code{background:none;padding:0}
blockquote{border-left:4px solid #4e5058;margin:2px 0;padding-left:12px}
.container{background:#2b2d31;border:1px solid #3f4147;border-left:4px solid;border-radius:8px;padding:14px 16px;max-width:600px;margin:6px 0;display:flex;flex-direction:column;gap:8px}
.container .text{margin:0}.container pre{background:#1e1f22;max-width:none}
.row{display:flex;flex-wrap:wrap;gap:8px;margin:6px 0}.container .row{margin:0}.row.end{justify-content:flex-end;margin-top:18px}
.button{border:0;border-radius:8px;padding:6px 14px;min-height:32px;font:500 14px/1.2 inherit;font-family:inherit;color:#fff;background:#4e5058}.primary{background:#5865f2}.success{background:#248046}.danger{background:#da373c}.button:disabled{opacity:.5}
.select{position:relative;background:#1e1f22;border-radius:8px;padding:9px 12px;width:min(400px,100%);box-sizing:border-box;display:flex;justify-content:space-between}.options{display:none}.placeholder{color:#949ba4}
.section{display:flex;gap:12px;justify-content:space-between;align-items:flex-start;max-width:600px;margin:4px 0}
.gallery{display:flex;flex-direction:column;gap:4px;max-width:550px}.gallery img{width:100%;border-radius:8px;background:#fff;display:block}.gallery .alt{display:none}
.file{background:#232428;border:1px solid #3f4147;border-radius:8px;padding:12px;color:#00a8fc;max-width:430px}
hr{border:0;border-top:1px solid #3f4147;margin:8px 0;max-width:600px;width:100%}.mention{background:#3c4270;color:#c9cdfb;border-radius:3px;padding:0 2px}a{color:#00a8fc}
.only{color:#949ba4;font-size:12px;margin-top:4px}
.modal{background:#313338;border-radius:8px;box-shadow:0 2px 24px #0008;padding:20px;width:440px;margin:16px 0 16px 56px;border:1px solid #1e1f22}.modal label{display:block;font-weight:600;color:#f2f3f5;margin:14px 0 4px}.needed{color:#f23f42}
.input,.drop{background:#1e1f22;border-radius:8px;padding:10px 12px;margin-top:4px}.input{min-height:22px}.input.tall{min-height:72px}.drop{border:1px dashed #4e5058;text-align:center;color:#949ba4;padding:22px}.radio{display:flex;gap:10px;padding:6px 0}
`;

async function main() {
  const dataDir = await mkdtemp(join(tmpdir(), 'finetutor-gallery-'));
  const folder = join('data', 'gallery');
  await mkdir(folder, { recursive: true });
  try {
    const pages = [{ name: 'discord', html: await drawDiscord(await makeSamples(dataDir)) }, ...(await drawSlack())];
    for (const { name, html } of pages) await writeFile(join(folder, `${name}.html`), html);
    console.log(pages.map(({ name }) => `${folder}/${name}.html`).join('\n'));
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

if (import.meta.url === `file://${process.argv[1]}`) await main();
