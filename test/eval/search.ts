// npm run eval -- search: how well the guide is found, on blind questions, by each way of ranking.
// The development half unless `validation` or `--frozen` is given; the frozen half is for reports, never for tuning.
import { loadShippedEmbedder } from '../../knowledge/embed/shipped.ts';
import { createSearch, loadGuide, type Passage } from '../../knowledge/index.ts';
import { analyseGuide, keyOf } from '../../knowledge/search/analysis.ts';
import { createLexicalIndex } from '../../knowledge/search/lexical.ts';
import { type Found, findBoth, rankByFusion, rankByModel } from '../../knowledge/search/rank.ts';
import { readOutside } from '../../knowledge/search/read-outside.ts';
import { readSynonyms } from '../../knowledge/search/read-synonyms.ts';
import { createSemanticIndex } from '../../knowledge/search/semantic.ts';
import { rankWeights } from '../../knowledge/search/weights.ts';
import { chaptersOf, type EvalQuestion, readQuestions } from '../support/eval-questions.ts';

const half = process.argv.includes('--frozen') ? 'test' : process.argv.includes('validation') ? 'validation' : 'dev';
const guide = await loadGuide();
const questions = readQuestions(half);
const answerable = questions.filter(({ kind }) => kind === 'answerable');
const unanswerable = questions.filter(({ kind }) => kind === 'unanswerable');
const textOf = ({ turns }: EvalQuestion) => turns.join(' ');
const passages = new Map(guide.passages.map((passage) => [passage.id, passage]));
const passageOf = (id: string) => passages.get(id);

const startedAt = performance.now();
const semantic = await createSemanticIndex({ guide, embedder: await loadShippedEmbedder(), folder: undefined });
const builtMs = performance.now() - startedAt;
const outside = Object.values(await readOutside()).flat();
const lexical = createLexicalIndex(analyseGuide(guide, await readSynonyms(), outside), guide);

const read = (ranking: readonly { readonly id: string }[]) => ranking.flatMap(({ id }) => passageOf(id) ?? []);
const ways: { readonly [way: string]: (found: Found) => readonly Passage[] } = {
  lexical: ({ lexical }) => read(lexical.ranking),
  vector: ({ semantic }) => read(semantic.ranking),
  fused: (found) => rankByFusion(found, passageOf).map(({ passage }) => passage),
  '+ rerank': (found) => rankByModel(found, passageOf, rankWeights).map(({ passage }) => passage),
};

const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / Math.max(1, flags.length);
const show = (value: number) => value.toFixed(3).padStart(9);
const founds = await Promise.all(
  answerable.map(async (question) => ({
    question,
    found: await findBoth(textOf(question), lexical, semantic),
  })),
);
console.log(
  `${half === 'test' ? 'frozen half' : half}: ${answerable.length} answerable, ${unanswerable.length} unanswerable questions`,
);
console.log('             recall@1 recall@5   MRR@10 section@1');
for (const [way, rank] of Object.entries(ways)) {
  const outcomes = founds.map(({ question, found }) => {
    const ranked = rank(found).slice(0, 10);
    const chapters = chaptersOf(question);
    const at = ranked.findIndex(({ chapterId }) => chapters.includes(chapterId));
    const [first] = ranked;
    const section =
      first !== undefined && question.answers.some((place) => place === keyOf(first) || place === first.chapterId);
    return { at, section, named: question.answers.some((place) => place.includes('#')) };
  });
  const mean = outcomes.reduce((sum, { at }) => sum + (at < 0 ? 0 : 1 / (at + 1)), 0) / outcomes.length;
  const named = outcomes.filter((outcome) => outcome.named);
  console.log(
    way.padEnd(11) +
      show(share(outcomes.map(({ at }) => at === 0))) +
      show(share(outcomes.map(({ at }) => at >= 0 && at < 5))) +
      show(mean) +
      show(share(named.map(({ section }) => section))),
  );
}

const search = await createSearch({ guide });
const { vectors, bytes, kind } = await search.measure();
const times: number[] = [];
const ask = async (question: EvalQuestion) => {
  const before = performance.now();
  const result = await search.search(textOf(question), 5);
  times.push(performance.now() - before);
  return result;
};
const refusals = { answerable: [] as boolean[], unanswerable: [] as boolean[] };
for (const question of answerable) refusals.answerable.push(!(await ask(question)).covered);
for (const question of unanswerable) refusals.unanswerable.push(!(await ask(question)).covered);
times.sort((a, b) => a - b);
const at = (quantile: number) => (times[Math.floor(quantile * (times.length - 1))] ?? 0).toFixed(1);
console.log(
  `refused: ${share(refusals.unanswerable).toFixed(3)} of the unanswerable, ${share(refusals.answerable).toFixed(3)} of the answerable`,
);
console.log(
  `${vectors} vectors (${kind}), ${(bytes / 1e6).toFixed(1)} MB, built in ${(builtMs / 1000).toFixed(1)} s; a search p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
);
