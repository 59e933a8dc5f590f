// What is wrong in the guide's files, gathered so that a writer sees every problem at once, each with file and line.

export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** The guide's files break the format. `problems` holds all of them, not only the first. */
export class GuideError extends Error {
  override readonly name = 'GuideError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'));
    this.problems = problems;
  }
}
