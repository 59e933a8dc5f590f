// Dropout and early stopping on a small network that has more weights than examples.
import { hues } from '../charts/figure.ts';
import { cellCentres, drawCells, type Field } from './cells.ts';
import { choice, defineDemo, real, whole } from './demo.ts';
import { mean, percentOf, short } from './numbers.ts';
import { backpropagate, copyNet, createAdam, createNet, type Example, meanLoss, predictLogit } from './small-net.ts';
import { drawClasses, type Labelled } from './toy-classes.ts';

const trained = 40;
const held = 150;
const every = 10;
const learningRate = 0.01;
const field: Field = { columns: 48, rows: 44, x: { min: -1.9, max: 1.9 }, y: { min: -1.7, max: 1.7 } };
const stopping = { off: 'off', on: 'stop when the held-out loss rises' } as const;

export const dropout = defineDemo({
  id: 'dropout',
  title: 'Dropout and early stopping',
  summary: 'a small network learns its 40 examples by heart; two ways to stop it',
  home: 'overfitting-underfitting#dropout',
  alsoFor: ['neural-networks'],
  controls: {
    dropout: real('Dropout', { standard: 0, min: 0, max: 0.8, stops: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] }),
    stop: choice('Early stopping', 'off', stopping),
    patience: whole('Patience, epochs', { standard: 40, min: 5, max: 200, stops: [5, 10, 20, 40, 80] }),
    epochs: whole('Epochs at most', { standard: 300, min: 10, max: 400, stops: [10, 25, 50, 100, 200, 300, 400] }),
    hidden: whole('Units a layer', { standard: 24, min: 1, max: 32, stops: [2, 4, 8, 16, 24, 32] }),
  },

  compute({ dropout: rate, stop, patience, epochs, hidden }, { random }) {
    const toExample = ({ at, label }: Labelled): Example => ({ input: [...at], label });
    const sample = drawClasses('moons', trained, 0.35, random);
    const train = sample.map(toExample);
    const unseen = drawClasses('moons', held, 0.35, random).map(toExample);
    const net = createNet([2, hidden, hidden, 1], random);
    const step = createAdam(net, learningRate);
    const keep = () => (rate === 0 ? 1 : random.next() < rate ? 0 : 1 / (1 - rate));
    let best = { epoch: 0, loss: meanLoss(net, unseen), net: copyNet(net) };
    const curve = [{ epoch: 0, train: meanLoss(net, train), held: best.loss }];
    let epoch = 0;
    while (epoch < epochs) {
      step(backpropagate(net, train, keep).gradients);
      epoch += 1;
      if (epoch % every !== 0 && epoch !== epochs) continue;
      const loss = meanLoss(net, unseen);
      curve.push({ epoch, train: meanLoss(net, train), held: loss });
      if (loss < best.loss) best = { epoch, loss, net: copyNet(net) };
      if (stop === 'on' && epoch - best.epoch >= patience) break;
    }
    const used = stop === 'on' ? best.net : net;
    const accuracy = (some: readonly Example[]) =>
      mean(some.map(({ input, label }) => (predictLogit(used, input) > 0 === (label === 1) ? 1 : 0)));
    return {
      sample,
      curve,
      best: { epoch: best.epoch, loss: best.loss },
      stoppedAt: epoch,
      levels: cellCentres(field).map((at) => {
        const probability = 1 / (1 + Math.exp(-predictLogit(used, at)));
        return Math.min(5, Math.floor(6 * probability));
      }),
      weights: net.reduce((sum, layer) => sum + layer.weights.length + layer.biases.length, 0),
      accuracy: { train: accuracy(train), held: accuracy(unseen) },
    };
  },

  picture({ sample, curve, best, stoppedAt, levels, accuracy }, { dropout: rate, stop, epochs }) {
    const points = (label: 0 | 1) => sample.filter((one) => one.label === label).map(({ at }) => at);
    const top = Math.min(2.5, Math.max(1, Math.ceil(10 * Math.max(...curve.map(({ held }) => held))) / 10));
    const bare = { label: '', ticks: [] };
    return {
      title: `Dropout ${short(rate)}, ${stop === 'on' ? `stopped at epoch ${stoppedAt}` : `${epochs} epochs`}`,
      legend: [
        { label: 'training loss', color: hues.blue, shape: 'line' },
        { label: 'held-out loss', color: hues.orange, shape: 'line' },
        { label: `best, epoch ${best.epoch}`, color: hues.orange, shape: 'dot' },
        ...(stop === 'on' ? [{ label: 'stopped', color: hues.purple, shape: 'dashed' as const }] : []),
      ],
      panels: [
        {
          title: 'Loss by epoch',
          x: { label: 'epoch', min: 0, max: epochs },
          y: { label: 'loss', min: 0, max: top },
          marks: [
            ...(stop === 'on'
              ? [{ kind: 'rule' as const, along: 'y' as const, at: stoppedAt, color: hues.purple }]
              : []),
            { kind: 'line', points: curve.map(({ epoch, train }) => [epoch, Math.min(top, train)]), color: hues.blue },
            { kind: 'line', points: curve.map(({ epoch, held }) => [epoch, Math.min(top, held)]), color: hues.orange },
            { kind: 'points', points: [[best.epoch, Math.min(top, best.loss)]], color: hues.orange, size: 13 },
          ],
        },
        {
          title: `Right: ${percentOf(accuracy.train)} training, ${percentOf(accuracy.held)} unseen`,
          x: { ...bare, ...field.x },
          y: { ...bare, ...field.y },
          marks: [
            drawCells(field, levels, ['#a9c1f2', '#c9d8f7', '#e8eefb', '#fdeee6', '#fad5c3', '#f5b598']),
            { kind: 'points', points: points(0), color: hues.blue, size: 10 },
            { kind: 'points', points: points(1), color: hues.orange, size: 10, hollow: true },
          ],
        },
      ],
      alt:
        `Losses of a small network over ${stoppedAt} epochs with dropout ${short(rate)}: training ${short(curve.at(-1)?.train ?? 0)}, held-out ` +
        `${short(curve.at(-1)?.held ?? 0)} at the end and at best ${short(best.loss)} at epoch ${best.epoch}. ${percentOf(accuracy.held)} of unseen points are right.`,
    };
  },

  explain({ curve, best, stoppedAt, weights, accuracy }, { dropout: rate, stop, patience, epochs }) {
    const last = curve.at(-1) ?? { train: 0, held: 0 };
    const right = `${percentOf(accuracy.held)} of unseen points are right, ${percentOf(accuracy.train)} of the ${trained} it learned from`;
    if (stop === 'on') {
      const stopped =
        stoppedAt < epochs
          ? `it stopped at epoch ${stoppedAt}, ${patience} epochs after`
          : `it ran all ${epochs} epochs, and went back to`;
      return {
        markdown: `**Early stopping kept the best weights:** ${stopped} the least held-out loss, **${short(best.loss)}** at epoch ${best.epoch}. ${right}.`,
        cites: ['overfitting-underfitting#early-stopping', 'hyperparameters#epochs'],
      };
    }
    if (rate >= 0.5 && last.train > 0.3) {
      return {
        markdown: `**So much dropout that it underfits:** training loss **${short(last.train)}**, held-out **${short(last.held)}**. ${right}.`,
        cites: ['overfitting-underfitting#dropout', 'overfitting-underfitting#underfitting'],
      };
    }
    if (last.held > 1.15 * best.loss) {
      return {
        markdown: `**It learns by heart:** ${weights.toLocaleString('en-US')} weights for ${trained} examples. Training loss falls to **${short(last.train)}** while held-out loss rises from ${short(best.loss)} (epoch ${best.epoch}) to **${short(last.held)}**. ${right}. ${rate === 0 ? 'Try dropout, or early stopping.' : 'More dropout, or early stopping, would hold it.'}`,
        cites: [
          'overfitting-underfitting#overfitting',
          'overfitting-underfitting#dropout',
          'overfitting-underfitting#early-stopping',
        ],
      };
    }
    return {
      markdown: `**It holds:** training loss **${short(last.train)}**, held-out **${short(last.held)}** (best ${short(best.loss)} at epoch ${best.epoch}). ${right}.${rate > 0 ? ' Dropout is off when it predicts, so the training loss shown is without it.' : ''}`,
      cites: ['overfitting-underfitting#dropout', 'overfitting-underfitting#diagnosis'],
    };
  },
});
