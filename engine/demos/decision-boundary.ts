// Decision boundaries: where five classic models draw the line through the same points.
import { hues } from '../charts/figure.ts';
import { cellCentres, drawCells, type Field } from './cells.ts';
import { choice, defineDemo, real, type SectionId, shownWhen, whole } from './demo.ts';
import { mean, percentOf } from './numbers.ts';
import { drawClasses, type Labelled, shapes } from './toy-classes.ts';

const trained = 120;
const held = 600;
const field: Field = { columns: 90, rows: 66, x: { min: -1.8, max: 1.8 }, y: { min: -1.5, max: 1.5 } };

const models = {
  knn: 'k-nearest neighbours',
  tree: 'decision tree',
  forest: 'random forest',
  logistic: 'logistic regression',
  svm: 'SVM (RBF kernel)',
} as const;
type Model = keyof typeof models;

interface Settings {
  readonly k: number;
  readonly depth: number;
  readonly trees: number;
  readonly gamma: number;
  readonly seed: number;
}

type Points = readonly (readonly number[])[];
type Predict = (points: Points) => readonly number[];

/** Fits a model to points with labels 0 and 1. */
const train: {
  readonly [M in Model]: (points: Points, labels: readonly number[], settings: Settings) => Promise<Predict>;
} = {
  async knn(points, labels, { k }) {
    const { default: KNN } = await import('ml-knn');
    const model = new KNN(points, labels, { k });
    return (asked) => model.predict(asked);
  },
  async tree(points, labels, { depth }) {
    const { DecisionTreeClassifier } = await import('ml-cart');
    const model = new DecisionTreeClassifier({ gainFunction: 'gini', maxDepth: depth, minNumSamples: 1 });
    model.train(points, labels);
    return (asked) => model.predict(asked);
  },
  async forest(points, labels, { depth, trees, seed }) {
    const { RandomForestClassifier } = await import('ml-random-forest');
    const model = new RandomForestClassifier({
      nEstimators: trees,
      maxFeatures: 2,
      replacement: true,
      useSampleBagging: true,
      noOOB: true,
      seed,
      treeOptions: { maxDepth: depth, minNumSamples: 1 },
    });
    model.train(toRows(points), [...labels]);
    return (asked) => model.predict(toRows(asked));
  },
  async logistic(points, labels) {
    const [{ default: LogisticRegression }, { Matrix }] = await Promise.all([
      import('ml-logistic-regression'),
      import('ml-matrix'),
    ]);
    const model = new LogisticRegression({ numSteps: 400, learningRate: 0.02 });
    // The library fits no intercept: a column of ones is one.
    const rows = (some: Points) => new Matrix(some.map((point) => [...point, 1]));
    model.train(rows(points), Matrix.columnVector([...labels]));
    return (asked) => model.predict(rows(asked));
  },
  async svm(points, labels, { gamma }) {
    const { default: SVM } = await import('libsvm-js/asm.js');
    const model = new SVM({ type: SVM.SVM_TYPES.C_SVC, kernel: SVM.KERNEL_TYPES.RBF, gamma, cost: 10, quiet: true });
    model.train(points, labels);
    return (asked) => model.predict(asked);
  },
};

const toRows = (points: Points) => points.map((point) => [...point]);

/** The field, the training points and the unseen ones, as one model sees them. */
export async function classify(model: Model, sample: readonly Labelled[], asked: Points, settings: Settings) {
  const predict = await train[model](
    sample.map(({ at }) => [...at]),
    sample.map(({ label }) => label),
    settings,
  );
  return predict(asked);
}

export const decisionBoundary = defineDemo({
  id: 'decision-boundary',
  title: 'Decision boundaries of five models',
  summary: 'k-NN, tree, forest, logistic regression and SVM on the same points',
  home: 'algorithms#at-a-glance',
  alsoFor: ['what-is-machine-learning'],
  controls: {
    model: choice('Model', 'knn', models),
    data: choice('Data', 'moons', shapes),
    k: shownWhen(
      'model',
      ['knn'],
      whole('Neighbours k', { standard: 1, min: 1, max: 99, stops: [1, 3, 5, 9, 15, 25, 45, 75] }),
    ),
    depth: shownWhen(
      'model',
      ['tree', 'forest'],
      whole('Depth', { standard: 10, min: 1, max: 20, stops: [1, 2, 3, 4, 5, 6, 8, 10, 15] }),
    ),
    trees: shownWhen(
      'model',
      ['forest'],
      whole('Trees', { standard: 15, min: 1, max: 60, stops: [1, 3, 5, 10, 15, 25, 40, 60] }),
    ),
    gamma: shownWhen(
      'model',
      ['svm'],
      real('Kernel width γ', { standard: 2, min: 0.01, max: 500, stops: [0.05, 0.2, 0.5, 1, 2, 5, 20, 100, 500] }),
    ),
    noise: real('Noise', { standard: 0.25, stops: [0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6] }),
  },

  async compute({ model, data, noise, ...settings }, { random, seed }) {
    const sample = drawClasses(data, trained, noise, random);
    const unseen = drawClasses(data, held, noise, random);
    const centres = cellCentres(field);
    const asked = [...centres, ...sample.map(({ at }) => at), ...unseen.map(({ at }) => at)];
    const labels = await classify(model, sample, asked, { ...settings, seed });
    const share = (truth: readonly Labelled[], found: readonly number[]) =>
      mean(truth.map(({ label }, index) => (found[index] === label ? 1 : 0)));
    const reference = await classify(
      'knn',
      sample,
      unseen.map(({ at }) => at),
      { ...settings, k: 15, seed },
    );
    return {
      sample,
      levels: labels.slice(0, centres.length),
      trainAccuracy: share(sample, labels.slice(centres.length)),
      testAccuracy: share(unseen, labels.slice(centres.length + sample.length)),
      /** What a sound model reaches on this data. */
      attainable: share(unseen, reference),
    };
  },

  picture({ sample, levels, trainAccuracy, testAccuracy }, values) {
    const points = (label: 0 | 1) => sample.filter((one) => one.label === label).map(({ at }) => at);
    const bare = { label: '', ticks: [] };
    return {
      title: `${models[values.model]}${knob(values)}`,
      legend: [
        { label: 'class A', color: hues.blue, shape: 'dot' },
        { label: 'class B', color: hues.orange, shape: 'ring' },
      ],
      panelHeight: 440,
      panels: [
        {
          title: `Right: ${percentOf(trainAccuracy)} of the training points, ${percentOf(testAccuracy)} of unseen ones`,
          x: { ...bare, ...field.x },
          y: { ...bare, ...field.y },
          marks: [
            drawCells(field, levels, ['#d3dff8', '#fbdccb']),
            { kind: 'points', points: points(0), color: hues.blue, size: 11 },
            { kind: 'points', points: points(1), color: hues.orange, size: 10, hollow: true },
          ],
        },
      ],
      alt:
        `The plane divided between two classes by ${models[values.model]}${knob(values)}, on ${shapes[values.data]}: ` +
        `${percentOf(trainAccuracy, 1)} of ${trained} training points and ${percentOf(testAccuracy, 1)} of ${held} unseen points are on their side.`,
    };
  },

  explain({ trainAccuracy, testAccuracy, attainable }, values) {
    const { model } = values;
    const numbers = `**${percentOf(trainAccuracy)}** of the training points and **${percentOf(testAccuracy)}** of ${held} unseen ones are right`;
    const home = sections[model];
    if (model === 'logistic' && values.data !== 'blobs') {
      return {
        markdown: `**A straight line is all it has:** ${numbers}. This data needs a bend; features such as x², or another model, would give it one.`,
        cites: [home, 'overfitting-underfitting#underfitting', 'algorithms#chooser'],
      };
    }
    if (trainAccuracy - testAccuracy > 0.06) {
      return {
        markdown: `**It fits the noise:** ${numbers}. Its detours around single points are memory, not pattern. ${cures[model]}`,
        cites: [home, 'overfitting-underfitting#overfitting'],
      };
    }
    if (testAccuracy < attainable - 0.05) {
      return {
        markdown: `**Too coarse:** ${numbers}; 15-NN reaches ${percentOf(attainable)} here, so the boundary misses the shape. ${looser[model]}`,
        cites: [home, 'overfitting-underfitting#underfitting'],
      };
    }
    return {
      markdown: `**A boundary that holds:** ${numbers}; the two agree, so little of it is memory. ${edges[model]}`,
      cites: [home, 'algorithms#chooser'],
    };
  },
});

const sections: { readonly [M in Model]: SectionId } = {
  knn: 'algorithms#knn',
  tree: 'algorithms#decision-trees',
  forest: 'algorithms#random-forest',
  logistic: 'algorithms#logistic-regression',
  svm: 'algorithms#svm',
};
const cures: { readonly [M in Model]: string } = {
  knn: 'A larger k lets neighbours outvote a stray point.',
  tree: 'A smaller depth cuts the last, greedy splits.',
  forest: 'More trees, or shallower ones, average it away.',
  logistic: 'More points would steady the line.',
  svm: 'A smaller γ widens the kernel and smooths the line.',
};
const looser: { readonly [M in Model]: string } = {
  knn: 'A smaller k follows the points more closely.',
  tree: 'A greater depth allows more corners.',
  forest: 'Deeper trees can bend more.',
  logistic: 'It can only draw one straight line.',
  svm: 'A larger γ lets the line bend.',
};
const edges: { readonly [M in Model]: string } = {
  knn: 'Each place takes the majority of its nearest neighbours.',
  tree: 'Its edges are parallel to the axes: each split asks about one feature.',
  forest: 'Many rough trees, averaged, give a smoother edge than one.',
  logistic: 'One straight line, placed by likelihood.',
  svm: 'Only the points near the line, its support vectors, decide where it runs.',
};

function knob({
  model,
  k,
  depth,
  trees,
  gamma,
}: {
  model: Model;
  k: number;
  depth: number;
  trees: number;
  gamma: number;
}): string {
  switch (model) {
    case 'knn':
      return `, k = ${k}`;
    case 'tree':
      return `, depth ${depth}`;
    case 'forest':
      return `, ${trees} ${trees === 1 ? 'tree' : 'trees'} of depth ${depth}`;
    case 'logistic':
      return '';
    case 'svm':
      return `, γ = ${gamma}`;
  }
}
