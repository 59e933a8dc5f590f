// Diagrams of fitting: too little, right, too much; bias and variance; descending; stopping in time; many dimensions.
import {
  type Axes,
  axes,
  circle,
  curve,
  type Drawing,
  line,
  type Point,
  rect,
  sample,
  toPixels,
  words,
} from './draw.ts';
import { createNormal, dot, leastSquares, legendre } from './maths.ts';

const truth = (x: number) => Math.sin(Math.PI * x);

/** Weights of a polynomial that fits the points, x in [−1, 1]. */
const fitPolynomial = (points: readonly Point[], degree: number) =>
  leastSquares(
    points.map(([x]) => legendre(x, degree)),
    points.map(([, y]) => y),
  );

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function drawFits(): Drawing {
  const normal = createNormal(11);
  const points = Array.from({ length: 14 }, (_, index): Point => {
    const x = -0.95 + (1.9 * index) / 13;
    return [x, truth(x) + 0.25 * normal()];
  });
  const degrees = [1, 3, 12] as const;
  const names = ['Underfitting', 'Good fit', 'Overfitting'];
  const hues = ['orange', 'green', 'red'] as const;
  const fresh = Array.from({ length: 400 }, (_, index): Point => {
    const x = -0.95 + (1.9 * index) / 399;
    return [x, truth(x) + 0.25 * normal()];
  });
  const errors = degrees.map((degree) => {
    const weights = fitPolynomial(points, degree);
    const mse = (data: readonly Point[]) =>
      data.reduce((sum, [x, y]) => sum + (y - dot(weights, legendre(x, degree))) ** 2, 0) / data.length;
    return { train: mse(points), fresh: mse(fresh) };
  });
  const panels = degrees.map((degree, index) => {
    const frame: Axes = { left: 28 + index * 228, top: 100, width: 208, height: 210, x: [-1, 1], y: [-1.8, 1.8] };
    const place = toPixels(frame);
    const weights = fitPolynomial(points, degree);
    const hue = hues[index] ?? 'green';
    const error = errors[index] ?? { train: 0, fresh: 0 };
    const middle = frame.left + frame.width / 2;
    return [
      words(middle, 80, names[index] ?? '', { bold: true, color: hue, size: 22 }),
      rect(frame.left, frame.top, frame.width, frame.height, { fill: 'panel' }),
      curve(frame, sample(-0.98, 0.98, 60, truth), { stroke: 'soft', dashed: true, width: 2 }),
      curve(
        frame,
        sample(-0.95, 0.95, 160, (x) => clamp(dot(weights, legendre(x, degree)), -1.75, 1.75)),
        { stroke: hue },
      ),
      ...points.map(([x, y]) => circle(...place(x, y), 5.5, { fill: 'ink' })),
      words(middle, 334, `degree ${degree}`, { color: 'soft' }),
      words(middle, 364, `training error ${error.train.toFixed(2)}`),
      words(middle, 392, `new data ${error.fresh.toFixed(2)}`, { bold: true, color: hue }),
    ].join('\n');
  });
  const told = degrees.map(
    (degree, index) =>
      `degree ${degree}: training error ${errors[index]?.train.toFixed(2)}, on new data ${errors[index]?.fresh.toFixed(2)}`,
  );
  return {
    name: 'fit-curves',
    title: 'The same 14 points, three models',
    desc: `The same 14 noisy points of a sine wave, fitted by polynomials. A straight line misses the bend (${told[0]}). A cubic follows the wave (${told[1]}). A curve of degree 12 runs through the noise and swings between the points (${told[2]}).`,
    height: 420,
    body: panels,
  };
}

function drawBoards(): Drawing {
  const normal = createNormal(5);
  const boards = [
    { title: 'low bias', second: 'low variance', shift: 0, spread: 9 },
    { title: 'low bias', second: 'high variance', shift: 0, spread: 36 },
    { title: 'high bias', second: 'low variance', shift: 46, spread: 9 },
    { title: 'high bias', second: 'high variance', shift: 46, spread: 32 },
  ];
  const body = boards.flatMap(({ title, second, shift, spread }, index) => {
    const [cx, cy] = [190 + (index % 2) * 340, 172 + Math.floor(index / 2) * 278];
    const raw = Array.from({ length: 9 }, (): Point => [normal() * spread, normal() * spread]);
    const mean = [0, 1].map((axis) => raw.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / raw.length);
    // Recentred, so that what is drawn as bias is the shift and nothing else.
    const darts = raw.map(
      ([x, y]): Point => [cx + x - (mean[0] ?? 0) + shift * 0.8, cy + y - (mean[1] ?? 0) - shift * 0.8],
    );
    return [
      ...[100, 72, 44].map((r, ring) => circle(cx, cy, r, { fill: ring === 1 ? 'card' : 'panel', stroke: 'line' })),
      circle(cx, cy, 16, { fill: 'red' }),
      ...darts.map(([x, y]) => circle(x, y, 7, { fill: 'blue', stroke: 'card', width: 1.5 })),
      words(cx, cy + 122, `${title}, ${second}`, { bold: index === 0 }),
    ];
  });
  return {
    name: 'dart-boards',
    title: 'Bias and variance on a dart board',
    desc: 'Four dart boards, nine darts each; every dart is the prediction of a model trained on another sample. Low bias and low variance: tight around the centre. Low bias, high variance: spread around the centre. High bias, low variance: tight, but off the centre. High bias, high variance: spread and off the centre.',
    height: 608,
    body,
  };
}

function drawTradeoff(): Drawing {
  // A least-squares fit on fixed x is ŷ = Hy, so bias² and variance are exact: ‖Hf − f‖²/n and σ²·(degree + 1)/n.
  const [n, noise] = [20, 0.5 ** 2];
  const xs = Array.from({ length: n }, (_, index) => -0.96 + (1.92 * index) / (n - 1));
  const steep = (x: number) => Math.sin(1.5 * Math.PI * x + 0.7) + 0.3 * x;
  const degrees = Array.from({ length: 13 }, (_, degree) => degree);
  const bias = degrees.map((degree) => {
    const weights = leastSquares(
      xs.map((x) => legendre(x, degree)),
      xs.map(steep),
    );
    return xs.reduce((sum, x) => sum + (dot(weights, legendre(x, degree)) - steep(x)) ** 2, 0) / n;
  });
  const variance = degrees.map((degree) => (noise * (degree + 1)) / n);
  const total = degrees.map((degree) => (bias[degree] ?? 0) + (variance[degree] ?? 0) + noise);
  const best = total.indexOf(Math.min(...total));
  const frame: Axes = { left: 96, top: 76, width: 590, height: 270, x: [0, 12], y: [0, 1] };
  const place = toPixels(frame);
  const series = (values: readonly number[]) => values.map((value, index): Point => [index, value]);
  return {
    name: 'bias-variance-tradeoff',
    title: 'Bias falls, variance rises: a best size between',
    desc: `Expected squared error of polynomials of degree 0 to 12 on 20 noisy points, computed exactly. Bias² falls from ${bias[0]?.toFixed(2)} to about 0; variance rises in a straight line from ${variance[0]?.toFixed(3)} to ${variance[12]?.toFixed(3)}; noise stays at ${noise.toFixed(2)}. Their sum is lowest at degree ${best}, with ${total[best]?.toFixed(2)}.`,
    height: 430,
    body: [
      axes(frame, {
        x: 'degree of the polynomial',
        y: 'squared error',
        xTicks: [0, 3, 6, 9, 12].map((d) => [d, String(d)] as const),
        yTicks: [0, 0.2, 0.4, 0.6, 0.8].map((v) => [v, v.toFixed(1)] as const),
      }),
      curve(frame, series(degrees.map(() => noise)), { stroke: 'soft', dashed: true, width: 2.5 }),
      curve(frame, series(bias), { stroke: 'blue' }),
      curve(frame, series(variance), { stroke: 'orange' }),
      curve(frame, series(total), { stroke: 'purple', width: 5 }),
      line([place(best, 0), place(best, 0.72)], { stroke: 'green', dashed: true }),
      circle(...place(best, total[best] ?? 0), 8, { fill: 'green' }),
      words(...place(best, 0.78), `best: degree ${best}`, { bold: true, color: 'green' }),
      words(...place(11.2, (total[11] ?? 0) + 0.09), 'total', { bold: true, color: 'purple' }),
      words(...place(0.3, (bias[0] ?? 0) - 0.16), 'bias²', { bold: true, color: 'blue', anchor: 'start' }),
      words(...place(3.4, noise + 0.05), 'noise', { color: 'soft' }),
      words(...place(11.9, (variance[11] ?? 0) - 0.075), 'variance', { bold: true, color: 'orange', anchor: 'end' }),
    ],
  };
}

function drawStopping(): Drawing {
  // Gradient descent on a polynomial of degree 14 from zero: first the wave is learned, then the noise.
  const normal = createNormal(13);
  const degree = 14;
  const noisy = (count: number, shift: number) =>
    Array.from({ length: count }, (_, index): Point => {
      const x = -0.97 + (1.94 * (index + shift)) / count;
      return [x, truth(x) + 0.45 * normal()];
    });
  const [train, held] = [noisy(18, 0.5), noisy(60, 0.25)];
  const scale = (x: number) => legendre(x, degree).map((value) => value * 1.4);
  const [features, heldFeatures] = [train.map(([x]) => scale(x)), held.map(([x]) => scale(x))];
  let weights = Array.from({ length: degree + 1 }, () => 0);
  const lossOf = (rows: readonly number[][], data: readonly Point[]) =>
    rows.reduce((sum, row, index) => sum + (dot(row, weights) - (data[index]?.[1] ?? 0)) ** 2, 0) / data.length;
  const logs: { step: number; train: number; held: number }[] = [];
  const steps = 4000;
  for (let step = 0; step <= steps; step += 1) {
    if (step % 5 === 0) logs.push({ step, train: lossOf(features, train), held: lossOf(heldFeatures, held) });
    const gradient = weights.map(
      (_, k) =>
        (2 / train.length) *
        features.reduce((sum, row, index) => sum + (dot(row, weights) - (train[index]?.[1] ?? 0)) * (row[k] ?? 0), 0),
    );
    weights = weights.map((weight, k) => weight - 0.012 * (gradient[k] ?? 0));
  }
  const best = logs.reduce((low, log) => (log.held < low.held ? log : low));
  const last = logs.at(-1) ?? best;
  const first = logs[0] ?? best;
  // The horizontal axis is logarithmic, so that the quick start and the slow end both show.
  const across = (step: number) => Math.log10(step + 10);
  const top = Math.ceil(Math.max(first.train, first.held) * 10) / 10;
  const frame: Axes = { left: 96, top: 76, width: 580, height: 280, x: [1, across(steps)], y: [0, top] };
  const place = toPixels(frame);
  const series = (key: 'train' | 'held') => logs.map((log): Point => [across(log.step), log[key]]);
  const [bx] = place(across(best.step), 0);
  return {
    name: 'learning-curves',
    title: 'Learning curves, and where to stop',
    desc: `Loss over ${steps.toLocaleString('en')} training steps of a computed example. Training loss keeps falling, from ${first.train.toFixed(2)} to ${last.train.toFixed(2)}. Held-out loss falls to its lowest, ${best.held.toFixed(2)}, at step ${best.step} and then rises to ${last.held.toFixed(2)}. Stop where held-out loss is lowest and keep those weights.`,
    height: 440,
    body: [
      rect(bx, frame.top, frame.left + frame.width - bx, frame.height, { fill: 'redWash' }, 0),
      axes(frame, {
        x: 'training steps (logarithmic)',
        y: 'loss',
        xTicks: [0, 30, 100, 300, 1000, 4000].map((step) => [across(step), step.toLocaleString('en')] as const),
        yTicks: [0, 0.2, 0.4, 0.6, 0.8].filter((v) => v <= top).map((v) => [v, v.toFixed(1)] as const),
      }),
      curve(frame, series('train'), { stroke: 'blue' }),
      curve(frame, series('held'), { stroke: 'orange' }),
      line(
        [
          [bx, frame.top],
          [bx, frame.top + frame.height],
        ],
        { stroke: 'green', dashed: true },
      ),
      circle(...place(across(best.step), best.held), 8, { fill: 'green' }),
      words(bx - 14, frame.top + 20, 'stop here', { anchor: 'end', bold: true, color: 'green' }),
      words(bx + 14, frame.top + 20, 'overfitting', { anchor: 'start', bold: true, color: 'red' }),
      words(frame.left + frame.width - 8, place(0, last.held)[1] - 24, 'held-out loss', {
        anchor: 'end',
        bold: true,
        color: 'orange',
      }),
      words(frame.left + frame.width - 8, place(0, last.train)[1] - 24, 'training loss', {
        anchor: 'end',
        bold: true,
        color: 'blue',
      }),
    ],
  };
}

function drawDescent(): Drawing {
  const loss = (w: number) => w * w;
  const runs = [
    { rate: 0.03, name: 'too small', hue: 'gold', steps: 8, told: 'creeps' },
    { rate: 0.3, name: 'right', hue: 'green', steps: 8, told: 'lands' },
    { rate: 1.04, name: 'too large', hue: 'red', steps: 8, told: 'flies out' },
  ] as const;
  const ends: string[] = [];
  const body = runs.flatMap(({ rate, name, hue, steps, told }, index) => {
    const frame: Axes = { left: 28 + index * 228, top: 100, width: 208, height: 220, x: [-2.1, 2.1], y: [-0.2, 4.2] };
    const place = toPixels(frame);
    const path = [1];
    for (let step = 0; step < steps; step += 1) path.push((path.at(-1) ?? 0) * (1 - 2 * rate));
    const points = path.map((w) => place(w, loss(w)));
    const middle = frame.left + frame.width / 2;
    const end = loss(path.at(-1) ?? 0);
    ends.push(`rate ${rate}: loss ${end.toFixed(3)}`);
    return [
      words(middle, 80, name, { bold: true, color: hue, size: 22 }),
      rect(frame.left, frame.top, frame.width, frame.height, { fill: 'panel' }),
      curve(frame, sample(-2.03, 2.03, 60, loss), { stroke: 'soft', width: 2.5 }),
      line(points, { stroke: hue, width: 2.5 }),
      ...points.map(([x, y], step) => circle(x, y, step === 0 ? 8 : 5.5, { fill: step === 0 ? 'ink' : hue })),
      words(middle, 344, `η = ${rate}`, { color: 'soft' }),
      words(middle, 374, `${told}: loss ${end.toFixed(end < 0.01 ? 4 : 2)}`, { bold: true, color: hue }),
    ];
  });
  return {
    name: 'gradient-descent-rates',
    title: 'Eight steps down w², from w = 1',
    desc: `Gradient descent on the loss w² from w = 1, eight steps at three learning rates. ${ends.join('; ')}. The small rate creeps, the right one arrives, the large one jumps over the valley and climbs out.`,
    height: 402,
    body,
  };
}

function drawShells(): Drawing {
  const dimensions = [1, 2, 3, 10, 20, 50];
  const shares = dimensions.map((d) => 1 - 0.9 ** d);
  const body = dimensions.flatMap((d, index) => {
    const share = shares[index] ?? 0;
    const left = 40 + index * 112;
    const [bottom, height] = [330, 220];
    return [
      rect(left, bottom - height, 84, height, { fill: 'blueWash' }, 6),
      rect(left, bottom - height * share, 84, height * share, { fill: 'blue' }, 6),
      words(left + 42, bottom - height - 18, `${Math.round(share * 100)} %`, { bold: true, color: 'blue', size: 22 }),
      words(left + 42, bottom + 22, d === 1 ? '1 dim.' : `${d} dims`, {}),
    ];
  });
  return {
    name: 'curse-shells',
    title: 'In many dimensions all volume lies near the skin',
    desc: `Share of a ball's volume in its outer tenth, 1 − 0.9^d: ${dimensions.map((d, index) => `${d} dimension${d === 1 ? '' : 's'} ${Math.round((shares[index] ?? 0) * 100)} %`).join(', ')}.`,
    height: 400,
    body: [...body, words(360, 380, 'share of a ball in its outermost 10 % of radius: 1 − 0.9ᵈ', { color: 'soft' })],
  };
}

export const fitting: readonly Drawing[] = [
  drawFits(),
  drawBoards(),
  drawTradeoff(),
  drawStopping(),
  drawDescent(),
  drawShells(),
];
