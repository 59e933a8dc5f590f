// What a task is to the loop: data read and checked, encoded for a base, fed in batches, scored, and answered with.
import type { GraphBuilder } from '../../graph/graph.ts';
import type { Value } from '../../graph/ops.ts';
import type { SessionOptions } from '../../graph/session.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { Base } from '../../models/base.ts';
import type { ImageBase, ImageTextBase } from '../../models/image-base.ts';
import type { Head } from '../../models/model.ts';
import type { Metrics, SamplePrediction } from '../../runs/events.ts';
import type { Prediction } from '../../runs/prediction.ts';
import type { SpecOf, TaskName } from '../../runs/spec.ts';
import type { WritingOptions } from '../../runs/writing.ts';
import type { Parameters } from '../parameters.ts';
import type { Writer } from '../writer.ts';

export type Feeds = { readonly [name: string]: Tensor };

/** One batch as the graph is fed: its shapes decide which compiled graph serves it. */
export interface TaskBatch {
  /** `inputIds` and `attentionBias`, or `pixelValues`. */
  readonly inputs: Feeds;
  /** What the loss compares the answer with. */
  readonly targets: Feeds;
  /** What the loss is divided by: examples or tokens, by what each counts. Several batches add up. */
  readonly weight: number;
}

/** How an answer is compared with the truth, as a part of the graph. */
export interface Objective {
  /** Σ weight · loss over the batch, one number: the loop divides by the batches' weight. */
  loss(g: GraphBuilder, answer: Value, targets: { readonly [name: string]: Value }): Value;
  /** What measuring needs of the answer, where the answer itself would be too large. */
  measure?(
    g: GraphBuilder,
    answer: Value,
    targets: { readonly [name: string]: Value },
  ): { readonly [name: string]: Value };
}

/** The compiled network, as far as tasks use it. */
export interface Answering {
  /** The objective's measures, by name. */
  measure(batch: TaskBatch): Promise<{ readonly [name: string]: Float32Array }>;
  /** The head's answer, row after row of its last axis; only the rows at `positions`, where given. */
  answer(inputs: Feeds, positions?: Int32Array): Promise<Float32Array>;
}

interface Measured {
  readonly metrics: Metrics;
  /** A few held-out examples with what the model makes of them; the same ones for the same seed. */
  samples(): Promise<SamplePrediction[]>;
}

/** A task's data as the network sees it. */
export interface EncodedTask {
  readonly objective: Objective;
  /** Length of each training example, 1 where all are alike: batches are made of similar ones. */
  readonly lengths: readonly number[];
  readonly heldExamples: number;
  readonly warnings: readonly string[];
  /** What is to be done once the weights are there and before the first step. */
  begin?(parameters: Parameters, options: SessionOptions): Promise<void>;
  /** @param rows of the batch, of which the last may stay empty. Noise follows from `seed` alone. */
  trainingBatch(chosen: readonly number[], rows: number, seed: number): TaskBatch | Promise<TaskBatch>;
  measure(network: Answering): Promise<Measured>;
  /** What predicting needs beyond labels, kept in the artifact's record. */
  readonly record: { readonly [key: string]: unknown };
}

interface CommonTaskData {
  readonly head: Head;
  /** The classes, in the order of the logits; none where the answer is a number or a text. */
  readonly labels: readonly string[];
  /** What a fresh model learns its vocabulary from. */
  readonly texts: readonly string[];
  readonly trainExamples: number;
  readonly warnings: readonly string[];
  /** Everything of the data that decides the numbers. */
  readonly fingerprint: Iterable<string>;
}

/** A task's data, read and checked: texts, pictures, or both. */
export type TaskData = CommonTaskData &
  (
    | { encode(base: Base, options: { readonly maxLength: number }): EncodedTask }
    | { encodeImages(base: ImageBase): EncodedTask }
    | { encodePairs(base: ImageTextBase, options: { readonly maxLength: number }): EncodedTask }
  );

/** What each task begins from; where it is not said, a model of texts. */
interface OtherBases {
  readonly 'image-classification': ImageBase;
  readonly 'image-text': ImageTextBase;
}
export type BaseOf<T extends TaskName> = T extends keyof OtherBases ? OtherBases[T] : Base;
export type TextTaskName = Exclude<TaskName, keyof OtherBases>;

/** What an artifact says of the task it was trained for. */
interface ArtifactTask<TaskBase> {
  readonly base: TaskBase;
  readonly labels: readonly string[];
  readonly maxLength: number;
  readonly record: { readonly [key: string]: unknown };
}

/** For models that write their answer. */
interface Asked {
  readonly writing: WritingOptions;
  /** Opened once and kept as long as the model. */
  openWriter(): Writer;
}

export interface Task<T extends TaskName> {
  /** @throws UserError for data that cannot be used. */
  read(spec: SpecOf<T>): Promise<TaskData>;
  /** In the order of the inputs. */
  predict(
    network: Answering,
    artifact: ArtifactTask<BaseOf<T>>,
    inputs: readonly string[],
    asked: Asked,
  ): Promise<Prediction[]>;
  /** For config.json, as Transformers reads it. */
  readonly problemType?: string;
  readonly pipeline: string;
  /** PEFT's name for it, where it has one. */
  readonly peftType: string | null;
}
