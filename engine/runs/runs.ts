// What the conversation may do with training runs: launch, watch, stop, resume, try.
import type { Picture } from '../charts/pictures.ts';
import type { RunStatus } from '../store/schema.ts';
import type { Diagnosis } from '../tutor/diagnose.ts';
import type { Metrics, RunEvent } from './events.ts';
import type { Prediction } from './prediction.ts';
import type { RunSpec, RunSpecInput } from './spec.ts';
import type { ExportedPart } from './trainer-messages.ts';
import type { WritingOptions } from './writing.ts';

export interface Run {
  readonly id: string;
  readonly workspaceId: string;
  /** What people type: `run-7`. */
  readonly name: string;
  readonly datasetName: string;
  readonly spec: RunSpec;
  readonly status: RunStatus;
  readonly start: Extract<RunEvent, { type: 'start' }> | undefined;
  readonly progress: Extract<RunEvent, { type: 'step' }> | undefined;
  readonly metrics: Metrics | undefined;
  readonly result: Extract<RunEvent, { type: 'done' }> | undefined;
  readonly error: string | undefined;
  readonly hint: string | undefined;
  readonly front: string;
  readonly conversationId: string;
  readonly startedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
}

/** A spec before its folder is chosen. */
type NewRunSpec = RunSpecInput extends infer Spec ? (Spec extends unknown ? Omit<Spec, 'out'> : never) : never;

/** A diagnosis with the place in the guide that explains it. */
export interface Advice extends Diagnosis {
  readonly source:
    | { readonly chapterId: string; readonly sectionId: string; readonly title: string; readonly quote: string }
    | undefined;
}

/** A finished model as one zip file, for Transformers.js. */
export interface ModelExport {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** The ONNX files in it, and how far their answers are from the trained model's. */
  readonly parts: readonly ExportedPart[];
}

export interface Runs {
  /** Puts a run in the queue. `spec.out` is chosen here. @throws UserError for a spec that is out of bounds, naming the field and its value. */
  submit(options: {
    workspaceId: string;
    personId: string;
    front: string;
    conversationId: string;
    datasetName: string;
    spec: NewRunSpec;
  }): Promise<Run>;
  /** By name or id. @throws UserError naming the nearest runs when there is none. */
  get(workspaceId: string, nameOrId: string): Promise<Run>;
  /** Newest first. */
  list(workspaceId: string, limit: number): Promise<readonly Run[]>;
  /** How many runs stand where, over all workspaces: for whoever runs the bot. */
  countByStatus(): Promise<{ readonly [S in RunStatus]: number }>;
  /** Asks a queued or running run to stop; it keeps its checkpoint. Asking twice is harmless. */
  stop(workspaceId: string, nameOrId: string): Promise<Run>;
  /** Puts a stopped, interrupted or failed run back in the queue, from its last checkpoint. */
  resume(workspaceId: string, nameOrId: string): Promise<Run>;
  events(workspaceId: string, runId: string): Promise<readonly RunEvent[]>;
  /** Called with the fresh row after every change of any run. @returns a function that ends it. */
  watch(listener: (run: Run) => void): () => void;
  /** Answers with the run's artifact. @throws UserError when the run has none yet. */
  predict(
    workspaceId: string,
    nameOrId: string,
    /** Texts, or pictures as data:image/…;base64,…. */
    inputs: readonly string[],
    writing?: WritingOptions,
  ): Promise<readonly Prediction[]>;
  /** Writes the run's model for Transformers.js, beside its artifact, once. @throws UserError when it has none, or answers otherwise. */
  exportModel(workspaceId: string, nameOrId: string): Promise<ModelExport>;
  /** The export that stands there, if any. */
  exported(workspaceId: string, nameOrId: string): Promise<ModelExport | undefined>;
  /** Train and held-out loss so far, as a PNG in the picture store; undefined before the first step. */
  lossPicture(workspaceId: string, runId: string): Promise<(Picture & { readonly alt: string }) | undefined>;
  /** What the run's own curves say of it, once it has ended; undefined where they say too little. */
  advice(workspaceId: string, runId: string): Promise<Advice | undefined>;
  /** The confusion matrix of the last evaluation. */
  confusionPicture(workspaceId: string, runId: string): Promise<(Picture & { readonly alt: string }) | undefined>;
}
