// Diagrams of the Transformer: who looks at whom, and the block that is stacked.
import { arrow, box, circle, type Drawing, rect, words } from './draw.ts';
import { dot, softmax } from './maths.ts';

function drawAttention(): Drawing {
  // Queries and keys of two numbers, chosen so that “it” asks for a thing that can be tired: softmax(q·k/√2).
  const tokens = ['the', 'cat', 'slept,', 'it', 'was', 'tired'];
  const keys = [
    [-0.6, 0.2],
    [2.2, 0.9],
    [0.6, 1.4],
    [0.8, -0.2],
    [-0.4, -0.3],
    [0.5, 1.6],
  ];
  const query = [1.6, 0.2];
  const weights = softmax(keys.map((key) => dot(query, key) / Math.SQRT2));
  const place = (index: number) => 76 + index * 114;
  const asking = 3;
  return {
    name: 'attention',
    title: 'Attention: “it” asks every word',
    desc: `The sentence “${tokens.join(' ')}”. The query of “it” is compared with the key of every word, softmax turns the scores into weights that sum to 1: ${tokens.map((token, index) => `${token.replace(',', '')} ${(weights[index] ?? 0).toFixed(2)}`).join(', ')}. The output for “it” is the sum of the values with these weights.`,
    height: 470,
    body: [
      ...tokens.map((_token, index) => {
        const weight = weights[index] ?? 0;
        return [
          `<g opacity="${(0.25 + 0.75 * Math.min(1, weight / 0.5)).toFixed(2)}">`,
          arrow(
            [
              [place(asking), 346],
              [place(index), 234],
            ],
            { stroke: 'purple', width: 1.5 + Math.round(weight * 140) / 10 },
          ),
          '</g>',
          rect(place(index) - 40, 222 - weight * 150, 80, weight * 150 + 2, { fill: 'purple' }, 4),
          words(place(index), 204 - weight * 150, weight.toFixed(2), { bold: true, color: 'purple' }),
        ].join('');
      }),
      ...tokens.map(
        (token, index) =>
          rect(place(index) - 50, 348, 100, 48, {
            fill: index === asking ? 'purpleWash' : 'panel',
            stroke: index === asking ? 'purple' : 'line',
          }) + words(place(index), 372, token, { bold: index === asking, size: 21 }),
      ),
      words(28, 78, 'weight of each word', { anchor: 'start', color: 'soft' }),
      words(360, 436, 'weights = softmax(q · kᵢ / √d),   output = Σ weight × vᵢ', { size: 20 }),
    ],
  };
}

const block: Drawing = {
  name: 'transformer-block',
  title: 'A Transformer block (pre-norm)',
  desc: 'From bottom to top: token embeddings with positions enter a block that is repeated L times. In the block, norm and then self-attention, whose output is added to the input; then norm and a feed-forward network, whose output is added too. After the last block a norm and the vocabulary matrix give the logits of the next token. The line past each part is the residual path.',
  height: 640,
  body: [
    box(230, 580, 260, 44, 'token embeddings', { hue: 'blue' }),
    rect(110, 176, 540, 374, { fill: 'panel', stroke: 'soft', dashed: true }, 14),
    words(632, 204, '× L', { bold: true, size: 26, anchor: 'end' }),
    arrow([
      [360, 580],
      [360, 524],
    ]),
    box(270, 478, 180, 44, 'norm', {}),
    arrow([
      [360, 478],
      [360, 464],
    ]),
    box(230, 406, 260, 56, 'self-attention', { hue: 'purple', bold: true }),
    arrow([
      [360, 406],
      [360, 386],
    ]),
    circle(360, 368, 18, { fill: 'greenWash', stroke: 'green' }),
    words(360, 368, '+', { bold: true, color: 'green', size: 24 }),
    arrow(
      [
        [360, 540],
        [166, 540],
        [166, 368],
        [340, 368],
      ],
      { stroke: 'green', width: 3 },
    ),
    arrow([
      [360, 350],
      [360, 336],
    ]),
    box(270, 290, 180, 44, 'norm', {}),
    arrow([
      [360, 290],
      [360, 278],
    ]),
    box(216, 222, 288, 54, 'feed-forward d → 4d → d', { hue: 'orange', bold: true, size: 19 }),
    arrow([
      [360, 222],
      [360, 214],
    ]),
    circle(360, 196, 18, { fill: 'greenWash', stroke: 'green' }),
    words(360, 196, '+', { bold: true, color: 'green', size: 24 }),
    arrow(
      [
        [360, 344],
        [166, 344],
        [166, 196],
        [340, 196],
      ],
      { stroke: 'green', width: 3 },
    ),
    arrow([
      [360, 178],
      [360, 144],
    ]),
    box(190, 78, 340, 64, 'norm, vocabulary matrix\nlogits of the next token', { hue: 'blue' }),
    words(152, 452, 'residual', { color: 'green', turn: -90 }),
    words(152, 272, 'residual', { color: 'green', turn: -90 }),
    words(502, 424, 'tokens look', { color: 'soft', anchor: 'start', size: 18 }),
    words(502, 448, 'at each other', { color: 'soft', anchor: 'start', size: 18 }),
  ],
};

export const transformers: readonly Drawing[] = [drawAttention(), block];
