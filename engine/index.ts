// The door of the engine: all that bot/ may use.

import type { Pictures } from './charts/pictures.ts';
import type { Datasets } from './data/datasets.ts';
import type { Runs } from './runs/runs.ts';
import type { Conversations } from './store/conversations.ts';
import type { Quizzes } from './tutor/quizzes.ts';
import type { Tutor } from './tutor/tutor.ts';

export { UserError } from './errors.ts';

export interface Engine {
  readonly conversations: Conversations;
  readonly tutor: Tutor;
  readonly quizzes: Quizzes;
  readonly datasets: Datasets;
  readonly runs: Runs;
  readonly pictures: Pictures;
  /** Stops taking runs, waits for acknowledged writes, leaves running trainers to be resumed. */
  close(): Promise<void>;
}
