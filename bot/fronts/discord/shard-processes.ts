// Shards in processes of their own, started and restarted by discord.js's ShardingManager. This process has no gateway: it
// posts, trains and watches over them; they hear what people do. All share one PostgreSQL.
import { fileURLToPath } from 'node:url';
import { type APIApplication, type APIUser, Routes, ShardingManager, type Shard as ShardProcess } from 'discord.js';
import { z } from 'zod';
import { type Connection, type ConnectionHealth, refusal, type Who } from './connection.ts';
import { readsMessages } from './intents.ts';
import { type Calls, isUnauthorized } from './rest.ts';

export interface ShardProcessesOptions {
  readonly token: string;
  readonly calls: Pick<Calls, 'rest'>;
  /** How many; as many as Discord says where it is `auto`. */
  readonly amount: 'auto' | number;
  readonly onReady: (who: Who) => void;
  readonly now: () => Date;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** What a shard's process tells of itself, every few seconds. */
const shardReport = z.object({
  report: z.object({
    state: z.string(),
    reconnects: z.number(),
    resumes: z.number(),
    zombies: z.number(),
    guilds: z.number(),
    pingMs: z.number().optional(),
    lastProblem: z.string().optional(),
  }),
});
type Report = z.output<typeof shardReport>['report'];

const program = fileURLToPath(new URL('../../../bin/finetutor.js', import.meta.url));
/** Discord lets one shard identify in five seconds, in each of its groups. */
const betweenIdentifiesMs = 5500;
const readyMs = 60_000;
const endMs = 10_000;

export function createShardProcesses(options: ShardProcessesOptions): Connection {
  const { token, calls, log } = options;
  const reports = new Map<number, Report>();
  const alive = new Set<ShardProcess>();
  let manager: ShardingManager | undefined;
  let state: ConnectionHealth['state'] = 'starting';
  let since = options.now();
  let lastProblem: string | undefined;
  let botId: string | undefined;
  let messageContent = false;
  let deaths = 0;

  function watch(shard: ShardProcess) {
    shard.on('spawn', () => void alive.add(shard));
    shard.on('message', (message) => {
      const read = shardReport.safeParse(message);
      if (read.success) reports.set(shard.id, read.data.report);
    });
    shard.on('death', () => {
      alive.delete(shard);
      reports.delete(shard.id);
      if (state === 'stopped') return;
      deaths += 1;
      lastProblem = `the process of shard ${shard.id} ended; it is started again`;
      log.warn({ shard: shard.id }, `Discord: ${lastProblem}`);
    });
  }

  async function introduce(): Promise<{ readonly who: Who; readonly amount: number; readonly delayMs: number }> {
    try {
      const [application, user, gateway] = await Promise.all([
        calls.rest.get(Routes.currentApplication()) as Promise<APIApplication>,
        calls.rest.get(Routes.user('@me')) as Promise<APIUser>,
        calls.rest.get(Routes.gatewayBot()) as Promise<{
          shards: number;
          session_start_limit: { max_concurrency: number };
        }>,
      ]);
      botId = user.id;
      messageContent = readsMessages(application.flags);
      return {
        who: { applicationId: application.id, name: user.username },
        amount: options.amount === 'auto' ? gateway.shards : options.amount,
        delayMs: gateway.session_start_limit.max_concurrency > 1 ? 500 : betweenIdentifiesMs,
      };
    } catch (error) {
      throw isUnauthorized(error) ? refusal() : error;
    }
  }

  return {
    async start() {
      const { who, amount, delayMs } = await introduce();
      const started = new ShardingManager(program, { token, totalShards: amount, shardArgs: ['start'], respawn: true });
      manager = started;
      started.on('shardCreate', watch);
      await started.spawn({ amount, delay: delayMs, timeout: readyMs });
      state = 'ready';
      since = options.now();
      log.info({ shards: amount }, 'Discord: each shard has a process of its own');
      options.onReady(who);
      return who;
    },
    async stop() {
      state = 'stopped';
      if (manager === undefined) return;
      manager.respawn = false;
      await Promise.all([...alive].map(end));
    },
    health() {
      const known = [...reports.values()];
      const sum = (of: (report: Report) => number) => known.reduce((total, report) => total + of(report), 0);
      const ready = known.filter((report) => report.state === 'ready').length;
      const pings = known.flatMap(({ pingMs }) => pingMs ?? []);
      const lacking = manager !== undefined && alive.size < manager.shardList.length;
      return {
        state: state === 'ready' && lacking ? 'reconnecting' : state,
        since,
        reconnects: deaths + sum(({ reconnects }) => reconnects),
        resumes: sum(({ resumes }) => resumes),
        zombies: sum(({ zombies }) => zombies),
        shards: ready,
        guilds: sum(({ guilds }) => guilds),
        pingMs: pings.length === 0 ? undefined : Math.max(...pings),
        messageContent,
        lastProblem: lastProblem ?? known.find((report) => report.lastProblem)?.lastProblem,
      };
    },
    // What a guild looks like, the shards know; here Discord has the last word.
    channel: () => undefined,
    botRole: () => undefined,
    botId: () => botId,
  };
}

/** Asks it to end as a person would, and ends it when it does not. */
async function end(shard: ShardProcess): Promise<void> {
  const child = shard.process;
  if (child === null || child.exitCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
