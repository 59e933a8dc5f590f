// Runs as the conversation uses them: rows, queue, worker, warm predictors and pictures put together.
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { distance } from 'fastest-levenshtein';
import type { Pictures } from '../charts/pictures.ts';
import { UserError } from '../errors.ts';
import type { HubOptions } from '../models/hub-options.ts';
import type { Store } from '../store/client.ts';
import { diagnose } from '../tutor/diagnose.ts';
import { createExports } from './exports.ts';
import { parseRunSpec } from './parse-spec.ts';
import { createPredictors } from './predictors.ts';
import { openQueue, type Queue } from './queue.ts';
import { curvesOf, drawConfusion, drawLoss } from './run-pictures.ts';
import { createRunRows } from './run-rows.ts';
import type { Advice, Run, Runs } from './runs.ts';
import type { RunSpecInput } from './spec.ts';
import { defaultLimits, type Limits } from './supervisor.ts';
import { createTrainerStarter, type StartTrainer } from './trainer-process.ts';
import { type Log, startWorker, type Worker } from './worker.ts';

export interface RunsOptions {
  readonly store: Store;
  readonly pictures: Pictures;
  readonly dataDir: string;
  /** Runs trained at a time in this process; 0 leaves them to other workers. */
  readonly workers: number;
  readonly device: NonNullable<RunSpecInput['device']>;
  /** How models of the hub are fetched; without it there are none. */
  readonly hub?: HubOptions | undefined;
  readonly now: () => Date;
  readonly log: Log;
  /** The place in the guide, for advice; without it none is named. */
  readonly cite?: (chapterId: string, sectionId: string) => Advice['source'];
  readonly limits?: Partial<Limits>;
  /** How trainer processes are started; a test brings its own script. */
  readonly startTrainer?: StartTrainer;
}

/** The queue opens in the background: nothing here delays the start of the bot. */
export function createRuns(options: RunsOptions): Runs & { close(): Promise<void> } {
  const { store, pictures, log } = options;
  const rows = createRunRows({ db: store.db, now: options.now });
  const startTrainer = withHub(options.startTrainer ?? createTrainerStarter(), options.hub);
  const predictors = createPredictors({ startTrainer, device: options.device });
  const exports = createExports(startTrainer);
  const listeners = new Set<(run: Run) => void>();
  /** The last changes before anybody watched: told to the first who does. */
  let unseen: Run[] = [];

  function tell(run: Run): void {
    if (listeners.size === 0) unseen = [...unseen.slice(-99), run];
    for (const listener of listeners) {
      try {
        listener(run);
      } catch (error) {
        log.error({ err: error, run: run.name }, 'a watcher of runs failed');
      }
    }
  }

  const opened: Promise<{ queue: Queue; worker: Worker }> = openQueue(store, (error) =>
    log.error({ err: error }, 'the queue failed'),
  ).then((queue) => ({
    queue,
    worker: startWorker({
      rows,
      queue,
      startTrainer,
      limits: { ...defaultLimits, ...options.limits },
      slots: options.workers,
      alone: store.kind === 'pglite',
      onChange: tell,
      log,
    }),
  }));
  // Told to whoever needs the queue; the log has it in any case.
  opened.catch((error: unknown) => log.error({ err: error }, 'the queue could not be opened'));

  async function get(workspaceId: string, nameOrId: string): Promise<Run> {
    const wanted = nameOrId.trim().toLowerCase();
    const found = await rows.find(workspaceId, wanted.replace(/^(?:run)?[\s_#-]*(?=\d+$)/, 'run-'));
    if (found !== undefined) return found;
    const names = (await rows.list(workspaceId, 50)).map(({ name }) => name);
    const nearest = names.toSorted((a, b) => distance(a, wanted) - distance(b, wanted)).slice(0, 3);
    throw new UserError(
      `There is no run called "${shorten(nameOrId)}".`,
      nearest.length === 0 ? 'No run was started here yet: finetune starts one.' : `Nearest: ${nearest.join(', ')}.`,
    );
  }

  return {
    async submit({ workspaceId, personId, front, conversationId, datasetName, spec }) {
      const id = randomUUID();
      const specFor = (name: string) =>
        parseRunSpec({
          ...spec,
          device: spec.device ?? options.device,
          out: resolve(join(options.dataDir, 'runs', `${name}-${id.slice(0, 8)}`)),
        });
      specFor('run');
      const run = await rows.add({ id, workspaceId, datasetName, front, conversationId, startedBy: personId }, specFor);
      const { queue, worker } = await opened;
      await queue.put(run.id);
      tell(run);
      worker.kick();
      return run;
    },

    get,
    list: rows.list,
    countByStatus: rows.countByStatus,
    events: rows.events,

    async stop(workspaceId, nameOrId) {
      const { id } = await get(workspaceId, nameOrId);
      const asked = await rows.apply(id, 'stopAsked');
      if (asked === undefined) return get(workspaceId, nameOrId);
      if (asked.changed) tell(asked.run);
      const { worker } = await opened;
      worker.stop(id);
      return asked.run;
    },

    async resume(workspaceId, nameOrId) {
      const { id, name, status } = await get(workspaceId, nameOrId);
      if (status === 'done')
        throw new UserError(`${name} is done: there is nothing left to resume.`, 'Start another run to train further.');
      const fresh = { error: null, hint: null, result: null, interruptions: 0 };
      const asked = await rows.apply(id, 'resumeAsked', fresh);
      if (!asked?.changed) return get(workspaceId, nameOrId);
      const { queue, worker } = await opened;
      await queue.put(id);
      tell(asked.run);
      worker.kick();
      return asked.run;
    },

    watch(listener) {
      listeners.add(listener);
      for (const run of unseen) listener(run);
      unseen = [];
      return () => listeners.delete(listener);
    },

    async predict(workspaceId, nameOrId, inputs, writing) {
      const run = await get(workspaceId, nameOrId);
      if (run.result === undefined) {
        throw new UserError(`${run.name} is ${run.status}: it has no model to try yet.`, 'Try it once it is done.');
      }
      return inputs.length === 0 ? [] : predictors.predict(run.result.artifact, inputs, writing);
    },

    async exportModel(workspaceId, nameOrId) {
      const run = await get(workspaceId, nameOrId);
      if (run.result === undefined) {
        throw new UserError(
          `${run.name} is ${run.status}: it has no model to export yet.`,
          'Export it once it is done.',
        );
      }
      return exports.make(run.name, run.result.artifact);
    },

    async exported(workspaceId, nameOrId) {
      const run = await get(workspaceId, nameOrId);
      return run.result && exports.find(run.name, run.result.artifact);
    },

    async lossPicture(workspaceId, runId) {
      const run = await get(workspaceId, runId);
      return drawLoss(run, await rows.events(workspaceId, run.id), pictures);
    },

    async advice(workspaceId, runId) {
      const run = await get(workspaceId, runId);
      if (run.finishedAt === undefined) return undefined;
      const found = diagnose(curvesOf(await rows.events(workspaceId, run.id)));
      return found && { ...found, source: options.cite?.(found.chapterId, found.sectionId) };
    },

    async confusionPicture(workspaceId, runId) {
      return drawConfusion(await get(workspaceId, runId), pictures);
    },

    async close() {
      await Promise.all([predictors.close(), exports.close()]);
      const { queue, worker } = await opened;
      await worker.close();
      await queue.close();
    },
  };
}

const shorten = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Every trainer process hears of the hub before anything else. */
function withHub(start: StartTrainer, hub: HubOptions | undefined): StartTrainer {
  if (hub === undefined) return start;
  return (hear, wants) => {
    const trainer = start(hear, wants);
    trainer.send({ kind: 'hub', hub });
    return trainer;
  };
}
