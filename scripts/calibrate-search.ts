// npm run guide:calibrate: fits the two tables of knowledge/search/weights.ts, prints them, and what they give on questions they
// were not fitted on. The frozen half stays unread. `--misses` shows where they fail.
import { loadGuide } from '../knowledge/index.ts';
import { fitConfidence, fitRanking, type Judged, judge } from './calibration/fit.ts';
import { gatherQuestions, type Question } from './calibration/questions.ts';

const folds = 5;
const thresholds = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7];

const guide = await loadGuide();
const passages = new Map(guide.passages.map((passage) => [passage.id, passage]));
const passageOf = (id: string) => passages.get(id);
const questions = await gatherQuestions(guide);
const fitted = questions.filter(({ group }) => group !== 'watched');
const inChapter = ({ places }: Question, chapterId: string) =>
  places.some((place) => place.split('#')[0] === chapterId);

const judged = Array.from({ length: folds }, (_, fold) => {
  const isHeld = (_question: Question, at: number) => at % folds === fold;
  const training = fitted.filter((question, at) => !isHeld(question, at));
  const ranking = fitRanking(training, passageOf);
  return judge(fitted.filter(isHeld), ranking, fitConfidence(training, ranking, passageOf), passageOf);
}).flat();
if (process.argv.includes('--misses')) printMisses(judged);
for (const group of ['fresh', 'older', 'held out'] as const) {
  report(
    `${group}, cross-validated`,
    judged.filter(({ question }) => question.group === group),
  );
}
const rankWeights = fitRanking(fitted, passageOf);
const confidenceWeights = fitConfidence(fitted, rankWeights, passageOf);
const watched = questions.filter(({ group }) => group === 'watched');
report('watched only', judge(watched, rankWeights, confidenceWeights, passageOf));
console.log('rankWeights', rankWeights);
console.log('confidenceWeights', confidenceWeights);

function report(name: string, outcomes: readonly Judged[]) {
  const covered = outcomes.filter(({ question }) => question.places.length > 0);
  const uncovered = outcomes.filter(({ question }) => question.places.length === 0);
  if (covered.length === 0) return;
  const recall = (depth: number) =>
    share(
      covered.map(({ question, ranked }) => ranked.slice(0, depth).some((one) => inChapter(question, one.chapterId))),
    );
  console.log(`${name} (${covered.length} + ${uncovered.length}): recall@1 ${recall(1)}, @5 ${recall(5)}`);
  console.log('  wrongly refused / rightly refused, by threshold:');
  const cells = thresholds.map((from) => {
    const refused = ({ confidence }: Judged) => confidence < from;
    return `${from.toFixed(2)}: ${share(covered.map(refused))}/${share(uncovered.map(refused))}`;
  });
  console.log(`  ${cells.join('  ')}`);
}

function share(flags: readonly boolean[]): string {
  return (flags.filter(Boolean).length / Math.max(1, flags.length)).toFixed(3);
}

function printMisses(outcomes: readonly Judged[]) {
  for (const { question, ranked, confidence } of outcomes) {
    const [first] = ranked;
    const isCovered = question.places.length > 0;
    const isRight = isCovered && first !== undefined && inChapter(question, first.chapterId);
    if (isCovered ? isRight && confidence >= 0.5 : confidence < 0.5) continue;
    const where = `→ ${first?.id} (${question.places.join(', ')})`;
    console.log(`${question.group} ${confidence.toFixed(2)} ${isRight ? 'right' : 'WRONG'} ${question.text} ${where}`);
  }
}
