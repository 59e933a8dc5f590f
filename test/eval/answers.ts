// npm run eval answers [-- dev|test|tune|validation] [--misses] [--sample=FILE]: how well questions are answered, each half by itself.
// The test half is frozen: it is reported, never tuned on.
import { writeFileSync } from 'node:fs';
import type { Answer } from '../../engine/tutor/answer.ts';
import { createTutor } from '../../engine/tutor/tutor.ts';
import { createSearch, loadGuide } from '../../knowledge/index.ts';
import { type EvalQuestion, halves, laterHalves, readQuestions } from '../support/eval-questions.ts';

const targets = {
  'recall@1 of the chapter': 0.8,
  'recall@5 of the chapter': 0.95,
  'facts in answer or cited passage': 0.9,
  'false refusals': 0.05,
  'unanswerable refused': 0.9,
  'false premises corrected': 0.9,
  'follow-ups': 0.85,
  'p50 ms': 25,
  'p99 ms': 150,
} as const;
type Figure = keyof typeof targets;
const lowerIsBetter: ReadonlySet<Figure> = new Set(['false refusals', 'p50 ms', 'p99 ms']);

interface Judged {
  readonly question: EvalQuestion;
  readonly answer: Answer;
  readonly elapsedMs: number;
  readonly rank: number;
  readonly hasFacts: boolean;
}

const guide = await loadGuide();
const search = await createSearch({ guide });
const tutor = createTutor({ guide, search });
const { vectors, bytes, kind } = await search.measure();
console.log(`index: ${vectors.toLocaleString('en')} vectors, ${kind}, ${(bytes / 1024 ** 2).toFixed(1)} MiB`);
const options = process.argv.slice(2);
const chosen = [...halves, ...laterHalves].filter((half) => options.includes(half));
const sampleFile = options.find((option) => option.startsWith('--sample='))?.slice('--sample='.length);
let met = true;
for (const half of chosen.length > 0 ? chosen : halves) {
  const judged: Judged[] = [];
  for (const question of readQuestions(half)) judged.push(await judge(question));
  report(half, judged);
  if (options.includes('--misses')) printMisses(judged);
  if (sampleFile !== undefined) writeFileSync(sampleFile, sampleOf(judged));
}
process.exitCode = met ? 0 : 1;

async function judge(question: EvalQuestion): Promise<Judged> {
  // As a person asks: each turn is answered before the next is asked.
  const turns = question.turns
    .slice(0, -1)
    .flatMap((text) => [{ role: 'user', text } as const, { role: 'assistant', text: '…' } as const]);
  const start = performance.now();
  const answer = await tutor.ask(question.turns.at(-1) ?? '', turns);
  const elapsedMs = performance.now() - start;
  const chapters = [...new Set(question.answers.map((place) => place.split('#')[0]))];
  const found = [...new Set(answer.passages.map(({ chapterId }) => chapterId))];
  const rank = found.findIndex((chapterId) => chapters.includes(chapterId));
  return { question, answer, elapsedMs, rank, hasFacts: factsIn(question, answer) };
}

/** Every fact in one of its wordings, in the answer or a passage of a section it cites. */
function factsIn({ facts }: EvalQuestion, answer: Answer): boolean {
  const cited = guide.passages.filter((passage) =>
    answer.citations.some((c) => c.chapterId === passage.chapterId && c.sectionId === passage.sectionId),
  );
  const text = [answer.markdown, ...cited.map((passage) => passage.text)].join('\n').toLowerCase();
  return facts.every((wordings) => wordings.some((wording) => text.includes(wording.toLowerCase())));
}

function report(half: string, judged: readonly Judged[]) {
  const of = (kind: EvalQuestion['kind']) => judged.filter(({ question }) => question.kind === kind);
  const share = (entries: readonly Judged[], holds: (entry: Judged) => boolean) =>
    entries.length === 0 ? Number.NaN : entries.filter(holds).length / entries.length;
  const answerable = of('answerable');
  const times = judged.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b);
  const figures: { readonly [figure in Figure]: number } = {
    'recall@1 of the chapter': share(answerable, ({ rank }) => rank === 0),
    'recall@5 of the chapter': share(answerable, ({ rank }) => rank >= 0),
    'facts in answer or cited passage': share(answerable, ({ hasFacts }) => hasFacts),
    'false refusals': share(answerable, ({ answer }) => answer.abstained),
    'unanswerable refused': share(of('unanswerable'), ({ answer }) => answer.abstained),
    'false premises corrected': share(of('false-premise'), isCorrected),
    'follow-ups': share(of('follow-up'), isResolved),
    'p50 ms': times[Math.floor(times.length * 0.5)] ?? Number.NaN,
    'p99 ms': times[Math.floor(times.length * 0.99)] ?? Number.NaN,
  };
  console.log(`\n${half}: ${judged.length} questions`);
  for (const [name, target] of Object.entries(targets)) {
    const figure = figures[name as Figure];
    const holds = lowerIsBetter.has(name as Figure) ? figure <= target : figure >= target;
    met &&= holds;
    console.log(
      `  ${holds ? '✓' : '✗'} ${name.padEnd(34)} ${figure.toFixed(3).padStart(8)}   (${lowerIsBetter.has(name as Figure) ? '≤' : '≥'} ${target})`,
    );
  }
}

/** Said to be wrong, and what is so instead stands in the answer itself. */
function isCorrected({ answer, question }: Judged): boolean {
  const text = answer.markdown.toLowerCase();
  const told = question.facts.every((wordings) => wordings.some((wording) => text.includes(wording.toLowerCase())));
  return answer.kind === 'correction' && told;
}

/** The right place first or cited, with its facts. */
function isResolved({ answer, question, hasFacts, rank }: Judged): boolean {
  const cited = answer.citations.some(({ chapterId, sectionId }) =>
    question.answers.some((place) => place === chapterId || place === `${chapterId}#${sectionId}`),
  );
  return !answer.abstained && hasFacts && (cited || rank === 0);
}

function printMisses(judged: readonly Judged[]) {
  for (const entry of judged) {
    const { question, answer, rank, hasFacts } = entry;
    const wrong: readonly string[] = {
      answerable: [
        ...(answer.abstained ? ['refused'] : []),
        ...(rank === 0 ? [] : [`rank ${rank + 1}`]),
        ...(hasFacts ? [] : ['facts']),
        ...(answer.kind === 'correction' ? ['corrected'] : []),
      ],
      unanswerable: answer.abstained ? [] : ['answered'],
      'false-premise': isCorrected(entry) ? [] : [answer.kind],
      'follow-up': isResolved(entry) ? [] : ['unresolved'],
    }[question.kind];
    if (wrong.length === 0) continue;
    const places = answer.citations.map(({ chapterId, sectionId }) => `${chapterId}#${sectionId}`).join(' ');
    console.log(`${question.kind} [${wrong.join(', ')}] ${question.turns.join(' ⏎ ')}`);
    console.log(
      `    ${answer.kind} ${answer.confidence.toFixed(2)} "${answer.understood}" → ${places}; wanted ${question.answers.join(' ')}`,
    );
  }
}

/** 100 sentences with their citations, evenly spread, for checking by hand. */
function sampleOf(judged: readonly Judged[]): string {
  const all = judged.flatMap(({ question, answer }) =>
    answer.sentences.map(({ text, citation }) => ({
      question: question.turns.join(' ⏎ '),
      text,
      cited: answer.citations[citation],
    })),
  );
  const step = all.length / Math.min(100, all.length);
  const lines = Array.from({ length: Math.min(100, all.length) }, (_, index) => all[Math.floor(index * step)]).flatMap(
    (entry, index) =>
      entry
        ? [
            `${index + 1}. Asked: ${entry.question}`,
            `   Says: ${entry.text.replace(/\s*\n\s*/g, ' ⏎ ')}`,
            `   Cites ${entry.cited?.chapterId}#${entry.cited?.sectionId}: ${entry.cited?.quote.replace(/\s*\n\s*/g, ' ⏎ ')}`,
          ]
        : [],
  );
  return `${lines.join('\n')}\n`;
}
