// npm run embedder:train: makes the shipped embedder from the guide, on this project's own engine. A seed decides all.
// `--check` keeps a fifth of the wordings out, reports how often they find their section, and writes where
// `npm run guide:calibrate` looks for an embedder that has not seen them.
import { parseArgs } from 'node:util';
import { createRandom } from '../../engine/random.ts';
import { clippingScale, globalNorm } from '../../engine/tuning/clipping.ts';
import { createAdamW } from '../../engine/tuning/optimizers/adamw.ts';
import { weightFeeds } from '../../engine/tuning/parameters.ts';
import { learningRateAt } from '../../engine/tuning/schedule.ts';
import type { EncoderShape } from '../../knowledge/embed/encoder.ts';
import { shippedWeights } from '../../knowledge/embed/weights-file.ts';
import { loadGuide } from '../../knowledge/index.ts';
import { readOutside } from '../../knowledge/search/read-outside.ts';
import { readSynonyms } from '../../knowledge/search/read-synonyms.ts';
import { heldOutWeights } from '../calibration/questions.ts';
import { createBatches, spreadToRows, sumRows } from './batches.ts';
import { measureHeldOut, measureQuestions } from './check.ts';
import { createDisturber } from './disturb.ts';
import { isHeldOut } from './hold-out.ts';
import { compileTraining, drawWeights, gradientOf, table } from './network.ts';
import { packWeights, writeEncoder } from './pack.ts';
import { readEveryday } from './read-everyday.ts';
import { gatherSubjects } from './texts.ts';

const { values: flags } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    steps: { type: 'string', default: '600' },
    seed: { type: 'string', default: '11' },
    out: { type: 'string' },
    rate: { type: 'string', default: '0.0015' },
    dimensions: { type: 'string', default: '128' },
    rows: { type: 'string', default: '65536' },
  },
});
const seed = Number(flags.seed);
const totalSteps = Number(flags.steps);
const shape: EncoderShape = {
  rows: Number(flags.rows),
  dimensions: Number(flags.dimensions),
  heads: 4,
  headSize: 16,
  reach: 6,
};
const batchShape = { pairs: 224, length: 18 };
const schedule = {
  kind: 'linear' as const,
  peak: Number(flags.rate),
  warmupSteps: Math.ceil(totalSteps / 15),
  totalSteps,
};

const random = createRandom(seed);
const guide = await loadGuide();
const all = gatherSubjects(guide);
const isTaught = (text: string) => !flags.check || !isHeldOut(text);
const heldOut = all.flatMap(({ key, asks }) => asks.filter((ask) => !isTaught(ask)).map((ask) => ({ key, ask })));
const subjects = all.map((subject) => ({ ...subject, asks: subject.asks.filter(isTaught) }));
const phrases = [...(await readSynonyms()), ...(await readEveryday())];
const disturb = createDisturber({ random, phrases });
const outside = Object.values(await readOutside()).map((texts) => texts.filter(isTaught));
const others = [...phrases, ...outside].map((group) => ({ key: '', asks: group, titles: [], sentences: [] }));
const nextBatch = createBatches({
  subjects: [...subjects, ...others],
  shape: batchShape,
  tableRows: shape.rows,
  random,
  disturb,
});
const weights = drawWeights(shape, random);
const optimizer = createAdamW(weights, { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.02 });
const rows = weights.get(table);
if (!rows) throw new Error('no table');
const matrices = new Map([...weights].filter(([name]) => name !== table));
const session = await compileTraining(shape, batchShape, matrices, 2);
const taught = new Set<number>();
let mean = 0;
const startedAt = performance.now();
for (let step = 1; step <= totalSteps; step++) {
  const { places, feeds } = nextBatch();
  for (const features of places) for (const { row } of features) taught.add(row);
  const answers = await session.run({ ...weightFeeds(matrices), ...feeds, words: sumRows(places, rows) });
  const gradient = (name: string): Float32Array => {
    const data = answers[gradientOf(name)]?.data;
    if (!(data instanceof Float32Array)) throw new Error(`no gradient of ${name}`);
    return data;
  };
  const gradients = new Map(Array.from(matrices.keys(), (name) => [name, gradient(name)]));
  gradients.set(table, spreadToRows(places, gradient('words'), rows));
  const gradientScale = clippingScale(globalNorm(gradients.values()), 1);
  const learningRate = learningRateAt(step, schedule);
  optimizer.step(gradients, { step, learningRate, gradientScale });
  const loss = answers.loss?.data[0] ?? Number.NaN;
  mean = step === 1 ? loss : 0.98 * mean + 0.02 * loss;
  if (step % 50 === 0)
    console.log(
      `step ${step}: loss ${mean.toFixed(3)}, ${((performance.now() - startedAt) / step).toFixed(0)} ms a step`,
    );
  if (step % 200 === 0 || step === totalSteps) {
    const packed = packWeights(shape, weights, taught);
    if (flags.check) console.log(`  held-out wordings: ${measureHeldOut(shape, packed, subjects, heldOut)}`);
    console.log(`  ${measureQuestions(shape, packed, subjects)}`);
  }
}
await session.close();
const out = flags.out ?? (flags.check ? heldOutWeights : shippedWeights);
const { id, bytes } = await writeEncoder(out, shape, packWeights(shape, weights, taught));
console.log(`${out}: ${id}, ${(bytes / 1e6).toFixed(1)} MB, ${taught.size} of ${shape.rows} rows in use`);
