import { describe, expect, it } from 'vitest';
import { createLiveCards } from '../bot/chat/live.ts';
import type { Place, Reply } from '../bot/chat/message.ts';
import type { Run } from '../engine/index.ts';
import { createFakeEngine, metrics } from './support/fake-engine.ts';
import { wordsOf } from './support/talk.ts';

/** A clock that goes only when told, with the timers set on it. */
function createClock() {
  let nowMs = 0;
  const timers: { atMs: number; callback: () => void }[] = [];
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => new Date(nowMs),
    nowMs: () => nowMs,
    after: (delayMs: number, callback: () => void) => {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
    settle,
    async advance(byMs: number) {
      const untilMs = nowMs + byMs;
      for (;;) {
        await settle();
        const due = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers.splice(timers.indexOf(due), 1);
        nowMs = due.atMs;
        due.callback();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}

const start: Run['start'] = {
  type: 'start',
  step: 0,
  totalSteps: 100,
  stepsPerEpoch: 50,
  epochs: 2,
  trainExamples: 90,
  evalExamples: 10,
  labels: ['a', 'b'],
  parameters: 1000,
  trainableParameters: 1000,
  device: 'cpu',
  warnings: [],
};
const stepAt = (step: number): Partial<Run> => ({
  status: 'running',
  start,
  progress: { type: 'step', step, epoch: 1, loss: 0.5, learningRate: 0.001, examplesPerSecond: 123.4, secondsLeft: 65 },
});
const done: Partial<Run> = {
  status: 'done',
  metrics,
  result: { type: 'done', step: 100, artifact: '/nowhere', metrics, samples: [], seconds: 9, peakRssBytes: 1 },
};

async function setUp({ failing = false, shownAt = undefined as Date | undefined } = {}) {
  const engine = createFakeEngine();
  const clock = createClock();
  const shown: { atMs: number; words: string; place: Place; slot: string | undefined }[] = [];
  const logged: unknown[] = [];
  const live = createLiveCards({
    runs: engine.runs,
    deliver: async (place: Place, reply: Reply) => {
      shown.push({ atMs: clock.nowMs(), words: wordsOf([reply]), place, slot: reply.slot });
      if (failing) throw new Error('the front is away');
    },
    shownAt: async () => shownAt,
    log: { error: (details: unknown) => logged.push(details) },
    now: clock.now,
    after: clock.after,
  });
  const run = await engine.runs.submit({
    workspaceId: 'local',
    personId: 'ada',
    front: 'slack',
    conversationId: 'C7',
    datasetName: 'moods.csv',
    spec: { task: 'text-classification', data: { train: 'moods.csv' } },
  });
  return { engine, clock, shown, live, run, logged };
}

describe('a run card', () => {
  it('is edited in place at most every two seconds, and its last state always arrives', async () => {
    const { engine, clock, shown, live, run } = await setUp();
    await live.start([]);
    for (let step = 1; step <= 100; step++) {
      engine.change(run.id, stepAt(step));
      await clock.advance(100);
    }
    engine.change(run.id, done);
    await clock.advance(5000);
    await expect.poll(() => shown.at(-1)?.words).toContain('Done in 9 s');
    const gaps = shown.slice(1).map(({ atMs }, index) => atMs - (shown[index]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2000);
    expect(shown.length).toBeGreaterThanOrEqual(6);
    expect(new Set(shown.map(({ slot }) => slot))).toEqual(new Set([`run:${run.id}`]));
  });

  it('goes where the row says, whichever process started the run, and shows again what was left half told', async () => {
    const { engine, clock, shown, live, run } = await setUp();
    engine.change(run.id, { ...stepAt(40), status: 'interrupted' });
    await live.start(['local']);
    await clock.settle();
    expect(shown).toHaveLength(1);
    expect(shown[0]?.place).toEqual({ front: 'slack', workspaceId: 'local', conversationId: 'C7' });
    expect(shown[0]?.words).toContain('Interrupted at step 40');
    expect(shown[0]?.words).toContain('[Resume]');
  });

  it.each([
    ['was never shown', undefined, 1],
    ['was last shown before the run ended', new Date(5000), 1],
    ['was shown after the run ended', new Date(7000), 0],
  ])(
    'of a finished run is shown again on the start only when it may be out of date: it %s',
    async (_, shownAt, times) => {
      const { engine, clock, shown, live, run } = await setUp({ shownAt });
      engine.change(run.id, { ...done, finishedAt: new Date(6000) });
      await live.start(['local']);
      await live.stop();
      expect(shown).toHaveLength(times);
      await clock.settle();
    },
  );

  it('shows step, epoch, loss, speed, time left and the loss chart while it runs', async () => {
    const { engine, clock, shown, live, run } = await setUp();
    await live.start([]);
    engine.change(run.id, stepAt(40));
    await clock.settle();
    expect(shown[0]?.words).toContain('step 40 of 100 · epoch 1 of 2 loss 0.500 · 123 examples/s · 1 min 5 s left');
    expect(shown[0]?.words).toContain('Loss over steps, falling');
    expect(shown[0]?.words).toContain('[Stop]');
  });

  it('says why a run failed and what to do, as text', async () => {
    const { engine, clock, shown, live, run } = await setUp();
    await live.start([]);
    engine.change(run.id, { ...stepAt(7), status: 'failed', error: 'The loss became <b>NaN</b>.', hint: 'Lower it.' });
    await clock.settle();
    expect(shown[0]?.words).toContain('It failed at step 7: The loss became \\<b\\>NaN\\</b\\>.');
    expect(shown[0]?.words).toContain('Lower it.');
  });

  it('is never overwritten by an older state when it is asked for while changes come in', async () => {
    const { engine, clock, shown, live, run } = await setUp();
    await live.start([]);
    const shownFirst = live.show(run);
    engine.change(run.id, done);
    await clock.advance(3000);
    await shownFirst;
    await clock.advance(3000);
    await expect.poll(() => shown.at(-1)?.words).toContain('Done');
    expect(shown.filter(({ words }) => words.includes('Waiting')).length).toBeLessThanOrEqual(1);
  });

  it('goes on when a front could not show it, and delivers what waits when it is stopped', async () => {
    const { engine, clock, shown, live, run, logged } = await setUp({ failing: true });
    await live.start([]);
    engine.change(run.id, stepAt(1));
    await clock.settle();
    engine.change(run.id, done);
    await live.stop();
    expect(shown.map(({ words }) => words.includes('Done'))).toEqual([false, true]);
    expect(logged).toHaveLength(2);
  });
});
