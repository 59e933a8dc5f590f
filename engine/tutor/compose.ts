// Words an answer from sections of the guide: the answer first, then an example, table or code, pitfalls, the next step.
// Only sentences of the guide are used, so that each is cited by its own words. The level chooses the parts.
import type { Level } from './answer.ts';
import { asksDefinition, isBroad, wantsCode } from './asked.ts';
import { assemble, type Composed, figurePiece, type Piece, pointerPiece, quotePiece, type Source } from './draft.ts';
import { findCode, findSupport, leastOverlap } from './figures.ts';
import { findFocus } from './focus.ts';
import { findPicture } from './picture.ts';
import type { Part, Role } from './reading.ts';
import { isUsed, type Near, type Overlap, openingOf, type Run } from './run.ts';
import { findWanted } from './wanted.ts';

interface Plan {
  /** Characters in all, and of each kind of part. */
  readonly total: number;
  readonly lead: number;
  readonly support: number;
  readonly figures: number;
  readonly pitfalls: number;
  /** What is told beside the answer, in this order. */
  readonly roles: readonly Role[];
}

/** eli5: the picture, no formula. student: example and pitfall. expert: formula, reasons, measurements, all pitfalls. */
const plans: { readonly [level in Level]: Plan } = {
  eli5: { total: 900, lead: 300, support: 0, figures: 0, pitfalls: 0, roles: [] },
  student: { total: 1200, lead: 450, support: 620, figures: 1, pitfalls: 1, roles: [] },
  expert: { total: 2400, lead: 450, support: 900, figures: 2, pitfalls: 2, roles: ['why', 'evidence', 'use'] },
};
const limits = { pitfall: 280, next: 220, also: 300 };

export interface ComposeOptions {
  readonly level: Level;
  /** Told between the answer and its example: the sides of a comparison, say. */
  readonly aside?: readonly Piece[];
  /** Sections nearby in which code is looked for when it is asked for. */
  readonly nearby?: readonly Source[];
  readonly near?: Near;
  /** What the glossary says of a thing that the section only speaks of in passing: it comes first. */
  readonly defined?: Piece | undefined;
}

export function composeAnswer(question: string, source: Source, overlap: Overlap, options: ComposeOptions): Composed {
  return assemble(planAnswer(question, source, overlap, options));
}

/** Where another section may be meant as well: in a sentence or two, what it says to the question. */
export function alsoFrom(question: string, source: Source, overlap: Overlap, near: Near): Piece | undefined {
  const opening = openingOf(source, limits.also);
  const focus = findFocus(question, source, overlap, near, opening, limits.also);
  const run = focus ?? opening;
  return run && quotePiece(source, run.sentences, `**${source.sectionTitle}:** `);
}

/** What was said to hold always, answered by what the guide says and by what it warns of. */
export function qualify(question: string, source: Source, overlap: Overlap, near: Near, level: Level): Composed {
  const plan = plans[level];
  const opening = openingOf(source, plan.lead);
  const focus = findFocus(question, source, overlap, near, opening, plan.lead - 100);
  const runs = [...(opening ? [opening] : []), ...(focus ? [focus] : [])];
  const warnings = findPitfalls(source, overlap, runs).slice(0, 2);
  return assemble([
    pointerPiece('**Careful:** the guide does not say that this holds without exception. What it says:'),
    ...runs.map(pieceOf),
    ...warnings.map(({ sentences }) => quotePiece(source, sentences, '**Watch out:** ')),
  ]);
}

function planAnswer(question: string, source: Source, overlap: Overlap, options: ComposeOptions): readonly Piece[] {
  const { level, aside = [], nearby = [], near = () => [], defined } = options;
  const plan = plans[level];
  const lead =
    level === 'eli5'
      ? findPicture(source, overlap, nearby, plan.lead)
      : findLead(question, source, overlap, near, plan);
  const pieces: Piece[] = [...(defined ? [defined] : []), ...lead.map(pieceOf), ...aside];
  const add = (piece: Piece | undefined) => {
    const length = [...pieces, ...(piece ? [piece] : [])].reduce((sum, { text }) => sum + text.length + 2, 0);
    if (piece && length <= plan.total + 2) pieces.push(piece);
  };
  if (wantsCode.test(question)) {
    // Code was asked for, so it comes even where it is long.
    const code = findCode(question, [source, ...nearby], overlap);
    pieces.push(...code);
  }
  for (const figure of findSupport(question, source, overlap, lead, plan)) add(figure);
  for (const role of plan.roles) {
    for (const part of source.parts.filter((candidate) => candidate.role === role && !isUsed(candidate, lead))) {
      if (part.block.kind === 'paragraph') add(quotePiece(source, withLabel(part)));
    }
  }
  const pitfalls = findPitfalls(source, overlap, lead);
  for (const pitfall of isBroad(question)
    ? pitfalls.slice(0, plan.pitfalls)
    : onPoint(pitfalls, overlap).slice(0, plan.pitfalls)) {
    add(quotePiece(source, pitfall.sentences, '**Watch out:** '));
  }
  // Who asks how or how many has a problem at hand, and no time for a quiz.
  if (level === 'eli5' || isBroad(question)) add(nextStep(source, lead));
  return pieces;
}

function pieceOf({ source, part, sentences }: Run): Piece {
  // A pitfall may name only what not to do: without the warning it would read as advice.
  const isLabelled = /^\*\*/.test(sentences[0]?.markdown ?? '');
  return quotePiece(source, sentences, part.role === 'pitfall' && !isLabelled ? '**Watch out:** ' : '');
}

const withLabel = ({ label: name, sentences }: Part) => (name ? [name, ...sentences] : sentences);

/** The section's own short answer, or what was asked for in particular together with a shorter definition. */
function findLead(question: string, source: Source, overlap: Overlap, near: Near, plan: Plan): Run[] {
  const definition = openingOf(source, plan.lead);
  const wanted = findWanted(question, source, overlap, plan.lead);
  const focus = wanted ?? findFocus(question, source, overlap, near, definition, plan.lead - 100);
  if (!focus || !definition || focus.part === definition.part) return definition ? [definition] : [];
  const short = { ...definition, sentences: definition.sentences.slice(0, 2) };
  // An example, or what to do, makes sense after what it is about.
  const isAfter =
    focus.part.role === 'example' ||
    // "How to fix it:" goes with the list below.
    /:$/.test(focus.part.block.prose) ||
    (focus === wanted && asksDefinition.test(question));
  return isAfter ? [short, focus] : [focus, short];
}

function findPitfalls(source: Source, overlap: Overlap, lead: readonly Run[]): readonly Run[] {
  // Of a paragraph nothing is left out: its first sentence may be the very myth that the rest corrects.
  const candidates: Run[] = source.parts
    .filter((part) => part.role === 'pitfall' && !isUsed(part, lead))
    .flatMap((part) => {
      const choices = part.block.kind === 'list' ? part.sentences.map((item) => [item]) : [part.sentences];
      return choices.map((sentences) => ({ source, part, sentences }));
    })
    .filter((run) => run.sentences.length > 0 && wordsOf(run).length <= limits.pitfall);
  const scores = overlap(candidates.map(({ sentences }) => sentences.map(({ prose }) => prose).join(' ')));
  const order = candidates.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  return order.flatMap((index) => candidates[index] ?? []);
}

/** Those that hold some of the question's words. */
function onPoint(runs: readonly Run[], overlap: Overlap): readonly Run[] {
  const shares = overlap(runs.map(({ sentences }) => sentences.map(({ prose }) => prose).join(' ')));
  return runs.filter((_, at) => (shares[at] ?? 0) >= leastOverlap);
}

function nextStep(source: Source, lead: readonly Run[]): Piece | undefined {
  const part = source.parts.find((candidate) => candidate.role === 'next' && !isUsed(candidate, lead));
  if (part && part.block.markdown.length <= limits.next + 30) return figurePiece(source, part.block.markdown);
  if (!source.hasQuiz) return undefined;
  return pointerPiece(`**Next:** test yourself with \`quiz ${source.chapterId}\`.`);
}

function wordsOf(run: Run): string {
  return run.sentences.map(({ markdown }) => markdown).join(' ');
}
