// npm run eval premises [-- --misses]: how often a wrong premise is corrected and a true one is let be, and how follow-ups fare.
// Misses are shown of the tuned half only.
import type { Answer, Turn } from '../../engine/tutor/answer.ts';
import { createTutor } from '../../engine/tutor/tutor.ts';
import { createSearch, loadGuide } from '../../knowledge/index.ts';
import { premiseHalves, readPremises, readThreads, type Thread } from '../support/premises.ts';

const guide = await loadGuide();
const tutor = createTutor({ guide, search: await createSearch({ guide }) });
const showsMisses = process.argv.includes('--misses');

for (const half of premiseHalves) {
  const misses: string[] = [];
  const count = { corrected: 0, told: 0, falsely: 0 };
  const premises = readPremises(half);
  for (const { wrong, right, told } of premises) {
    const answer = await tutor.ask(wrong, []);
    const isCorrected = answer.kind === 'correction';
    if (isCorrected) count.corrected++;
    if (isCorrected && holdsAny(answer, told)) count.told++;
    else misses.push(`wrong [${isCorrected ? 'other fact' : answer.kind}] ${wrong}\n${shown(answer)}`);
    const other = await tutor.ask(right, []);
    if (other.kind !== 'correction' || !other.markdown.startsWith('**Not quite.**')) continue;
    count.falsely++;
    misses.push(`right [corrected] ${right}\n${shown(other)}`);
  }
  const threads = readThreads(half);
  const held: { readonly [kind in Thread['kind']]: { right: number; all: number } } = {
    leans: { right: 0, all: 0 },
    switch: { right: 0, all: 0 },
    wrong: { right: 0, all: 0 },
  };
  for (const thread of threads) {
    const answer = await lastAnswer(thread);
    held[thread.kind].all++;
    if (isResolved(thread, answer)) held[thread.kind].right++;
    else misses.push(`${thread.kind} [${answer.kind}] ${thread.turns.join(' ⏎ ')}\n${shown(answer)}`);
  }
  const share = (part: number, all: number) => `${(part / all).toFixed(3)} (${part} of ${all})`;
  console.log(`\n${half}`);
  console.log(`  wrong premises corrected                ${share(count.corrected, premises.length)}`);
  console.log(`  ... with the fact                       ${share(count.told, premises.length)}`);
  console.log(`  true premises corrected (should be 0)   ${share(count.falsely, premises.length)}`);
  for (const [kind, { right, all }] of Object.entries(held)) {
    console.log(`  threads, ${kind.padEnd(31)}${share(right, all)}`);
  }
  if (showsMisses && half === 'tune') console.log(misses.join('\n'));
}

/** As a person talks: each turn is answered before the next. */
async function lastAnswer({ turns }: Thread): Promise<Answer> {
  const before = turns.slice(0, -1).flatMap((text): Turn[] => [
    { role: 'user', text },
    { role: 'assistant', text: '…' },
  ]);
  return tutor.ask(turns.at(-1) ?? '', before);
}

function isResolved({ kind, chapters, told }: Thread, answer: Answer): boolean {
  if (chapters.length === 0) return answer.abstained;
  const cited = answer.citations.map(({ chapterId }) => chapterId);
  const isPlaced = chapters.some((chapter) => cited.includes(chapter));
  return (kind === 'wrong' ? answer.kind === 'correction' : isPlaced) && holdsAny(answer, told);
}

/** In the answer itself, in whatever case. */
function holdsAny({ markdown }: Answer, told: readonly string[]): boolean {
  const text = markdown.toLowerCase();
  return told.some((wording) => text.includes(wording.toLowerCase()));
}

function shown({ kind, understood, citations, markdown }: Answer): string {
  const places = [...new Set(citations.map(({ chapterId, sectionId }) => `${chapterId}#${sectionId}`))];
  return `    ${kind} "${understood}" → ${places.join(' ')}: ${markdown.slice(0, 150).replace(/\n/g, ' ')}`;
}
