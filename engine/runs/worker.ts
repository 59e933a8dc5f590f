// A worker: takes runs from the queue while it has a free slot, sees each through, and looks after runs whose worker died.
import { randomUUID } from 'node:crypto';
import { createJournal } from './journal.ts';
import type { Queue } from './queue.ts';
import type { RunRows } from './run-rows.ts';
import type { Run } from './runs.ts';
import type { Happening } from './states.ts';
import { type Limits, type Outcome, type Supervision, supervise } from './supervisor.ts';
import type { StartTrainer } from './trainer-process.ts';

export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface Worker {
  /** Looks into the queue now. */
  kick(): void;
  /** Tells the trainer of a run to stop, if it is trained here. */
  stop(runId: string): void;
  /** Stops taking runs; those in work keep a checkpoint and are interrupted. */
  close(): Promise<void>;
}

export interface WorkerOptions {
  readonly rows: RunRows;
  readonly queue: Queue;
  readonly startTrainer: StartTrainer;
  readonly limits: Limits;
  /** Runs trained at a time; 0 trains none here. */
  readonly slots: number;
  /** Nobody else can be training on this database: whatever is in work at the start lost its worker. */
  readonly alone: boolean;
  readonly onChange: (run: Run) => void;
  readonly log: Log;
}

const pollMs = 1_000;
const heartbeatMs = 2_000;
const sweepMs = 10_000;
/** A worker not heard of for this long is dead. */
const staleMs = 30_000;
/** How long closing waits for a trainer's checkpoint; without it the run goes on from the one before. */
const closeMs = 15_000;
/** Interruptions after which a run waits for a person: it may be what kills its workers. */
const putBackLimit = 3;

const happeningOf: { readonly [kind in Outcome['kind']]: Happening } = {
  done: 'trainerDone',
  stopped: 'trainerStopped',
  failed: 'trainerFailed',
  died: 'trainerDied',
};

export function startWorker({ rows, queue, startTrainer, limits, slots, alone, onChange, log }: WorkerOptions): Worker {
  const inWork = new Map<string, { readonly supervision: Supervision; readonly ended: Promise<void> }>();
  let closed = false;
  let taking: Promise<void> = Promise.resolve();
  let sweeping: Promise<void> = Promise.resolve();

  const report = (doing: string) => (error: unknown) => log.error({ err: error }, `${doing} failed`);

  async function takeAll(): Promise<void> {
    while (!closed && inWork.size < slots) {
      const job = await queue.take();
      if (job === undefined) return;
      const claim = randomUUID();
      const taken = await rows.take(job.runId, claim);
      await job.settle();
      // Delivered twice, stopped meanwhile, or gone: nothing to do for this job.
      if (taken === undefined) continue;
      onChange(taken.run);
      await begin(taken.run, claim, taken.attempts > 1);
    }
  }

  async function begin(run: Run, claim: string, resume: boolean): Promise<void> {
    const journal = createJournal({
      rows,
      runId: run.id,
      claim,
      firstSeq: await rows.nextSeq(run.id),
      onWritten(fresh) {
        onChange(fresh);
        // Asked in another process, which cannot reach our trainer.
        if (fresh.status === 'stopping') supervision.stop();
      },
      onLost() {
        log.warn({ run: run.name }, 'another worker has taken this run over: its trainer here is ended');
        supervision.kill();
      },
      onError: report('writing the events of a run'),
    });
    const supervision = supervise({
      spec: run.spec,
      resume,
      startTrainer,
      limits,
      onEvent: journal.append,
      onCrash: ({ reason, stderr }, restartsLeft) =>
        log.warn({ run: run.name, reason, stderr, restartsLeft }, 'the trainer process died'),
    });
    const heartbeat = setInterval(() => journal.flush().catch(() => undefined), heartbeatMs);
    const ended = supervision.outcome
      .then(async (outcome) => {
        await journal.flush();
        await conclude(run.id, claim, outcome);
      })
      .catch(report('concluding a run'))
      .finally(() => {
        clearInterval(heartbeat);
        journal.close();
        inWork.delete(run.id);
        kick();
      });
    inWork.set(run.id, { supervision, ended });
  }

  async function conclude(runId: string, claim: string, outcome: Outcome): Promise<void> {
    const words = 'message' in outcome ? { error: outcome.message, hint: outcome.hint ?? null } : {};
    const concluded = await rows.apply(runId, happeningOf[outcome.kind], words, claim);
    if (concluded?.changed) onChange(concluded.run);
  }

  /** Runs that lost their worker are interrupted, and go back into the queue unless that happens again and again. */
  async function sweep(silentForMs: number): Promise<void> {
    for (const id of await rows.lost(silentForMs)) {
      if (inWork.has(id)) continue;
      const lost = await rows.lose(id);
      if (lost?.changed) {
        log.warn({ run: lost.run.name, status: lost.run.status }, 'a run had lost its worker');
        onChange(lost.run);
      }
    }
    for (const id of await rows.toPutBack(putBackLimit)) {
      const back = await rows.apply(id, 'putBack');
      if (!back?.changed) continue;
      await queue.put(id);
      onChange(back.run);
    }
  }

  function kick(): void {
    taking = taking.then(takeAll).catch(report('taking a run from the queue'));
  }

  async function wake(): Promise<void> {
    await sweep(alone ? 0 : staleMs);
    // A process that died between writing the row and its job left a run nobody would take.
    for (const id of await rows.queued()) await queue.put(id);
  }

  taking = wake().catch(report('looking after interrupted runs'));
  kick();
  const polling = setInterval(() => inWork.size < slots && kick(), pollMs);
  const sweepTimer = setInterval(() => {
    sweeping = sweep(staleMs).then(kick).catch(report('looking after interrupted runs'));
  }, sweepMs);

  return {
    kick,
    stop: (runId) => inWork.get(runId)?.supervision.stop(),
    async close() {
      closed = true;
      clearInterval(polling);
      clearInterval(sweepTimer);
      await Promise.all([taking, sweeping]);
      await Promise.all(
        [...inWork.values()].map(async ({ supervision, ended }) => {
          supervision.stop();
          const patience = setTimeout(supervision.kill, closeMs);
          await ended;
          clearTimeout(patience);
        }),
      );
      await taking;
    },
  };
}
