// Fits the weights of knowledge/search/confidence.ts on the calibration half of the known questions, by logistic
// regression with a small L2 penalty, and prints them with what they give on the other half.
import { loadGuide } from '../knowledge/index.ts';
import { analyseGuide } from '../knowledge/search/analysis.ts';
import type { Evidence } from '../knowledge/search/confidence.ts';
import { createLexicalIndex } from '../knowledge/search/lexical.ts';
import { readSynonyms } from '../knowledge/search/read-synonyms.ts';
import { answerable, calibrationHalf, reportHalf, unanswerable } from '../test/support/questions.ts';

const rate = 0.3;
const penalty = 0.003;
const rounds = 20_000;
const coveredShare = 0.6;

const guide = await loadGuide(process.argv[2]);
const index = createLexicalIndex(analyseGuide(guide, await readSynonyms()), guide);

interface Example {
  readonly question: string;
  readonly features: readonly number[];
  readonly covered: number;
}

/** The constant comes first; questions without a content word are refused without asking the model. */
function examplesOf(questions: readonly string[], covered: number): Example[] {
  return questions.flatMap((question) => {
    const { evidence } = index.find(question);
    return evidence ? [{ question, features: [1, ...Object.values(evidence)], covered }] : [];
  });
}

function probability(weights: readonly number[], features: readonly number[]): number {
  const logit = features.reduce((sum, feature, i) => sum + feature * (weights[i] ?? 0), 0);
  return 1 / (1 + Math.exp(-logit));
}

function fitWeights(examples: readonly Example[]): number[] {
  const positives = examples.filter(({ covered }) => covered === 1).length;
  // However many there are of each kind, covered questions weigh more: a refusal of them helps nobody, while an answer
  // beside the question at least shows what it was taken from.
  const shares = [(1 - coveredShare) / (examples.length - positives), coveredShare / positives];
  let weights = (examples[0]?.features ?? []).map(() => 0);
  for (let round = 0; round < rounds; round++) {
    const gradient = weights.map((weight, i) => (i === 0 ? 0 : penalty * weight));
    for (const { features, covered } of examples) {
      const error = (probability(weights, features) - covered) * (shares[covered] ?? 0);
      for (const [i, feature] of features.entries()) gradient[i] = (gradient[i] ?? 0) + error * feature;
    }
    weights = weights.map((weight, i) => weight - rate * (gradient[i] ?? 0));
  }
  return weights;
}

const known = answerable.map(({ question }) => question);
const weights = fitWeights([...examplesOf(calibrationHalf(known), 1), ...examplesOf(calibrationHalf(unanswerable), 0)]);
const names: readonly string[] = [
  'constant',
  ...(Object.keys(index.find('overfitting').evidence ?? {}) as (keyof Evidence)[]),
];
console.log(`{ ${names.map((name, i) => `${name}: ${weights[i]?.toFixed(2)}`).join(', ')} }`);
const share = (examples: readonly Example[], wrong: (p: number) => boolean) => {
  const bad = examples.filter(({ features }) => wrong(probability(weights, features)));
  for (const { question, features } of bad) {
    console.log(
      `  ${probability(weights, features).toFixed(2)} ${question} [${features.map((f) => f.toFixed(2)).join(' ')}]`,
    );
  }
  return (bad.length / examples.length).toFixed(3);
};
for (const [name, half] of [
  ['calibration', calibrationHalf],
  ['report', reportHalf],
] as const) {
  console.log(`${name}: refused though covered ${share(examplesOf(half(known), 1), (p) => p < 0.5)}`);
  console.log(`${name}: answered though not covered ${share(examplesOf(half(unanswerable), 0), (p) => p >= 0.5)}`);
}
