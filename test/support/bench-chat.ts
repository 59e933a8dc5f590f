// What the benches of the chats share: the real engine, a training run that outlasts what is measured, and delays in words.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createConversation } from '../../bot/chat/conversation.ts';
import type { FrontName } from '../../bot/chat/message.ts';
import { commands } from '../../bot/commands/index.ts';
import type { Front, Handle } from '../../bot/fronts/front.ts';
import { createEngine, type Engine } from '../../engine/index.ts';
import { type Guide, loadGuide } from '../../knowledge/index.ts';
import { noBattles } from './fake-engine.ts';
import { realClock } from './stopped-clock.ts';

export const total = 1000;
export const overMs = 10_000;
/** Both platforms want an answer within 3 s; ours is within half a second for 99 of 100. */
export const barMs = 500;
const questions = [
  'what is overfitting?',
  'what rank should LoRA have?',
  'what is a learning rate?',
  'how does dropout help?',
] as const;
/** Different questions, so that the first use of everything is behind us before anything is measured. */
export const warmUps = questions.length;
export const questionAt = (n: number): string => questions[n % questions.length] ?? questions[0];

export const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface ChatBench {
  readonly engine: Engine;
  readonly guide: Guide;
  readonly dataDir: string;
  /** The conversation of the product, answering through this front. */
  handle(deliver: Front['deliver']): Handle;
  /** Resolves once a run trains. */
  train(workspaceId: string, front: FrontName): Promise<Training>;
  close(): Promise<void>;
}

interface Training {
  /** Stops it. @throws Error when it had ended before. */
  end(): Promise<void>;
}

export async function openChatBench(): Promise<ChatBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'finetutor-bench-'));
  const guide = await loadGuide();
  const { now } = realClock;
  const engine = await createEngine({ dataDir, databaseUrl: undefined, device: 'cpu', guide, now, log: quiet });
  const statusOf = async (workspaceId: string, runId: string) => (await engine.runs.get(workspaceId, runId)).status;

  return {
    engine,
    guide,
    dataDir,
    handle: (deliver) =>
      createConversation({
        engine,
        commands,
        deliver,
        log: quiet,
        now,
        newErrorId: () => 'bench',
        pageUrl: () => undefined,
        showRun: async () => {},
        battles: noBattles,
      }),
    async train(workspaceId, front) {
      await engine.conversations.openWorkspace(workspaceId, 'Bench');
      const train = join(dataDir, 'long.csv');
      await writeFile(train, manyExamples(20_000));
      const run = await engine.runs.submit({
        workspaceId,
        personId: 'bench',
        front,
        conversationId: 'bench',
        datasetName: 'long.csv',
        spec: {
          task: 'text-classification',
          data: { train, columns: { text: 'text', label: 'label' } },
          hyper: { epochs: 100, patience: 0 },
        },
      });
      for (;;) {
        const { progress, error } = await engine.runs.get(workspaceId, run.id);
        if (error !== undefined) throw new Error(`the run does not train: ${error}`);
        if (progress !== undefined) break;
        await pause(100);
      }
      return {
        async end() {
          const status = await statusOf(workspaceId, run.id);
          if (status !== 'running') throw new Error(`the run is ${status}: not all was measured while it trained`);
          await engine.runs.stop(workspaceId, run.id);
          while (['running', 'stopping'].includes(await statusOf(workspaceId, run.id))) await pause(100);
        },
      };
    },
    async close() {
      await engine.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function manyExamples(rows: number): string {
  const words = [
    ['lovely', 'bright', 'kind', 'calm'],
    ['awful', 'grey', 'rude', 'noisy'],
  ];
  const lines = Array.from({ length: rows }, (_, n) => {
    const mood = words[n % 2]?.[(n >> 1) % 4];
    return `"a ${mood} day in a row of ${n % 977} days, and number ${n % 331} of them",${n % 2 === 0 ? 'good' : 'bad'}`;
  });
  return ['text,label', ...lines].join('\n');
}

/** @returns what ends it and says for how long the event loop was held. */
export function watchEventLoop(): () => string {
  const histogram = monitorEventLoopDelay({ resolution: 2 });
  histogram.enable();
  return () => {
    histogram.disable();
    const inMs = (nanoseconds: number) => `${(nanoseconds / 1e6).toFixed(0)} ms`;
    return `event loop held p50 ${inMs(histogram.percentile(50))}, p99 ${inMs(histogram.percentile(99))}, longest ${inMs(histogram.max)}`;
  };
}

export interface Delays {
  readonly p99Ms: number;
  readonly words: string;
}

export function readDelays(delaysMs: readonly number[]): Delays {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.POSITIVE_INFINITY;
  const [p50, p99, longest] = [0.5, 0.99, 1].map((share) => `${at(share).toFixed(0)} ms`);
  return { p99Ms: at(0.99), words: `p50 ${p50}, p99 ${p99}, longest ${longest}` };
}
