// The door of the engine: all that bot/ may use.

import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Illustrations } from './charts/illustrations.ts';
import type { Pictures } from './charts/pictures.ts';
import type { Datasets } from './data/datasets.ts';
import type { Demos } from './demos/demos.ts';
import type { DeviceLook } from './graph/choose-device.ts';
import type { Material } from './material/material.ts';
import type { Runs } from './runs/runs.ts';
import type { Conversations } from './store/conversations.ts';
import type { Inbox } from './store/inbox.ts';
import type { Kept } from './store/kept.ts';
import type { Tutor } from './tutor/answer.ts';
import type { Battles } from './tutor/battles.ts';
import type { Questions } from './tutor/questions.ts';
import type { Quizzes } from './tutor/quizzes.ts';
import type { Reviews } from './tutor/reviews.ts';
import type { Roadmap } from './tutor/roadmap.ts';
import type { LlmOptions } from './tutor/wording/open-wording.ts';

export type { Illustration, Illustrations } from './charts/illustrations.ts';
export type { Picture } from './charts/pictures.ts';
export { createEngine } from './create.ts';
export { type Dataset, maxUploadBytes } from './data/datasets.ts';
export { inspectDataset } from './data/inspect.ts';
export type { Control } from './demos/demo.ts';
export type { Demos, DemoView } from './demos/demos.ts';
export { UserError } from './errors.ts';
export { code, plain, shorten } from './escape.ts';
export type { DeviceLook } from './graph/choose-device.ts';
export { documentOf, type GroupDocument, type Where } from './material/documents.ts';
export type { Material } from './material/material.ts';
export { openTutorAlone } from './open-tutor.ts';
export type { Comparison } from './runs/comparison.ts';
export type { ClassificationMetrics, Metrics, MetricsOf, RunEvent } from './runs/events.ts';
export { parseRunSpec } from './runs/parse-spec.ts';
export type { Prediction } from './runs/prediction.ts';
export type { Advice, ModelExport, Run, Runs } from './runs/runs.ts';
export { hyperSchema, runSpecSchema, type TaskName } from './runs/spec.ts';
export { type WritingOptions, writingSchema } from './runs/writing.ts';
export type { Conversations, StoredMessage } from './store/conversations.ts';
export type { KeptEvent } from './store/inbox.ts';
export type { Kept } from './store/kept.ts';
export type { RunStatus } from './store/schema.ts';
export type { Answer, Level, Turn } from './tutor/answer.ts';
export { levels } from './tutor/answer.ts';
export type { Standing } from './tutor/battle.ts';
export type { Battle, BattleRound, Battles } from './tutor/battles.ts';
export type { Gap } from './tutor/questions.ts';
export type { QuizQuestion, QuizSummary, QuizVerdict, Quizzes } from './tutor/quizzes.ts';
export { readAhead } from './tutor/read-ahead.ts';
export type { Outlook, Progress } from './tutor/reviews.ts';
export type { NextStep, PhaseStanding, Standing as RoadmapStanding, Step } from './tutor/roadmap-standing.ts';
export type { Theme } from './tutor/themes.ts';

export interface Engine {
  readonly conversations: Conversations;
  readonly inbox: Inbox;
  readonly kept: Kept;
  readonly tutor: Tutor;
  readonly questions: Questions;
  readonly quizzes: Quizzes;
  readonly battles: Battles;
  readonly reviews: Reviews;
  readonly roadmap: Roadmap;
  readonly datasets: Datasets;
  readonly material: Material;
  readonly demos: Demos;
  readonly runs: Runs;
  readonly pictures: Pictures;
  readonly illustrations: Illustrations;
  /** Stops taking runs, waits for acknowledged writes, leaves running trainers to be resumed. */
  close(): Promise<void>;
}

/** Training and classifying in this very process, for the command line. The bot never needs it, so its code loads here. */
export async function loadTraining() {
  const [{ train }, { loadPredictor }] = await Promise.all([
    import('./tuning/train.ts'),
    import('./tuning/predict.ts'),
  ]);
  return { train, loadPredictor };
}

/** Taking models elsewhere, for the command line; its code loads here. */
export async function loadExport() {
  const [{ exportArtifact, export_formats }, { export_dtypes }] = await Promise.all([
    import('./export/artifact.ts'),
    import('./export/compress.ts'),
  ]);
  return { exportArtifact, export_formats, export_dtypes };
}

/** How fast each installed device is, measured now, and which one `auto` means: seconds of work. */
export async function lookAtDevices(): Promise<DeviceLook> {
  const choice = await import('./graph/choose-device.ts');
  return choice.lookAtDevices();
}

/** The execution providers that are installed, such as `cpu` and `webgpu`. */
export async function listProviders(): Promise<readonly string[]> {
  const session = await import('./graph/session.ts');
  return session.listProviders();
}

/** @returns what is wrong with the model that is to word answers, in words; undefined where nothing is. */
export async function checkLanguageModel({ baseUrl, model, apiKey }: LlmOptions): Promise<string | undefined> {
  if (baseUrl !== undefined) {
    const { checkOpenAi } = await import('./tutor/wording/openai.ts');
    return checkOpenAi({ baseUrl, model, apiKey });
  }
  // A hub id is fetched at the start; whatever looks like a path must be there.
  const isPath = isAbsolute(model) || model.startsWith('.');
  return isPath && !existsSync(join(model, 'config.json'))
    ? `LLM_MODEL ${model} has no config.json: it must be the folder of a model for Transformers.js.`
    : undefined;
}
