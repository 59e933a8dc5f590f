// Fast seeded noise for dropout. Each mask follows from (seed, step, which) alone, so a resumed run draws the same.

/** Mixes numbers into 32 bits (the finalizer of MurmurHash3 after each). */
export function mixSeeds(...numbers: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const number of numbers) {
    hash = Math.imul(hash ^ number, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/** Calls `visit` with whether each of `count` elements is dropped: xoshiro128+ (Blackman and Vigna 2018). */
function drawDrops(count: number, rate: number, seed: number, visit: (index: number, dropped: boolean) => void): void {
  let a = mixSeeds(seed, 1);
  let b = mixSeeds(seed, 2);
  let c = mixSeeds(seed, 3);
  let d = mixSeeds(seed, 4) | 1;
  const threshold = rate * 2 ** 32;
  for (let index = 0; index < count; index++) {
    const drawn = (a + d) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    visit(index, drawn < threshold);
  }
}

/** Fills a dropout mask: 0 with probability `rate`, else 1/(1 − rate). */
export function fillDropoutMask(mask: Float32Array, rate: number, seed: number): void {
  const keep = 1 / (1 - rate);
  drawDrops(mask.length, rate, seed, (index, dropped) => {
    mask[index] = dropped ? 0 : keep;
  });
}

/** Replaces a share of the tokens, never the first or the last of a text, by the unknown one. */
export function dropWords(ids: readonly number[], rate: number, unknownId: number, seed: number): number[] {
  const noisy = ids.slice();
  drawDrops(ids.length, rate, seed, (index, dropped) => {
    if (dropped && index > 0 && index < ids.length - 1) noisy[index] = unknownId;
  });
  return noisy;
}
