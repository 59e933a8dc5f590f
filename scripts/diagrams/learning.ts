// Diagrams of what learning is: its kinds, its loop, how data is split.
import { arrow, box, circle, type Drawing, line, rect, words } from './draw.ts';

const kinds: Drawing = {
  name: 'kinds-of-learning',
  title: 'Three ways to learn',
  desc: 'Three columns. Supervised: inputs with labels, the model predicts the label (spam or not, a price). Unsupervised: inputs without labels, the model finds groups. Reinforcement: an agent acts, the world answers with a new state and a reward.',
  height: 420,
  body: [
    ...(['blue', 'green', 'orange'] as const).map((hue, index) =>
      rect(24 + index * 228, 64, 216, 330, { fill: `${hue}Wash`, stroke: hue }, 12),
    ),
    words(132, 92, 'Supervised', { bold: true, color: 'blue', size: 22 }),
    words(360, 92, 'Unsupervised', { bold: true, color: 'green', size: 22 }),
    words(588, 92, 'Reinforcement', { bold: true, color: 'orange', size: 22 }),
    words(132, 124, 'input + label', { color: 'soft' }),
    words(360, 124, 'input alone', { color: 'soft' }),
    words(588, 124, 'action + reward', { color: 'soft' }),
    ...[
      ['“win cash!”', 'spam'],
      ['“at five?”', 'fine'],
      ['“free prize”', 'spam'],
    ].flatMap(([mail = '', label = ''], index) => [
      words(40, 172 + index * 46, mail, { anchor: 'start' }),
      words(226, 172 + index * 46, label, { anchor: 'end', bold: true, color: label === 'spam' ? 'red' : 'green' }),
    ]),
    words(132, 330, 'learns to predict\nthe label', {}),
    ...[
      [300, 180],
      [318, 205],
      [290, 210],
      [326, 172],
      [308, 232],
      [412, 186],
      [430, 166],
      [400, 168],
      [438, 198],
      [418, 212],
      [352, 266],
      [372, 282],
      [340, 286],
      [382, 258],
      [360, 298],
    ].map(([x = 0, y = 0], index) =>
      circle(x, y, 7, { fill: (['green', 'purple', 'gold'] as const)[Math.floor(index / 5)] }),
    ),
    circle(309, 201, 46, { stroke: 'green', dashed: true }),
    circle(419, 187, 44, { stroke: 'purple', dashed: true }),
    circle(361, 278, 42, { stroke: 'gold', dashed: true }),
    words(360, 345, 'finds structure', {}),
    words(360, 370, '(groups, axes)', { color: 'soft' }),
    box(514, 150, 148, 46, 'agent', { hue: 'orange' }),
    box(514, 258, 148, 46, 'world', { hue: 'orange' }),
    arrow(
      [
        [546, 196],
        [546, 258],
      ],
      { stroke: 'orange' },
    ),
    arrow(
      [
        [630, 258],
        [630, 196],
      ],
      { stroke: 'orange' },
    ),
    words(538, 226, 'acts', { anchor: 'end', color: 'soft' }),
    words(588, 226, 'reward', { color: 'soft', anchor: 'middle' }),
    words(588, 330, 'learns what pays\noff in the end', {}),
  ],
};

const loop: Drawing = {
  name: 'learning-loop',
  title: 'How a model learns: one loop, many times',
  desc: 'A loop of four steps. A batch of examples goes into the model, which predicts. The loss compares the prediction with the label. Backpropagation gives the gradient of the loss for every weight. The optimizer moves each weight a small step against its gradient; then comes the next batch.',
  height: 430,
  body: [
    box(40, 70, 250, 96, '1  Predict\nŷ = f(x; w)', { hue: 'blue', bold: true }),
    box(430, 70, 250, 96, '2  Measure\nloss L(ŷ, y)', { hue: 'red', bold: true }),
    box(430, 296, 250, 96, '3  Trace back\ngradient ∂L/∂w', { hue: 'purple', bold: true }),
    box(40, 296, 250, 96, '4  Step\nw ← w − η · ∂L/∂w', { hue: 'green', bold: true }),
    arrow([
      [290, 118],
      [428, 118],
    ]),
    arrow([
      [555, 166],
      [555, 294],
    ]),
    arrow([
      [430, 344],
      [292, 344],
    ]),
    arrow([
      [165, 296],
      [165, 168],
    ]),
    words(359, 94, 'prediction', { color: 'soft' }),
    words(359, 368, 'gradients', { color: 'soft' }),
    words(180, 231, 'next batch (x, y)', { anchor: 'start', color: 'soft' }),
    words(540, 231, 'label y', { anchor: 'end', color: 'soft' }),
  ],
};

const splits: Drawing = {
  name: 'data-splits',
  title: 'Three parts, three jobs',
  desc: 'All examples are cut into three parts, for instance 80, 10 and 10 percent. Training data fits the weights, at every step. Validation data chooses settings and the moment to stop, many times. Test data is opened once, at the end, for the number that is reported.',
  height: 330,
  body: [
    rect(28, 72, 520, 72, { fill: 'blueWash', stroke: 'blue' }),
    rect(556, 72, 64, 72, { fill: 'goldWash', stroke: 'gold' }),
    rect(628, 72, 64, 72, { fill: 'redWash', stroke: 'red' }),
    words(288, 108, 'Training  80 %', { bold: true, color: 'blue', size: 22 }),
    words(588, 108, '10 %', { bold: true, color: 'gold' }),
    words(660, 108, '10 %', { bold: true, color: 'red' }),
    ...[
      ['Training', 'fits the weights', 'every step', 'blue', 28],
      ['Validation', 'chooses settings', 'after each epoch', 'gold', 260],
      ['Test', 'tells the truth', 'once, at the end', 'red', 492],
    ].map(([name, job, when, hue, x]) => {
      const left = Number(x);
      const color = hue === 'blue' || hue === 'gold' ? hue : 'red';
      return (
        rect(left, 186, 200, 118, { fill: 'panel', stroke: color }, 10) +
        words(left + 100, 212, String(name), { bold: true, color }) +
        words(left + 100, 244, String(job)) +
        words(left + 100, 276, String(when), { color: 'soft' })
      );
    }),
    line(
      [
        [288, 144],
        [128, 186],
      ],
      { stroke: 'blue' },
    ),
    line(
      [
        [588, 144],
        [360, 186],
      ],
      { stroke: 'gold' },
    ),
    line(
      [
        [660, 144],
        [592, 186],
      ],
      { stroke: 'red' },
    ),
  ],
};

const folds: Drawing = {
  name: 'k-fold',
  title: '5-fold cross-validation',
  desc: 'The same data five times, cut into five folds. In each round another fold is held out for validation and the other four train the model. The score is the mean of the five validation scores; the test set stays outside.',
  height: 380,
  body: [
    ...Array.from({ length: 5 }, (_, round) => round).flatMap((round) => [
      words(112, 90 + round * 48, `round ${round + 1}`, { anchor: 'end', color: 'soft' }),
      ...Array.from({ length: 5 }, (_, fold) =>
        rect(
          126 + fold * 84,
          70 + round * 48,
          78,
          40,
          fold === round ? { fill: 'gold', stroke: 'gold' } : { fill: 'blueWash', stroke: 'blue' },
          6,
        ),
      ),
      words(126 + round * 84 + 39, 90 + round * 48, 'check', { color: 'card', bold: true }),
      arrow([
        [550, 90 + round * 48],
        [590, 90 + round * 48],
      ]),
      words(600, 90 + round * 48, `score ${round + 1}`, { anchor: 'start' }),
    ]),
    rect(126, 322, 24, 24, { fill: 'blueWash', stroke: 'blue' }, 5),
    words(160, 334, 'trains', { anchor: 'start' }),
    rect(246, 322, 24, 24, { fill: 'gold' }, 5),
    words(280, 334, 'held out', { anchor: 'start' }),
    words(692, 334, 'result: mean score', { anchor: 'end', bold: true }),
  ],
};

export const learning: readonly Drawing[] = [kinds, loop, splits, folds];
