// Sees one run through: starts its trainer, passes its events on, restarts it after a crash, and keeps its limits.
import type { RunEvent } from './events.ts';
import type { RunSpec } from './spec.ts';
import type { FromTrainer } from './trainer-messages.ts';
import type { StartTrainer, TrainerEnd, TrainerProcess } from './trainer-process.ts';

export interface Limits {
  /** A run is stopped, with a checkpoint, after this long. */
  readonly runtimeMs: number;
  /** A trainer that says nothing for this long is taken for hung. */
  readonly silenceMs: number;
  /** How long a trainer may take to checkpoint once asked to stop. */
  readonly stopMs: number;
  /** Restarts after a crash before the run fails. */
  readonly restarts: number;
}

export const defaultLimits: Limits = {
  runtimeMs: 24 * 60 * 60_000,
  silenceMs: 15 * 60_000,
  stopMs: 2 * 60_000,
  restarts: 2,
};

/** How a run ended, as far as its trainer is concerned; `error` with the words for a person. */
export type Outcome =
  | { readonly kind: 'done' | 'stopped' }
  | { readonly kind: 'failed' | 'died'; readonly message: string; readonly hint: string | undefined };

export interface Supervision {
  readonly outcome: Promise<Outcome>;
  /** Asks the trainer to checkpoint and stop; asking again changes nothing. */
  stop(): void;
  /** Ends it at once, without a checkpoint. */
  kill(): void;
}

export interface SuperviseOptions {
  readonly spec: RunSpec;
  readonly resume: boolean;
  readonly startTrainer: StartTrainer;
  readonly limits: Limits;
  /** Called for every event, in order, once each; the trainer's last words among them. */
  readonly onEvent: (event: RunEvent) => void;
  readonly onCrash: (end: TrainerEnd, restartsLeft: number) => void;
}

/** How long a trainer may take to exit after its last words. */
const leaveMs = 10_000;

export function supervise(options: SuperviseOptions): Supervision {
  const { limits } = options;
  let trainer: TrainerProcess | undefined;
  let stopAsked = false;
  let overran = false;
  let stopTimer: NodeJS.Timeout | undefined;

  const stop = () => {
    if (stopAsked) return;
    stopAsked = true;
    trainer?.send({ kind: 'stop' });
    stopTimer = setTimeout(() => trainer?.kill(), limits.stopMs);
  };
  const runtimeTimer = setTimeout(() => {
    overran = true;
    stop();
  }, limits.runtimeMs);

  /** One life of the trainer. @returns its last words, or how it died without any. */
  async function live(resume: boolean): Promise<Outcome | TrainerEnd> {
    let lastSeq = 0;
    let last: Outcome | undefined;
    let hung = false;
    let leaving: NodeJS.Timeout | undefined;
    const silence = setTimeout(() => {
      hung = true;
      trainer?.kill();
    }, limits.silenceMs);
    const hear = (message: FromTrainer) => {
      if (message.kind !== 'event' || message.seq <= lastSeq) return;
      lastSeq = message.seq;
      silence.refresh();
      options.onEvent(message.event);
      const words = outcomeOf(message.event);
      if (words === undefined) return;
      last = words;
      leaving = setTimeout(() => trainer?.kill(), leaveMs);
    };
    // Who adapts a frozen base is short of memory rather than of time.
    trainer = options.startTrainer(hear, { largePages: options.spec.method === 'full' });
    trainer.send({ kind: 'train', spec: options.spec, resume });
    if (stopAsked) trainer.send({ kind: 'stop' });
    const end = await trainer.ended;
    clearTimeout(silence);
    clearTimeout(leaving);
    return last ?? (hung ? { ...end, reason: `silent for ${minutes(limits.silenceMs)}` } : end);
  }

  async function seeThrough(): Promise<Outcome> {
    for (let restartsLeft = limits.restarts; ; restartsLeft--) {
      const life = await live(options.resume || restartsLeft < limits.restarts);
      if ('kind' in life) return inTime(life);
      options.onCrash(life, stopAsked ? 0 : restartsLeft);
      if (stopAsked) return inTime({ kind: 'stopped' });
      if (restartsLeft === 0) return died(life);
    }
  }

  const inTime = (outcome: Outcome) => (overran && outcome.kind === 'stopped' ? tooLong(limits.runtimeMs) : outcome);

  return {
    outcome: seeThrough().finally(() => {
      clearTimeout(runtimeTimer);
      clearTimeout(stopTimer);
    }),
    stop,
    kill() {
      stopAsked = true;
      trainer?.kill();
    },
  };
}

function outcomeOf(event: RunEvent): Outcome | undefined {
  if (event.type === 'done' || event.type === 'stopped') return { kind: event.type };
  if (event.type === 'error') return { kind: 'failed', message: event.message, hint: event.hint };
  return undefined;
}

function died({ reason }: TrainerEnd): Outcome {
  const why = reason === 'SIGKILL' ? 'SIGKILL (often out of memory)' : reason;
  return {
    kind: 'died',
    message: `The trainer process died: ${why}.`,
    hint: 'Resume goes on from the last checkpoint. If it dies again, a smaller batch or shorter texts need less memory.',
  };
}

const tooLong = (runtimeMs: number): Outcome => ({
  kind: 'failed',
  message: `The run took longer than the limit of ${minutes(runtimeMs)}.`,
  hint: 'Resume goes on from its checkpoint; fewer epochs or a smaller file take less time.',
});

const minutes = (ms: number) => (ms < 60_000 ? `${ms / 1_000} s` : `${Math.round(ms / 60_000)} minutes`);
