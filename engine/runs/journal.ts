// Writes what a trainer says to the database: steps in batches, everything else at once, always in order.

import type { RunEvent } from './events.ts';
import type { NumberedEvent, RunRows } from './run-rows.ts';
import type { Run } from './runs.ts';

export interface Journal {
  append(event: RunEvent): void;
  /** Writes what is waiting, and the heartbeat. Resolves when it is in the database. */
  flush(): Promise<void>;
  close(): void;
}

/** As many points as a chart can show. */
const keptSteps = 2_000;
const batchMs = 1_000;

/** What the run's row shows of an event. */
const shown: { readonly [Type in RunEvent['type']]: (event: Extract<RunEvent, { type: Type }>) => object } = {
  start: (start) => ({ start, progress: null }),
  step: (progress) => ({ progress }),
  eval: ({ metrics }) => ({ metrics }),
  checkpoint: () => ({}),
  stopped: () => ({}),
  done: (result) => ({ result, metrics: result.metrics }),
  error: () => ({}),
};

function showEvent<Type extends RunEvent['type']>(event: Extract<RunEvent, { type: Type }> & { type: Type }): object {
  return shown[event.type](event);
}

/** Resumed at `step`: what came after it is done again, and counts once. */
const isUndone = (event: RunEvent, step: number) =>
  (event.type === 'step' || event.type === 'eval' || event.type === 'checkpoint') && event.step > step;

export function createJournal(options: {
  rows: RunRows;
  runId: string;
  claim: string;
  firstSeq: number;
  /** After each write, with the fresh row. */
  onWritten: (run: Run) => void;
  /** The run is no longer this worker's. */
  onLost: () => void;
  onError: (error: unknown) => void;
}): Journal {
  const { rows, runId, claim } = options;
  let seq = options.firstSeq;
  let stride = 1;
  let lastKept = 0;
  let waiting: NumberedEvent[] = [];
  let patch: object = {};
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const events = waiting;
    const change = patch;
    waiting = [];
    patch = {};
    try {
      const run = await rows.record(runId, claim, events, change);
      if (run === undefined) options.onLost();
      else options.onWritten(run);
    } catch (error) {
      // Kept for the next write, which the heartbeat makes soon.
      waiting = [...events, ...waiting];
      patch = { ...change, ...patch };
      throw error;
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const written = writing.then(write);
    writing = written.catch(options.onError);
    return written;
  }

  return {
    append(event) {
      if (event.type === 'start') {
        stride = Math.max(1, Math.ceil(event.totalSteps / keptSteps));
        lastKept = event.step;
        waiting = waiting.filter((earlier) => !isUndone(earlier.event, event.step));
      }
      patch = { ...patch, ...showEvent(event) };
      if (event.type !== 'step' || event.step >= lastKept + stride) waiting.push({ seq: seq++, event });
      if (event.type === 'step' && event.step >= lastKept + stride) lastKept = event.step;
      // An error of this flush is told to onError; what it could not write is written by a later one.
      if (event.type !== 'step') flush().catch(() => undefined);
      else timer ??= setTimeout(() => flush().catch(() => undefined), batchMs);
    },
    flush,
    close: () => clearTimeout(timer),
  };
}
