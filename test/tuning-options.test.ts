// The loop's options: accumulation, smoothing, class weights, early stopping, exact resuming with all of them, and what breaks a run.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeFileAtomically } from '../engine/models/files.ts';
import { openSafetensors, readFloats, writeSafetensors } from '../engine/models/safetensors.ts';
import { type RunEvent, runEventSchema } from '../engine/runs/events.ts';
import { type RunSpecInput, runSpecSchema, type SpecOf } from '../engine/runs/spec.ts';
import { classTargets } from '../engine/tuning/losses.ts';
import { chooseClassWeights } from '../engine/tuning/tasks/class-weights.ts';
import { train } from '../engine/tuning/train.ts';
import { writeToyDataset } from './support/toy-dataset.ts';

vi.mock(import('../engine/models/files.ts'), { spy: true });

let folder = '';
let data = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-options-'));
  data = join(folder, 'toy.csv');
  await writeToyDataset(data, 96);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Spec = SpecOf<'text-classification'>;
type Input = Extract<RunSpecInput, { task: 'text-classification' }>;
function specOf(out: string, hyper: Input['hyper'], changes: Partial<Input> = {}): Spec {
  const spec = runSpecSchema.parse({
    task: 'text-classification',
    data: { train: data, eval: 0.2 },
    hyper: { epochs: 2, batchSize: 8, maxLength: 24, seed: 7, ...hyper },
    out: join(folder, out),
    ...changes,
  });
  if (spec.task !== 'text-classification') throw new Error(`a spec of ${spec.task}`);
  return spec;
}

interface Control {
  readonly resume?: boolean;
  readonly stopAfterStep?: number;
  readonly checkpointEverySteps?: number;
}

async function run(spec: Spec, { resume = false, stopAfterStep, checkpointEverySteps = 3 }: Control = {}) {
  const stop = new AbortController();
  let time = 0;
  const now = () => {
    time += 1000;
    return time;
  };
  const events: RunEvent[] = [];
  for await (const event of train(spec, { signal: stop.signal, resume, now, checkpointEverySteps })) {
    events.push(runEventSchema.parse(event));
    if (event.type === 'step' && event.step === stopAfterStep) stop.abort();
  }
  return events;
}

const stepsOf = (events: readonly RunEvent[]) => events.flatMap((event) => (event.type === 'step' ? [event] : []));
const modelOf = ({ out }: Spec) => readFile(join(out, 'model.safetensors'));

/** Largest difference, relative to the largest weight of the tensor. */
async function largestDifference(a: Spec, b: Spec): Promise<number> {
  const [left, right] = await Promise.all([a, b].map(({ out }) => openSafetensors(join(out, 'model.safetensors'))));
  if (!left || !right) throw new Error('no models');
  let largest = 0;
  for (const name of left.tensors.keys()) {
    const [ours, theirs] = [(await readFloats(left, name)).data, (await readFloats(right, name)).data];
    const scale = Math.max(...theirs.map(Math.abs));
    largest = Math.max(largest, ...ours.map((value, index) => Math.abs(value - (theirs[index] ?? 0)) / scale));
  }
  return largest;
}

/** A base without dropout and trained a little, so that only the arithmetic of a step can differ. */
async function quietBase(name: string): Promise<string> {
  const spec = specOf(name, { epochs: 1 });
  await run(spec);
  const path = join(spec.out, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...config, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 }));
  return spec.out;
}

test('adding up the gradients of four batches equals one batch four times as large', async () => {
  const model = await quietBase('quiet');
  // One step, of all examples: both runs see the same ones.
  const file = join(folder, 'all.csv');
  await writeToyDataset(file, 32, 5);
  const changes = { model, data: { train: file, eval: data } };
  // AdamW would make much of gradients that are zero but for rounding, such as those of key biases.
  const hyper = {
    optimizer: 'sgd',
    epochs: 3,
    learningRate: 0.1,
    warmup: 0,
    labelSmoothing: 0.1,
    patience: 0,
    evalEverySteps: 3,
  } as const;
  const whole = specOf('one-batch', { ...hyper, batchSize: 32 }, changes);
  const parts = specOf('four-batches', { ...hyper, batchSize: 8, accumulate: 4 }, changes);
  const [wholeSteps, partSteps] = [stepsOf(await run(whole)), stepsOf(await run(parts))];
  expect(partSteps).toHaveLength(3);
  partSteps.forEach(({ loss }, index) => {
    expect(loss).toBeCloseTo(wholeSteps[index]?.loss ?? Number.NaN, 5);
  });
  expect(await largestDifference(parts, whole)).toBeLessThan(1e-4);
});

test('stopped at any step with any options, a resumed run ends bit for bit like an uninterrupted one', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        optimizer: fc.constantFrom('adamw' as const, 'sgd' as const, 'adafactor' as const),
        schedule: fc.constantFrom('constant' as const, 'linear' as const, 'cosine' as const),
        accumulate: fc.integer({ min: 1, max: 3 }),
        labelSmoothing: fc.constantFrom(0, 0.1),
        classWeights: fc.constantFrom(undefined, 'balanced' as const),
        evalEverySteps: fc.constantFrom(undefined, 2),
      }),
      fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      async ({ classWeights, evalEverySteps, ...options }, stops, lora) => {
        const hyper = {
          ...options,
          epochs: 1,
          ...(classWeights === undefined ? {} : { classWeights }),
          ...(evalEverySteps === undefined ? {} : { evalEverySteps }),
          learningRate: options.optimizer === 'sgd' ? 0.05 : 1e-3,
        };
        const method = { method: lora ? ('lora' as const) : ('full' as const) };
        const whole = specOf(`whole-${++runs}`, hyper, method);
        const broken = specOf(`broken-${runs}`, hyper, method);
        const wholeEvents = await run(whole);
        for (const [index, stopAfterStep] of stops.entries())
          await run(broken, { resume: index > 0, stopAfterStep, checkpointEverySteps: 100 });
        const rest = await run(broken, { resume: true });
        const file = lora ? 'adapter_model.safetensors' : 'model.safetensors';
        const [ours, truth] = await Promise.all([broken, whole].map(({ out }) => readFile(join(out, file))));
        expect(ours?.equals(truth ?? Buffer.alloc(0))).toBe(true);
        expect(rest.at(-1)).toMatchObject({ metrics: Reflect.get(wholeEvents.at(-1) ?? {}, 'metrics') });
      },
    ),
    { numRuns: 5, seed: 11 },
  );
}, 120_000);

test('a run ends early when it gets no better, keeps its best weights, and tells fewer steps', async () => {
  // Nothing can be learnt with steps this small, so the first evaluation stays the best or close to it.
  const spec = specOf('early', { epochs: 30, learningRate: 1e-12, patience: 2, evalEverySteps: 2 });
  const events = await run(spec);
  const start = events.find((event) => event.type === 'start');
  const evaluations = events.flatMap((event) => (event.type === 'eval' ? [event.step] : []));
  expect(evaluations.length).toBeLessThan(20);
  expect(stepsOf(events).length).toBeLessThan(start?.type === 'start' ? start.totalSteps : 0);
  expect(events.at(-1)?.type).toBe('done');
  const record = JSON.parse(await readFile(join(spec.out, 'finetutor.json'), 'utf8'));
  expect(evaluations.indexOf(record.bestStep)).toBe(evaluations.length - 3);
});

test('targets are smoothed and weighted as PyTorch’s cross-entropy has them', () => {
  const rows = [
    { row: 0, label: 1 },
    { row: 2, label: 0 },
  ];
  const { targets, weight } = classTargets(rows, 3, [2, 0.5], 0.2);
  expect(weight).toBe(2.5);
  const expected = [2 * 0.1, 0.5 * 0.9, 0, 0, 2 * 0.9, 0.5 * 0.1];
  Array.from(targets.targets?.data ?? []).forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 6);
  });
  // scikit-learn: compute_class_weight('balanced', classes=[0, 1], y=[0, 0, 0, 1]) is [2/3, 2].
  expect(chooseClassWeights('balanced', ['a', 'b'], [0, 0, 0, 1])).toEqual([2 / 3, 2]);
  expect(chooseClassWeights({ b: 3 }, ['a', 'b'], [0, 1])).toEqual([1, 3]);
  expect(() => chooseClassWeights({ c: 3 }, ['a', 'b'], [0, 1])).toThrow('names the label "c"');
});

test('a full disk ends the run with a clear error and leaves the checkpoint before whole', async () => {
  const whole = specOf('roomy', {});
  await run(whole);
  const spec = specOf('full-disk', {});
  const writing = vi.mocked(writeFileAtomically);
  const real = writing.getMockImplementation();
  let left = 2;
  writing.mockImplementation(async (path, chunks) => {
    // The third checkpoint finds the disk full in the middle of a file.
    if (path.endsWith('tensors.safetensors') && left-- === 0) {
      const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const cut = (async function* () {
        yield Buffer.alloc(1000);
        throw full;
      })();
      writing.mockImplementation(real ?? writeFileAtomically);
      const { writeFileAtomically: write } =
        await vi.importActual<typeof import('../engine/models/files.ts')>('../engine/models/files.ts');
      return write(path, cut);
    }
    const { writeFileAtomically: write } =
      await vi.importActual<typeof import('../engine/models/files.ts')>('../engine/models/files.ts');
    return write(path, chunks);
  });
  await expect(run(spec)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining('the disk is full (ENOSPC)'),
  });
  writing.mockReset();
  const names = await readdir(join(spec.out, 'checkpoints'));
  expect(names.filter((name) => name.includes('partial'))).toEqual([]);
  expect(names).toContain('step-000000006');
  const rest = await run(spec, { resume: true });
  expect(rest[0]).toMatchObject({ type: 'start', step: 6 });
  expect((await modelOf(spec)).equals(await modelOf(whole))).toBe(true);
});

test('a diverging run says step, gradient, learning rate and the norms before', async () => {
  const spec = specOf('wild', { learningRate: 1, optimizer: 'sgd', momentum: 0, clipNorm: 0, schedule: 'constant' });
  const wild = { ...spec, hyper: { ...spec.hyper, learningRate: 1e18 } };
  await expect(run(wild)).rejects.toMatchObject({
    message: expect.stringMatching(
      /^Training broke at step \d+: the loss is .* the gradient of \S+ is not finite.*; the learning rate was \S+; the gradients’ norm at the steps before: \d/,
    ),
  });
});

test('a base with NaN in its weights is refused before the first step, naming the tensor', async () => {
  const model = await quietBase('sound');
  const broken = join(folder, 'with-nan');
  await cp(model, broken, { recursive: true });
  const path = join(broken, 'model.safetensors');
  const file = await openSafetensors(path);
  const tensors = new Map(
    await Promise.all([...file.tensors.keys()].map(async (name) => [name, await readFloats(file, name)] as const)),
  );
  const name = 'bert.encoder.layer.1.output.dense.weight';
  tensors.get(name)?.data.set([Number.NaN], 5);
  await writeSafetensors(path, tensors);
  for (const method of ['full', 'lora'] as const) {
    await expect(run(specOf(`nan-${method}`, {}, { model: broken, method }))).rejects.toThrow(
      `number 5 of ${name} is NaN`,
    );
  }
});
