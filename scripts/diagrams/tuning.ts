// Diagrams of fine-tuning: what is frozen when, the steps, adapters, four bits, schedules, templates, preferences.
import {
  type Axes,
  arrow,
  axes,
  box,
  circle,
  curve,
  type Drawing,
  type Hue,
  line,
  type Point,
  rect,
  sample,
  toPixels,
  words,
} from './draw.ts';

/** The sixteen levels of NF4 (Dettmers et al., QLoRA, 2023, appendix E), to four digits. */
const nf4Levels = [
  -1, -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.0911, 0, 0.0796, 0.1609, 0.2461, 0.3379, 0.4407, 0.5626, 0.723, 1,
];

/** A body of layers with its head on top. */
function stack(x: number, title: string, states: readonly ('frozen' | 'slow' | 'trained')[], told: string): string[] {
  const looks = {
    frozen: ['panel', 'line', 'soft'],
    slow: ['goldWash', 'gold', 'gold'],
    trained: ['greenWash', 'green', 'green'],
  } as const;
  const names = ['head', 'layer 3', 'layer 2', 'layer 1'];
  return [
    words(x + 100, 80, title, { bold: true, size: 21 }),
    ...states.map((state, index) => {
      const [fill, stroke, ink] = looks[state];
      const y = 106 + index * 56 + (index > 0 ? 8 : 0);
      return (
        rect(x, y, 200, 48, { fill, stroke, ...(state === 'frozen' ? { dashed: true } : {}) }) +
        words(x + 100, y + 24, `${names[index]}: ${state}`, { color: ink, bold: state !== 'frozen' })
      );
    }),
    words(x + 100, 362, told, { color: 'soft' }),
  ];
}

const headThenBody: Drawing = {
  name: 'head-then-body',
  title: 'First the head, then the body',
  desc: 'Three stages of transfer learning. A pretrained model: body and old head. Stage 1: a new head is trained while all layers of the body are frozen, with a learning rate of about 1e-3. Stage 2: the upper layers are unfrozen and trained slowly, with a rate of about 1e-5, the lowest layer stays frozen.',
  height: 420,
  body: [
    ...stack(24, '0  Pretrained', ['frozen', 'frozen', 'frozen', 'frozen'], 'replace the head'),
    ...stack(260, '1  New head', ['trained', 'frozen', 'frozen', 'frozen'], 'rate ≈ 1e-3'),
    ...stack(496, '2  Unfreeze', ['trained', 'slow', 'slow', 'frozen'], 'rate ≈ 1e-5'),
    arrow(
      [
        [226, 216],
        [258, 216],
      ],
      { width: 3 },
    ),
    arrow(
      [
        [462, 216],
        [494, 216],
      ],
      { width: 3 },
    ),
    words(360, 396, 'a new head’s first wild gradients must not reach the body', { color: 'soft' }),
  ],
};

const steps: Drawing = {
  name: 'fine-tuning-steps',
  title: 'Fine-tuning, step by step',
  desc: 'Seven steps in a circle back: 1 goal and measure, 2 choose a base model, 3 prepare the data, 4 baseline, 5 train, 6 evaluate on held-out data, 7 deploy and watch. From evaluation an arrow leads back to the data, which is where most improvements come from.',
  height: 420,
  body: [
    ...(
      [
        [28, 74, '1  Goal', 'and a measure', 'blue'],
        [258, 74, '2  Base model', 'licence, size', 'blue'],
        [488, 74, '3  Data', 'clean, split', 'gold'],
        [488, 200, '4  Baseline', 'prompt, old model', 'gold'],
        [258, 200, '5  Train', 'LoRA or full', 'green'],
        [28, 200, '6  Evaluate', 'held-out data', 'purple'],
        [28, 326, '7  Deploy', 'and watch', 'blue'],
      ] as const
    ).map(([x, y, name, detail, hue]) => box(x, y, 204, 80, `${name}\n${detail}`, { hue, bold: true })),
    arrow([
      [232, 114],
      [256, 114],
    ]),
    arrow([
      [462, 114],
      [486, 114],
    ]),
    arrow([
      [590, 154],
      [590, 198],
    ]),
    arrow([
      [488, 240],
      [464, 240],
    ]),
    arrow([
      [258, 240],
      [234, 240],
    ]),
    arrow([
      [130, 280],
      [130, 324],
    ]),
    arrow(
      [
        [206, 280],
        [206, 304],
        [708, 304],
        [708, 114],
        [694, 114],
      ],
      { stroke: 'red', width: 3, dashed: true },
    ),
    words(470, 330, 'not good enough? look at the errors,', { color: 'red' }),
    words(470, 358, 'mend the data first', { color: 'red', bold: true }),
  ],
};

function drawLora(): Drawing {
  const [d, k, r] = [4096, 4096, 8];
  const trained = r * (d + k);
  return {
    name: 'lora-matrices',
    title: 'LoRA: a frozen matrix and a thin detour',
    desc: `The input x goes through the frozen matrix W₀ of ${d} by ${k} weights and, beside it, through A, ${r} by ${k}, and B, ${d} by ${r}. The sum is h = W₀x + (α/r)·B·A·x. Only A and B are trained: ${trained.toLocaleString('en')} of ${(d * k).toLocaleString('en')} weights, ${((100 * trained) / (d * k)).toFixed(2)} percent.`,
    height: 514,
    body: [
      '<g transform="translate(0 24)">',
      box(300, 424, 120, 44, 'x', { hue: 'blue', bold: true }),
      arrow([
        [330, 424],
        [190, 384],
      ]),
      arrow([
        [390, 424],
        [530, 384],
      ]),
      rect(80, 164, 220, 218, { fill: 'panel', stroke: 'soft', dashed: true }),
      words(190, 236, 'W₀', { bold: true, size: 34, color: 'soft' }),
      words(190, 282, 'frozen', { color: 'soft' }),
      words(190, 310, `${d} × ${k}`, { color: 'soft' }),
      rect(430, 330, 200, 52, { fill: 'orangeWash', stroke: 'orange' }),
      words(530, 356, `A   ${r} × ${k}`, { bold: true, color: 'orange' }),
      arrow(
        [
          [530, 330],
          [530, 302],
        ],
        { stroke: 'orange' },
      ),
      words(544, 316, `r = ${r} numbers`, { anchor: 'start', color: 'soft' }),
      rect(504, 164, 52, 136, { fill: 'orangeWash', stroke: 'orange' }),
      words(530, 232, 'B', { bold: true, size: 24, color: 'orange' }),
      words(568, 218, `${d} × ${r}`, { anchor: 'start', color: 'orange' }),
      words(568, 246, 'starts at 0', { anchor: 'start', color: 'soft' }),
      words(416, 356, 'random', { anchor: 'end', color: 'soft' }),
      circle(360, 104, 24, { fill: 'greenWash', stroke: 'green' }),
      words(360, 104, '+', { bold: true, size: 26, color: 'green' }),
      arrow([
        [190, 164],
        [190, 104],
        [334, 104],
      ]),
      arrow(
        [
          [530, 164],
          [530, 104],
          [386, 104],
        ],
        { stroke: 'orange' },
      ),
      words(452, 82, '× α/r', { color: 'orange' }),
      arrow([
        [360, 80],
        [360, 60],
      ]),
      words(372, 62, 'h', { bold: true, size: 22, anchor: 'start' }),
      words(366, 152, `trained: ${((100 * trained) / (d * k)).toFixed(2)} %`, { bold: true, color: 'orange' }),
      '</g>',
    ],
  };
}

const qlora: Drawing = {
  name: 'qlora',
  title: 'QLoRA: a base in 4 bits, adapters in 16',
  desc: 'The base model lies in memory as 4-bit NF4 numbers with a scale for every 64 weights: about half a byte a weight. For each product they are turned back into bf16. The small LoRA matrices A and B stand beside it in 16 bits, and only they receive gradients.',
  height: 430,
  body: [
    box(28, 76, 208, 96, 'base weights\n4 bits (NF4)', { hue: 'blue', bold: true }),
    words(132, 196, '+ a scale per 64', { color: 'soft' }),
    arrow(
      [
        [236, 124],
        [286, 124],
      ],
      { stroke: 'blue' },
    ),
    box(288, 76, 196, 96, 'dequantise\nto bf16', { hue: 'purple', bold: true }),
    arrow(
      [
        [484, 124],
        [534, 124],
      ],
      { stroke: 'purple' },
    ),
    circle(566, 124, 30, { fill: 'panel', stroke: 'soft' }),
    words(566, 124, 'W·x'),
    words(386, 196, 'for each product', { color: 'soft' }),
    box(288, 244, 196, 96, 'A and B\n16 bits', { hue: 'orange', bold: true }),
    arrow(
      [
        [484, 292],
        [534, 292],
      ],
      { stroke: 'orange' },
    ),
    circle(566, 292, 30, { fill: 'panel', stroke: 'soft' }),
    words(566, 292, 'BA·x', { size: 18 }),
    arrow([
      [596, 124],
      [650, 124],
      [650, 182],
    ]),
    arrow([
      [596, 292],
      [650, 292],
      [650, 234],
    ]),
    circle(650, 208, 24, { fill: 'greenWash', stroke: 'green' }),
    words(650, 208, '+', { bold: true, size: 26, color: 'green' }),
    arrow(
      [
        [560, 396],
        [386, 396],
        [386, 342],
      ],
      { stroke: 'red', width: 3, dashed: true },
    ),
    words(572, 396, 'gradients', { anchor: 'start', color: 'red', bold: true }),
    words(132, 276, 'frozen:', { bold: true, color: 'blue' }),
    words(132, 304, 'no gradient,\nno optimizer state', { color: 'soft' }),
    words(270, 396, 'trained', { bold: true, color: 'orange' }),
  ],
};

function drawLevels(): Drawing {
  const place = (value: number) => 360 + value * 316;
  const even = Array.from({ length: 16 }, (_, index) => -1 + (2 * index) / 15);
  const bell: Point[] = sample(-1, 1, 120, (x) => Math.exp(-0.5 * (x * 2.7) ** 2)).map(([x, y]) => [
    place(x),
    178 - y * 96,
  ]);
  const row = (values: readonly number[], y: number, hue: Hue, name: string) => [
    words(28, y - 34, name, { bold: true, color: hue, anchor: 'start' }),
    line(
      [
        [place(-1), y],
        [place(1), y],
      ],
      { stroke: 'soft' },
    ),
    ...values.map((value) =>
      line(
        [
          [place(value), y - 13],
          [place(value), y + 13],
        ],
        { stroke: hue, width: 4 },
      ),
    ),
  ];
  const weight = 0.27;
  const nearest = (values: readonly number[]) =>
    values.reduce((best, value) => (Math.abs(value - weight) < Math.abs(best - weight) ? value : best));
  return {
    name: 'quantisation',
    title: 'Sixteen levels: even steps or NF4',
    desc: `Weights of a network lie close to zero, like a bell. Sixteen evenly spaced 4-bit levels lie on one line, the sixteen NF4 levels on another: NF4 sets them close together near zero and far apart at the ends. The weight ${weight} becomes ${nearest(even).toFixed(3)} with even levels and ${nearest(nf4Levels).toFixed(3)} with NF4.`,
    height: 430,
    body: [
      line(bell, { stroke: 'purple', width: 3.5, fill: 'purpleWash' }),
      words(510, 116, 'where weights lie', { color: 'purple', anchor: 'start' }),
      ...row(even, 248, 'orange', 'even steps'),
      ...row(nf4Levels, 330, 'blue', 'NF4'),
      ...[-1, 0, 1].map((value) => words(place(value), 366, String(value).replace('-', '−'), { color: 'soft' })),
      words(360, 404, `${weight} → even ${nearest(even).toFixed(3)}, NF4 ${nearest(nf4Levels).toFixed(3)}`, {
        bold: true,
      }),
    ],
  };
}

function drawSchedules(): Drawing {
  const [total, warmup] = [100, 10];
  const ramp = (t: number) => Math.min(1, t / warmup);
  const after = (t: number) => Math.max(0, (t - warmup) / (total - warmup));
  const shapes = [
    ['constant', 'blue', (t: number) => ramp(t)],
    ['linear', 'orange', (t: number) => (t < warmup ? ramp(t) : 1 - after(t))],
    ['cosine', 'green', (t: number) => (t < warmup ? ramp(t) : 0.5 * (1 + Math.cos(Math.PI * after(t))))],
  ] as const;
  const frame: Axes = { left: 96, top: 76, width: 590, height: 250, x: [0, total], y: [0, 1.08] };
  const place = toPixels(frame);
  return {
    name: 'learning-rate-schedules',
    title: 'Learning-rate schedules with a warmup',
    desc: 'Learning rate as a share of its peak over 100 steps. All three rise in a straight line for the first 10 steps, the warmup. Constant then stays at the peak; linear falls in a straight line to 0; cosine falls slowly, then fast, then slowly to 0, half the peak at step 55.',
    height: 410,
    body: [
      rect(...place(0, 1.08), (warmup / total) * frame.width, frame.height, { fill: 'goldWash' }, 0),
      axes(frame, {
        x: 'step',
        y: 'share of the peak',
        xTicks: [0, 10, 25, 50, 75, 100].map((t) => [t, String(t)] as const),
        yTicks: [0, 0.5, 1].map((v) => [v, String(v)] as const),
      }),
      ...shapes.map(([, hue, f]) => curve(frame, sample(0, total, 200, f), { stroke: hue })),
      words(...place(5, 0.1), 'warmup', { color: 'gold', turn: -90, anchor: 'start' }),
      words(...place(88, 0.93), 'constant', { bold: true, color: 'blue' }),
      words(...place(52, 0.74), 'cosine', { bold: true, color: 'green', anchor: 'start' }),
      words(...place(42, 0.42), 'linear', { bold: true, color: 'orange' }),
    ],
  };
}

const template: Drawing = {
  name: 'chat-template',
  title: 'A chat, as the model reads it (ChatML)',
  desc: 'A conversation written in the ChatML template: the system turn “You are kind.”, the user turn “Hi!” and the assistant turn “Hello!”. Every turn begins with <|im_start|> and its role, and ends with <|im_end|>. The loss is computed on the assistant’s words and the end mark that follows them only.',
  height: 420,
  body: [
    ...(
      [
        ['system', 'You are kind.', 'blue', 76],
        ['user', 'Hi!', 'purple', 166],
        ['assistant', 'Hello!', 'green', 256],
      ] as const
    ).flatMap(([role, said, hue, y]) => {
      const saidAt = 352;
      return [
        rect(24, y, 672, 74, { fill: `${hue}Wash`, stroke: hue }),
        words(40, y + 37, '<|im_start|>', { anchor: 'start', color: 'soft', mono: true, size: 18 }),
        words(190, y + 37, role, { anchor: 'start', bold: true, color: hue, size: 21 }),
        words(saidAt, y + 37, said, { anchor: 'start', size: 21 }),
        words(682, y + 37, '<|im_end|>', { anchor: 'end', color: 'soft', mono: true, size: 18 }),
      ];
    }),
    rect(340, 262, 352, 62, { stroke: 'red', width: 3, dashed: true }),
    words(516, 354, 'trained: loss only here', { bold: true, color: 'red' }),
    words(172, 354, 'special tokens, one id each', { color: 'soft' }),
    words(360, 394, 'same template in training and in use, or quality drops', { color: 'soft' }),
  ],
};

const preferences: Drawing = {
  name: 'rlhf-dpo',
  title: 'From a base model to an assistant: two ways',
  desc: 'First supervised fine-tuning on demonstrations. Then, with pairs of a chosen and a rejected answer, one of two ways. RLHF: train a reward model on the pairs, then PPO raises the reward of the policy’s own answers while a KL penalty keeps it near the SFT model. DPO: one loss on the pairs directly, no reward model and no sampling.',
  height: 500,
  body: [
    box(28, 74, 200, 76, 'base model\npredicts text', { hue: 'blue', bold: true }),
    box(260, 74, 200, 76, 'SFT\ndemonstrations', { hue: 'blue', bold: true }),
    box(492, 74, 200, 76, 'pairs\nchosen > rejected', { hue: 'gold', bold: true }),
    arrow([
      [228, 112],
      [258, 112],
    ]),
    arrow([
      [460, 112],
      [490, 112],
    ]),
    arrow([
      [540, 150],
      [196, 206],
    ]),
    arrow([
      [610, 150],
      [592, 206],
    ]),
    rect(24, 208, 428, 262, { fill: 'panel', stroke: 'orange' }, 12),
    words(238, 234, 'RLHF', { bold: true, color: 'orange', size: 22 }),
    box(44, 262, 180, 80, 'reward model\nlearns the pairs', { hue: 'orange', bold: true, size: 19 }),
    box(252, 262, 180, 80, 'PPO\nraises reward', { hue: 'orange', bold: true, size: 19 }),
    arrow(
      [
        [224, 302],
        [250, 302],
      ],
      { stroke: 'orange' },
    ),
    arrow(
      [
        [342, 342],
        [342, 392],
        [134, 392],
        [134, 344],
      ],
      { stroke: 'orange', dashed: true },
    ),
    words(238, 414, 'own answers are scored', { color: 'soft' }),
    words(238, 446, '− β · KL: stay near the SFT', { color: 'soft' }),
    rect(476, 208, 220, 262, { fill: 'panel', stroke: 'green' }, 12),
    words(586, 234, 'DPO', { bold: true, color: 'green', size: 22 }),
    box(494, 262, 184, 80, 'one loss\non the pairs', { hue: 'green', bold: true, size: 19 }),
    words(586, 372, 'no reward model,\nno sampling', { color: 'soft' }),
    words(586, 446, 'β: stay near', { color: 'soft' }),
  ],
};

export const tuning: readonly Drawing[] = [
  headThenBody,
  steps,
  drawLora(),
  qlora,
  drawLevels(),
  drawSchedules(),
  template,
  preferences,
];
