// What a dataset is to the conversation: a checked file with a text column, a label column and at least two labels.

export interface DatasetReport {
  readonly format: 'csv' | 'tsv' | 'jsonl' | 'json';
  readonly encoding: 'utf-8';
  readonly columns: readonly string[];
  readonly textColumn: string;
  readonly labelColumn: string;
  readonly rows: number;
  readonly labels: readonly { readonly label: string; readonly count: number }[];
  readonly duplicates: number;
  /** Rows left out, each with its line number and why (the first 20), and how many in all. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
  readonly skippedCount: number;
  readonly textLength: { readonly median: number; readonly p95: number; readonly max: number };
  /** Things worth saying that do not stop a run: imbalance, duplicates, very long texts. */
  readonly warnings: readonly string[];
  readonly samples: readonly { readonly text: string; readonly label: string }[];
}

export interface Dataset {
  /** SHA-256 of the bytes, hex; `sample:<name>` for the built-in ones. */
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly report: DatasetReport;
}

export interface Datasets {
  /** The built-in samples. */
  readonly samples: readonly { readonly id: string; readonly title: string; readonly description: string }[];
  /**
   * Checks and keeps an uploaded file. Nothing is kept when it is refused.
   * @throws UserError saying what is wrong with the file, where, and what to do.
   */
  add(options: {
    workspaceId: string;
    personId: string;
    path: string;
    name: string;
    textColumn?: string;
    labelColumn?: string;
  }): Promise<Dataset>;
  /** @throws UserError for an unknown id. */
  get(workspaceId: string, id: string): Promise<Dataset>;
  list(workspaceId: string): Promise<readonly { readonly id: string; readonly name: string; readonly rows: number }[]>;
}
