// `npm run bench:discord`: a thousand interactions in ten seconds on the real engine while a real training run goes on;
// says how long the acknowledgements took.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConversation } from '../../bot/chat/conversation.ts';
import { commands } from '../../bot/commands/index.ts';
import { createDiscordFront } from '../../bot/fronts/discord/front.ts';
import { createEngine } from '../../engine/index.ts';
import { loadGuide } from '../../knowledge/index.ts';
import { createPerson } from './discord-people.ts';
import { createDiscordServer } from './discord-server.ts';
import { noBattles } from './fake-engine.ts';

const total = 1000;
const overMs = 10_000;
const questions = [
  'what is overfitting?',
  'what rank should LoRA have?',
  'what is a learning rate?',
  'how does dropout help?',
];

const dataDir = await mkdtemp(join(tmpdir(), 'finetutor-bench-'));
const now = () => new Date();
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };
const guide = await loadGuide();
const engine = await createEngine({ dataDir, databaseUrl: undefined, device: 'cpu', guide, now, log: quiet });
const server = await createDiscordServer({ spec: false });
const { guild, channels } = server.addGuild(
  'Bench',
  Array.from({ length: 20 }, (_, n) => `room-${n}`),
);
const front = createDiscordFront({
  token: server.token,
  apiUrl: server.apiUrl,
  engine,
  guide,
  commands,
  dataDir,
  pageUrl: () => undefined,
  now,
  log: quiet,
});
await front.start(
  createConversation({
    engine,
    commands,
    deliver: front.deliver,
    log: quiet,
    now,
    newErrorId: () => 'bench',
    pageUrl: () => undefined,
    showRun: async () => {},
    battles: noBattles,
  }),
);
while (server.commands.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));

const workspaceId = `discord:${guild.id}`;
await engine.conversations.openWorkspace(workspaceId, 'Bench');
const moods = await engine.datasets.get(workspaceId, 'sample:moods');
const run = await engine.runs.submit({
  workspaceId,
  personId: 'bench',
  front: 'discord',
  conversationId: 'bench',
  datasetName: moods.name,
  spec: {
    task: 'text-classification',
    data: { train: moods.path, columns: { text: moods.report.textColumn, label: moods.report.labelColumn } },
    hyper: { epochs: 100 },
  },
});
while ((await engine.runs.get(workspaceId, run.id)).progress === undefined)
  await new Promise((resolve) => setTimeout(resolve, 100));

const people = Array.from({ length: 20 }, (_, n) => createPerson(server, server.addUser(`Person ${n}`)));
// The server's own first use of its rules is not ours to measure.
for (const question of questions) {
  const [person] = people;
  const [channel] = channels;
  if (person !== undefined && channel !== undefined) await person.slash(channel, 'ask', { question });
}
await new Promise((resolve) => setTimeout(resolve, 2000));
const began = performance.now();
const acknowledged = Array.from({ length: total }, async (_, n) => {
  await new Promise((resolve) => setTimeout(resolve, (n * overMs) / total));
  const [person, channel] = [people[n % people.length], channels[n % channels.length]];
  if (person === undefined || channel === undefined) throw new Error('nobody is there');
  return person.slash(channel, 'ask', { question: questions[n % questions.length] ?? '' });
});
const latencies = (await Promise.all(acknowledged))
  .map(({ latencyMs }) => latencyMs ?? Number.NaN)
  .sort((a, b) => a - b);
const sentS = (performance.now() - began) / 1000;
const loading = () =>
  channels.flatMap(({ messages }) => messages).filter(({ loading, deleted }) => loading && !deleted).length;
while (loading() > 0) await new Promise((resolve) => setTimeout(resolve, 100));
const answeredS = (performance.now() - began) / 1000;
const at = (share: number) => `${(latencies[Math.min(total - 1, Math.floor(total * share))] ?? 0).toFixed(0)} ms`;
console.log(
  `${total} interactions in ${sentS.toFixed(1)} s while ${run.name} trains: acknowledged p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}; all answered after ${answeredS.toFixed(1)} s; refused: ${server.violations.length}`,
);
console.log(server.violations.slice(0, 3).join('\n'));
await engine.runs.stop(workspaceId, run.id);
await front.stop();
await engine.close();
await server.close();
await rm(dataDir, { recursive: true, force: true });
process.exit(0);
