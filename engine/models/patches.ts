// Cuts images into square patches and makes a token of each, with a class token in front and positions added.
import type { Value } from '../graph/ops.ts';
import type { Layers } from './layers.ts';

interface PatchDesign {
  readonly channels: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly hidden: number;
}

export const patchCount = ({ imageSize, patchSize }: PatchDesign) => Math.floor(imageSize / patchSize) ** 2;

interface PatchWeights {
  /** [hidden, channels, patch, patch] */
  readonly kernels: Value;
  /** [hidden], where there is one. */
  readonly bias: Value | undefined;
  /** hidden numbers, in any shape. */
  readonly classToken: Value;
  /** (patches + 1) · hidden numbers, in any shape. */
  readonly positions: Value;
}

/**
 * pixels [rows, channels, size, size] → tokens [rows, patches + 1, hidden]. A convolution whose windows do not overlap
 * is one matrix product over the patches; so are its gradients.
 * @throws Error when the image has another size than the model was made for.
 */
export function embedPatches({ g }: Layers, pixels: Value, weights: PatchWeights, design: PatchDesign): Value {
  const { channels, imageSize, patchSize, hidden } = design;
  const [rows = 0, , height = 0, width = 0] = pixels.shape;
  if (height !== imageSize || width !== imageSize) {
    throw new Error(`images are ${height} × ${width} pixels; the model was made for ${imageSize} × ${imageSize}`);
  }
  const side = Math.floor(imageSize / patchSize);
  const kept = side * patchSize;
  const cut = (x: Value, axis: number) => (kept === imageSize ? x : g.op('Slice', [x], { axis, start: 0, end: kept }));
  const grid = g.op('Reshape', [cut(cut(pixels, 2), 3)], { shape: [rows, channels, side, patchSize, side, patchSize] });
  const numbers = channels * patchSize ** 2;
  const patches = g.op('Reshape', [g.op('Transpose', [grid], { perm: [0, 2, 4, 1, 3, 5] })], {
    shape: [rows * side ** 2, numbers],
  });
  const matrix = g.op('Reshape', [weights.kernels], { shape: [hidden, numbers] });
  const form = { transA: false, transB: true };
  const embedded = weights.bias
    ? g.op('Gemm', [patches, matrix, weights.bias], form)
    : g.op('Gemm', [patches, matrix], form);
  const tokens = g.op('Reshape', [embedded], { shape: [rows, side ** 2, hidden] });
  const first = g.op('Expand', [g.op('Reshape', [weights.classToken], { shape: [1, 1, hidden] })], {
    shape: [rows, 1, hidden],
  });
  const positions = g.op('Reshape', [weights.positions], { shape: [1, side ** 2 + 1, hidden] });
  return g.op('Add', [g.op('Concat', [first, tokens], { axis: 1 }), positions]);
}
