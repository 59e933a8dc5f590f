// The training loop: a spec in, typed events out, checkpoints on the way, an artifact at the end.
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { assembleBatch, planEpoch } from '../data/batches.ts';
import type { Example } from '../data/examples.ts';
import { UserError } from '../errors.ts';
import { classificationMetrics } from '../evaluate/classification.ts';
import { chooseDevice } from '../graph/session.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { type Base, initialWeight, loadBaseFolder, resolveBase } from '../models/base.ts';
import { bertParameterShapes } from '../models/bert.ts';
import { makeFolder, writeJson } from '../models/files.ts';
import { writeSafetensors } from '../models/safetensors.ts';
import { createRandom } from '../random.ts';
import type { RunEvent, SamplePrediction } from '../runs/events.ts';
import type { RunSpec } from '../runs/spec.ts';
import { base_folder, type History, writeArtifact, writeTokenizer } from './artifact.ts';
import { loadLatestCheckpoint, removeCheckpoints, restoreInto, saveCheckpoint } from './checkpoints.ts';
import { createClassifier, probabilities } from './classifier.ts';
import { readRunExamples } from './examples.ts';
import { dropWords, mixSeeds } from './noise.ts';
import {
  adamw_defaults,
  clippingScale,
  createMoments,
  globalNorm,
  learningRateAt,
  type Schedule,
  stepAdamW,
} from './optimizer.ts';
import { prepareParameters } from './parameters.ts';

export interface TrainOptions {
  /** Aborted: the step in hand is finished and kept in a checkpoint. */
  readonly signal: AbortSignal;
  /** Go on from the newest whole checkpoint under `spec.out`, if there is one. */
  readonly resume: boolean;
  /** Milliseconds, for durations only. */
  readonly now: () => number;
  readonly checkpointEverySteps?: number;
}

const learning_rates = {
  fresh: { full: 1e-3, lora: 2e-3 },
  pretrained: { full: 5e-5, lora: 2e-4 },
} as const;
const warmupShare = 0.1;
const largestGradientNorm = 1;
/** Share of the words hidden from a fresh model at each step: it knows nothing yet and would learn texts by heart. */
const freshWordDropout = 0.1;
const evaluationRows = 32;
const evaluationsPerEpoch = { short: 4, long: 1 } as const;
const shortRunEpochs = 3;
const stepEventEveryMs = 200;

const stateSchema = z.object({
  fingerprint: z.string(),
  best: z.object({ step: z.number(), loss: z.number() }).optional(),
  history: z.object({
    steps: z.array(z.object({ step: z.number(), loss: z.number(), learningRate: z.number() })),
    evaluations: z.array(z.object({ step: z.number(), loss: z.number(), accuracy: z.number() })),
  }),
  /** Loss since the last step event, so that the curve goes on without a gap. */
  unreported: z.object({ loss: z.number(), examples: z.number() }),
});
type State = z.output<typeof stateSchema>;

const weight_prefix = 'weights.';
const first_prefix = 'first.';
const second_prefix = 'second.';
const best_prefix = 'best.';

/**
 * Trains as `spec` says and yields what happens. The result depends on spec and data only, not on interruptions.
 * @throws UserError for data, model or device that cannot be used, and for a training that diverges.
 */
export async function* train(spec: RunSpec, options: TrainOptions): AsyncGenerator<RunEvent> {
  const { signal, now } = options;
  const startedAt = now();
  const { hyper } = spec;
  const { train: trainExamples, held, labels, warnings: dataWarnings } = await readRunExamples(spec);
  const warnings = [...dataWarnings];
  const base = await openBase(
    spec,
    trainExamples.map(({ text }) => text),
  );
  if (base.fresh && spec.method === 'lora') {
    warnings.push(
      'LoRA adapts a pretrained model; this one starts from random weights that stay frozen, so it learns little. Use the method full.',
    );
  }
  const maxLength = Math.min(hyper.maxLength, base.config.max_position_embeddings);
  if (maxLength < hyper.maxLength) warnings.push(`Texts are cut at ${maxLength} tokens, the most this model reads.`);
  const encode = ({ text }: Example) => base.tokenizer.encode(text, maxLength);
  const trainIds = trainExamples.map(encode);
  const heldIds = held.map(encode);
  const labelIndex = new Map(labels.map((label, index) => [label, index]));
  const classOf = ({ label }: Example) => labelIndex.get(label) ?? -1;
  const trainClasses = trainExamples.map(classOf);
  const heldClasses = held.map(classOf);

  const parameters = await prepareParameters(base, labels.length, spec);
  const { trainable } = parameters;
  const moments = createMoments(trainable);
  const bestWeights = new Map(
    Array.from(trainable, ([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
  );
  const stepsPerEpoch = Math.ceil(trainExamples.length / hyper.batchSize);
  const totalSteps = stepsPerEpoch * hyper.epochs;
  const schedule: Schedule = {
    peak: hyper.learningRate ?? learning_rates[base.fresh ? 'fresh' : 'pretrained'][spec.method],
    warmupSteps: Math.ceil(totalSteps * warmupShare),
    totalSteps,
  };
  const checkpointEvery = options.checkpointEverySteps ?? Math.max(200, Math.ceil(totalSteps / 20));
  const checkpointFolder = join(spec.out, 'checkpoints');
  const device = chooseDevice(spec.device);
  const fingerprint = fingerprintOf(spec, [...trainExamples, ...held]);

  let state: State = {
    fingerprint,
    best: undefined,
    history: { steps: [], evaluations: [] },
    unreported: { loss: 0, examples: 0 },
  };
  let step = 0;
  if (options.resume) {
    const { checkpoint, damaged } = await loadLatestCheckpoint(checkpointFolder, stateSchema);
    warnings.push(...damaged);
    if (checkpoint) {
      if (checkpoint.state.fingerprint !== fingerprint) {
        throw new UserError(
          'The checkpoint belongs to another run: the settings or the data have changed since.',
          'Restore them, or start a new run.',
        );
      }
      ({ step, state } = checkpoint);
      restoreInto(trainable, checkpoint.tensors, weight_prefix);
      restoreInto(asTensors(moments.first), checkpoint.tensors, first_prefix);
      restoreInto(asTensors(moments.second), checkpoint.tensors, second_prefix);
      if (state.best) restoreInto(bestWeights, checkpoint.tensors, best_prefix);
    }
  }
  if (step === 0) await removeCheckpoints(checkpointFolder);
  const save = () =>
    saveCheckpoint(checkpointFolder, {
      step,
      state,
      tensors: new Map([
        ...withPrefix(weight_prefix, trainable),
        ...withPrefix(first_prefix, asTensors(moments.first)),
        ...withPrefix(second_prefix, asTensors(moments.second)),
        ...(state.best ? withPrefix(best_prefix, bestWeights) : []),
      ]),
    });

  const classifier = createClassifier(parameters, { device, padId: base.tokenizer.padId, maxLength });
  try {
    yield {
      type: 'start',
      step,
      totalSteps,
      stepsPerEpoch,
      epochs: hyper.epochs,
      trainExamples: trainExamples.length,
      evalExamples: held.length,
      labels: [...labels],
      parameters: parameters.count,
      trainableParameters: [...trainable.values()].reduce((sum, { data }) => sum + data.length, 0),
      device,
      warnings,
    };
    const unknownId = base.fresh ? unknownTokenId(base) : undefined;
    const lengths = trainIds.map((ids) => ids.length);
    const loopStartedAt = now();
    const firstStep = step;
    let reportedAt = loopStartedAt;
    let examplesSinceReport = 0;
    let savedStep = options.resume ? step : -1;
    let plan: readonly (readonly number[])[] = [];
    let plannedEpoch = 0;

    while (step < totalSteps) {
      if (signal.aborted) {
        await save();
        yield { type: 'checkpoint', step };
        yield { type: 'stopped', step };
        return;
      }
      const epoch = Math.floor(step / stepsPerEpoch) + 1;
      if (epoch !== plannedEpoch) {
        plan = planEpoch(lengths, hyper.batchSize, createRandom(mixSeeds(hyper.seed, epoch)));
        plannedEpoch = epoch;
      }
      const chosen = plan[step % stepsPerEpoch] ?? [];
      step++;
      const seed = mixSeeds(hyper.seed, step);
      const texts = chosen.map((index, row) => {
        const ids = trainIds[index] ?? [];
        return unknownId === undefined ? ids : dropWords(ids, freshWordDropout, unknownId, mixSeeds(seed, row, 7));
      });
      const batch = assembleBatch(texts, { rows: hyper.batchSize, padId: base.tokenizer.padId, maxLength });
      const targets = new Float32Array(batch.rows * labels.length);
      chosen.forEach((index, row) => {
        targets[row * labels.length + (trainClasses[index] ?? 0)] = 1 / chosen.length;
      });
      const { loss, gradients } = await classifier.computeGradients(batch, targets, seed);
      const norm = globalNorm(gradients.values());
      const learningRate = learningRateAt(step, schedule);
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw diverged(step, loss, gradients, schedule.peak);
      const gradientScale = clippingScale(norm, largestGradientNorm);
      stepAdamW(trainable, gradients, moments, { step, learningRate, gradientScale }, adamw_defaults);

      state.unreported.loss += loss * chosen.length;
      state.unreported.examples += chosen.length;
      examplesSinceReport += chosen.length;
      const time = now();
      if (time - reportedAt >= stepEventEveryMs || step === totalSteps) {
        const meanLoss = state.unreported.loss / state.unreported.examples;
        const secondsPerStep = (time - loopStartedAt) / 1000 / (step - firstStep);
        state.history.steps.push({ step, loss: meanLoss, learningRate });
        yield {
          type: 'step',
          step,
          epoch,
          loss: meanLoss,
          learningRate,
          examplesPerSecond: examplesSinceReport / Math.max((time - reportedAt) / 1000, 1e-3),
          secondsLeft: secondsPerStep * (totalSteps - step),
        };
        state.unreported = { loss: 0, examples: 0 };
        examplesSinceReport = 0;
        reportedAt = now();
      }
      if (isEvaluationStep(step, stepsPerEpoch, hyper.epochs)) {
        const logits = await classifier.computeLogits(heldIds, evaluationRows);
        const metrics = classificationMetrics({ actual: heldClasses, logits, labels });
        if (!Number.isFinite(metrics.loss)) throw diverged(step, metrics.loss, gradients, schedule.peak);
        state.history.evaluations.push({ step, loss: metrics.loss, accuracy: metrics.accuracy });
        if (!state.best || metrics.loss < state.best.loss) {
          state.best = { step, loss: metrics.loss };
          for (const [name, { data }] of trainable) bestWeights.get(name)?.data.set(data);
        }
        yield { type: 'eval', step, metrics };
      }
      if (step % checkpointEvery === 0 || step === totalSteps) {
        await save();
        savedStep = step;
        yield { type: 'checkpoint', step };
      }
    }

    if (savedStep !== step) await save();
    for (const [name, { data }] of trainable) data.set(bestWeights.get(name)?.data ?? data);
    const logits = await classifier.computeLogits(heldIds, evaluationRows);
    const metrics = classificationMetrics({ actual: heldClasses, logits, labels });
    const bestStep = state.best?.step ?? step;
    const history: History = state.history;
    await writeArtifact(spec.out, { spec, base, parameters, labels, maxLength, metrics, bestStep, history });
    yield {
      type: 'done',
      step,
      artifact: spec.out,
      metrics,
      samples: pickSamples(held, probabilities(logits, labels.length), labels, hyper.seed),
      seconds: (now() - startedAt) / 1000,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    await classifier.close();
  }
}

/** A fresh base that is to stay frozen is written into the artifact first, and read from there like any other. */
async function openBase(spec: RunSpec, texts: readonly string[]): Promise<Base> {
  const base = await resolveBase(spec.model, texts);
  if (base.source === resolve(spec.out)) {
    throw new UserError(
      `The model folder ${spec.out} is also the folder to write to.`,
      'Choose another folder for out.',
    );
  }
  await makeFolder(spec.out);
  if (!base.fresh || spec.method === 'full') return base;
  const folder = join(spec.out, base_folder);
  await makeFolder(folder);
  const random = createRandom(mixSeeds(spec.hyper.seed, 0));
  const weights = new Map<string, FloatTensor>();
  for (const [name, shape] of bertParameterShapes(base.config, 1)) {
    if (!name.startsWith('classifier.')) weights.set(name, initialWeight(name, shape, random));
  }
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  await writeJson(join(folder, 'config.json'), { ...base.rawConfig, architectures: ['BertModel'] });
  await writeTokenizer(folder, base, base.config.max_position_embeddings);
  return { ...(await loadBaseFolder(folder)), source: base.source, fresh: true };
}

/** The id of the tokenizer's unknown token, when it has one. */
function unknownTokenId({ tokenizerFiles }: Base): number | undefined {
  const parsed = z
    .object({ model: z.object({ unk_token: z.string(), vocab: z.record(z.string(), z.number()) }) })
    .safeParse(tokenizerFiles.tokenizer);
  return parsed.success ? parsed.data.model.vocab[parsed.data.model.unk_token] : undefined;
}

/** Equal parts of each epoch, its end always; a short run is measured more often so that it has a curve. */
function isEvaluationStep(step: number, stepsPerEpoch: number, epochs: number): boolean {
  const parts = epochs <= shortRunEpochs ? evaluationsPerEpoch.short : evaluationsPerEpoch.long;
  const done = ((step - 1) % stepsPerEpoch) + 1;
  return Math.floor((done * parts) / stepsPerEpoch) > Math.floor(((done - 1) * parts) / stepsPerEpoch);
}

/** What a checkpoint must agree with to be gone on from: everything that decides the numbers. */
function fingerprintOf({ out: _, device: __, ...deciding }: RunSpec, examples: readonly Example[]): string {
  const hash = createHash('sha256').update(
    JSON.stringify({ ...deciding, data: { ...deciding.data, train: '', eval: '' } }),
  );
  for (const { text, label } of examples) hash.update(`${JSON.stringify([text, label])}\n`);
  return hash.digest('hex');
}

function diverged(
  step: number,
  loss: number,
  gradients: ReadonlyMap<string, Float32Array>,
  learningRate: number,
): UserError {
  const broken = [...gradients].find(([, gradient]) => !gradient.every(Number.isFinite))?.[0];
  const where = broken === undefined ? 'every gradient is still finite' : `the gradient of ${broken} is not finite`;
  return new UserError(
    `Training broke at step ${step}: the loss is ${loss} and ${where}.`,
    `Lower the learning rate (its peak is ${learningRate}) and start again; a tenth of it is a good next try.`,
  );
}

/** Five held-out examples, the same for the same seed. */
function pickSamples(
  held: readonly Example[],
  scores: readonly (readonly number[])[],
  labels: readonly string[],
  seed: number,
): SamplePrediction[] {
  const order = createRandom(seed).shuffle(held.map((_, index) => index));
  return order.slice(0, 5).flatMap((index) => {
    const example = held[index];
    const row = scores[index] ?? [];
    const confidence = Math.max(...row);
    const predicted = labels[row.indexOf(confidence)];
    return example && predicted !== undefined
      ? [{ text: example.text, actual: example.label, predicted, confidence }]
      : [];
  });
}

const asTensors = (arrays: ReadonlyMap<string, Float32Array>): Map<string, FloatTensor> =>
  new Map(Array.from(arrays, ([name, data]) => [name, { shape: [data.length], data }]));

const withPrefix = (prefix: string, tensors: ReadonlyMap<string, FloatTensor>): [string, FloatTensor][] =>
  Array.from(tensors, ([name, tensor]) => [prefix + name, tensor]);
