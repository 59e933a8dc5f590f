// The computations of the live demos, each against another way to the same number.
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../engine/data/tokenizer.ts';
import { joinPieces, learnMerges, learnWordPiece } from '../engine/data/vocabulary.ts';
import { decompose } from '../engine/demos/bias-variance.ts';
import { assignFolds } from '../engine/demos/cross-validation.ts';
import { classify } from '../engine/demos/decision-boundary.ts';
import { contrastOf, drawDistances } from '../engine/demos/distance.ts';
import { combineTrees } from '../engine/demos/ensembles.ts';
import { descend, surfaces } from '../engine/demos/gradient-descent.ts';
import { clusterSteps } from '../engine/demos/k-means.ts';
import { bases, countLora, memoryOf } from '../engine/demos/lora.ts';
import { range } from '../engine/demos/numbers.ts';
import { findComponents } from '../engine/demos/pca.ts';
import { encodeBytePairs, encodeWordPiece, piecesAfter, splitWords } from '../engine/demos/pieces.ts';
import { fitPolynomial } from '../engine/demos/polynomial.ts';
import { descendCoordinates, drawRows } from '../engine/demos/regularisation.ts';
import { filterLogits } from '../engine/demos/sampling.ts';
import { rateAt, type ScheduleName, schedules } from '../engine/demos/schedule.ts';
import { backpropagate, createNet, meanLoss, predictLogit } from '../engine/demos/small-net.ts';
import { averagePrecision, count, precision, recall, rocArea, sweep } from '../engine/demos/threshold.ts';
import { drawClasses } from '../engine/demos/toy-classes.ts';
import { createRandom } from '../engine/random.ts';

/** Solves a small linear system by Gauss's elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const below = rows.slice(column).map((row) => Math.abs(row[column] ?? 0));
    const pivot = column + below.indexOf(Math.max(...below));
    [rows[column], rows[pivot]] = [rows[pivot] ?? [], rows[column] ?? []];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = (rows[row]?.[column] ?? 0) / (rows[column]?.[column] ?? 1);
      rows[row] = (rows[row] ?? []).map((value, at) => value - factor * (rows[column]?.[at] ?? 0));
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('polynomials', () => {
  it.each([0, 1, 3, 5])('of degree %d are those of the normal equations in powers of x', async (degree) => {
    const random = createRandom(3);
    const samples = range(30).map(() => ({ x: random.next(), y: random.normal() }));
    const powers = samples.map(({ x }) => range(degree + 1).map((power) => x ** power));
    const gram = range(degree + 1).map((i) =>
      range(degree + 1).map((j) => sum(powers.map((row) => (row[i] ?? 0) * (row[j] ?? 0)))),
    );
    const weights = solve(
      gram,
      range(degree + 1).map((i) => sum(powers.map((row, at) => (row[i] ?? 0) * (samples[at]?.y ?? 0)))),
    );
    const curve = await fitPolynomial(samples, degree);
    for (const x of [0, 0.1, 0.37, 0.5, 0.99]) {
      expect(curve(x)).toBeCloseTo(sum(weights.map((weight, power) => weight * x ** power)), 6);
    }
  });

  it('pass through as many points as they have coefficients, and through fewer', async () => {
    for (const points of [16, 10]) {
      const samples = range(points).map((index) => ({ x: (index + 0.5) / points, y: (index * 7) % 5 }));
      const curve = await fitPolynomial(samples, 15);
      for (const { x, y } of samples) expect(curve(x)).toBeCloseTo(y, 4);
    }
  });
});

describe('bias and variance', () => {
  it('add up to the mean squared distance from the truth', () => {
    const random = createRandom(5);
    const truths = range(7).map(() => random.normal());
    const predictions = range(40).map(() => truths.map((value) => value + 0.3 + 0.5 * random.normal()));
    const { squaredBias, variance } = decompose(predictions, truths);
    const errors = predictions.flatMap((one) => one.map((value, place) => (value - (truths[place] ?? 0)) ** 2));
    expect(squaredBias + variance).toBeCloseTo(sum(errors) / errors.length, 10);
  });
});

describe('gradient descent', () => {
  it.each(Object.entries(surfaces))('follows the slope of its surface (%s), by finite differences', (_, surface) => {
    for (const at of [
      [0.3, -1.2],
      [-2, 0.7],
      [1.5, 1.5],
    ] as const) {
      const step = 1e-5;
      const numeric = [
        (surface.loss([at[0] + step, at[1]]) - surface.loss([at[0] - step, at[1]])) / (2 * step),
        (surface.loss([at[0], at[1] + step]) - surface.loss([at[0], at[1] - step])) / (2 * step),
      ];
      surface.gradient(at).forEach((slope, axis) => {
        expect(slope).toBeCloseTo(numeric[axis] ?? 0, 5);
      });
    }
  });

  it('on a quadratic multiplies each coordinate by 1 − rate · curvature at each step', () => {
    const path = descend(surfaces.valley, 0.05, 0, 12);
    const [x, y] = surfaces.valley.start;
    expect(path.at(-1)?.[0]).toBeCloseTo(x * (1 - 0.05) ** 12, 10);
    expect(path.at(-1)?.[1]).toBeCloseTo(y * (1 - 0.05 * 12) ** 12, 10);
  });

  it('diverges just above 2 / curvature, and not just below', () => {
    const height = (rate: number) => Math.abs(descend(surfaces.valley, rate, 0, 400).at(-1)?.[1] ?? 0);
    expect(height(2 / 12 + 0.002)).toBeGreaterThan(10);
    expect(height(2 / 12 - 0.002)).toBeLessThan(1);
  });
});

describe('decision boundaries', () => {
  const random = createRandom(11);
  const sample = drawClasses('moons', 80, 0.2, random);
  const settings = { k: 5, depth: 8, trees: 10, gamma: 2, seed: 1 };
  const places = sample.map(({ at }) => [...at]);

  it('of k-NN are the majority of the nearest points, counted by hand', async () => {
    const asked = range(60).map(() => [3 * random.next() - 1.5, 2 * random.next() - 1]);
    const byHand = asked.map(([x = 0, y = 0]) => {
      const near = sample
        .map(({ at, label }) => ({ label, far: (at[0] - x) ** 2 + (at[1] - y) ** 2 }))
        .sort((a, b) => a.far - b.far)
        .slice(0, 5);
      return sum(near.map(({ label }) => label)) > 2.5 ? 1 : 0;
    });
    expect(await classify('knn', sample, asked, settings)).toEqual(byHand);
  });

  it('of a deep tree and of 1-NN have every training point on its side', async () => {
    const labels = sample.map(({ label }) => label);
    expect(await classify('tree', sample, places, { ...settings, depth: 20 })).toEqual(labels);
    expect(await classify('knn', sample, places, { ...settings, k: 1 })).toEqual(labels);
  });

  it('of logistic regression are one straight line: along it, classes change once', async () => {
    for (const y of [-1, 0, 1]) {
      const row = await classify(
        'logistic',
        sample,
        range(60).map((i) => [i / 10 - 3, y]),
        settings,
      );
      expect(row.filter((label, i) => i > 0 && label !== row[i - 1]).length).toBeLessThanOrEqual(1);
    }
  });

  it.each(['forest', 'svm'] as const)('of a %s find the moons', async (model) => {
    const unseen = drawClasses('moons', 400, 0.2, createRandom(99));
    const labels = await classify(
      model,
      sample,
      unseen.map(({ at }) => [...at]),
      settings,
    );
    expect(unseen.filter(({ label }, i) => label === labels[i]).length).toBeGreaterThan(360);
  });
});

describe('distances', () => {
  it('have the mean square that the unit cube has: dimensions / 6', () => {
    for (const dimensions of [1, 10, 300]) {
      const all = drawDistances(dimensions, 400, createRandom(2)).flat();
      expect(sum(all.map((each) => each * each)) / all.length / (dimensions / 6)).toBeCloseTo(1, 0);
    }
  });

  it('lose their contrast as dimensions grow', () => {
    const contrast = [2, 20, 200].map((dimensions) => contrastOf(drawDistances(dimensions, 200, createRandom(4))));
    expect(contrast).toEqual(contrast.toSorted((a, b) => b - a));
  });
});

describe('coordinate descent', () => {
  const rows = drawRows(60, 1, createRandom(8));
  const zero = range(8).map(() => 0);

  it('under L2 reaches the closed form (XᵀX / n + λI)⁻¹ Xᵀy / n', () => {
    const strength = 0.3;
    const gram = range(8).map((i) =>
      range(8).map((j) => sum(rows.x.map((row) => (row[i] ?? 0) * (row[j] ?? 0))) / 60 + (i === j ? strength : 0)),
    );
    const right = range(8).map((i) => sum(rows.x.map((row, at) => (row[i] ?? 0) * (rows.y[at] ?? 0))) / 60);
    const closed = solve(gram, right);
    descendCoordinates(rows, strength, 0, zero).forEach((weight, i) => {
      expect(weight).toBeCloseTo(closed[i] ?? 0, 5);
    });
  });

  it('under L1 meets the optimality conditions, and sets few coefficients to zero when weak, all when strong', () => {
    const zeros = [0.01, 0.1, 0.5, 2, 20].map((strength) => {
      const weights = descendCoordinates(rows, strength, 1, zero);
      const left = rows.y.map((value, at) => value - sum(weights.map((weight, i) => weight * (rows.x[at]?.[i] ?? 0))));
      weights.forEach((weight, i) => {
        const pull = sum(rows.x.map((row, at) => (row[i] ?? 0) * (left[at] ?? 0))) / 60;
        if (weight === 0) expect(Math.abs(pull)).toBeLessThanOrEqual(strength + 1e-5);
        else expect(pull).toBeCloseTo(strength * Math.sign(weight), 4);
      });
      return weights.filter((weight) => weight === 0).length;
    });
    // On the way one may come back for a moment: the features are correlated.
    expect(zeros[0]).toBeLessThan(4);
    expect(zeros.at(-1)).toBe(8);
  });
});

describe('folds', () => {
  it.each([
    [20, 3],
    [40, 10],
    [7, 2],
  ])('of %d rows, %d of them, hold every row once and differ by one at most', (rows, folds) => {
    for (const random of [undefined, createRandom(1)]) {
      const counts = range(folds).map(
        (fold) => assignFolds(rows, folds, random).filter((each) => each === fold).length,
      );
      expect(sum(counts)).toBe(rows);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });
});

describe('thresholds', () => {
  const random = createRandom(21);
  const scored = range(300).map((index) => ({
    positive: index % 4 === 0,
    // Rounded, so that there are ties.
    score: Math.round(20 * Math.min(1, Math.max(0, 0.5 + (index % 4 === 0 ? 0.1 : -0.1) + 0.2 * random.normal()))) / 20,
  }));

  it('give a ROC area that is the share of pairs in the right order, ties half (Mann–Whitney)', () => {
    const positives = scored.filter(({ positive }) => positive);
    const negatives = scored.filter(({ positive }) => !positive);
    const pairs = positives.flatMap((p) =>
      negatives.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)),
    );
    expect(rocArea(sweep(scored))).toBeCloseTo(sum(pairs) / pairs.length, 10);
  });

  it('sweep through the same counts as counting at each threshold', () => {
    for (const counts of sweep(scored)) expect(counts).toEqual(count(scored, counts.threshold));
  });

  it('give an average precision of 1 for a perfect ranking, and precision and recall by their definitions', () => {
    const perfect = range(10).map((index) => ({ positive: index < 3, score: 1 - index / 10 }));
    expect(averagePrecision(sweep(perfect))).toBeCloseTo(1, 12);
    const at = count(perfect, 0.55);
    expect([precision(at), recall(at)]).toEqual([3 / 5, 1]);
  });
});

describe('k-means', () => {
  it('never raises its inertia, and ends where every centre is the mean of its points', async () => {
    for (const seed of [1, 2, 3]) {
      const random = createRandom(seed);
      const points = range(90).map((index) => [4 * (index % 3) + random.normal(), random.normal()] as const);
      const steps = await clusterSteps(points, points.slice(0, 4));
      steps.forEach((step, index) => {
        if (index > 0) expect(step.inertia).toBeLessThanOrEqual((steps[index - 1]?.inertia ?? 0) + 1e-9);
      });
      const last = steps.at(-1);
      last?.centres.forEach((centre, cluster) => {
        const own = points.filter((_, index) => last.clusters[index] === cluster);
        expect(centre[0]).toBeCloseTo(sum(own.map(([x]) => x)) / own.length, 6);
        expect(centre[1]).toBeCloseTo(sum(own.map(([, y]) => y)) / own.length, 6);
      });
    }
  });
});

describe('PCA', () => {
  it('finds the direction that power iteration on the covariance finds, with its share', async () => {
    const random = createRandom(13);
    const points = range(200).map(() => {
      const shared = random.normal();
      return [3 * shared + random.normal(), shared + 0.5 * random.normal()] as const;
    });
    const middle = [0, 1].map((axis) => sum(points.map((point) => point[axis] ?? 0)) / 200);
    const covariance = [0, 1].map((i) =>
      [0, 1].map(
        (j) => sum(points.map((p) => ((p[i] ?? 0) - (middle[i] ?? 0)) * ((p[j] ?? 0) - (middle[j] ?? 0)))) / 199,
      ),
    );
    let vector = [1, 0.3];
    let size = 0;
    for (let round = 0; round < 200; round++) {
      const next = covariance.map((row) => sum(row.map((value, at) => value * (vector[at] ?? 0))));
      size = Math.hypot(...next);
      vector = next.map((value) => value / size);
    }
    const [first, second] = await findComponents(points);
    expect(Math.abs(sum(first.direction.map((value, axis) => value * (vector[axis] ?? 0))))).toBeCloseTo(1, 8);
    expect(first.share).toBeCloseTo(size / ((covariance[0]?.[0] ?? 0) + (covariance[1]?.[1] ?? 0)), 8);
    expect(first.share + second.share).toBeCloseTo(1, 8);
  });
});

describe('ensembles', () => {
  const random = createRandom(17);
  const train = range(50).map(() => {
    const x = random.next();
    return { x, y: Math.sin(6 * x) + 0.3 * random.normal() };
  });
  const loss = (predictions: readonly number[]) => sum(train.map(({ y }, row) => (y - (predictions[row] ?? 0)) ** 2));

  it('boosted lower the training error in every round', async () => {
    const crowd = await combineTrees(train, [], {
      method: 'boosting',
      depth: 2,
      rate: 0.3,
      rounds: 30,
      below: random.below,
    });
    for (const round of range(29))
      expect(loss(crowd.onTraining(round + 2))).toBeLessThanOrEqual(loss(crowd.onTraining(round + 1)) + 1e-9);
  });

  it('bagged predict the mean of their trees: never outside the values seen', async () => {
    const crowd = await combineTrees(train, [0.2, 0.8], {
      method: 'bagging',
      depth: 6,
      rate: 1,
      rounds: 20,
      below: random.below,
    });
    const values = train.map(({ y }) => y);
    for (const value of crowd.at(20)) {
      expect(value).toBeGreaterThanOrEqual(Math.min(...values));
      expect(value).toBeLessThanOrEqual(Math.max(...values));
    }
  });
});

describe('the small network', () => {
  const examples = range(12).map(
    (index) => ({ input: [Math.sin(index), Math.cos(3 * index)], label: index % 2 === 0 ? 0 : 1 }) as const,
  );

  it('has the gradients that finite differences give', () => {
    const net = createNet([2, 5, 4, 1], createRandom(4));
    const { loss, gradients } = backpropagate(net, examples, () => 1);
    expect(loss).toBeCloseTo(meanLoss(net, examples), 12);
    net.forEach((layer, index) => {
      for (const [values, slopes] of [
        [layer.weights, gradients[index]?.weights],
        [layer.biases, gradients[index]?.biases],
      ]) {
        values?.forEach((value, at) => {
          const step = 1e-6;
          values[at] = value + step;
          const above = meanLoss(net, examples);
          values[at] = value - step;
          const below = meanLoss(net, examples);
          values[at] = value;
          expect(slopes?.[at]).toBeCloseTo((above - below) / (2 * step), 6);
        });
      }
    });
  });

  it('with dropout keeps the expected sum: kept units are scaled up', () => {
    const random = createRandom(6);
    const keep = () => (random.next() < 0.4 ? 0 : 1 / 0.6);
    const kept = range(20_000).map(keep);
    expect(sum(kept) / kept.length).toBeCloseTo(1, 1);
    expect(predictLogit(createNet([2, 3, 1], random), [0, 0])).toBe(0);
  });
});

describe('LoRA', () => {
  it.each([
    ['llama7b', 16, 'qv', 8_388_608],
    ['llama7b', 8, 'qv', 4_194_304],
    ['llama7b', 16, 'attention', 16_777_216],
    ['llama7b', 16, 'all', 39_976_960],
    ['llama8b', 16, 'qv', 6_815_744],
  ] as const)('trains on %s with r = %d on %s the number the guide and PEFT print', (base, rank, targets, expected) => {
    expect(countLora(bases[base], rank, targets)).toBe(expected);
  });

  it('counts r · (inputs + outputs) for each matrix, so doubling r doubles it', () => {
    for (const base of Object.values(bases)) {
      const { layers, matrices } = base;
      const all = layers * sum(matrices.map(({ inputs, outputs }) => 3 * (inputs + outputs)));
      expect(countLora(base, 3, 'all')).toBe(all);
      expect(countLora(base, 6, 'all')).toBe(2 * all);
    }
  });

  it('fits a base of 7B in about 3.9 GB of 4-bit weights, and its matrices within its parameters', () => {
    const { qlora, lora } = memoryOf(bases.llama7b, 0);
    expect(qlora.frozen / 1e9).toBeCloseTo(3.9, 1);
    expect(lora.frozen / 1e9).toBeCloseTo(13.5, 1);
    for (const { layers, matrices, parameters } of Object.values(bases)) {
      expect(layers * sum(matrices.map(({ inputs, outputs }) => inputs * outputs))).toBeLessThan(parameters);
    }
  });
});

describe('schedules', () => {
  const setting = { total: 1000, warmup: 100 };
  it.each([
    ['linear', [1e-5, 2e-5, 1.5e-5, 1e-5, 5e-6, 2e-6, 0]],
    ['cosine', [1e-5, 2e-5, 1.71e-5, 1e-5, 2.93e-6, 4.89e-7, 0]],
    ['wsd', [1e-5, 2e-5, 2e-5, 2e-5, 2e-5, 9e-6, 0]],
  ] as const)('%s has the rates of the table in the guide', (name, expected) => {
    [50, 100, 325, 550, 775, 910, 1000].forEach((step, index) => {
      expect(rateAt(name, step, 2e-5, setting) / 2e-5).toBeCloseTo((expected[index] ?? 0) / 2e-5, 2);
    });
  });

  it('never leave 0 to the peak, and reach it', () => {
    for (const name of Object.keys(schedules) as ScheduleName[]) {
      for (const warmup of [0, 1, 250, 500]) {
        const rates = range(1001).map((step) => rateAt(name, step, 1, { total: 1000, warmup }));
        expect(Math.max(...rates)).toBeCloseTo(1, 6);
        expect(Math.min(...rates)).toBeGreaterThanOrEqual(-1e-12);
      }
    }
  });

  it('with the inverse square root fall by half from t to 4t', () => {
    expect(rateAt('sqrt', 400, 1, setting)).toBeCloseTo(0.5, 10);
  });
});

describe('sampling', () => {
  const logits = [2, 1, 0.5, -1];
  it.each([
    [{ temperature: 0.5, topK: 0, topP: 1 }, [84.2, 11.4, 4.2, 0.2]],
    [{ temperature: 1, topK: 0, topP: 1 }, [60.9, 22.4, 13.6, 3]],
    [{ temperature: 2, topK: 0, topP: 1 }, [43.4, 26.3, 20.5, 9.7]],
    [{ temperature: 1, topK: 2, topP: 1 }, [73.1, 26.9, 0, 0]],
    [{ temperature: 1, topK: 0, topP: 0.9 }, [62.8, 23.1, 14.1, 0]],
    [{ temperature: 0, topK: 0, topP: 1 }, [100, 0, 0, 0]],
  ])('%j gives the probabilities worked out in the guide', (filter, expected) => {
    filterLogits(logits, filter).forEach((share, index) => {
      expect(Math.abs(100 * share - (expected[index] ?? 0))).toBeLessThan(0.1);
    });
  });

  it('without a cut is the softmax by its definition', () => {
    const random = createRandom(1);
    const many = range(50)
      .map(() => 3 * random.normal())
      .sort((a, b) => b - a);
    const exponentials = many.map((logit) => Math.exp(logit / 0.7));
    filterLogits(many, { temperature: 0.7, topK: 0, topP: 1 }).forEach((share, index) => {
      expect(share).toBeCloseTo((exponentials[index] ?? 0) / sum(exponentials), 10);
    });
  });
});

describe('tokens', () => {
  const corpus = range(40).flatMap((n) => [
    `low lower lowest newer newest wider widest ${n % 7}`,
    'a new low is the lowest of all',
  ]);
  const merges = learnMerges(corpus, 60);

  it('of BPE are what the merges give when each is applied everywhere in turn (Sennrich et al. 2016)', () => {
    for (const word of ['lowest', 'newer', 'slower', 'widest', 'tallest']) {
      for (const count of [0, 1, 5, 20, merges.merges.length]) {
        let pieces = [...word]
          .map((char, at) => (at === 0 ? char : `##${char}`))
          .map((piece) => (merges.alphabet.includes(piece) ? piece : '[UNK]'));
        for (const { left, right } of merges.merges.slice(0, count)) {
          const next: string[] = [];
          for (const piece of pieces) {
            if (next.at(-1) === left && piece === right) next[next.length - 1] = joinPieces(left, right);
            else next.push(piece);
          }
          pieces = next;
        }
        expect(encodeBytePairs(word, merges, count)).toEqual(pieces);
      }
    }
  });

  it('of WordPiece are those of the Hugging Face tokenizer with the same vocabulary', () => {
    const { tokenizer, config } = learnWordPiece(corpus, { vocabularySize: 65 });
    const theirs = createTokenizer(tokenizer, config);
    const vocabulary = piecesAfter(merges, merges.merges.length);
    const model = tokenizer.model as { readonly vocab: { readonly [piece: string]: number } };
    const byId = new Map(Object.entries(model.vocab).map(([piece, id]) => [id, piece]));
    for (const text of ['the lowest of all', 'Newer! slower?', 'a new widest low', 'Zürich lowest']) {
      const ours = splitWords(text).flatMap((word) => encodeWordPiece(word, vocabulary));
      const ids = theirs.encode(text, 512).slice(1, -1);
      expect(ours).toEqual(ids.map((id) => byId.get(id)));
    }
  });
});
