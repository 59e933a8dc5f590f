// What there is to say about a dataset: what a person is shown before training, and `dataset check` prints as JSON.

export interface DatasetReport {
  readonly format: 'csv' | 'tsv' | 'jsonl' | 'json';
  readonly encoding: 'utf-8';
  readonly columns: readonly string[];
  readonly textColumn: string;
  readonly labelColumn: string;
  /** Rows with a text and a label. */
  readonly rows: number;
  readonly labels: readonly { readonly label: string; readonly count: number }[];
  /** Rows whose text stands in an earlier row. */
  readonly duplicates: number;
  /** Rows left out, each with its line number and why (the first 20), and how many in all. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
  readonly skippedCount: number;
  /** Characters. */
  readonly textLength: { readonly median: number; readonly p95: number; readonly max: number };
  /** Things worth saying that do not stop a run: imbalance, duplicates, very long texts. */
  readonly warnings: readonly string[];
  readonly samples: readonly { readonly text: string; readonly label: string }[];
}
