// Finds the sentences of a section that meet a question better than its first paragraph does: by words, by meaning, by kind.
import type { Sentence } from '../../knowledge/index.ts';
import { asksDefinition, asksForItself, isBroad, wantsNumber } from './asked.ts';
import type { Source } from './draft.ts';
import type { Role } from './reading.ts';
import { type Near, type Overlap, type Run, runFrom } from './run.ts';

/** What answers a question only where nothing else meets it as well: what to beware of, and single cases. */
const handicaps: { readonly [role in Role]?: number } = { pitfall: 0.15, example: 0.15, evidence: 0.15 };
const otherQuestion = 0.3;
const focusRoles: ReadonlySet<Role> = new Set(['text', 'pitfall', 'example', 'intuition', 'use', 'why', 'evidence']);
/** Weights of the question's words, of those the title lacks, of the meaning, and of a number where one is asked for. */
const weights = { words: 0.5, news: 0.25, meaning: 0.5, number: 0.35 };
/** How much better than the first paragraph a sentence must answer; a definition is not so lightly put second. */
const clearly = { usual: 0.33, definition: 0.45 };
const leastFit = 0.55;

/** Sentences elsewhere in the section that meet the question clearly better than its first paragraph does. */
export function findFocus(
  question: string,
  source: Source,
  overlap: Overlap,
  near: Near,
  definition: Run | undefined,
  limit: number,
): Run | undefined {
  const asksNumber = wantsNumber.test(question);
  // A question in one of the section's own wordings is answered by its first paragraph.
  if (!asksNumber && asksForItself(question, source, overlap)) return undefined;
  const candidates = source.parts
    .filter((part) => part !== definition?.part && focusRoles.has(part.role))
    .flatMap((part) => part.sentences.map((sentence, index) => ({ part, index, sentence })))
    .filter(({ sentence }) => !/[:?]$/.test(sentence.prose) && !isQuotedOnly(sentence));
  const opening = definition?.sentences ?? [];
  const sentences = [...opening, ...candidates.map(({ sentence }) => sentence)];
  const [titled = 0, ...shares] = overlap([
    source.sectionTitle,
    ...sentences.flatMap(({ prose }) => [prose, `${source.sectionTitle}. ${prose}`]),
  ]);
  const windows = near(source);
  const asked = /\bhow (?:many|much) ([\p{L}]{4,})/iu.exec(question)?.[1];
  const fits = sentences.map((sentence, at) => {
    const [words = 0, withTitle = 0] = shares.slice(2 * at);
    const news = titled > 0.95 ? 0 : (withTitle - titled) / (1 - titled);
    const number = asksNumber && holdsNumber.test(sentence.prose.replace(sources, '')) ? numberOf(sentence, asked) : 0;
    return weights.words * words + weights.news * news + weights.meaning * meaningOf(sentence, windows) + number;
  });
  // A paragraph below a question of its own ("Why smoothing?") answers that one.
  const asking = [...new Set(candidates.map(({ part }) => part))].filter(({ name }) => name?.endsWith('?'));
  const named = overlap(asking.map(({ name }) => name ?? ''));
  const besides = new Map(asking.map((part, at) => [part, named[at] === 0 ? otherQuestion : 0]));
  // What a first paragraph is about stands in its first sentence; the others may name a thing in passing.
  const passing = asksDefinition.test(question) ? 1 : 0.85;
  const base = Math.max(0, ...opening.map((_, at) => (fits[at] ?? 0) * (at === 0 ? 1 : passing)));
  let best: { fit: number; candidate: (typeof candidates)[number] } | undefined;
  for (const [at, candidate] of candidates.entries()) {
    const handicap = (handicaps[candidate.part.role] ?? 0) + (besides.get(candidate.part) ?? 0);
    const fit = (fits[opening.length + at] ?? 0) - handicap;
    if (!best || fit > best.fit) best = { fit, candidate };
  }
  const margin = isBroad(question) ? clearly.definition : clearly.usual;
  if (!best || best.fit < leastFit || best.fit < base + margin) return undefined;
  const { part, index } = best.candidate;
  if (part.block.kind === 'list') return { source, part, sentences: part.sentences.slice(index, index + 1) };
  const start = index > 0 && leansBack.test(best.candidate.sentence.prose) ? index - 1 : index;
  return runFrom(source, part, start, limit);
}

const leansBack =
  /^\W*(?:this|that|these|those|it|its|they|them|he|she|but|so|and|or|then|both|here|there|also|such|instead|otherwise|however|the same|note|notice)\b/i;

/** A year in brackets is no answer to "how many". */
const sources = /\([^()]*\b(?:19|20)\d\d\b[^()]*\)/g;
const holdsNumber = /\d|\b(?:two|three|four|five|ten|twenty|dozens?|hundreds?|thousands?|half)\b/i;

/** Windows are cut anew, so a sentence is found in them by its first letters. */
const beginningLetters = 40;

/** "How many epochs" is hardly answered by a number of tokens. */
function numberOf({ prose }: Sentence, asked: string | undefined): number {
  const isOf = asked === undefined || prose.toLowerCase().includes(asked.toLowerCase().slice(0, 4));
  return isOf ? weights.number : weights.number / 2;
}

/** From −0.3, not among the nearest, to about 1, another wording of the same. */
function meaningOf({ prose }: Sentence, windows: ReturnType<Near>): number {
  const beginning = prose.slice(0, beginningLetters);
  const near = windows.find(({ text }) => text.includes(beginning) || prose.includes(text.slice(0, beginningLetters)));
  return near ? Math.max(0, (near.similarity - 0.6) / 0.4) : -0.3;
}

/** A myth in quotation marks is not what the guide says. */
function isQuotedOnly({ prose }: Sentence): boolean {
  return /^["“][^"”]*["”][.!?]?$/.test(prose.trim());
}
