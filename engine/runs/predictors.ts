// Warm processes that answer from a trained model: loading takes longer than answering, and a native crash stays there.
import { UserError } from '../errors.ts';
import type { Prediction } from './prediction.ts';
import type { StartTrainer, TrainerProcess } from './trainer-process.ts';
import type { WritingOptions } from './writing.ts';

export interface Predictors {
  /** @throws UserError when the artifact cannot be used. */
  predict(artifact: string, texts: readonly string[], writing?: WritingOptions): Promise<readonly Prediction[]>;
  close(): Promise<void>;
}

interface Warm {
  readonly process: TrainerProcess;
  readonly waiting: Map<number, { resolve(predictions: readonly Prediction[]): void; reject(error: Error): void }>;
  readonly idle: NodeJS.Timeout;
  lastUsed: number;
}

const idleMs = 5 * 60_000;
const kept = 2;

export function createPredictors({ startTrainer, device }: { startTrainer: StartTrainer; device: string }): Predictors {
  const warm = new Map<string, Warm>();
  let nextId = 1;

  function start(artifact: string): Warm {
    const waiting: Warm['waiting'] = new Map();
    const process = startTrainer((message) => {
      if (message.kind === 'event' || message.kind === 'exported') return;
      const asked = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === 'predictions') asked?.resolve(message.predictions);
      else
        asked?.reject(
          message.hint === undefined ? new Error(message.message) : new UserError(message.message, message.hint),
        );
    });
    const started: Warm = { process, waiting, idle: setTimeout(process.kill, idleMs), lastUsed: 0 };
    started.idle.unref();
    void process.ended.then(({ reason, stderr }) => {
      clearTimeout(started.idle);
      if (warm.get(artifact) === started) warm.delete(artifact);
      for (const asked of waiting.values())
        asked.reject(new Error(`the predicting process ended: ${reason}\n${stderr}`));
    });
    process.send({ kind: 'load', artifact, device });
    warm.set(artifact, started);
    return started;
  }

  /** The least recently used one that answers nobody makes room. */
  function makeRoom(): void {
    const idle = [...warm]
      .filter(([, { waiting }]) => waiting.size === 0)
      .sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
    const oldest = idle[0];
    if (warm.size < kept || oldest === undefined) return;
    warm.delete(oldest[0]);
    oldest[1].process.kill();
  }

  return {
    predict(artifact, texts, writing) {
      if (!warm.has(artifact)) makeRoom();
      const to = warm.get(artifact) ?? start(artifact);
      to.lastUsed = nextId;
      to.idle.refresh();
      const id = nextId++;
      return new Promise((resolve, reject) => {
        to.waiting.set(id, { resolve, reject });
        to.process.send({ kind: 'predict', id, texts: [...texts], writing });
      });
    },
    async close() {
      for (const { process } of warm.values()) process.kill();
      await Promise.all([...warm.values()].map(({ process }) => process.ended));
    },
  };
}
