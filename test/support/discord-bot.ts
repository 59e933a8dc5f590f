// A whole bot on Discord, put together as `npm start` does, with a real database and guide and a trainer that only counts.
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { createBattleHost } from '../../bot/chat/battle-host.ts';
import { createConversation } from '../../bot/chat/conversation.ts';
import { createLiveCards } from '../../bot/chat/live.ts';
import { commands } from '../../bot/commands/index.ts';
import { createDiscordFront, type DiscordFront, type DiscordOptions } from '../../bot/fronts/discord/front.ts';
import type { Handle } from '../../bot/fronts/front.ts';
import { createIllustrations } from '../../engine/charts/illustrations.ts';
import { createPictures } from '../../engine/charts/pictures.ts';
import { createDatasets } from '../../engine/data/datasets.ts';
import { createDemos } from '../../engine/demos/demos.ts';
import type { Engine } from '../../engine/index.ts';
import { createRandom } from '../../engine/random.ts';
import { createRuns } from '../../engine/runs/create-runs.ts';
import { createTrainerStarter } from '../../engine/runs/trainer-process.ts';
import { openStore } from '../../engine/store/client.ts';
import { createConversations } from '../../engine/store/conversations.ts';
import { createInbox } from '../../engine/store/inbox.ts';
import { createKept } from '../../engine/store/kept.ts';
import { createBattles } from '../../engine/tutor/battles.ts';
import { createQuestions } from '../../engine/tutor/questions.ts';
import { createQuizzes } from '../../engine/tutor/quizzes.ts';
import { createReviews } from '../../engine/tutor/reviews.ts';
import { createRoadmap } from '../../engine/tutor/roadmap.ts';
import { createTutor } from '../../engine/tutor/tutor.ts';
import { createSearch, loadGuide } from '../../knowledge/index.ts';
import type { DiscordServer } from './discord-server.ts';
import { noMaterial } from './fake-engine.ts';

export interface DiscordBot {
  readonly front: DiscordFront;
  readonly engine: Engine;
  /** What was logged above debug, as text. */
  readonly logged: string[];
  readonly told: string;
  stop(): Promise<void>;
}

export interface BotParts {
  readonly server: Pick<DiscordServer, 'token' | 'apiUrl'>;
  readonly dataDir: string;
  readonly workspaceIds?: readonly string[];
  readonly now?: () => Date;
  readonly options?: Partial<DiscordOptions>;
  /** Stands before the conversation: may hold an event up. */
  readonly before?: (handle: Handle) => Handle;
  /** Awaited before each reply is delivered. */
  readonly beforeDelivery?: () => Promise<void>;
}

const read = loadGuide();

export async function startDiscordBot({
  server,
  dataDir,
  workspaceIds = [],
  now = () => new Date(),
  options,
  before = (handle) => handle,
  beforeDelivery = async () => {},
}: BotParts): Promise<DiscordBot> {
  const guide = await read;
  const [store, search] = await Promise.all([openStore({ databaseUrl: undefined, dataDir }), createSearch({ guide })]);
  const { db } = store;
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const pictures = createPictures(join(dataDir, 'pictures'));
  const trainer = fileURLToPath(new URL('../fixtures/steady-trainer.ts', import.meta.url));
  const runs = createRuns({
    store,
    pictures,
    dataDir,
    workers: 1,
    device: 'cpu',
    now,
    log,
    startTrainer: createTrainerStarter(trainer),
  });
  const reviews = createReviews({ db, guide, now });
  const engine: Engine = {
    conversations: createConversations({ db, now }),
    inbox: createInbox({ db, now, holder: randomUUID(), alone: true }),
    kept: createKept({ db, now }),
    tutor: createTutor({ guide, search }),
    questions: createQuestions({ db, now }),
    quizzes: createQuizzes({ db, guide, random: createRandom(7), now }),
    battles: createBattles({ db, guide, random: createRandom(7), now }),
    reviews,
    roadmap: createRoadmap({ db, guide, reviews, pictures, now }),
    datasets: createDatasets({ db, dataDir }),
    material: noMaterial,
    demos: createDemos({ guide, pictures }),
    runs,
    pictures,
    illustrations: createIllustrations({ guide, pictures }),
    close: () => runs.close().finally(store.close),
  };
  const front = createDiscordFront({
    token: server.token,
    apiUrl: server.apiUrl,
    engine,
    guide,
    commands,
    dataDir,
    pageUrl: () => undefined,
    times: { cadenceMs: 100, patienceMs: 300, retryMs: 500 },
    now,
    log,
    ...options,
  });
  const after = options?.after ?? afterDelay;
  const live = createLiveCards({
    runs,
    deliver: front.deliver,
    shownAt: async () => undefined,
    log,
    now: () => new Date(),
    after,
  });
  const battles = createBattleHost({
    battles: engine.battles,
    deliver: front.deliver,
    runs: () => true,
    log,
    now,
    after,
  });
  const conversation = createConversation({
    engine,
    commands,
    async deliver(place, reply, asker) {
      await beforeDelivery();
      await front.deliver(place, reply, asker);
    },
    log,
    now,
    newErrorId: () => randomBytes(4).toString('hex'),
    pageUrl: () => undefined,
    showRun: live.show,
    battles,
  });
  const told = await front.start(before(conversation));
  await live.start(workspaceIds);
  await battles.start();
  return {
    front,
    engine,
    logged,
    told,
    async stop() {
      await front.stop();
      await battles.stop();
      await live.stop();
      await engine.close();
    },
  };
}

function afterDelay(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
