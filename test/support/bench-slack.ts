// `npm run bench:slack`: a thousand interactions in ten seconds on the real engine while a real training run goes on, over
// Socket Mode and over HTTP (or one of them: `-- http`); says how long the acknowledgements took, from sending to receipt, and fails above the bar.
import type { SlackTransport } from '../../bot/fronts/slack/access.ts';
import { createSlackFront } from '../../bot/fronts/slack/front.ts';
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
import { createSlackServer } from './slack-server.ts';
import { realClock } from './stopped-clock.ts';

const signingSecret = 's'.repeat(32);
const patienceMs = 300_000;
const bench = await openChatBench();

async function measure(kind: SlackTransport['kind']): Promise<number> {
  const server = await createSlackServer({ teamId: `T0${kind.toUpperCase()}`, spec: false });
  const people = Array.from({ length: 20 }, (_, n) => server.addPerson(`Person ${n}`));
  const channels = Array.from({ length: 20 }, (_, n) => server.addChannel(`room-${n}`, people));
  const front = createSlackFront({
    access: { kind: 'token', botToken: server.botToken },
    transport:
      kind === 'sockets' ? { kind, appToken: server.appToken } : { kind, signingSecret, port: 0, host: '127.0.0.1' },
    apiUrl: server.apiUrl,
    engine: bench.engine,
    dataDir: bench.dataDir,
    pageUrl: () => undefined,
    log: quiet,
    ...realClock,
  });
  await front.start(bench.handle(front.deliver));
  if (kind === 'http') server.useHttp({ url: `http://127.0.0.1:${front.port()}/slack/events`, signingSecret });
  const answered = () => server.calls.filter(({ method, result }) => method === 'chat.postMessage' && result.ok).length;
  const ask = async (n: number) => {
    const [person, channel] = [people[n % people.length], channels[n % channels.length]];
    if (person === undefined || channel === undefined) throw new Error('nobody is there');
    await server.slash(person, channel, questionAt(n));
  };
  const training = await bench.train(server.world.teamId, 'slack');
  for (let n = 0; n < warmUps; n++) await ask(n);
  while (answered() < warmUps) await pause(50);
  server.acks.length = 0;

  const readLoop = watchEventLoop();
  const began = performance.now();
  const secondsSince = () => ((performance.now() - began) / 1000).toFixed(1);
  await Promise.all(
    Array.from({ length: total }, async (_, n) => {
      await pause((n * overMs) / total);
      await ask(n);
    }),
  );
  const sentS = secondsSince();
  const held = readLoop();
  while (answered() < warmUps + total && performance.now() - began < patienceMs) await pause(100);
  const answeredS = secondsSince();
  await training.end();
  const { p99Ms, words } = readDelays(server.acks.map(({ delayMs }) => delayMs));
  console.log(
    `${kind}: ${server.acks.length} of ${total} acknowledged in ${sentS} s while a run trains: ${words} (${held}); ` +
      `${answered() - warmUps} answered after ${answeredS} s; unanswered in time: ${server.timeouts.length}; refused: ${server.violations.length}`,
  );
  for (const violation of server.violations.slice(0, 3)) console.log(violation);
  await front.stop();
  await server.stop();
  return server.acks.length === total ? p99Ms : Number.POSITIVE_INFINITY;
}

const wanted = process.argv.slice(2);
const p99s: number[] = [];
for (const kind of ['sockets', 'http'] as const)
  if (wanted.length === 0 || wanted.includes(kind)) p99s.push(await measure(kind));
await bench.close();
process.exit(p99s.every((ms) => ms <= barMs) ? 0 : 1);
