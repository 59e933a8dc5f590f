// Diagrams of models: a neuron, a network, what flows back through it, trees, neighbours, margins, many models as one.
import {
  type Axes,
  area,
  arrow,
  box,
  circle,
  type Drawing,
  line,
  type Point,
  rect,
  toPixels,
  washOf,
  words,
} from './draw.ts';
import { createNormal } from './maths.ts';

function drawNeuron(): Drawing {
  const inputs = [1.0, 2.0, -1.0];
  const weights = [0.5, 0.4, 0.3];
  const bias = -0.2;
  const sum = inputs.reduce((total, x, index) => total + x * (weights[index] ?? 0), bias);
  const output = 1 / (1 + Math.exp(-sum));
  return {
    name: 'neuron',
    title: 'One neuron: a weighted sum, then a bend',
    desc: `A neuron with inputs ${inputs.join(', ')} and weights ${weights.join(', ')}: it adds the products and the bias ${bias}, z = ${sum.toFixed(2)}, and passes z through the sigmoid: a = ${output.toFixed(2)}.`,
    height: 380,
    body: [
      ...inputs.flatMap((x, index) => {
        const y = 100 + index * 96;
        return [
          arrow(
            [
              [110, y],
              [288, 196 + (index - 1) * 24],
            ],
            { stroke: 'blue' },
          ),
          circle(80, y, 32, { fill: 'blueWash', stroke: 'blue' }),
          words(80, y, x.toFixed(1).replace('-', '−'), { bold: true }),
          words(200, [112, 178, 276][index] ?? 0, `× ${weights[index]}`, { color: 'blue', bold: true }),
        ];
      }),
      circle(346, 196, 58, { fill: 'greenWash', stroke: 'green' }),
      words(346, 184, 'Σ + b', { bold: true, color: 'green', size: 22 }),
      words(346, 212, `z = ${sum.toFixed(1)}`),
      words(346, 284, `b = ${bias.toString().replace('-', '−')}`, { color: 'soft' }),
      arrow([
        [404, 196],
        [460, 196],
      ]),
      rect(462, 140, 124, 112, { fill: 'purpleWash', stroke: 'purple' }),
      line(
        Array.from({ length: 41 }, (_, index): Point => {
          const z = -6 + (12 * index) / 40;
          return [474 + ((z + 6) / 12) * 100, 236 - 76 / (1 + Math.exp(-z))];
        }),
        { stroke: 'purple', width: 3.5 },
      ),
      words(524, 276, 'activation g', { color: 'purple' }),
      arrow([
        [586, 196],
        [620, 196],
      ]),
      words(628, 196, output.toFixed(2), { bold: true, size: 22, anchor: 'start' }),
      words(652, 228, 'output a', { color: 'soft' }),
      words(360, 346, 'a = g(w₁x₁ + w₂x₂ + w₃x₃ + b)', { size: 22 }),
    ],
  };
}

function drawNetwork(): Drawing {
  const sizes = [3, 5, 5, 2];
  const names = ['input', 'hidden', 'hidden', 'output'];
  const hues = ['blue', 'green', 'green', 'orange'] as const;
  const place = (layer: number, index: number): Point => {
    const count = sizes[layer] ?? 1;
    return [96 + layer * 176, 212 + (index - (count - 1) / 2) * 60];
  };
  const parameters = sizes.slice(1).reduce((sum, size, layer) => sum + size * (sizes[layer] ?? 0) + size, 0);
  return {
    name: 'network',
    title: 'A small network: every line is a weight',
    desc: `A fully connected network with layers of ${sizes.join(', ')} neurons. Every neuron takes all outputs of the layer before. Together ${parameters} parameters: ${sizes
      .slice(1)
      .map((size, layer) => `${sizes[layer]} × ${size} + ${size}`)
      .join(', ')}.`,
    height: 440,
    body: [
      ...sizes
        .slice(1)
        .flatMap((size, layer) =>
          Array.from({ length: size }, (_, to) =>
            Array.from({ length: sizes[layer] ?? 0 }, (_, from) =>
              line([place(layer, from), place(layer + 1, to)], { stroke: 'line', width: 1.6 }),
            ).join(''),
          ),
        ),
      ...sizes.flatMap((size, layer) => [
        ...Array.from({ length: size }, (_, index) =>
          circle(...place(layer, index), 22, {
            fill: washOf(hues[layer] ?? 'blue'),
            stroke: hues[layer] ?? 'blue',
            width: 2.5,
          }),
        ),
        words(96 + layer * 176, 382, names[layer] ?? '', { bold: true, color: hues[layer] ?? 'blue' }),
      ]),
      ...sizes
        .slice(1)
        .map((size, layer) => words(184 + layer * 176, 414, `${sizes[layer]}·${size} + ${size}`, { color: 'soft' })),
      words(652, 414, `= ${parameters}`, { bold: true }),
    ],
  };
}

function drawBackpropagation(): Drawing {
  // One example through z = w·x + b, p = σ(z), L = −ln p, for the label 1.
  const [x, w, b] = [2, 0.5, -0.4];
  const z = w * x + b;
  const p = 1 / (1 + Math.exp(-z));
  const loss = -Math.log(p);
  const slope = p - 1;
  const show = (value: number) => value.toFixed(2).replace('-', '−');
  const stations = [
    ['x', show(x)],
    ['z = w·x + b', show(z)],
    ['p = σ(z)', show(p)],
    ['L = −ln p', show(loss)],
  ] as const;
  const [left, gap] = [30, 174];
  return {
    name: 'backpropagation',
    title: 'Forward for the loss, backward for the blame',
    desc: `One example with x = ${x}, w = ${w}, b = ${b} and label 1. Forward: z = ${show(z)}, p = ${show(p)}, L = ${show(loss)}. Backward, by the chain rule: the slope of L with respect to z is p − 1 = ${show(slope)}; with respect to w it is that times x = ${show(slope * x)}; with respect to b it is ${show(slope)}.`,
    height: 400,
    body: [
      ...stations.flatMap(([name, value], index) => [
        rect(left + index * gap, 84, 140, 84, {
          fill: index === 3 ? 'redWash' : 'blueWash',
          stroke: index === 3 ? 'red' : 'blue',
        }),
        words(left + index * gap + 70, 110, name),
        words(left + index * gap + 70, 142, value, { bold: true, color: index === 3 ? 'red' : 'blue', size: 22 }),
      ]),
      ...[0, 1, 2].map((index) =>
        arrow(
          [
            [left + 140 + index * gap, 126],
            [left + (index + 1) * gap, 126],
          ],
          { stroke: 'blue', width: 2.5 },
        ),
      ),
      arrow(
        [
          [622, 170],
          [622, 226],
          [448, 226],
        ],
        { stroke: 'orange', width: 2.5 },
      ),
      arrow(
        [
          [430, 226],
          [276, 226],
        ],
        { stroke: 'orange', width: 2.5 },
      ),
      words(540, 250, `−1/p = ${show(-1 / p)}`, { color: 'orange' }),
      words(352, 250, `× p(1 − p)`, { color: 'orange' }),
      words(180, 226, `∂L/∂z = ${show(slope)}`, { bold: true, color: 'orange' }),
      arrow(
        [
          [150, 244],
          [120, 300],
        ],
        { stroke: 'orange', width: 2.5 },
      ),
      arrow(
        [
          [220, 244],
          [330, 300],
        ],
        { stroke: 'orange', width: 2.5 },
      ),
      box(28, 302, 250, 70, `∂L/∂w = ${show(slope)} · x\n= ${show(slope * x)}`, { hue: 'orange' }),
      box(300, 302, 200, 70, `∂L/∂b = ${show(slope)}`, { hue: 'orange' }),
      words(606, 324, 'forward →', { bold: true, color: 'blue' }),
      words(606, 352, '← backward', { bold: true, color: 'orange' }),
    ],
  };
}

function drawEnsembles(): Drawing {
  const tree = (x: number, y: number, hue: 'blue' | 'orange') =>
    [
      line(
        [
          [x, y],
          [x - 18, y + 26],
        ],
        { stroke: hue, width: 2.5 },
      ),
      line(
        [
          [x, y],
          [x + 18, y + 26],
        ],
        { stroke: hue, width: 2.5 },
      ),
      circle(x, y, 8, { fill: hue }),
      circle(x - 18, y + 28, 7, { fill: 'card', stroke: hue }),
      circle(x + 18, y + 28, 7, { fill: 'card', stroke: hue }),
    ].join('');
  return {
    name: 'bagging-boosting',
    title: 'Bagging side by side, boosting in a row',
    desc: 'Left, bagging: three bootstrap samples of the data train three trees independently, and their predictions are averaged; this lowers variance. Right, boosting: each tree is trained on the errors that the trees before it left, and their predictions are added; this lowers bias.',
    height: 480,
    body: [
      rect(24, 64, 326, 392, { fill: 'blueWash', stroke: 'blue' }, 12),
      rect(370, 64, 326, 392, { fill: 'orangeWash', stroke: 'orange' }, 12),
      words(187, 92, 'Bagging', { bold: true, color: 'blue', size: 22 }),
      words(533, 92, 'Boosting', { bold: true, color: 'orange', size: 22 }),
      rect(107, 116, 160, 42, { fill: 'card', stroke: 'blue' }),
      words(187, 137, 'data'),
      ...[0, 1, 2].flatMap((index) => {
        const x = 84 + index * 103;
        return [
          arrow(
            [
              [187 + (index - 1) * 40, 158],
              [x, 196],
            ],
            { stroke: 'blue' },
          ),
          rect(x - 46, 198, 92, 36, { fill: 'card', stroke: 'blue' }),
          words(x, 216, `draw ${index + 1}`),
          arrow(
            [
              [x, 234],
              [x, 262],
            ],
            { stroke: 'blue' },
          ),
          tree(x, 274, 'blue'),
          arrow(
            [
              [x, 318],
              [187 + (index - 1) * 40, 352],
            ],
            { stroke: 'blue' },
          ),
        ];
      }),
      rect(87, 354, 200, 42, { fill: 'card', stroke: 'blue', width: 3 }),
      words(187, 375, 'average or vote'),
      words(187, 428, 'lowers variance', { bold: true, color: 'blue' }),
      ...[0, 1, 2].flatMap((index) => {
        const y = 122 + index * 80;
        return [
          rect(388, y, 138, 48, { fill: 'card', stroke: 'orange' }),
          words(457, y + 24, index === 0 ? 'data' : `errors left`),
          arrow(
            [
              [526, y + 24],
              [572, y + 24],
            ],
            { stroke: 'orange' },
          ),
          tree(604, y + 10, 'orange'),
          words(664, y + 24, index === 0 ? '' : '+', { bold: true, size: 26, color: 'orange' }),
          ...(index < 2
            ? [
                arrow(
                  [
                    [590, y + 50],
                    [457, y + 78],
                  ],
                  { stroke: 'orange' },
                ),
              ]
            : []),
        ];
      }),
      arrow(
        [
          [604, 332],
          [604, 352],
        ],
        { stroke: 'orange' },
      ),
      rect(440, 354, 200, 42, { fill: 'card', stroke: 'orange', width: 3 }),
      words(540, 375, 'weighted sum'),
      words(533, 428, 'lowers bias', { bold: true, color: 'orange' }),
    ],
  };
}

const tree: Drawing = {
  name: 'decision-tree',
  title: 'A decision tree: questions, then an answer',
  desc: 'A tree for mail: does it contain "free"? If yes: more than 3 links? yes: spam, no: fine. If no: is the sender known? yes: fine, no: spam is possible, 60 percent. The root and the inner nodes ask; the leaves answer with the majority of the training rows that landed there.',
  height: 420,
  body: [
    box(250, 66, 220, 60, 'says “free”?', { hue: 'blue' }),
    box(60, 186, 220, 60, '> 3 links?', { hue: 'blue' }),
    box(440, 186, 220, 60, 'sender known?', { hue: 'blue' }),
    arrow([
      [310, 126],
      [200, 184],
    ]),
    arrow([
      [410, 126],
      [520, 184],
    ]),
    words(226, 150, 'yes', { color: 'soft', anchor: 'end' }),
    words(494, 150, 'no', { color: 'soft', anchor: 'start' }),
    ...(
      [
        [24, 'spam', '92 %', 'red'],
        [194, 'fine', '71 %', 'green'],
        [392, 'fine', '97 %', 'green'],
        [562, 'spam', '60 %', 'red'],
      ] as const
    ).flatMap(([x, label, share, hue], index) => [
      box(x, 306, 134, 76, `${label}\n${share}`, { hue, bold: true }),
      arrow([
        [(index < 2 ? 170 : 550) + (index % 2 === 0 ? -40 : 40), 246],
        [x + 67, 304],
      ]),
      words(index % 2 === 0 ? x + 52 : x + 84, 274, index % 2 === 0 ? 'yes' : 'no', {
        color: 'soft',
        anchor: index % 2 === 0 ? 'end' : 'start',
      }),
    ]),
    words(360, 402, 'leaf: majority and its share of the training rows there', { color: 'soft' }),
  ],
};

function drawNeighbours(): Drawing {
  const normal = createNormal(33);
  const cloud = (cx: number, cy: number, count: number) =>
    Array.from({ length: count }, (): Point => [cx + normal() * 62, cy + normal() * 52]);
  const inside = ([x, y]: Point): Point => [Math.min(462, Math.max(48, x)), Math.min(384, Math.max(84, y))];
  const points = [
    ...cloud(170, 290, 15).map((point) => ({ point: inside(point), hue: 'blue' as const })),
    ...cloud(330, 180, 15).map((point) => ({ point: inside(point), hue: 'orange' as const })),
  ];
  const asked: Point = [250, 226];
  const sorted = points
    .map((one) => ({ ...one, distance: Math.hypot(one.point[0] - asked[0], one.point[1] - asked[1]) }))
    .sort((a, b) => a.distance - b.distance);
  const count = (k: number, hue: string) => sorted.slice(0, k).filter((one) => one.hue === hue).length;
  const ks = [3, 9] as const;
  const radius = (k: number) => ((sorted[k - 1]?.distance ?? 0) + (sorted[k]?.distance ?? 0)) / 2;
  const say = (k: number) => `k = ${k}: ${count(k, 'blue')} blue, ${count(k, 'orange')} orange`;
  return {
    name: 'nearest-neighbours',
    title: 'k nearest neighbours: ask those who live close',
    desc: `Points of two classes and one question mark between them. Among its nearest neighbours: ${ks.map(say).join('; ')}. The majority answers, and it may change with k.`,
    height: 420,
    body: [
      rect(28, 64, 456, 336, { fill: 'panel' }),
      ...[...ks].reverse().map((k) =>
        circle(asked[0], asked[1], radius(k), {
          fill: k === 3 ? 'goldWash' : 'card',
          stroke: 'gold',
          dashed: k !== 3,
        }),
      ),
      ...points.map(({ point, hue }) => circle(point[0], point[1], 8, { fill: hue, stroke: 'card', width: 1.5 })),
      circle(asked[0], asked[1], 13, { fill: 'ink' }),
      words(asked[0], asked[1], '?', { bold: true, color: 'card' }),
      ...ks.flatMap((k, index) => {
        const winner = count(k, 'blue') > count(k, 'orange') ? 'blue' : 'orange';
        const y = 100 + index * 150;
        return [
          words(504, y, `k = ${k}`, { bold: true, anchor: 'start', size: 22 }),
          words(504, y + 32, `${count(k, 'blue')} blue`, { color: 'blue', anchor: 'start' }),
          words(504, y + 60, `${count(k, 'orange')} orange`, { color: 'orange', anchor: 'start' }),
          words(504, y + 92, `→ ${winner}`, { bold: true, color: winner, anchor: 'start', size: 22 }),
        ];
      }),
    ],
  };
}

function drawMargin(): Drawing {
  // The border w·x + b = 0 with w = (1, 1)/√2; points on the margin lines are the support vectors.
  const frame: Axes = { left: 28, top: 64, width: 440, height: 336, x: [0, 11], y: [0, 8.4] };
  const place = toPixels(frame);
  const [middle, half] = [9.4, 1.4 * Math.SQRT2];
  const value = ([x, y]: Point) => (x + y - middle) / half;
  const below: readonly Point[] = [
    [1.2, 2],
    [2.2, 4.1],
    [3.6, 1.3],
    [1, 4.6],
    [2.9, 2.7],
    [4.7, 1.6],
    [2.42, 5],
    [5.62, 1.8],
  ];
  const above: readonly Point[] = [
    [6, 6.6],
    [8.2, 5.2],
    [9.4, 3.4],
    [7.4, 6.9],
    [9.6, 6.2],
    [5.4, 7.5],
    [7, 4.38],
    [10.1, 4.8],
  ];
  const onMargin = (point: Point) => Math.abs(Math.abs(value(point)) - 1) < 0.01;
  if (![...below, ...above].every((point) => Math.abs(value(point)) > 0.99))
    throw new Error('a point lies in the margin');
  const border = (offset: number) => {
    const sum = middle + offset * half;
    return [
      place(Math.max(0, sum - 8.4), Math.min(8.4, sum)),
      place(Math.min(11, sum), Math.max(0, sum - 11)),
    ] as const;
  };
  const [low, high] = [border(-1), border(1)];
  const band = [low[0], place(0, 8.4), high[0], high[1], place(11, 0), low[1]];
  const supports = [...below, ...above].filter(onMargin);
  const foot: Point = [8.4, middle - 8.4];
  return {
    name: 'svm-margin',
    title: 'Support vector machine: the widest street',
    desc: `Two classes of points, separated by a straight border in the middle of the widest possible empty street. ${supports.length} points lie on the kerbs: the support vectors. They alone fix the border; the width of the street is 2 divided by the length of w.`,
    height: 420,
    body: [
      rect(frame.left, frame.top, frame.width, frame.height, { fill: 'panel' }),
      area(band, { fill: 'greenWash' }),
      line(border(-1), { stroke: 'green', dashed: true }),
      line(border(1), { stroke: 'green', dashed: true }),
      line(border(0), { stroke: 'green', width: 4 }),
      ...below.map(([x, y]) => circle(...place(x, y), 8, { fill: 'blue' })),
      ...above.map(([x, y]) => circle(...place(x, y), 8, { fill: 'orange' })),
      ...supports.map(([x, y]) => circle(...place(x, y), 15, { stroke: 'ink', width: 2.5 })),
      arrow([place(foot[0], foot[1]), place(foot[0] + half / 2, foot[1] + half / 2)], { stroke: 'ink' }),
      arrow([place(foot[0], foot[1]), place(foot[0] - half / 2, foot[1] - half / 2)], { stroke: 'ink' }),
      line(
        [
          [490, 100],
          [526, 100],
        ],
        { stroke: 'green', width: 4 },
      ),
      words(538, 100, 'border', { anchor: 'start' }),
      words(538, 126, 'w·x + b = 0', { anchor: 'start', color: 'soft' }),
      line(
        [
          [490, 178],
          [526, 178],
        ],
        { stroke: 'green', dashed: true },
      ),
      words(538, 178, 'kerbs', { anchor: 'start' }),
      words(538, 204, 'w·x + b = ±1', { anchor: 'start', color: 'soft' }),
      circle(508, 258, 15, { stroke: 'ink', width: 2.5 }),
      words(538, 246, 'support', { anchor: 'start' }),
      words(538, 272, 'vectors', { anchor: 'start' }),
      words(490, 330, 'width 2 / ‖w‖', { anchor: 'start', bold: true, color: 'green', size: 22 }),
    ],
  };
}

export const models: readonly Drawing[] = [
  drawNeuron(),
  drawNetwork(),
  drawBackpropagation(),
  drawEnsembles(),
  tree,
  drawNeighbours(),
  drawMargin(),
];
