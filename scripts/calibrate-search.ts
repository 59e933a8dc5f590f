// npm run guide:calibrate: fits the two tables of knowledge/search/weights.ts on the older questions and the development half
// of the blind ones, prints them, and what they give on questions they were not fitted on. The frozen half stays unread.
import { loadShippedEmbedder } from '../knowledge/embed/shipped.ts';
import { loadGuide } from '../knowledge/index.ts';
import { analyseGuide, keyOf } from '../knowledge/search/analysis.ts';
import { gatherSignals, signalNames } from '../knowledge/search/confidence.ts';
import { createLexicalIndex } from '../knowledge/search/lexical.ts';
import { describePassages, type Found, featureNames, type RankWeights, rankByModel } from '../knowledge/search/rank.ts';
import { readSynonyms } from '../knowledge/search/read-synonyms.ts';
import { createSemanticIndex } from '../knowledge/search/semantic.ts';
import type { Passage } from '../knowledge/types.ts';
import { readQuestions } from '../test/support/eval-questions.ts';
import { answerable, unanswerable } from '../test/support/questions.ts';
import { createAdam } from './adam.ts';

interface Question {
  readonly text: string;
  /** Chapters, or `chapter#section`; none: not to be answered. */
  readonly places: readonly string[];
  readonly weight: number;
  readonly isDev: boolean;
}

const logitNames = ['constant', ...signalNames] as const;
const folds = 5;
const passagesRead = 60;
/** The older questions were seen while the word search was tuned: they tell less. */
const olderWeight = 0.3;
const coveredShare = 0.6;

const guide = await loadGuide();
const passages = new Map(guide.passages.map((passage) => [passage.id, passage]));
const passageOf = (id: string) => passages.get(id);
const lexical = createLexicalIndex(analyseGuide(guide, await readSynonyms()), guide);
const semantic = await createSemanticIndex({ guide, embedder: await loadShippedEmbedder(), folder: undefined });

const readFresh = (half: 'dev' | 'tune' | 'validation'): Question[] =>
  readQuestions(half)
    .filter(({ kind }) => kind === 'answerable' || kind === 'unanswerable')
    .map(({ turns, answers }) => ({ text: turns.join(' '), places: answers, weight: 1, isDev: true }));
const questions: Question[] = [
  ...readFresh('dev'),
  ...readFresh('tune'),
  ...answerable.map(({ question, chapters }) => ({
    text: question,
    places: chapters,
    weight: olderWeight,
    isDev: false,
  })),
  ...unanswerable.map((text) => ({ text, places: [], weight: olderWeight, isDev: false })),
];
const found = new Map<Question, Found>();
const watched = readFresh('validation');
for (const question of [...questions, ...watched]) {
  found.set(question, { lexical: lexical.find(question.text), semantic: await semantic.find(question.text) });
}
const foundFor = (question: Question): Found =>
  found.get(question) ?? { lexical: lexical.find(''), semantic: { ranking: [], sections: new Map() } };
const answers = ({ places }: Question, passage: Passage) =>
  places.includes(passage.chapterId) || places.includes(keyOf(passage));
const inChapter = ({ places }: Question, { chapterId }: Passage) =>
  places.some((place) => place.split('#')[0] === chapterId);

/** Maximises the share of softmax that falls on passages that answer. */
function fitRanking(training: readonly Question[]): RankWeights {
  const examples = training.flatMap((question) => {
    const described = describePassages(foundFor(question), passageOf).slice(0, passagesRead);
    const rows = described.map(({ passage, features }) => ({
      values: featureNames.map((name) => features[name]),
      right: answers(question, passage),
    }));
    return rows.some(({ right }) => right) ? [{ rows, weight: question.weight }] : [];
  });
  const { weights, step } = createAdam(featureNames.length, { rate: 0.1, penalty: 0.002 });
  for (let round = 0; round < 400; round++) {
    const gradient = weights.map(() => 0);
    for (const { rows, weight } of examples) {
      const powers = exponentials(rows.map(({ values }) => product(values, weights)));
      const all = sum(powers);
      const right = sum(powers.filter((_, at) => rows[at]?.right));
      for (const [at, { values, right: isRight }] of rows.entries()) {
        const power = powers[at] ?? 0;
        const error = (weight / examples.length) * (power / all - (isRight ? power / right : 0));
        for (const [i, value] of values.entries()) gradient[i] = (gradient[i] ?? 0) + error * value;
      }
    }
    step(gradient);
  }
  return nameWeights(featureNames, weights);
}

/** Logistic regression; covered questions weigh more: refusing them helps nobody, while an answer beside the question at least shows its source. */
function fitConfidence(training: readonly Question[], ranking: RankWeights) {
  const examples = training.flatMap((question) => {
    const values = signalsOf(question, ranking);
    return values ? [{ values: [1, ...values], covered: question.places.length > 0, weight: question.weight }] : [];
  });
  const mass = (covered: boolean) => sum(examples.filter((one) => one.covered === covered).map(({ weight }) => weight));
  const shares = { yes: coveredShare / mass(true), no: (1 - coveredShare) / mass(false) };
  const { weights, step } = createAdam(signalNames.length + 1, { rate: 0.05, penalty: 0.002 });
  for (let round = 0; round < 800; round++) {
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

function signalsOf(question: Question, ranking: RankWeights): number[] | undefined {
  const one = foundFor(question);
  const signals = gatherSignals(one, rankByModel(one, passageOf, ranking));
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

const share = (flags: readonly boolean[]) => (flags.filter(Boolean).length / Math.max(1, flags.length)).toFixed(3);
const outcomes = questions.filter(({ isDev }) => isDev).map((question, at) => ({ question, fold: at % folds }));
interface Judged {
  readonly question: Question;
  readonly ranked: readonly Passage[];
  readonly confidence: number;
}
function judge(
  held: readonly Question[],
  ranking: RankWeights,
  confidence: ReturnType<typeof fitConfidence>,
): Judged[] {
  return held.map((question) => {
    const ranked = rankByModel(foundFor(question), passageOf, ranking).map(({ passage }) => passage);
    const values = signalsOf(question, ranking);
    const weights = logitNames.map((name) => confidence[name]);
    return { question, ranked, confidence: values ? logistic(product([1, ...values], weights)) : 0 };
  });
}
function report(name: string, judged: readonly Judged[]) {
  const covered = judged.filter(({ question }) => question.places.length > 0);
  const uncovered = judged.filter(({ question }) => question.places.length === 0);
  const recall = (depth: number) =>
    share(covered.map(({ question, ranked }) => ranked.slice(0, depth).some((one) => inChapter(question, one))));
  console.log(
    `${name}: recall@1 ${recall(1)}, @5 ${recall(5)}; wrongly refused / rightly refused from a confidence of`,
  );
  for (const from of [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7]) {
    const refused = ({ confidence }: Judged) => confidence < from;
    console.log(`  ${from.toFixed(2)}: ${share(covered.map(refused))} / ${share(uncovered.map(refused))}`);
  }
}

const judged = Array.from({ length: folds }, (_, fold) => {
  const held = outcomes.filter((one) => one.fold === fold).map(({ question }) => question);
  const training = questions.filter((question) => !held.includes(question));
  const ranking = fitRanking(training);
  return judge(held, ranking, fitConfidence(training, ranking));
}).flat();
for (const { question, ranked, confidence } of judged) {
  const [first] = ranked;
  const right = question.places.length > 0 && first && inChapter(question, first);
  if (
    process.argv.includes('--misses') &&
    (!right || confidence < 0.5) &&
    (question.places.length > 0 || confidence >= 0.5)
  ) {
    console.log(
      `${confidence.toFixed(2)} ${right ? 'right' : 'WRONG'} ${question.text} → ${first?.id} (${question.places.join(', ')})`,
    );
  }
}
report('development questions, cross-validated', judged);
const rankWeights = fitRanking(questions);
const confidenceWeights = fitConfidence(questions, rankWeights);
report('later questions that were only watched', judge(watched, rankWeights, confidenceWeights));
console.log('rankWeights', rankWeights);
console.log('confidenceWeights', confidenceWeights);
