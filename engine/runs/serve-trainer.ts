// The trainer's end of the line: does what the worker asks, says every event, and stops when asked or left alone.
import { UserError } from '../errors.ts';
import type { HubOptions } from '../models/hub-options.ts';
import type { RunEvent } from './events.ts';
import type { Prediction } from './prediction.ts';
import type { RunSpec } from './spec.ts';
import { type ExportedPart, type FromTrainer, toTrainerSchema } from './trainer-messages.ts';
import type { WritingOptions } from './writing.ts';

export interface TrainOptions {
  readonly signal: AbortSignal;
  readonly resume: boolean;
  readonly now: () => number;
  readonly hub?: HubOptions | undefined;
}

export interface TrainerWork {
  train(spec: RunSpec, options: TrainOptions): AsyncIterable<RunEvent>;
  loadPredictor(artifact: string, options: { device: string; hub?: HubOptions | undefined }): Promise<Predict>;
  exportZip(
    artifact: string,
    zipPath: string,
    options: { hub?: HubOptions | undefined },
  ): Promise<readonly ExportedPart[]>;
}

type Predict = (texts: readonly string[], writing?: WritingOptions) => Promise<readonly Prediction[]>;

/** Serves this process's IPC channel until the work is done; the process may exit then. */
export function serveTrainer({ train, loadPredictor, exportZip }: TrainerWork): void {
  const stopping = new AbortController();
  // Ctrl-C in a terminal reaches this process too: its worker hears it as well and says what to do.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => stopping.abort());
  process.on('SIGHUP', () => stopping.abort());
  // The worker is gone: keep a checkpoint and go.
  process.once('disconnect', () => stopping.abort());

  let hub: HubOptions | undefined;
  let predict: Promise<Predict> | undefined;
  let queue: Promise<void> = Promise.resolve();

  process.on('message', (raw) => {
    const message = toTrainerSchema.parse(raw);
    switch (message.kind) {
      case 'hub':
        hub = message.hub;
        return;
      case 'train':
        queue = runTraining(message.spec, { signal: stopping.signal, resume: message.resume, now: Date.now, hub });
        return;
      case 'stop':
        stopping.abort();
        return;
      case 'load':
        predict = loadPredictor(message.artifact, { device: message.device, hub });
        // Told at the first question; a rejection before that is no unhandled one.
        predict.catch(() => undefined);
        return;
      case 'predict':
        queue = queue.then(() => answer(message.id, message.texts, message.writing));
        return;
      case 'export':
        queue = queue.then(() => runExport(message.artifact, message.zipPath));
        return;
    }
  });

  async function runTraining(spec: RunSpec, options: TrainOptions): Promise<void> {
    let seq = 0;
    const say = (event: RunEvent) => send({ kind: 'event', seq: ++seq, event });
    try {
      for await (const event of train(spec, options)) await say(event);
    } catch (error) {
      console.error(error);
      await say({ type: 'error', ...explain(error) });
    }
    if (process.connected) process.disconnect();
  }

  async function runExport(artifact: string, zipPath: string): Promise<void> {
    try {
      await send({ kind: 'exported', files: [...(await exportZip(artifact, zipPath, { hub }))] });
    } catch (error) {
      console.error(error);
      await send({ kind: 'refused', id: 0, ...explain(error) });
    }
    if (process.connected) process.disconnect();
  }

  async function answer(id: number, texts: readonly string[], writing: WritingOptions | undefined): Promise<void> {
    try {
      if (predict === undefined) throw new Error('asked to predict before any model was loaded');
      const predictions = await (await predict)(texts, writing);
      await send({ kind: 'predictions', id, predictions: [...predictions] });
    } catch (error) {
      console.error(error);
      await send({ kind: 'refused', id, ...explain(error) });
    }
  }
}

/** Words for the worker; where a person can do nothing about it, there is no hint. */
function explain(error: unknown): { message: string; hint?: string } {
  if (error instanceof UserError) return { message: error.message, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error) };
}

/** Resolves once the message has left, or nobody is there to hear it. */
function send(message: FromTrainer): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
