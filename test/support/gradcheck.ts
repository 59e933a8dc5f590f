// Checks a gradient against finite differences: the loss is a fixed random weighting of the output, in float32.
import { addGradients } from '../../engine/autodiff/gradients.ts';
import { createGraph, type GraphBuilder } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/graph/ops.ts';
import { createSession, type Device } from '../../engine/graph/session.ts';
import { elementCount, type Shape, type Tensor } from '../../engine/graph/tensor.ts';
import { createRandom } from '../../engine/random.ts';

export interface GradientCase {
  /** Shapes of the differentiable inputs. */
  readonly shapes: readonly Shape[];
  readonly build: (g: GraphBuilder, inputs: readonly Value[]) => Value;
  /** Makes an input value of a standard normal one: keeps logarithms positive, maxima apart. */
  readonly domain?: (normal: number, index: number) => number;
}

/**
 * Central differences with Richardson's extrapolation, at every element of every input.
 * @returns the largest error over all of them, relative to the largest gradient.
 */
export async function largestGradientError(test: GradientCase, device: Device): Promise<number> {
  const random = createRandom(7);
  const g = createGraph(device);
  const inputs = test.shapes.map((shape, at) => g.input(`x${at}`, 'float32', shape));
  const y = test.build(g, inputs);
  const weights = Float32Array.from({ length: elementCount(y.shape) }, () => random.normal());
  const weighted = g.op('Mul', [y, g.constant({ type: 'float32', shape: y.shape, data: weights })]);
  const loss =
    y.shape.length === 0
      ? weighted
      : g.op('ReduceSum', [weighted], { axes: y.shape.map((_, axis) => axis), keepDims: false });
  addGradients(g, loss, inputs).forEach((gradient, at) => {
    g.output(`dx${at}`, gradient);
  });
  // The weighted sum is taken here in double precision, so that only the op itself rounds.
  g.output('y', y);
  const session = await createSession(g.graph, { device, threads: 1, onlyOnDevice: device !== 'cpu' });
  try {
    const feeds: { [name: string]: Tensor & { data: Float32Array } } = {};
    test.shapes.forEach((shape, at) => {
      const data = Float32Array.from({ length: elementCount(shape) }, (_, index) =>
        (test.domain ?? ((x) => x))(random.normal(), index),
      );
      feeds[`x${at}`] = { type: 'float32', shape, data };
    });
    const analytic = await session.run(feeds);
    const lossAt = async () => {
      const { y: answer } = await session.run(feeds, ['y']);
      return Array.from(answer?.data ?? []).reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0);
    };
    let error = 0;
    let largest = 0;
    for (const [at] of test.shapes.entries()) {
      const data = feeds[`x${at}`]?.data;
      const gradient = analytic[`dx${at}`]?.data;
      if (!data || !gradient || gradient.length !== data.length) throw new Error(`no gradient of input ${at}`);
      for (let index = 0; index < data.length; index++) {
        const value = data[index] ?? 0;
        const slope = async (step: number) => {
          data[index] = value + step;
          const above = data[index] ?? 0;
          const lossAbove = await lossAt();
          data[index] = value - step;
          const below = data[index] ?? 0;
          const lossBelow = await lossAt();
          data[index] = value;
          return (lossAbove - lossBelow) / (above - below);
        };
        const numeric = (4 * (await slope(0.02)) - (await slope(0.04))) / 3;
        error = Math.max(error, Math.abs(numeric - (gradient[index] ?? 0)));
        largest = Math.max(largest, Math.abs(numeric));
      }
    }
    return error / Math.max(largest, 1e-3);
  } finally {
    await session.close();
  }
}
