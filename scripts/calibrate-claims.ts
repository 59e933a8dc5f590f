// npm run guide:calibrate: fits the weights by which a question is taken to make a wrong claim (engine/tutor/claim-weights.ts), on the
// development questions; the later half that is only watched, and the frozen half, are not fitted on.
import { claimFeatureNames, createClaimMatcher } from '../engine/tutor/claims.ts';
import { createSearch, loadGuide } from '../knowledge/index.ts';
import { type EvalQuestion, readQuestions } from '../test/support/eval-questions.ts';
import { readPremises } from '../test/support/premises.ts';
import { answerable } from '../test/support/questions.ts';
import { createAdam } from './adam.ts';

const guide = await loadGuide();
const search = await createSearch({ guide });
const matcher = createClaimMatcher(guide.misconceptions ?? [], search.weigh);
/** Wrong entries looked at for each question: those most like it. */
const rivals = 6;

interface Row {
  readonly values: readonly number[];
  readonly right: boolean;
}
const names = ['constant', ...claimFeatureNames] as const;

function rowsOf(text: string, places: readonly string[]): Row[] {
  const chapters = places.map((place) => place.split('#')[0]);
  const rows = matcher.match(text).map(({ misconception: { chapterId, sectionId }, features }) => ({
    values: [1, ...claimFeatureNames.map((name) => features[name])],
    near: features.held + features.explained,
    right: places.includes(`${chapterId}#${sectionId}`),
    doubtful: chapters.includes(chapterId),
  }));
  rows.sort((a, b) => b.near - a.near);
  // Of the right entries only the nearest; entries of the same chapter may be right too, so they say nothing.
  const best = rows.find(({ right }) => right);
  return [...(best ? [best] : []), ...rows.filter(({ right, doubtful }) => !right && !doubtful).slice(0, rivals)];
}

const fresh = (half: 'dev' | 'tune' | 'validation') => readQuestions(half);
const last = ({ turns }: EvalQuestion) => turns.at(-1) ?? '';
const training = [
  ...[...fresh('dev'), ...fresh('tune')].flatMap((question) =>
    rowsOf(last(question), question.kind === 'false-premise' ? question.answers : []),
  ),
  ...answerable.flatMap(({ question }) => rowsOf(question, [])),
  ...readPremises('tune').flatMap(({ right }) => rowsOf(right, [])),
  // What is so takes nothing wrong for granted, however near its words are to the claim's.
  ...(guide.misconceptions ?? []).flatMap(({ denial, claims, negated }) => [
    ...rowsOf(`Why ${denial.replace(/[.:;].*$/s, '')}?`, []),
    ...(negated ? [] : claims.slice(0, 1).flatMap((claim) => rowsOf(`why does it not hold that ${claim}`, []))),
  ]),
];
const { weights, step } = createAdam(names.length, { rate: 0.05, penalty: 0.0005 });
const score = (values: readonly number[]) => values.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0);
const rightShare = training.filter(({ right }) => right).length;
for (let round = 0; round < 2000; round++) {
  const gradient = weights.map(() => 0);
  for (const { values, right } of training) {
    const weight = right ? 0.5 / rightShare : 0.5 / (training.length - rightShare);
    const error = weight * (1 / (1 + Math.exp(-score(values))) - (right ? 1 : 0));
    for (const [i, value] of values.entries()) gradient[i] = (gradient[i] ?? 0) + error * value;
  }
  step(gradient);
}
console.log('claimWeights', Object.fromEntries(names.map((name, i) => [name, Number((weights[i] ?? 0).toFixed(2))])));
for (const half of ['dev', 'tune', 'validation'] as const) {
  const judged = fresh(half).map((question) => {
    const [best] = matcher
      .match(last(question))
      .map(({ misconception, features }) => ({
        place: `${misconception.chapterId}#${misconception.sectionId}`,
        logit: score([1, ...claimFeatureNames.map((name) => features[name])]),
      }))
      .sort((a, b) => b.logit - a.logit);
    return { question, best };
  });
  const of = (kind: EvalQuestion['kind']) => judged.filter(({ question }) => question.kind === kind);
  for (const from of [1, 1.5, 2, 2.5, 3, 3.5]) {
    const hit = ({ best }: (typeof judged)[number]) => best !== undefined && best.logit >= from;
    const right = (one: (typeof judged)[number]) => hit(one) && one.question.answers.includes(one.best?.place ?? '');
    console.log(
      `${half} from ${from}: false premises found ${of('false-premise').filter(hit).length}, in the right section ${of('false-premise').filter(right).length} of ${of('false-premise').length}; others taken for one: ${of('answerable').filter(hit).length} of ${of('answerable').length}, ${of('follow-up').filter(hit).length} of ${of('follow-up').length}`,
    );
  }
}
