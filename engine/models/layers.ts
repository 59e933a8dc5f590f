// What a model function builds with: weights by their checkpoint name, linear layers, dropout.
import type { GraphBuilder } from '../graph/graph.ts';
import type { Blocks, Value } from '../graph/ops.ts';
import { elementCount, type Shape } from '../graph/tensor.ts';
import { four_bit_zero } from './four-bit.ts';
import type { LinearTarget } from './model.ts';

export interface Layers {
  readonly g: GraphBuilder;
  weight(name: string): Value;
  /** x [rows, in] → [rows, out] with `${name}.weight` and `${name}.bias`, and its adapter where it has one. */
  linear(x: Value, name: string, form?: LinearForm): Value;
  /** Zeroes a share of the elements and scales the rest; nothing outside training. */
  dropout(x: Value, rate: number): Value;
  /** Between two of these lies a block, such as a transformer's layer, whose activations training may forget and compute anew. */
  boundary(): void;
  /** Given: a batch normalisation takes the batch's own statistics and adds them here. Else the stored ones are used. */
  readonly statistics?: BatchStatistics[] | undefined;
}

/** Of one batch normalisation: `${name}.running_mean` and `${name}.running_var` move towards these after the step. */
export interface BatchStatistics {
  readonly name: string;
  /** [channels] */
  readonly mean: Value;
  /** [channels], the unbiased estimate, as PyTorch keeps it. */
  readonly variance: Value;
}

interface LinearForm {
  /** How the weight lies: [out, in], unless said. */
  readonly layout?: LinearTarget['layout'];
  /** Has a bias, unless said. */
  readonly bias?: boolean;
}

/** An input of the training graph to be filled with 0 or 1/(1 − rate) before each step. */
export interface DropoutMask {
  readonly name: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** Low-rank updates: y = W·x + (alpha/r)·B·(A·x), A [r, in], B [out, r] (Hu et al. 2021). */
export interface LoraLayers {
  readonly targets: ReadonlySet<string>;
  readonly scale: number;
}

export const loraA = (name: string) => `${name}.lora_A.weight`;
export const loraB = (name: string) => `${name}.lora_B.weight`;

export interface LayersOptions {
  readonly weight: (name: string) => Value;
  /** The matrices that are kept in four bits, by weight name. */
  readonly fourBit?: ((name: string) => FourBitValue | undefined) | undefined;
  readonly lora?: LoraLayers | undefined;
  /** Collects the masks a training graph needs; without it there is no dropout. */
  readonly masks?: DropoutMask[] | undefined;
  readonly statistics?: BatchStatistics[] | undefined;
  /** Collects how many nodes stand before each boundary. */
  readonly boundaries?: number[] | undefined;
}

/** A frozen matrix [out, in] in four bits, as the graph's constants. */
export interface FourBitValue {
  /** uint4 [out, in]. */
  readonly numbers: Value;
  /** [out, in/blockSize]. */
  readonly steps: Value;
  readonly blocks: Blocks;
}

export function createLayers(
  g: GraphBuilder,
  { weight, fourBit, lora, masks, statistics, boundaries }: LayersOptions,
): Layers {
  /** x·Wᵀ + b, whichever way W lies; one in four bits always lies as [out, in]. */
  function multiply(x: Value, name: string, layout: LinearTarget['layout'], bias: Value | undefined): Value {
    const packed = fourBit?.(`${name}.weight`);
    if (packed) {
      const zeros = g.nibbles(packed.steps.shape, four_bit_zero);
      const y = g.op('MatMulFourBit', [x, packed.numbers, packed.steps, zeros], packed.blocks);
      return bias ? g.op('Add', [y, bias]) : y;
    }
    const form = { transA: false, transB: layout === 'out-in' };
    const w = weight(`${name}.weight`);
    return bias ? g.op('Gemm', [x, w, bias], form) : g.op('Gemm', [x, w], form);
  }

  return {
    g,
    weight,
    statistics,
    linear(x, name, { layout = 'out-in', bias = true } = {}) {
      const y = multiply(x, name, layout, bias ? weight(`${name}.bias`) : undefined);
      if (!lora?.targets.has(name)) return y;
      // The narrow product is scaled, and the wide one added to y as it is made. A and B lie alike in both layouts.
      const down = g.op('Gemm', [x, weight(loraA(name))], { transA: false, transB: true });
      const scaled = g.op('Mul', [down, g.scalar(lora.scale)]);
      return g.op('Gemm', [scaled, weight(loraB(name)), y], { transA: false, transB: true });
    },
    boundary: () => void boundaries?.push(g.graph.nodes.length),
    dropout(x, rate) {
      if (!masks || rate === 0) return x;
      const name = `dropout${masks.length}`;
      masks.push({ name, shape: x.shape, rate });
      return g.op('Mul', [x, g.input(name, 'float32', x.shape)]);
    },
  };
}

/** Rows of the last axis as a matrix: [a, b, c] → [a·b, c]. */
export function asMatrix(g: GraphBuilder, x: Value): Value {
  const columns = x.shape.at(-1) ?? 1;
  return g.op('Reshape', [x], { shape: [elementCount(x.shape) / columns, columns] });
}

/** Mean cross-entropy over rows, as −Σ target·log softmax(logits); `targets` [n, k] carry each row's weight. */
export function crossEntropy(g: GraphBuilder, logits: Value, targets: Value): Value {
  const last = { axes: [1], keepDims: true };
  // Any shift leaves the loss as it is, so the largest logit counts as a constant.
  const shifted = g.op('Sub', [logits, g.op('Detach', [g.op('ReduceMax', [logits], last)])]);
  const logSum = g.op('Log', [g.op('ReduceSum', [g.op('Exp', [shifted])], last)]);
  const weighted = g.op('Mul', [g.op('Sub', [logSum, shifted]), targets]);
  return g.op('ReduceSum', [weighted], { axes: [0, 1], keepDims: false });
}
