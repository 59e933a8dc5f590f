// How fast a run goes, for its step events.

export interface Clock {
  count(examples: number): void;
  /** Long enough since the last reading to tell again. */
  isDue(): boolean;
  /** Examples per second since the last reading, and seconds per step since the start. */
  read(step: number): { readonly examplesPerSecond: number; readonly secondsPerStep: number };
}

const tellEveryMs = 200;

export function startClock(now: () => number, firstStep: number): Clock {
  const startedAt = now();
  let readAt = startedAt;
  let examples = 0;
  return {
    count(more) {
      examples += more;
    },
    isDue: () => now() - readAt >= tellEveryMs,
    read(step) {
      const time = now();
      const examplesPerSecond = examples / Math.max((time - readAt) / 1000, 1e-3);
      readAt = time;
      examples = 0;
      return { examplesPerSecond, secondsPerStep: (time - startedAt) / 1000 / (step - firstStep) };
    },
  };
}
