// The network of a run as compiled graphs: one per purpose and batch shape, made when first needed and kept.
import { addGradients } from '../autodiff/gradients.ts';
import { splitScattered } from '../autodiff/scattered.ts';
import { createGraph, type Graph, type GraphBuilder } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import { createSession, type DeviceTensor, type Session, type SessionOptions } from '../graph/session.ts';
import { elementCount, type Tensor } from '../graph/tensor.ts';
import { asMatrix, type BatchStatistics, createLayers, type DropoutMask, type Layers } from '../models/layers.ts';
import type { ImageTextModel } from '../models/model.ts';
import { fillDropoutMask, mixSeeds } from './noise.ts';
import { fourBitValues, type Parameters, weightFeeds, weightValues } from './parameters.ts';
import { assembleGradient, floats, type GradientAnswers, outputGradient } from './row-gradients.ts';
import type { Answering, Feeds, Objective, TaskBatch } from './tasks/task.ts';

interface Compiled {
  readonly session: Session;
  readonly masks: readonly { readonly rate: number; readonly feed: Tensor & { readonly data: Float32Array } }[];
  readonly maskFeeds: Feeds;
  /** In which answers a training graph gives the gradient of each trained weight. */
  readonly answers: ReadonlyMap<string, GradientAnswers>;
}

interface StepResult<Gradient> {
  /** Σ weight · loss over the batch. */
  readonly loss: number;
  /** Of that sum; they belong to the caller. */
  readonly gradients: ReadonlyMap<string, Gradient>;
  /** √Σg² over all of them. */
  readonly norm: number;
  /** By the names of the running statistics that follow them; none where those are frozen. */
  readonly statistics: ReadonlyMap<string, Float32Array>;
}

export interface Network extends Answering {
  /** Forward and backward of one batch, with dropout drawn from `seed` unless it is undefined. */
  computeGradients(batch: TaskBatch, seed: number | undefined): Promise<StepResult<Float32Array>>;
  /** The same with `weights` that lie on the device: the gradients stay there too. */
  computeOnDevice(batch: TaskBatch, seed: number | undefined): Promise<StepResult<DeviceTensor>>;
  /** What `computeGradients` would run for such a batch. */
  trainingGraph(batch: TaskBatch): Graph;
  close(): Promise<void>;
}

export interface NetworkOptions extends SessionOptions {
  /** Forget the activations inside each block and compute them once more on the way back: less memory, more time. */
  readonly recompute?: boolean;
  /** Where the trained weights lie, when not in the host's arrays. */
  readonly weights?: (() => { readonly [name: string]: DeviceTensor }) | undefined;
}

type Purpose = 'train' | 'measure' | 'answer';

const gradientOf = (name: string) => `gradient of ${name}`;
const batchOf = (name: string) => `batch's ${name}`;

/** @throws UserError when the device cannot be used here. */
export function createNetwork(
  parameters: Parameters,
  objective: Objective,
  { recompute = false, weights: heldWeights, ...sessionOptions }: NetworkOptions,
): Network {
  const weights = heldWeights ?? (() => weightFeeds(parameters.trainable));
  // In training the batch's own statistics stand in their place.
  const statisticFeeds = weightFeeds(parameters.statistics ?? new Map());
  const compiled = new Map<string, Promise<Compiled>>();

  function build(purpose: Purpose, inputs: Feeds, targets: Feeds) {
    const g = createGraph(sessionOptions.device);
    const inputValues = inputsOf(g, inputs);
    const targetValues = inputsOf(g, targets);
    const masks: DropoutMask[] = [];
    const boundaries: number[] = [];
    const statistics: BatchStatistics[] = [];
    const weight = weightValues(g, parameters);
    const fourBit = fourBitValues(g, parameters);
    const layers = createLayers(g, {
      weight,
      fourBit,
      lora: parameters.lora,
      masks: purpose === 'train' ? masks : undefined,
      statistics: purpose === 'train' && parameters.statistics ? statistics : undefined,
      boundaries,
    });
    const answer = buildAnswer(layers, parameters, inputValues);
    const answers = new Map<string, GradientAnswers>();
    if (purpose === 'train') {
      const loss = objective.loss(g, answer, targetValues);
      const trained = [...parameters.trainable.keys()];
      const gradients = addGradients(g, loss, trained.map(weight), recompute ? boundaries : []);
      g.output('loss', loss);
      for (const { name, mean, variance } of statistics) {
        g.output(batchOf(`${name}.running_mean`), mean);
        g.output(batchOf(`${name}.running_var`), variance);
      }
      // Here on every core, while the gradients are at hand; a loop over them afterwards has one.
      const parts = gradients.map((gradient) =>
        heldWeights ? { dense: gradient, parts: [] } : splitScattered(g, gradient),
      );
      g.output(
        'squaredNorm',
        sumOfSquares(
          g,
          parts.flatMap(({ dense }) => dense ?? []),
        ),
      );
      trained.forEach((name, at) => {
        const part = parts[at];
        if (part) answers.set(name, outputGradient(g, gradientOf(name), part));
      });
    } else if (purpose === 'measure') {
      const measures = objective.measure?.(g, answer, targetValues) ?? { answer };
      for (const [name, value] of Object.entries(measures)) g.output(name, value);
    } else {
      const rows = asMatrix(g, answer);
      g.output('answer', targetValues.positions ? g.op('Gather', [rows, targetValues.positions]) : rows);
    }
    return { graph: g.graph, masks, answers };
  }

  async function compile(purpose: Purpose, inputs: Feeds, targets: Feeds): Promise<Compiled> {
    const { graph, masks, answers } = build(purpose, inputs, targets);
    const kept = purpose === 'train' && heldWeights ? [...parameters.trainable.keys()].map(gradientOf) : undefined;
    const session = await createSession(graph, {
      ...sessionOptions,
      keepDuplicates: recompute,
      ...(kept ? { kept } : {}),
    });
    const filled = masks.map(({ name, shape, rate }) => {
      const feed = { type: 'float32', shape, data: new Float32Array(elementCount(shape)) } as const;
      return { name, rate, feed };
    });
    const maskFeeds = Object.fromEntries(filled.map(({ name, feed }) => [name, feed]));
    return { session, masks: filled, maskFeeds, answers };
  }

  function obtain(purpose: Purpose, inputs: Feeds, targets: Feeds): Promise<Compiled> {
    const key = `${purpose} ${describeFeeds(inputs)} ${describeFeeds(targets)}`;
    const known = compiled.get(key) ?? compile(purpose, inputs, targets);
    compiled.set(key, known);
    return known;
  }

  async function infer(purpose: Purpose, inputs: Feeds, targets: Feeds) {
    const { session } = await obtain(purpose, inputs, targets);
    const answers = await session.run({ ...weights(), ...statisticFeeds, ...inputs, ...targets });
    return Object.fromEntries(Object.keys(answers).map((name) => [name, floats(answers, name)]));
  }

  async function runTraining({ inputs, targets }: TaskBatch, seed: number | undefined) {
    const { session, masks, maskFeeds, answers: answersOf } = await obtain('train', inputs, targets);
    masks.forEach(({ rate, feed }, at) => {
      if (seed === undefined) feed.data.fill(1);
      else fillDropoutMask(feed.data, rate, mixSeeds(seed, at));
    });
    const { answers, kept } = await session.runKeeping({ ...weights(), ...maskFeeds, ...inputs, ...targets });
    const [loss = Number.NaN] = floats(answers, 'loss');
    const [squares = Number.NaN] = floats(answers, 'squaredNorm');
    const statistics = new Map<string, Float32Array>();
    for (const name of parameters.statistics?.keys() ?? []) {
      if (answers[batchOf(name)]) statistics.set(name, floats(answers, batchOf(name)));
    }
    return { loss, squares, statistics, answers, answersOf, kept };
  }

  return {
    async computeGradients(batch, seed) {
      const { answers, answersOf, loss, squares, statistics } = await runTraining(batch, seed);
      const gradients = new Map<string, Float32Array>();
      let sum = squares;
      for (const [name, { data }] of parameters.trainable) {
        const parts = answersOf.get(name);
        if (!parts) throw new Error(`the graph has no gradient of ${name}`);
        const made = assembleGradient(answers, parts, data.length);
        gradients.set(name, made.gradient);
        sum += made.squares;
      }
      return { loss, gradients, norm: Math.sqrt(Math.max(0, sum)), statistics };
    },
    async computeOnDevice(batch, seed) {
      const { kept, loss, squares, statistics } = await runTraining(batch, seed);
      const gradients = new Map<string, DeviceTensor>();
      for (const name of parameters.trainable.keys()) {
        const gradient = kept.get(gradientOf(name));
        if (!gradient) throw new Error(`no gradient of ${name} was kept`);
        gradients.set(name, gradient);
      }
      return { loss, gradients, norm: Math.sqrt(squares), statistics };
    },
    trainingGraph: ({ inputs, targets }) => build('train', inputs, targets).graph,
    measure: ({ inputs, targets }) => infer('measure', inputs, targets),
    async answer(inputs, positions) {
      const targets: Feeds = positions
        ? { positions: { type: 'int32', shape: [positions.length], data: positions } }
        : {};
      const { answer } = await infer('answer', inputs, targets);
      if (!answer) throw new Error('the network gave no answer');
      return answer;
    },
    async close() {
      const all = await Promise.allSettled(compiled.values());
      compiled.clear();
      for (const one of all) if (one.status === 'fulfilled') await one.value.session.close();
    },
  };
}

/** Σg² over all values: one number. */
export function sumOfSquares(g: GraphBuilder, values: readonly Value[]): Value {
  const sums = values.map((value) => {
    const axes = value.shape.map((_, axis) => axis);
    return g.op('Reshape', [g.op('ReduceSumSquare', [value], { axes, keepDims: false })], { shape: [1] });
  });
  const [first, ...others] = sums;
  if (!first) return g.scalar(0);
  const all = others.length === 0 ? first : g.op('Concat', [first, ...others], { axis: 0 });
  return g.op('ReduceSum', [all], { axes: [0], keepDims: false });
}

function inputsOf(g: GraphBuilder, feeds: Feeds): { readonly [name: string]: Value } {
  return Object.fromEntries(Object.entries(feeds).map(([name, { type, shape }]) => [name, g.input(name, type, shape)]));
}

function buildAnswer(layers: Layers, { model, head }: Parameters, inputs: { readonly [name: string]: Value }): Value {
  const { inputIds, attentionBias, tokenPositions: positions, pixelValues, features } = inputs;
  if (model.modality === 'text' && inputIds && attentionBias)
    return model.build(layers, { inputIds, attentionBias, positions }, head);
  if (model.modality === 'image' && features) return model.buildHead(layers, features, head);
  if (model.modality === 'image' && pixelValues) return model.build(layers, { pixelValues }, head);
  if (model.modality === 'image-text') return buildTowers(layers, model, inputs);
  throw new Error(`a model of ${model.modality} was fed ${Object.keys(inputs).join(', ')}`);
}

/** Both towers' similarities, or one tower's vectors where only its inputs are fed. */
function buildTowers(layers: Layers, model: ImageTextModel, inputs: { readonly [name: string]: Value }): Value {
  const { inputIds, attentionBias, ends, pixelValues } = inputs;
  const captions = inputIds && attentionBias && ends ? { inputIds, attentionBias, ends } : undefined;
  if (captions && pixelValues) return model.build(layers, { ...captions, pixelValues });
  if (captions) return model.textVectors(layers, captions);
  if (pixelValues) return model.imageVectors(layers, { pixelValues });
  throw new Error(`a model of images and texts was fed ${Object.keys(inputs).join(', ')}`);
}

const describeFeeds = (feeds: Feeds) =>
  Object.entries(feeds)
    .map(([name, { shape }]) => `${name} ${shape.join('×')}`)
    .join(' ');
