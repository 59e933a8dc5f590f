// A run from its spec to its model: specs refused in words, statuses without gaps, and one real training in its own process.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../engine/errors.ts';
import { parseRunSpec } from '../engine/runs/parse-spec.ts';
import { type Happening, nextStatus } from '../engine/runs/states.ts';
import { createTrainerStarter } from '../engine/runs/trainer-process.ts';
import { openStore } from '../engine/store/client.ts';
import { type RunStatus, run_statuses } from '../engine/store/schema.ts';
import { emptyFolder } from './support/databases.ts';
import { only } from './support/kinds.ts';
import { startRuns } from './support/runs.ts';

describe('a spec', () => {
  const good = { task: 'text-classification', data: { train: 'a.csv' }, out: 'runs/a' };

  it('is filled with defaults', () => {
    expect(parseRunSpec(good)).toMatchObject({
      model: 'scratch:tiny',
      method: 'full',
      hyper: { batchSize: 16, loraRank: 8 },
    });
    expect(parseRunSpec(good).hyper.epochs).toBeUndefined();
  });

  it.each([
    [{ hyper: { loraRank: 0 } }, 'loraRank is 0: it must be at least 1'],
    [{ hyper: { learningRate: -0.1 } }, 'learningRate is -0.1: it must be more than 0'],
    [{ hyper: { learningRate: Number.NaN } }, 'learningRate is NaN: it must be a number'],
    [{ hyper: { epochs: 1.5 } }, 'epochs is 1.5: it must be a whole number'],
    [{ hyper: { epochs: 'many' } }, 'epochs is "many": it must be a number'],
    [{ hyper: { batchSize: 513 } }, 'batchSize is 513: it must be at most 512'],
    [{ hyper: { batchsize: 8 } }, 'hyper has "batchsize", which no run has'],
    [{ method: 'magic' }, 'method is "magic": it must be one of full, lora, qlora'],
    [
      { task: 'poetry' },
      'task is "poetry": it must be one of text-classification, regression, token-classification, masked-lm, causal-lm, image-classification, image-text',
    ],
    [{ data: { train: '' } }, 'train is "": it must not be empty'],
    [{ data: { train: 'a.csv', eval: 0.9 } }, 'eval is 0.9: it must be at most 0.5'],
    [{ data: {} }, 'train is missing: it must be a string'],
  ])('with %j is refused: %s', (change, words) => {
    const refused = () => parseRunSpec({ ...good, ...change });
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(`${words}.`);
  });

  it('that is no object at all is refused, and so are several wrong fields at once', () => {
    expect(() => parseRunSpec(7)).toThrow('the spec is 7: it must be an object.');
    expect(() => parseRunSpec({ ...good, method: 1, hyper: { epochs: 0 } })).toThrow(/method is 1.*; epochs is 0/);
  });
});

describe('the statuses of a run', () => {
  const happenings: readonly Happening[] = [
    'taken',
    'trainerDone',
    'trainerStopped',
    'trainerFailed',
    'trainerDied',
    'workerLost',
    'stopAsked',
    'resumeAsked',
    'putBack',
  ];
  const outcomes = (status: RunStatus) => happenings.map((happening) => nextStatus(status, happening));

  it('end with done, and only running or stopping runs end by their trainer', () => {
    expect(new Set(outcomes('done'))).toEqual(new Set(['done']));
    for (const status of run_statuses) {
      const becomesDone = outcomes(status).includes('done') && status !== 'done';
      expect(becomesDone).toBe(status === 'running' || status === 'stopping');
    }
  });

  it('become running from the queue only, so that a job delivered twice trains once', () => {
    const from = run_statuses.filter((status) => status !== 'running' && outcomes(status).includes('running'));
    expect(from).toEqual(['queued']);
  });

  it('never change when asked to stop or resume a second time', () => {
    for (const status of run_statuses) {
      for (const wish of ['stopAsked', 'resumeAsked'] as const) {
        const once = nextStatus(status, wish);
        expect(nextStatus(once, wish)).toBe(once);
      }
    }
  });

  it('leave no run stuck: each that has ended without a result can be resumed', () => {
    for (const status of ['stopped', 'interrupted', 'failed'] as const) {
      expect(nextStatus(status, 'resumeAsked')).toBe('queued');
    }
  });
});

it('a real run trains in its own process, is stopped and resumed, and its model answers', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-runs-'));
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  const store = await openStore({ databaseUrl: undefined, dataDir });
  const { runs, reaches, submit, until } = await startRuns(store, dataDir, { startTrainer: createTrainerStarter() });
  try {
    const train = join(dataDir, 'weather.csv');
    const days = Array.from({ length: 120 }, (_, i) => [`day ${i} bright sun and warm`, `day ${i} cold rain and wind`]);
    writeFileSync(train, `text,label\n${days.map(([sun, rain]) => `${sun},good\n${rain},bad`).join('\n')}\n`);
    const spec = {
      task: 'text-classification',
      data: { train },
      hyper: { epochs: 12, batchSize: 16, maxLength: 16 },
    } as const;
    const run = await submit({}, { datasetName: 'weather.csv', spec });
    const low = await until((row) => row.progress !== undefined, 'a step', 60_000);
    expect(low.start?.labels.toSorted()).toEqual(['bad', 'good']);
    await runs.stop('w', 'run-1');
    await reaches('run-1', 'stopped');
    await runs.resume('w', 'run-1');
    const done = await reaches('run-1', 'done');
    expect(done.error).toBeUndefined();
    expect(only('classification', done.metrics).accuracy).toBeGreaterThan(0.9);
    const starts = (await runs.events('w', run.id)).flatMap((event) => (event.type === 'start' ? [event.step] : []));
    expect(starts[0]).toBe(0);
    expect(starts[1]).toBeGreaterThan(0);
    const predictions = await runs.predict('w', 'run-1', ['warm and bright', 'rain and wind']);
    const answers = predictions.map((one) => only('classification', one));
    expect(answers.map(({ label }) => label)).toEqual(['good', 'bad']);
    for (const { scores } of answers) expect(Object.values(scores).reduce((a, b) => a + b)).toBeCloseTo(1);
    expect(await runs.lossPicture('w', run.id)).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{64}$/) });
  } finally {
    await runs.close();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 120_000);
