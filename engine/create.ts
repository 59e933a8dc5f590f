// Puts the engine together. What is heavy (onnxruntime, the chart libraries, the queue) loads when it is first needed.
import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Guide, loadShippedEmbedder } from '../knowledge/index.ts';
import { createIllustrations } from './charts/illustrations.ts';
import { createPictures } from './charts/pictures.ts';
import { createDatasets } from './data/datasets.ts';
import { createDemos } from './demos/demos.ts';
import type { Engine } from './index.ts';
import { openTutor, type TutorSettings } from './open-tutor.ts';
import { createRandom } from './random.ts';
import { createRuns } from './runs/create-runs.ts';
import type { RunSpecInput } from './runs/spec.ts';
import { openStore } from './store/client.ts';
import { createConversations } from './store/conversations.ts';
import { createInbox } from './store/inbox.ts';
import { createKept } from './store/kept.ts';
import { createBattles } from './tutor/battles.ts';
import { createQuestions } from './tutor/questions.ts';
import { createQuizzes } from './tutor/quizzes.ts';
import { createReviews } from './tutor/reviews.ts';
import { createRoadmap } from './tutor/roadmap.ts';

export interface EngineOptions extends TutorSettings {
  readonly device: NonNullable<RunSpecInput['device']>;
  /** A promise of it, too: the database opens while the guide is read. */
  readonly guide: Guide | Promise<Guide>;
  /** Runs trained at a time by this process; 0 leaves them to other workers. */
  readonly workers?: number;
  /** Decides the order of quiz items and choices; a new one at each start unless given. */
  readonly randomSeed?: number;
}

/** @throws UserError when the database cannot be opened: held by another process, unreachable, or refusing us. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { dataDir, databaseUrl, now, log } = options;
  const [store, guide] = await Promise.all([openStore({ databaseUrl, dataDir, log }), options.guide]);
  const { db } = store;
  const { tutor, material } = await openTutor(options, guide, db);
  const random = createRandom(options.randomSeed ?? randomInt(2 ** 32));
  const pictures = createPictures(join(dataDir, 'pictures'));
  const runs = createRuns({
    store,
    pictures,
    dataDir,
    workers: options.workers ?? 1,
    device: options.device,
    hub: options.hub,
    cite(chapterId, sectionId) {
      const passage = guide.passages.find((one) => one.chapterId === chapterId && one.sectionId === sectionId);
      const quote = /^.*?[.!?](?=\s|$)/s.exec(passage?.text ?? '')?.[0] ?? '';
      return passage && { chapterId, sectionId, title: passage.title, quote };
    },
    now,
    log,
  });
  const reviews = createReviews({ db, guide, now });
  let closing: Promise<void> | undefined;
  return {
    conversations: createConversations({ db, now }),
    inbox: createInbox({ db, now, holder: randomUUID(), alone: store.kind === 'pglite' }),
    kept: createKept({ db, now }),
    tutor,
    material,
    questions: createQuestions({ db, now }),
    quizzes: createQuizzes({ db, guide, random, now }),
    battles: createBattles({ db, guide, random, now }),
    reviews,
    roadmap: createRoadmap({ db, guide, reviews, pictures, now }),
    datasets: createDatasets({ db, dataDir }),
    demos: createDemos({ guide, pictures, loadEncoder: async () => (await loadShippedEmbedder()).encode }),
    runs,
    pictures,
    illustrations: createIllustrations({ guide, pictures }),
    close() {
      closing ??= runs.close().finally(store.close);
      return closing;
    },
  };
}
