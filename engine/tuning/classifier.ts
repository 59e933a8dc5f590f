// The network of a run as compiled graphs: one per batch shape, made when first needed and kept.
import { addGradients } from '../autodiff/gradients.ts';
import { assembleBatch, type Batch, planEvaluation } from '../data/batches.ts';
import { createGraph } from '../graph/graph.ts';
import { createSession, type Session, type SessionOptions } from '../graph/session.ts';
import { elementCount, type Tensor } from '../graph/tensor.ts';
import { createLayers, crossEntropy, type DropoutMask } from '../models/layers.ts';
import { fillDropoutMask, mixSeeds } from './noise.ts';
import { type Parameters, weightFeeds, weightValues } from './parameters.ts';

interface Compiled {
  readonly session: Session;
  readonly masks: readonly { readonly rate: number; readonly feed: Tensor & { readonly data: Float32Array } }[];
  readonly maskFeeds: { readonly [name: string]: Tensor };
}

export interface StepResult {
  /** Mean loss over the batch's examples. */
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

export interface Classifier {
  /**
   * Forward and backward of one batch, with dropout drawn from `seed` unless it is undefined.
   * @param targets [rows, labels]: each example's share of the loss at its label, 0 elsewhere and on padding rows.
   */
  computeGradients(batch: Batch, targets: Float32Array, seed: number | undefined): Promise<StepResult>;
  /** Logits [texts, labels] in the order given, without dropout. */
  computeLogits(texts: readonly (readonly number[])[], rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const gradientOf = (name: string) => `gradient of ${name}`;

/** @throws UserError when the device cannot be used here. */
export function createClassifier(
  parameters: Parameters,
  { padId, maxLength, ...sessionOptions }: SessionOptions & { readonly padId: number; readonly maxLength: number },
): Classifier {
  const { head } = parameters;
  if (head.kind !== 'classification') throw new Error(`a classifier has no ${head.kind} head`);
  const { labels } = head;
  const weights = weightFeeds(parameters.trainable);
  const compiled = new Map<string, Promise<Compiled>>();

  async function compile(purpose: 'train' | 'infer', rows: number, length: number): Promise<Compiled> {
    const g = createGraph();
    const inputIds = g.input('inputIds', 'int32', [rows, length]);
    const attentionBias = g.input('attentionBias', 'float32', [rows, 1, 1, length]);
    const masks: DropoutMask[] = [];
    const weight = weightValues(g, parameters);
    const layers = createLayers(g, { weight, lora: parameters.lora, masks: purpose === 'train' ? masks : undefined });
    const logits = parameters.model.build(layers, { inputIds, attentionBias }, parameters.head);
    if (purpose === 'infer') g.output('logits', logits);
    else {
      const loss = crossEntropy(g, logits, g.input('targets', 'float32', logits.shape));
      const trained = [...parameters.trainable.keys()];
      const gradients = addGradients(g, loss, trained.map(weight));
      g.output('loss', loss);
      trained.forEach((name, at) => {
        const gradient = gradients[at];
        if (gradient) g.output(gradientOf(name), gradient);
      });
    }
    const session = await createSession(g.graph, sessionOptions);
    const filled = masks.map(({ name, shape, rate }) => {
      const feed = { type: 'float32', shape, data: new Float32Array(elementCount(shape)) } as const;
      return { name, rate, feed };
    });
    return { session, masks: filled, maskFeeds: Object.fromEntries(filled.map(({ name, feed }) => [name, feed])) };
  }

  function obtain(purpose: 'train' | 'infer', rows: number, length: number): Promise<Compiled> {
    const key = `${purpose} ${rows}×${length}`;
    const known = compiled.get(key) ?? compile(purpose, rows, length);
    compiled.set(key, known);
    return known;
  }

  const textFeeds = ({ rows, length, inputIds, attentionBias }: Batch): { [name: string]: Tensor } => ({
    inputIds: { type: 'int32', shape: [rows, length], data: inputIds },
    attentionBias: { type: 'float32', shape: [rows, 1, 1, length], data: attentionBias },
  });

  return {
    async computeGradients(batch, targets, seed) {
      const { session, masks, maskFeeds } = await obtain('train', batch.rows, batch.length);
      masks.forEach(({ rate, feed }, at) => {
        if (seed === undefined) feed.data.fill(1);
        else fillDropoutMask(feed.data, rate, mixSeeds(seed, at));
      });
      const answers = await session.run({
        ...weights,
        ...maskFeeds,
        ...textFeeds(batch),
        targets: { type: 'float32', shape: [batch.rows, labels], data: targets },
      });
      const gradients = new Map<string, Float32Array>();
      for (const name of parameters.trainable.keys()) gradients.set(name, floats(answers, gradientOf(name)));
      return { loss: floats(answers, 'loss')[0] ?? Number.NaN, gradients };
    },
    async computeLogits(texts, rows) {
      const logits = new Float32Array(texts.length * labels);
      const lengths = texts.map((ids) => ids.length);
      for (const indices of planEvaluation(lengths, rows)) {
        const chosen = indices.map((index) => texts[index] ?? []);
        const batch = assembleBatch(chosen, { rows, padId, maxLength });
        const { session } = await obtain('infer', batch.rows, batch.length);
        const answer = floats(await session.run({ ...weights, ...textFeeds(batch) }), 'logits');
        indices.forEach((index, row) => {
          const from = row * labels;
          logits.set(answer.subarray(from, from + labels), index * labels);
        });
      }
      return logits;
    },
    async close() {
      const all = await Promise.allSettled(compiled.values());
      compiled.clear();
      for (const one of all) if (one.status === 'fulfilled') await one.value.session.close();
    },
  };
}

function floats(answers: { readonly [name: string]: Tensor }, name: string): Float32Array {
  const data = answers[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the session answered no ${name}`);
  return data;
}

/** Softmax of each row of [n, labels]. */
export function probabilities(logits: Float32Array, labels: number): number[][] {
  return Array.from({ length: logits.length / labels }, (_, row) => {
    const values = Array.from(logits.subarray(row * labels, (row + 1) * labels));
    const highest = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - highest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  });
}
