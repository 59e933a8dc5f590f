// What there is to say about a dataset: what a person is shown before training, and `dataset check` prints as JSON.

import type { TaskName } from '../runs/spec.ts';

export interface DatasetReport {
  /** What a model can learn from it, the likeliest first. */
  readonly tasks: readonly [TaskName, ...TaskName[]];
  readonly format: 'csv' | 'tsv' | 'jsonl' | 'json' | 'text' | 'conll' | 'pictures';
  readonly encoding: 'utf-8' | 'binary';
  readonly columns: readonly string[];
  /** The column of the texts, or of the words that are tagged; empty where there are no columns. */
  readonly textColumn: string;
  /** The column of the labels, numbers or tags; empty where there is none. */
  readonly labelColumn: string;
  /** Rows with a text and a label; or sentences, texts, chats, pictures. */
  readonly rows: number;
  /** The classes or tags, and how often each stands there; none where the answer is a number or a text. */
  readonly labels: readonly { readonly label: string; readonly count: number }[];
  /** Rows whose text stands in an earlier row. */
  readonly duplicates: number;
  /** Rows left out, each with its line number and why (the first 20), and how many in all. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
  readonly skippedCount: number;
  /** Of the numbers to predict. */
  readonly numbers?: { readonly min: number; readonly max: number; readonly mean: number };
  /** Characters; of words in a sentence where they are tagged. Nothing of pictures. */
  readonly textLength?: { readonly median: number; readonly p95: number; readonly max: number };
  /** Things worth saying that do not stop a run: imbalance, duplicates, very long texts. */
  readonly warnings: readonly string[];
  readonly samples: readonly { readonly text: string; readonly label: string }[];
}
