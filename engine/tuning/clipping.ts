// Keeps one step from being too large: gradients are scaled down together (Pascanu et al. 2013).

/** √Σg² over all gradients; NaN or infinite when any is. */
export function globalNorm(gradients: Iterable<Float32Array>): number {
  let sum = 0;
  for (const gradient of gradients) {
    for (let i = 0; i < gradient.length; i++) {
      const slope = gradient[i] ?? 0;
      sum += slope * slope;
    }
  }
  return Math.sqrt(sum);
}

/** What to multiply gradients by so that their global norm is at most `limit` (as PyTorch's clip_grad_norm_). */
export function clippingScale(norm: number, limit: number): number {
  return Math.min(1, limit / (norm + 1e-6));
}
