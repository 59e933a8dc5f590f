// What each happening does to a run: a table with no gaps, so that every combination has been thought of once.
import type { RunStatus } from '../store/schema.ts';

export type Happening =
  /** A worker took it from the queue. */
  | 'taken'
  /** The trainer's own last words. */
  | 'trainerDone'
  | 'trainerStopped'
  | 'trainerFailed'
  /** The trainer died and has used up its restarts. */
  | 'trainerDied'
  /** The worker itself is gone: killed, or shut down. */
  | 'workerLost'
  /** A person's wish. */
  | 'stopAsked'
  | 'resumeAsked'
  /** Ours: an interrupted run is put back by itself. */
  | 'putBack';

type Row = { readonly [happening in Happening]: RunStatus };

const still = (status: RunStatus): Row => ({
  taken: status,
  trainerDone: status,
  trainerStopped: status,
  trainerFailed: status,
  trainerDied: status,
  workerLost: status,
  stopAsked: status,
  resumeAsked: status,
  putBack: status,
});

const transitions: { readonly [status in RunStatus]: Row } = {
  queued: { ...still('queued'), taken: 'running', stopAsked: 'stopped' },
  running: {
    ...still('running'),
    trainerDone: 'done',
    // Nobody asked it to stop: its worker is shutting down.
    trainerStopped: 'interrupted',
    trainerFailed: 'failed',
    trainerDied: 'failed',
    workerLost: 'interrupted',
    stopAsked: 'stopping',
  },
  stopping: {
    ...still('stopping'),
    trainerDone: 'done',
    trainerStopped: 'stopped',
    trainerFailed: 'failed',
    trainerDied: 'stopped',
    workerLost: 'stopped',
  },
  stopped: { ...still('stopped'), resumeAsked: 'queued' },
  interrupted: { ...still('interrupted'), stopAsked: 'stopped', resumeAsked: 'queued', putBack: 'queued' },
  failed: { ...still('failed'), resumeAsked: 'queued' },
  done: still('done'),
};

/** The status after a happening; the same one where it changes nothing. */
export const nextStatus = (status: RunStatus, happening: Happening): RunStatus => transitions[status][happening];
