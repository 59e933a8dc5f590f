// Batch normalisation that trains: ten steps end where PyTorch's do, weights and running statistics alike; stopped runs go on exactly.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createResnet } from '../engine/models/resnet.ts';
import { openSafetensors, readFloats } from '../engine/models/safetensors.ts';
import { hyperSchema, runSpecSchema } from '../engine/runs/spec.ts';
import { classObjective, classTargets } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { createOptimizer } from '../engine/tuning/optimizers/index.ts';
import { liveTensors, prepareParameters } from '../engine/tuning/parameters.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { moveStatistics } from '../engine/tuning/statistics.ts';
import { train } from '../engine/tuning/train.ts';
import fixtureJson from './oracle/fixtures/batch-norm.json' with { type: 'json' };
import { relativeError, seededWeight } from './support/oracle.ts';
import { drawToyPicture, writeToyResNet, zipToyPictures } from './support/toy-models.ts';

const numbers = z.array(z.number());
const run = z.object({ losses: numbers, ends: z.record(z.string(), numbers) });
const fixture = z
  .object({
    config: z.record(z.string(), z.unknown()),
    steps: z.number(),
    rows: z.number(),
    labels: z.number(),
    learningRate: z.number(),
    classes: z.array(numbers),
    start: z.record(z.string(), z.object({ shape: numbers, data: numbers })),
    runs: z.object({ sgd: run, adamw: run }),
  })
  .parse(fixtureJson);

const home = await mkdtemp(join(tmpdir(), 'finetutor-batch-norm-'));
afterAll(() => rm(home, { recursive: true }));

test.each(['sgd', 'adamw'] as const)('%s: ten steps end where PyTorch ends, statistics too', async (optimizer) => {
  const model = createResnet(fixture.config, 'config.json');
  const head = { kind: 'classification', labels: fixture.labels } as const;
  const hyper = { ...hyperSchema.parse({ optimizer, weightDecay: 0.01 }), batchNorm: 'train' } as const;
  const parameters = await prepareParameters({ fresh: true, model, weights: new Map() }, head, {
    method: 'full',
    hyper,
  });
  for (const [name, { data }] of liveTensors(parameters)) data.set(fixture.start[name]?.data ?? []);
  const network = createNetwork(parameters, classObjective, { device: 'cpu', threads: 1 });
  const updates = createOptimizer(parameters.trainable, hyper);
  const losses: number[] = [];
  for (let step = 1; step <= fixture.steps; step++) {
    const { shape, data } = seededWeight(`pixels ${step - 1}`, [fixture.rows, 3, 16, 16]);
    const chosen = (fixture.classes[step - 1] ?? []).map((label, row) => ({ row, label }));
    const { targets, weight } = classTargets(chosen, fixture.rows, [1, 1, 1], 0);
    const pixelValues = { type: 'float32', shape, data: data.map((x) => 2 * x) } as const;
    const answer = await network.computeGradients({ inputs: { pixelValues }, targets, weight }, undefined);
    moveStatistics(parameters.statistics ?? new Map(), answer.statistics);
    updates.step(answer.gradients, { step, learningRate: fixture.learningRate, gradientScale: 1 / weight });
    losses.push(answer.loss / weight);
  }
  await network.close();
  const truth = fixture.runs[optimizer];
  expect(relativeError(losses, truth.losses)).toBeLessThan(1e-4);
  expect([...liveTensors(parameters).keys()].sort()).toEqual(Object.keys(truth.ends).sort());
  for (const [name, end] of Object.entries(truth.ends)) {
    expect(relativeError(liveTensors(parameters).get(name)?.data ?? [], end), name).toBeLessThan(1e-4);
  }
});

const specOf = (name: string, hyper: object = {}) =>
  runSpecSchema.parse({
    task: 'image-classification',
    method: 'full',
    model: join(home, 'resnet'),
    data: { train: join(home, 'toys.zip'), eval: 0.2 },
    hyper: { epochs: 2, batchSize: 8, learningRate: 3e-3, batchNorm: 'train', evalEverySteps: 2, ...hyper },
    out: join(home, name),
  });

async function readStatistics(folder: string): Promise<Map<string, number[]>> {
  const file = await openSafetensors(join(folder, 'model.safetensors'));
  const read = new Map<string, number[]>();
  for (const name of file.tensors.keys()) {
    if (/running_(mean|var)$/.test(name)) read.set(name, Array.from((await readFloats(file, name)).data));
  }
  return read;
}

test('a run moves the statistics, goes on bit for bit after a stop, and answers with them', async () => {
  await writeToyResNet(join(home, 'resnet'));
  await writeFile(join(home, 'toys.zip'), await zipToyPictures(14));
  const options = { resume: false, now: () => 0, checkpointEverySteps: 1 };
  for await (const _ of train(specOf('whole'), { ...options, signal: new AbortController().signal }));
  const stop = new AbortController();
  for await (const event of train(specOf('parts'), { ...options, signal: stop.signal })) {
    if (event.type === 'checkpoint' && event.step === 3) stop.abort();
  }
  for await (const _ of train(specOf('parts'), { ...options, resume: true, signal: new AbortController().signal }));
  const weights = (name: string) => readFile(join(home, name, 'model.safetensors'));
  expect(await weights('parts')).toEqual(await weights('whole'));
  const [before, after] = [await readStatistics(join(home, 'resnet')), await readStatistics(join(home, 'whole'))];
  for (const [name, values] of after) expect(before.get(name), name).not.toEqual(values);
  const predictor = await loadPredictor(join(home, 'whole'), { device: 'cpu' });
  const picture = `data:image/png;base64,${(await drawToyPicture('red', 901)).toString('base64')}`;
  expect(await predictor.predict([picture])).toMatchObject([{ kind: 'classification' }]);
  await predictor.close();
});

test('a network that starts from nothing learns toy pictures, statistics and all; a head alone is refused', async () => {
  await writeFile(join(home, 'toys.zip'), await zipToyPictures(14));
  const fresh = { ...specOf('fresh'), model: 'scratch:cnn', hyper: { epochs: 6, batchSize: 8, learningRate: 3e-3 } };
  let accuracy = 0;
  const options = { resume: false, now: () => 0, signal: new AbortController().signal };
  for await (const event of train(runSpecSchema.parse(fresh), options)) {
    if (event.type === 'done' && event.metrics.kind === 'classification') accuracy = event.metrics.accuracy;
  }
  expect(accuracy).toBeGreaterThan(0.75);
  const moved = [...(await readStatistics(fresh.out))].filter(([name]) => name.endsWith('running_mean'));
  for (const [name, values] of moved) expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(0);
  const predictor = await loadPredictor(fresh.out, { device: 'cpu' });
  expect(predictor.labels).toEqual(['blue', 'red']);
  await predictor.close();
  const head = train(runSpecSchema.parse({ ...fresh, method: 'head', out: join(home, 'none') }), options);
  await expect(head.next()).rejects.toThrow('scratch:cnn starts from nothing');
});

test('with a body that stays as it is, statistics cannot be trained', async () => {
  await writeToyResNet(join(home, 'resnet'));
  await writeFile(join(home, 'toys.zip'), await zipToyPictures(14));
  const spec = runSpecSchema.parse({ ...specOf('refused'), method: 'head' });
  const running = train(spec, { resume: false, now: () => 0, signal: new AbortController().signal });
  await expect(running.next()).rejects.toThrow('batchNorm is train, which the method head does not do');
});
