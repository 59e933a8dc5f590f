// The door of the engine: all that bot/ may use.

import type { Pictures } from './charts/pictures.ts';
import type { Datasets } from './data/datasets.ts';
import type { Runs } from './runs/runs.ts';
import type { Conversations } from './store/conversations.ts';
import type { Kept } from './store/kept.ts';
import type { Quizzes } from './tutor/quizzes.ts';
import type { Tutor } from './tutor/tutor.ts';

export type { Picture, Pictures } from './charts/pictures.ts';
export { createEngine, type EngineOptions } from './create.ts';
export type { Dataset, Datasets } from './data/datasets.ts';
export { inspectDataset } from './data/examples.ts';
export type { DatasetReport } from './data/report.ts';
export { maxDatasetBytes } from './data/text-file.ts';
export { UserError } from './errors.ts';
export { listProviders } from './graph/session.ts';
export type { ClassificationMetrics, RunEvent } from './runs/events.ts';
export { parseRunSpec } from './runs/parse-spec.ts';
export type { Prediction, Run, Runs } from './runs/runs.ts';
export type { RunSpec, RunSpecInput } from './runs/spec.ts';
export { hyperSchema, runSpecSchema } from './runs/spec.ts';
export type { Conversations, StoredMessage } from './store/conversations.ts';
export type { Kept } from './store/kept.ts';
export type { RunStatus } from './store/schema.ts';
export { loadClassifier } from './tuning/predict.ts';
export { type TrainOptions, train } from './tuning/train.ts';
export type { QuizQuestion, QuizSummary, QuizVerdict, Quizzes } from './tutor/quizzes.ts';
export type { Answer, Citation, Turn, Tutor } from './tutor/tutor.ts';
export { createTutor } from './tutor/tutor.ts';

export interface Engine {
  readonly conversations: Conversations;
  readonly kept: Kept;
  readonly tutor: Tutor;
  readonly quizzes: Quizzes;
  readonly datasets: Datasets;
  readonly runs: Runs;
  readonly pictures: Pictures;
  /** Stops taking runs, waits for acknowledged writes, leaves running trainers to be resumed. */
  close(): Promise<void>;
}
