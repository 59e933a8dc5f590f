// Training as a whole: it learns, repeats itself exactly, survives interruptions bit for bit, and leaves artifacts that work.
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../engine/errors.ts';
import { type Base, loadBaseFolder, resolveBase } from '../engine/models/base.ts';
import { openSafetensors, readFloats } from '../engine/models/safetensors.ts';
import { type RunEvent, runEventSchema } from '../engine/runs/events.ts';
import { type RunSpecInput, runSpecSchema, type SpecOf } from '../engine/runs/spec.ts';
import { readRunExamples } from '../engine/tuning/examples.ts';
import { classObjective } from '../engine/tuning/losses.ts';
import { createNetwork } from '../engine/tuning/network.ts';
import { mergeAdapters, type Parameters, prepareParameters } from '../engine/tuning/parameters.ts';
import { loadPredictor } from '../engine/tuning/predict.ts';
import { answerTexts } from '../engine/tuning/tasks/text-batches.ts';
import { train } from '../engine/tuning/train.ts';
import { only } from './support/kinds.ts';
import { writeToyDataset } from './support/toy-dataset.ts';

let folder = '';
let data = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetutor-tuning-'));
  data = join(folder, 'toy.csv');
  await writeToyDataset(data, 120);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Spec = SpecOf<'text-classification'>;

function specOf(out: string, changes: Partial<Extract<RunSpecInput, { task: 'text-classification' }>> = {}): Spec {
  const spec = runSpecSchema.parse({
    task: 'text-classification',
    data: { train: data, eval: 0.2 },
    hyper: { epochs: 2, batchSize: 16, maxLength: 24, seed: 7 },
    out: join(folder, out),
    ...changes,
  });
  if (spec.task !== 'text-classification') throw new Error(`a spec of ${spec.task}`);
  return spec;
}

interface Control {
  readonly resume?: boolean;
  readonly stopAfterStep?: number;
  /** Ends the process's part without a word, as a kill would. */
  readonly dieAfterStep?: number;
}

/** Runs to its end, or to where it is stopped. Time stands still between steps and jumps, so that every step is told. */
async function run(spec: Spec, { resume = false, stopAfterStep, dieAfterStep }: Control = {}): Promise<RunEvent[]> {
  const stop = new AbortController();
  let time = 0;
  const now = () => {
    time += 1000;
    return time;
  };
  const events: RunEvent[] = [];
  for await (const event of train(spec, { signal: stop.signal, resume, now, checkpointEverySteps: 3 })) {
    events.push(runEventSchema.parse(event));
    if (event.type !== 'step') continue;
    if (event.step === stopAfterStep) stop.abort();
    if (event.step === dieAfterStep) break;
  }
  return events;
}

const doneOf = (events: readonly RunEvent[]) => {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error(`the run ended with ${JSON.stringify(last)}`);
  return { ...last, metrics: only('classification', last.metrics) };
};
const losses = (events: readonly RunEvent[]) => events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
const checkpointsOf = async (spec: Spec) =>
  (await readdir(join(spec.out, 'checkpoints'))).filter((name) => name.startsWith('step-')).sort();
const modelBytes = (spec: Spec, file = 'model.safetensors') => readFile(join(spec.out, file));

test('a full fine-tune learns, tells its steps, and its artifact classifies as it was measured', async () => {
  const spec = specOf('learns', { hyper: { epochs: 12, batchSize: 16, maxLength: 24, learningRate: 0.002 } });
  const events = await run(spec);
  const [start] = events;
  const done = doneOf(events);
  expect(start).toMatchObject({ type: 'start', step: 0, totalSteps: 72, stepsPerEpoch: 6, labels: ['bad', 'good'] });
  expect(losses(events)).toHaveLength(72);
  expect(events.filter((event) => event.type === 'eval')).toHaveLength(12);
  expect(done.metrics.majorityAccuracy).toBeCloseTo(0.5, 1);
  expect(done.metrics.accuracy).toBeGreaterThan(0.95);
  expect(done.samples).toHaveLength(5);

  const { held } = await readRunExamples(spec);
  const classifier = await loadPredictor(spec.out, { device: 'auto' });
  const predictions = await classifier.predict(held.map(({ text }) => text));
  const hits = predictions.filter((one, index) => only('classification', one).label === held[index]?.label).length;
  expect(hits / held.length).toBeCloseTo(done.metrics.accuracy, 10);
  const [alone] = await classifier.predict(held.slice(0, 1).map(({ text }) => text));
  const good = (one: (typeof predictions)[number] | undefined) => only('classification', one).scores.good ?? Number.NaN;
  expect(good(alone)).toBeCloseTo(good(predictions[0]), 5);
  await classifier.close();

  const config = JSON.parse(await readFile(join(spec.out, 'config.json'), 'utf8'));
  expect(config).toMatchObject({
    model_type: 'bert',
    id2label: { 0: 'bad', 1: 'good' },
    label2id: { bad: 0, good: 1 },
  });
  const { tensors } = await openSafetensors(join(spec.out, 'model.safetensors'));
  expect(tensors.get('bert.encoder.layer.1.attention.self.query.weight')?.shape).toEqual([128, 128]);
  expect(tensors.get('classifier.weight')?.shape).toEqual([2, 128]);
});

test('the same seed gives the same numbers twice, another seed others', async () => {
  const [first, second, other] = [
    specOf('seed-a'),
    specOf('seed-b'),
    specOf('seed-c', { hyper: { ...specOf('').hyper, seed: 8 } }),
  ];
  const firstLosses = losses(await run(first));
  expect(losses(await run(second))).toEqual(firstLosses);
  expect(losses(await run(other))).not.toEqual(firstLosses);
  expect((await modelBytes(first)).equals(await modelBytes(second))).toBe(true);
  expect((await modelBytes(first)).equals(await modelBytes(other))).toBe(false);
});

test('stopped, killed and resumed, a run ends bit for bit as if nothing had happened', async () => {
  const whole = specOf('whole');
  const wholeEvents = await run(whole);
  const broken = specOf('broken');
  const stopped = await run(broken, { stopAfterStep: 2 });
  expect(stopped.slice(-2)).toEqual([
    { type: 'checkpoint', step: 2 },
    { type: 'stopped', step: 2 },
  ]);
  const killed = await run(broken, { resume: true, dieAfterStep: 8 });
  expect(killed[0]).toMatchObject({ type: 'start', step: 2 });
  const rest = await run(broken, { resume: true });
  // Checkpoints come every third step: the killed run had got to step 8, its last checkpoint to 6.
  expect(rest[0]).toMatchObject({ type: 'start', step: 6 });
  expect(losses(rest)).toEqual(losses(wholeEvents).slice(6));
  expect(doneOf(rest).metrics).toEqual(doneOf(wholeEvents).metrics);
  expect((await modelBytes(broken)).equals(await modelBytes(whole))).toBe(true);
});

test('a truncated checkpoint is noticed, said, and the one before is used', async () => {
  const whole = specOf('whole-again');
  await run(whole);
  const spec = specOf('truncated');
  await run(spec, { dieAfterStep: 8 });
  const checkpoints = join(spec.out, 'checkpoints');
  expect(await checkpointsOf(spec)).toEqual(['step-000000003', 'step-000000006']);
  await truncate(join(checkpoints, 'step-000000006', 'tensors.safetensors'), 1000);
  const events = await run(spec, { resume: true });
  expect(events[0]).toMatchObject({ type: 'start', step: 3 });
  expect(JSON.stringify(events[0])).toContain('step-000000006 is damaged and was passed over');
  expect((await modelBytes(spec)).equals(await modelBytes(whole))).toBe(true);
});

test('a run that starts anew forgets the checkpoints of the one before', async () => {
  const spec = specOf('anew');
  await run(spec, { dieAfterStep: 8 });
  await run(spec, { dieAfterStep: 4 });
  expect(await checkpointsOf(spec)).toEqual(['step-000000003']);
});

test('a folder that cannot be written, and one that would overwrite the base, are refused', async () => {
  await expect(run(specOf('toy.csv/below'))).rejects.toThrow(
    'cannot be written: a part of the path is a file (ENOTDIR)',
  );
  const spec = specOf('itself');
  await run(spec);
  await expect(run({ ...spec, model: spec.out })).rejects.toThrow('is also the folder to write to');
});

test('a checkpoint of another run is refused', async () => {
  const spec = specOf('changed');
  await run(spec, { dieAfterStep: 4 });
  const changed = { ...spec, hyper: { ...spec.hyper, learningRate: 0.5 } };
  await expect(run(changed, { resume: true })).rejects.toThrow('The checkpoint belongs to another run');
});

test('a LoRA run writes the PEFT layout, keeps its base frozen, and its adapter classifies', async () => {
  const spec = specOf('lora', { method: 'lora' });
  const events = await run(spec);
  expect(JSON.stringify(events[0])).toContain('LoRA adapts a pretrained model');
  const done = doneOf(events);
  const config = JSON.parse(await readFile(join(spec.out, 'adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({
    peft_type: 'LORA',
    task_type: 'SEQ_CLS',
    base_model_name_or_path: 'base',
    r: 8,
    lora_alpha: 16,
    target_modules: ['query', 'value'],
    modules_to_save: ['classifier', 'pooler'],
  });
  const { tensors } = await openSafetensors(join(spec.out, 'adapter_model.safetensors'));
  const query = 'base_model.model.bert.encoder.layer.0.attention.self.query';
  expect(tensors.get(`${query}.lora_A.weight`)?.shape).toEqual([8, 128]);
  expect(tensors.get(`${query}.lora_B.weight`)?.shape).toEqual([128, 8]);
  expect([...tensors.keys()].filter((name) => !name.includes('lora_')).sort()).toEqual([
    'base_model.model.bert.pooler.dense.bias',
    'base_model.model.bert.pooler.dense.weight',
    'base_model.model.classifier.bias',
    'base_model.model.classifier.weight',
  ]);
  const { held } = await readRunExamples(spec);
  const classifier = await loadPredictor(spec.out, { device: 'cpu' });
  const predictions = await classifier.predict(held.map(({ text }) => text));
  await classifier.close();
  const hits = predictions.filter((one, index) => only('classification', one).label === held[index]?.label).length;
  expect(hits / held.length).toBeCloseTo(done.metrics.accuracy, 10);

  const again = specOf('lora-again', { method: 'lora' });
  await run(again, { dieAfterStep: 5 });
  await run(again, { resume: true });
  const file = 'adapter_model.safetensors';
  expect((await modelBytes(again, file)).equals(await modelBytes(spec, file))).toBe(true);
});

/** Any folder with trained weights serves as a pretrained base. */
async function pretrained(name: string): Promise<{ spec: Spec; base: Base }> {
  const spec = specOf(name);
  await run(spec);
  return { spec, base: await loadBaseFolder(spec.out) };
}

async function logitsOf(parameters: Parameters, base: Base): Promise<Float32Array> {
  const network = createNetwork(parameters, classObjective, { device: 'cpu' });
  const texts = ['a lovely film', 'the dull story about a dog in town', 'people'].map((t) =>
    base.tokenizer.encode(t, 24),
  );
  const logits = await answerTexts(network, texts, 2, { rows: 4, padId: base.tokenizer.padId, maxLength: 24 });
  await network.close();
  return logits;
}

test('an adapter with B = 0 answers as its base, and merged as unmerged', async () => {
  const { spec, base } = await pretrained('base-folder');
  const lora = await prepareParameters(base, { kind: 'classification', labels: 2 }, { ...spec, method: 'lora' });
  const bare = { ...lora, lora: undefined };
  expect(await logitsOf(lora, base)).toEqual(await logitsOf(bare, base));
  expect(lora.modulesToSave).toEqual(['classifier']);

  for (const [name, { data: numbers }] of lora.trainable) {
    if (name.includes('lora_B')) numbers.set(Float32Array.from(numbers, (_, index) => Math.sin(index) / 5));
  }
  const adapted = await logitsOf(lora, base);
  expect(adapted).not.toEqual(await logitsOf(bare, base));
  const trainable = await mergeAdapters(base, lora);
  const merged = await logitsOf({ ...lora, lora: undefined, trainable, frozen: new Map() }, base);
  const scale = Math.max(...adapted.map(Math.abs));
  merged.forEach((value, index) => {
    expect(Math.abs(value - (adapted[index] ?? 0)) / scale).toBeLessThan(1e-5);
  });
});

test('a Hugging Face folder is fine-tuned in place of a fresh model; a pickle is refused, saying why', async () => {
  const { spec } = await pretrained('start');
  const events = await run(specOf('continued', { model: spec.out, method: 'lora' }));
  expect(events[0]).toMatchObject({ type: 'start', warnings: [] });
  const adapter = await openSafetensors(join(folder, 'continued', 'adapter_model.safetensors'));
  expect(await readFloats(adapter, 'base_model.model.classifier.weight')).toMatchObject({ shape: [2, 128] });
  await rm(join(spec.out, 'model.safetensors'));
  await writeFile(join(spec.out, 'pytorch_model.bin'), 'x');
  await expect(resolveBase(spec.out, [])).rejects.toThrow(/pytorch_model\.bin: a pickle may run any code/);
  await expect(resolveBase('google/bert-base', [])).rejects.toThrow('There is no model folder google/bert-base.');
  await expect(resolveBase('scratch:huge', [])).rejects.toThrow('There is no fresh model "scratch:huge".');
});

test('a training that diverges stops and names the step and the gradient', async () => {
  const spec = specOf('diverges');
  const wild = { ...spec, hyper: { ...spec.hyper, learningRate: 1e30 } };
  const failure = await run(wild).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect(failure).toMatchObject({
    message: expect.stringMatching(/^Training broke at step \d+: the loss is .*gradient of \S+ is not finite/),
    hint: expect.stringContaining('Lower the learning rate'),
  });
});

test('a label that only the evaluation file has is refused before anything is trained', async () => {
  const other = join(folder, 'other.csv');
  await writeFile(other, 'text,label\na fine film,good\nso so,mixed\n');
  const spec = specOf('unseen', { data: { train: data, eval: other } });
  await expect(run(spec)).rejects.toThrow(/label that the training data never shows.*mixed/);
  await expect(readdir(spec.out)).rejects.toThrow('ENOENT');
});

test('left to itself, a fresh model trained on little data is given the rounds it needs, within bounds', async () => {
  const hyper = { batchSize: 16, maxLength: 24, seed: 7 };
  const [start] = await run(specOf('auto', { hyper }), { stopAfterStep: 1 });
  if (start?.type !== 'start') throw new Error('no start event');
  expect(start.epochs).toBe(30);
  expect(start.totalSteps).toBe(30 * start.stepsPerEpoch);
});
