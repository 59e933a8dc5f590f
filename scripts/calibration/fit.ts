// Fits the two small models of the search: how well a passage answers, and whether the guide covers a question at all.
import { gatherSignals, signalNames } from '../../knowledge/search/confidence.ts';
import { describePassages, featureNames, type RankWeights, rankByModel } from '../../knowledge/search/rank.ts';
import type { Passage } from '../../knowledge/types.ts';
import { createAdam } from '../adam.ts';
import type { Question } from './questions.ts';

export type PassageOf = (id: string) => Passage | undefined;
export type Confidence = ReturnType<typeof fitConfidence>;

const logitNames = ['constant', ...signalNames] as const;
const passagesRead = 30;
/** Refusing what is covered helps nobody, while an answer beside the question at least shows its source. */
const coveredShare = 0.6;

/** Maximises the share of softmax that falls on passages that answer. */
export function fitRanking(training: readonly Question[], passageOf: PassageOf): RankWeights {
  const examples = training.flatMap((question) => {
    const described = describePassages(question.found, passageOf).slice(0, passagesRead);
    const rows = described.map(({ passage, features }) => ({
      values: featureNames.map((name) => features[name]),
      right: answers(question, passage),
    }));
    return rows.some(({ right }) => right) ? [{ rows, weight: question.weight }] : [];
  });
  const mass = sum(examples.map(({ weight }) => weight));
  const { weights, step } = createAdam(featureNames.length, { rate: 0.1, penalty: 0.002 });
  for (let round = 0; round < 150; round++) {
    const gradient = weights.map(() => 0);
    for (const { rows, weight } of examples) {
      const powers = exponentials(rows.map(({ values }) => product(values, weights)));
      const all = sum(powers);
      const right = sum(powers.filter((_, at) => rows[at]?.right));
      for (const [at, { values, right: isRight }] of rows.entries()) {
        const power = powers[at] ?? 0;
        const error = (weight / mass) * (power / all - (isRight ? power / right : 0));
        for (const [i, value] of values.entries()) gradient[i] = (gradient[i] ?? 0) + error * value;
      }
    }
    step(gradient);
  }
  return nameWeights(featureNames, weights);
}

/** Logistic regression. */
export function fitConfidence(training: readonly Question[], ranking: RankWeights, passageOf: PassageOf) {
  const examples = training.flatMap((question) => {
    const values = signalsOf(question, ranking, passageOf);
    return values ? [{ values: [1, ...values], covered: question.places.length > 0, weight: question.weight }] : [];
  });
  const mass = (covered: boolean) => sum(examples.filter((one) => one.covered === covered).map(({ weight }) => weight));
  const shares = { yes: coveredShare / mass(true), no: (1 - coveredShare) / mass(false) };
  const { weights, step } = createAdam(signalNames.length + 1, { rate: 0.05, penalty: 0.001 });
  for (let round = 0; round < 500; round++) {
    const gradient = weights.map(() => 0);
    for (const { values, covered, weight } of examples) {
      const error =
        weight * (covered ? shares.yes : shares.no) * (logistic(product(values, weights)) - (covered ? 1 : 0));
      for (const [i, value] of values.entries()) gradient[i] = (gradient[i] ?? 0) + error * value;
    }
    step(gradient);
  }
  return nameWeights(logitNames, weights);
}

export interface Judged {
  readonly question: Question;
  readonly ranked: readonly Passage[];
  readonly confidence: number;
}

export function judge(
  questions: readonly Question[],
  ranking: RankWeights,
  confidence: Confidence,
  passageOf: PassageOf,
): Judged[] {
  const weights = logitNames.map((name) => confidence[name]);
  return questions.map((question) => {
    const values = signalsOf(question, ranking, passageOf);
    return {
      question,
      ranked: rankByModel(question.found, passageOf, ranking).map(({ passage }) => passage),
      confidence: values ? logistic(product([1, ...values], weights)) : 0,
    };
  });
}

function answers({ places }: Question, { chapterId, sectionId }: Passage): boolean {
  return places.includes(chapterId) || places.includes(`${chapterId}#${sectionId}`);
}

function signalsOf({ found }: Question, ranking: RankWeights, passageOf: PassageOf): number[] | undefined {
  const signals = gatherSignals(found, rankByModel(found, passageOf, ranking));
  return signals && signalNames.map((name) => signals[name]);
}

const product = (values: readonly number[], weights: readonly number[]) =>
  values.reduce((total, value, i) => total + value * (weights[i] ?? 0), 0);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const logistic = (logit: number) => 1 / (1 + Math.exp(-logit));
const exponentials = (logits: readonly number[]) => {
  const highest = Math.max(...logits);
  return logits.map((logit) => Math.exp(logit - highest));
};

function nameWeights<Name extends string>(
  names: readonly Name[],
  weights: readonly number[],
): { [name in Name]: number } {
  const entries = names.map((name, i) => [name, Number((weights[i] ?? 0).toFixed(2))] as const);
  return Object.fromEntries(entries) as { [name in Name]: number };
}
