// A small network with two hidden layers, written out: forward, backward, dropout, Adam. For demos, not for training models.
import type { Random } from '../random.ts';

/** A dense layer: `weights[output * inputs + input]`. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

export type Net = readonly Layer[];

export interface Example {
  readonly input: readonly number[];
  readonly label: 0 | 1;
}

/** He et al. 2015: normal with variance 2 / inputs. */
export function createNet(sizes: readonly number[], random: Random): Net {
  return sizes.slice(1).map((outputs, index) => {
    const inputs = sizes[index] ?? 1;
    const weights = Float64Array.from({ length: inputs * outputs }, () => Math.sqrt(2 / inputs) * random.normal());
    return { inputs, outputs, weights, biases: new Float64Array(outputs) };
  });
}

function apply({ inputs, outputs, weights, biases }: Layer, input: Float64Array): Float64Array {
  const output = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let sum = biases[o] ?? 0;
    for (let i = 0; i < inputs; i++) sum += (weights[o * inputs + i] ?? 0) * (input[i] ?? 0);
    output[o] = sum;
  }
  return output;
}

/** Logit of class 1. */
export function predictLogit(net: Net, input: readonly number[]): number {
  let values: Float64Array = Float64Array.from(input);
  net.forEach((layer, index) => {
    values = apply(layer, values);
    if (index < net.length - 1) values = values.map((value) => Math.max(0, value));
  });
  return values[0] ?? 0;
}

/** Binary cross-entropy of a logit, without overflow. */
function crossEntropy(logit: number, label: number): number {
  return Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)));
}

export function meanLoss(net: Net, examples: readonly Example[]): number {
  return (
    examples.reduce((sum, { input, label }) => sum + crossEntropy(predictLogit(net, input), label), 0) / examples.length
  );
}

/**
 * Loss and gradients (mean over the examples) by backpropagation; ReLU between layers.
 * @param keep for each hidden unit 0, or 1 / (1 − rate): inverted dropout (Srivastava et al. 2014); always 1 without it.
 */
export function backpropagate(
  net: Net,
  examples: readonly Example[],
  keep: () => number,
): { loss: number; gradients: Net } {
  const gradients = net.map(({ inputs, outputs }) => ({
    inputs,
    outputs,
    weights: new Float64Array(inputs * outputs),
    biases: new Float64Array(outputs),
  }));
  let loss = 0;
  for (const { input, label } of examples) {
    const activations: Float64Array[] = [Float64Array.from(input)];
    const slopes: Float64Array[] = [];
    net.forEach((layer, index) => {
      const values = apply(layer, activations[index] ?? new Float64Array());
      const slope = new Float64Array(values.length).fill(1);
      if (index < net.length - 1) {
        for (let unit = 0; unit < values.length; unit++) {
          const passes = (values[unit] ?? 0) > 0 ? keep() : 0;
          slope[unit] = passes;
          values[unit] = (values[unit] ?? 0) * passes;
        }
      }
      activations.push(values);
      slopes.push(slope);
    });
    const logit = activations.at(-1)?.[0] ?? 0;
    loss += crossEntropy(logit, label) / examples.length;
    let error: Float64Array = Float64Array.of((1 / (1 + Math.exp(-logit)) - label) / examples.length);
    for (let index = net.length - 1; index >= 0; index--) {
      const layer = net[index];
      const gradient = gradients[index];
      const before = activations[index];
      if (layer === undefined || gradient === undefined || before === undefined) continue;
      const passed = new Float64Array(layer.inputs);
      for (let o = 0; o < layer.outputs; o++) {
        const signal = (error[o] ?? 0) * (slopes[index]?.[o] ?? 1);
        if (signal === 0) continue;
        gradient.biases[o] = (gradient.biases[o] ?? 0) + signal;
        for (let i = 0; i < layer.inputs; i++) {
          const at = o * layer.inputs + i;
          gradient.weights[at] = (gradient.weights[at] ?? 0) + signal * (before[i] ?? 0);
          passed[i] = (passed[i] ?? 0) + signal * (layer.weights[at] ?? 0);
        }
      }
      error = passed;
    }
  }
  return { loss, gradients };
}

/** Adam (Kingma & Ba 2015) over all weights and biases, in place. */
export function createAdam(net: Net, learningRate: number): (gradients: Net) => void {
  const arrays = (some: Net) => some.flatMap(({ weights, biases }) => [weights, biases]);
  const moments = arrays(net).map(({ length }) => ({
    first: new Float64Array(length),
    second: new Float64Array(length),
  }));
  const [decayOne, decayTwo] = [0.9, 0.999];
  let step = 0;
  return (gradients) => {
    step += 1;
    const slopes = arrays(gradients);
    arrays(net).forEach((values, index) => {
      const { first, second } = moments[index] ?? { first: values, second: values };
      for (let at = 0; at < values.length; at++) {
        const slope = slopes[index]?.[at] ?? 0;
        const one = decayOne * (first[at] ?? 0) + (1 - decayOne) * slope;
        const two = decayTwo * (second[at] ?? 0) + (1 - decayTwo) * slope * slope;
        first[at] = one;
        second[at] = two;
        const change = one / (1 - decayOne ** step) / (Math.sqrt(two / (1 - decayTwo ** step)) + 1e-8);
        values[at] = (values[at] ?? 0) - learningRate * change;
      }
    });
  };
}

export function copyNet(net: Net): Net {
  return net.map((layer) => ({ ...layer, weights: layer.weights.slice(), biases: layer.biases.slice() }));
}
