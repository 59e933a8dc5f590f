// The trainer process: started by a worker, it trains one run or answers from one trained model, and exits.
import { mkdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import { lockFolder } from '../store/folder-lock.ts';
import type { RunEvent } from './events.ts';
import { serveTrainer, type TrainOptions } from './serve-trainer.ts';
import type { RunSpec } from './spec.ts';

/** How long a predecessor that lost its worker may take to write its checkpoint and go. */
const predecessorMs = 60_000;

serveTrainer({
  async *train(spec, options) {
    // Before any thread is started, which inherits it: the chat stays quick while a run takes every core.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    const unlock = await lockRun(spec);
    try {
      yield* trainNow(spec, options);
    } finally {
      unlock();
    }
  },
  async loadPredictor(artifact, options) {
    const { loadPredictor } = await import('../tuning/predict.ts');
    const predictor = await loadPredictor(artifact, options);
    return (texts, writing) => predictor.predict(texts, writing);
  },
  async exportZip(artifact, zipPath, options) {
    const { exportZip } = await import('../export/zip.ts');
    return exportZip(artifact, zipPath, options);
  },
});

async function* trainNow(spec: RunSpec, options: TrainOptions): AsyncGenerator<RunEvent> {
  const { train } = await import('../tuning/train.ts');
  yield* train(spec, options);
}

/** One trainer at a time for a run: after a crash of the bot the one before may still be writing its checkpoint. */
async function lockRun(spec: RunSpec): Promise<() => void> {
  mkdirSync(dirname(spec.out), { recursive: true });
  for (const started = Date.now(); Date.now() - started < predecessorMs; await sleep(500)) {
    try {
      return await lockFolder(`${spec.out}.lock`, spec.out);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  throw new Error(`another trainer process is still at work in ${spec.out}`);
}
