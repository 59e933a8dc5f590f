// `npm run bench:discord`: a thousand interactions in ten seconds on the real engine while a real training run goes on;
// says how long the acknowledgements took, and fails above the bar.
import { commands } from '../../bot/commands/index.ts';
import { createDiscordFront } from '../../bot/fronts/discord/front.ts';
import {
  barMs,
  openChatBench,
  overMs,
  pause,
  questionAt,
  quiet,
  readDelays,
  total,
  warmUps,
  watchEventLoop,
} from './bench-chat.ts';
import { createPerson } from './discord-people.ts';
import { createDiscordServer } from './discord-server.ts';
import { realClock } from './stopped-clock.ts';

const bench = await openChatBench();
const server = await createDiscordServer({ spec: false });
const { guild, channels } = server.addGuild(
  'Bench',
  Array.from({ length: 20 }, (_, n) => `room-${n}`),
);
const front = createDiscordFront({
  token: server.token,
  apiUrl: server.apiUrl,
  engine: bench.engine,
  guide: bench.guide,
  commands,
  dataDir: bench.dataDir,
  pageUrl: () => undefined,
  now: realClock.now,
  log: quiet,
});
await front.start(bench.handle(front.deliver));
while (server.commands.length === 0) await pause(50);
const people = Array.from({ length: 20 }, (_, n) => createPerson(server, server.addUser(`Person ${n}`)));

const ask = (n: number) => {
  const [person, channel] = [people[n % people.length], channels[n % channels.length]];
  if (person === undefined || channel === undefined) throw new Error('nobody is there');
  return person.slash(channel, 'ask', { question: questionAt(n) });
};
const loading = () =>
  channels.flatMap(({ messages }) => messages).filter(({ loading, deleted }) => loading && !deleted).length;
const untilAnswered = async () => {
  while (loading() > 0) await pause(100);
};

const training = await bench.train(`discord:${guild.id}`, 'discord');
for (let n = 0; n < warmUps; n++) await ask(n);
await untilAnswered();

const readLoop = watchEventLoop();
const began = performance.now();
const secondsSince = () => ((performance.now() - began) / 1000).toFixed(1);
const asked = await Promise.all(
  Array.from({ length: total }, async (_, n) => {
    await pause((n * overMs) / total);
    return ask(n);
  }),
);
const sentS = secondsSince();
const held = readLoop();
await untilAnswered();
const answeredS = secondsSince();
await training.end();
const delaysMs = asked.flatMap(({ latencyMs }) => latencyMs ?? []);
const { p99Ms, words } = readDelays(delaysMs);
console.log(
  `${delaysMs.length} of ${total} acknowledged in ${sentS} s while a run trains: ${words} (${held}); all answered after ${answeredS} s; refused: ${server.violations.length}`,
);
for (const violation of server.violations.slice(0, 3)) console.log(violation);
await front.stop();
await bench.close();
await server.close();
process.exit(delaysMs.length === total && p99Ms <= barMs ? 0 : 1);
