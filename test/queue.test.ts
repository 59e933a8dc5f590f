// From the queue to the end of a run, whatever dies on the way: each run is trained once, to its end or to a checkpoint.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../engine/runs/events.ts';
import { openQueue } from '../engine/runs/queue.ts';
import { openStore } from '../engine/store/client.ts';
import { describeOnEveryDatabase, emptyFolder } from './support/databases.ts';
import { only } from './support/kinds.ts';
import { linesOf, livesOf, startRuns } from './support/runs.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(...args: Parameters<typeof startRuns>) {
  const started = await startRuns(...args);
  closing.push(started.runs.close);
  return started;
}

const stepsOf = (events: readonly RunEvent[]) => events.flatMap((event) => (event.type === 'step' ? [event.step] : []));
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

describeOnEveryDatabase('the queue of runs', (open) => {
  it('trains a submitted run to its end, telling watchers, and keeps every event once', async () => {
    const { store, dataDir } = await open();
    const bot = await start(store, dataDir);
    const submittedAt = Date.now();
    const run = await bot.submit({ steps: 40 });
    expect(run).toMatchObject({ name: 'run-1', status: 'queued', startedBy: 'ada', datasetName: 'reviews.csv' });
    await bot.reaches('run-1', 'running');
    expect(Date.now() - submittedAt).toBeLessThan(5_000);
    const done = await bot.reaches('run-1', 'done');
    expect(bot.statuses('run-1')).toEqual(['queued', 'running', 'done']);
    expect(done).toMatchObject({
      result: { step: 40, artifact: run.spec.out },
      metrics: { accuracy: 0.75 },
      error: undefined,
    });
    expect(done.finishedAt).toBeInstanceOf(Date);
    const events = await bot.runs.events('w', run.id);
    expect(stepsOf(events)).toEqual(upTo(40));
    expect(events.at(-1)?.type).toBe('done');
    expect(livesOf(run)).toBe(1);
  });

  it('trains a run once that is delivered twice', async () => {
    const { store, dataDir } = await open();
    const bot = await start(store, dataDir, { workers: 2 });
    const run = await bot.submit({ steps: 30 });
    const duplicate = await openQueue(store, (error) => expect.fail(String(error)));
    await duplicate.put(run.id);
    await duplicate.put(run.id);
    await bot.reaches('run-1', 'done');
    await bot.submit({ steps: 2 });
    await bot.reaches('run-2', 'done');
    await duplicate.close();
    expect(livesOf(run)).toBe(1);
    expect(await duplicateJobsLeft(store)).toBe(0);
  });

  it('stops a running run at a checkpoint and goes on from there when resumed; asking twice is harmless', async () => {
    const { store, dataDir } = await open();
    const bot = await start(store, dataDir);
    const run = await bot.submit({ steps: 60, stepMs: 40 });
    await bot.trains('run-1');
    const asked = await Promise.all([bot.runs.stop('w', 'run-1'), bot.runs.stop('w', run.id)]);
    expect(asked.map(({ status }) => status)).toEqual(['stopping', 'stopping']);
    await bot.reaches('run-1', 'stopped');
    expect((await bot.runs.stop('w', 'run-1')).status).toBe('stopped');
    const before = stepsOf(await bot.runs.events('w', run.id));
    expect(before.length).toBeLessThan(60);
    await Promise.all([bot.runs.resume('w', 'run-1'), bot.runs.resume('w', 'run-1')]);
    await bot.reaches('run-1', 'done');
    expect(stepsOf(await bot.runs.events('w', run.id))).toEqual(upTo(60));
    expect(livesOf(run)).toBe(2);
    await expect(bot.runs.resume('w', 'run-1')).rejects.toMatchObject({ name: 'UserError', message: /done/ });
  });

  it('restarts a trainer that was killed from its last checkpoint, and counts no step twice', async () => {
    const { store, dataDir } = await open();
    const bot = await start(store, dataDir);
    const run = await bot.submit({ steps: 20, dieAt: [8, 13] });
    await bot.reaches('run-1', 'done');
    expect(livesOf(run)).toBe(3);
    const events = await bot.runs.events('w', run.id);
    expect(events.flatMap((event) => (event.type === 'start' ? [event.step] : []))).toEqual([0, 5, 10]);
    expect(stepsOf(events)).toEqual(upTo(20));
  });

  it('keeps one workspace out of another', async () => {
    const { store, dataDir } = await open();
    const bot = await start(store, dataDir, { workers: 0 });
    const run = await bot.submit();
    await expect(bot.runs.get('other', 'run-1')).rejects.toMatchObject({ name: 'UserError' });
    await expect(bot.runs.stop('other', run.id)).rejects.toMatchObject({ name: 'UserError' });
    expect(await bot.runs.events('other', run.id)).toEqual([]);
    expect(await bot.runs.list('other', 10)).toEqual([]);
  });

  it('gives runs that are submitted at the same moment different names', async () => {
    const { store, dataDir } = await open();
    const bot = await start(store, dataDir, { workers: 0 });
    const added = await Promise.all(upTo(8).map(() => bot.submit()));
    expect(new Set(added.map(({ name }) => name))).toEqual(new Set(upTo(8).map((n) => `run-${n}`)));
    expect((await bot.runs.list('w', 3)).map(({ name }) => name)).toEqual(['run-8', 'run-7', 'run-6']);
  });
});

async function botInFolder(options: Parameters<typeof startRuns>[2] = {}) {
  const dataDir = newFolder();
  cpSync(await emptyFolder(), dataDir, { recursive: true });
  const store = await openStore({ databaseUrl: undefined, dataDir });
  closing.push(store.close);
  return start(store, dataDir, options);
}

describe('a worker', () => {
  it('trains one run at a time, in the order submitted, and never one that was stopped in the queue', async () => {
    const bot = await botInFolder();
    await bot.submit({ steps: 15, stepMs: 20 });
    const second = await bot.submit();
    await bot.submit({ steps: 2 });
    expect((await bot.runs.stop('w', 'run-2')).status).toBe('stopped');
    await bot.reaches('run-3', 'done');
    const order = bot.seen.map((run) => `${run.name} ${run.status}`);
    expect(order.indexOf('run-3 running')).toBeGreaterThan(order.indexOf('run-1 done'));
    expect(livesOf(second)).toBe(0);
  });
});

describe('a trainer that misbehaves', () => {
  it('fails its run, saying how it died, once it was restarted twice in vain', async () => {
    const bot = await botInFolder();
    const run = await bot.submit({ steps: 20, dieAt: [1, 2, 3] });
    expect(await bot.reaches('run-1', 'failed')).toMatchObject({
      error: 'The trainer process died: SIGKILL (often out of memory).',
      hint: expect.stringContaining('Resume'),
    });
    expect(livesOf(run)).toBe(3);
  });

  it('fails its run at once, in its own words, when a person caused it', async () => {
    const bot = await botInFolder();
    const run = await bot.submit({ fail: 'Row 7 has no label.' });
    expect(await bot.reaches('run-1', 'failed')).toMatchObject({
      error: 'Row 7 has no label.',
      hint: 'Mend the file.',
    });
    expect(livesOf(run)).toBe(1);
  });

  it('is ended and restarted when it falls silent', async () => {
    const bot = await botInFolder({ limits: { silenceMs: 3_000 } });
    const run = await bot.submit({ steps: 3, silent: true });
    await bot.reaches('run-1', 'done');
    expect(livesOf(run)).toBe(2);
    expect(bot.log.lines.join()).toContain('silent for 3 s');
  });

  it('is ended when it does not stop in time', async () => {
    const bot = await botInFolder({ limits: { stopMs: 300 } });
    await bot.submit({ steps: 1_000, deaf: true });
    await bot.trains('run-1');
    await bot.runs.stop('w', 'run-1');
    await bot.reaches('run-1', 'stopped');
  });

  it('is stopped, with a checkpoint, when it takes longer than allowed', async () => {
    const bot = await botInFolder({ limits: { runtimeMs: 3_000 } });
    const run = await bot.submit({ steps: 10_000 });
    expect(await bot.reaches('run-1', 'failed')).toMatchObject({ error: expect.stringContaining('limit of 3 s') });
    expect(Number(readFileSync(join(run.spec.out, 'checkpoint'), 'utf8'))).toBeGreaterThan(0);
  });

  it('answers predictions from one warm process, and a crash of it is told and mended', async () => {
    const bot = await botInFolder();
    await bot.submit({ steps: 2 });
    await expect(bot.runs.predict('w', 'run-1', ['x'])).rejects.toMatchObject({ name: 'UserError' });
    await bot.reaches('run-1', 'done');
    const answers = await Promise.all(['good film', 'no'].map((text) => bot.runs.predict('w', 'run-1', [text])));
    const judged = answers.map(([answer]) => only('classification', answer));
    expect(judged.map(({ label }) => label)).toEqual(['yes', 'no']);
    expect(new Set(judged.map(({ scores }) => scores.pid)).size).toBe(1);
    await expect(bot.runs.predict('w', 'run-1', ['crash'])).rejects.toThrow(/SIGKILL/);
    expect((await bot.runs.predict('w', 'run-1', ['again']))[0]).toMatchObject({ label: 'yes' });
  });

  it('draws the loss and the confusion matrix', async () => {
    const bot = await botInFolder();
    const run = await bot.submit({ steps: 20, stepMs: 1 });
    await bot.reaches('run-1', 'done');
    expect(await bot.runs.lossPicture('w', run.id)).toMatchObject({
      id: /^[0-9a-f]{64}$/,
      alt: expect.stringMatching(/loss/i),
    });
    expect(await bot.runs.confusionPicture('w', run.id)).toMatchObject({ alt: expect.stringMatching(/yes/) });
  });
});

describe('a bot that goes away in the middle of a run', () => {
  it('killed with -9: the next one shows the run interrupted, puts it back, and trains no step twice or never', async () => {
    const dataDir = newFolder();
    cpSync(await emptyFolder(), dataDir, { recursive: true });
    const script = fileURLToPath(new URL('fixtures/bot-with-a-run.ts', import.meta.url));
    const args = ['--import', 'tsx', script, dataDir, 'fake:{"steps":80,"stepMs":25}'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      let heard = '';
      child.stdout.on('data', (chunk) => {
        heard += String(chunk);
        if (/running [1-9]/.test(heard)) resolve();
      });
      void exited.then(() => reject(new Error(`ended early: ${heard}`)));
    });
    child.kill('SIGKILL');
    await exited;

    const store = await openStore({ databaseUrl: undefined, dataDir });
    closing.push(store.close);
    const bot = await start(store, dataDir);
    const done = await bot.reaches('run-1', 'done');
    expect(bot.statuses('run-1')).toEqual(['interrupted', 'queued', 'running', 'done']);
    const events = await bot.runs.events('w', done.id);
    expect(linesOf(done, 'trained').map(Number)).toEqual(upTo(80));
    // What the trainer said between the bot's death and its own checkpoint nobody heard; nothing is told twice.
    const steps = stepsOf(events);
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
    expect(steps.at(-1)).toBe(80);
    const starts = events.flatMap((event) => (event.type === 'start' ? [event.step] : []));
    expect(starts).toHaveLength(2);
    expect(starts[1]).toBeGreaterThan(0);
  });

  it('closed: the trainer keeps a checkpoint and the next one goes on by itself', async () => {
    const dataDir = newFolder();
    cpSync(await emptyFolder(), dataDir, { recursive: true });
    const first = await openStore({ databaseUrl: undefined, dataDir });
    const bot = await startRuns(first, dataDir);
    await bot.submit({ steps: 60, stepMs: 25 });
    await bot.trains('run-1');
    await bot.runs.close();
    expect(bot.statuses('run-1').at(-1)).toBe('interrupted');
    await first.close();

    const store = await openStore({ databaseUrl: undefined, dataDir });
    closing.push(store.close);
    const next = await start(store, dataDir);
    const done = await next.reaches('run-1', 'done');
    expect(stepsOf(await next.runs.events('w', done.id))).toEqual(upTo(60));
  });

  it('again and again: a run interrupted more than three times waits for a person', async () => {
    const dataDir = newFolder();
    cpSync(await emptyFolder(), dataDir, { recursive: true });
    const store = await openStore({ databaseUrl: undefined, dataDir });
    closing.push(store.close);
    const first = await startRuns(store, dataDir, { workers: 0 });
    const run = await first.submit({ steps: 2 });
    await first.runs.close();
    await store.execute("update runs set status = 'running', interruptions = 3 where id = $1", [run.id]);
    const bot = await start(store, dataDir);
    await bot.reaches('run-1', 'interrupted');
    await bot.submit({ steps: 2 });
    await bot.reaches('run-2', 'done');
    expect((await bot.runs.get('w', 'run-1')).status).toBe('interrupted');
    await bot.runs.resume('w', 'run-1');
    await bot.reaches('run-1', 'done');
  });
});

function newFolder(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'finetutor-queue-'));
  closing.push(async () => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function duplicateJobsLeft(store: {
  execute(text: string): Promise<{ rows: readonly unknown[] }>;
}): Promise<number> {
  const { rows } = await store.execute("select 1 from pgboss.job where name = 'runs' and state <> 'completed'");
  return rows.length;
}
