// Words an answer from sections of the guide: the answer first, then an example, table or code, pitfalls, the next step.
// Only sentences of the guide are used, so that each is cited by its own words. The level chooses the parts.
import type { Hit, Sentence } from '../../knowledge/index.ts';
import type { Level } from './answer.ts';
import { assemble, type Composed, figurePiece, type Piece, pointerPiece, quotePiece, type Source } from './draft.ts';
import type { Part, Role } from './reading.ts';

/** The share of the question's terms that each text holds. */
export type Overlap = (texts: readonly string[]) => readonly number[];

/** What of a section lies nearest to the question in meaning. */
export type Near = (source: Source) => NonNullable<Hit['near']>;

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
const limits = { leadIn: 260, pitfall: 280, next: 220, intuition: 420, also: 300 };

interface Run {
  readonly source: Source;
  readonly part: Part;
  readonly sentences: readonly Sentence[];
}

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
    level === 'eli5' ? findPicture(source, overlap, nearby, plan) : findLead(question, source, overlap, near, plan);
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

const isUsed = (part: Part, runs: readonly Run[]) => runs.some((run) => run.part === part);
const withLabel = ({ label: name, sentences }: Part) => (name ? [name, ...sentences] : sentences);

/** In a picture: one sentence that says what it is, and what it is like. */
function findPicture(source: Source, overlap: Overlap, nearby: readonly Source[], { lead }: Plan): Run[] {
  const definition = openingOf(source, lead);
  if (!definition) return [];
  const short = { ...definition, sentences: definition.sentences.slice(0, 1) };
  const picture = intuitionOf(source) ?? likenessIn(source) ?? findNearbyPicture(overlap, nearby);
  if (!picture) return [definition];
  // The first paragraph may hold both.
  return picture.sentences.some((sentence) => short.sentences.includes(sentence)) ? [definition] : [short, picture];
}

function intuitionOf(source: Source): Run | undefined {
  const part = source.parts.find(
    ({ role, block, sentences }) => role === 'intuition' && block.kind === 'paragraph' && sentences.length > 0,
  );
  return part && { source, part, sentences: takeSentences(part.sentences, limits.intuition, 5) };
}

const likens =
  /\b(?:is|works|acts|behaves) (?:a bit |much |rather )?like\b|\bimagine\b|\bthink of\b|\bas if\b|\bpicture (?:a|the|yourself)\b/i;

/** A sentence that says what it is like, where the section has no paragraph for it. */
function likenessIn(source: Source): Run | undefined {
  for (const part of source.parts.filter(({ role, block }) => role !== 'pitfall' && block.kind === 'paragraph')) {
    const sentence = part.sentences.find(({ prose }) => likens.test(prose));
    if (sentence) return { source, part, sentences: [sentence] };
  }
  return undefined;
}

/** Another section's picture counts where it speaks of most of what was asked. */
const pictureShare = 0.6;

function findNearbyPicture(overlap: Overlap, nearby: readonly Source[]): Run | undefined {
  const runs = [...new Set(nearby)].flatMap((source) => intuitionOf(source) ?? []);
  const shares = overlap(runs.map(({ sentences }) => sentences.map(({ prose }) => prose).join(' ')));
  return runs.find((_, at) => (shares[at] ?? 0) >= pictureShare);
}

/** The section's own short answer, or what was asked for in particular together with a shorter definition. */
function findLead(question: string, source: Source, overlap: Overlap, near: Near, plan: Plan): Run[] {
  const definition = openingOf(source, plan.lead);
  const wanted = findWanted(question, source, overlap, plan);
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

/** The section's first paragraph, as many whole sentences as fit, three at most. */
export function openingOf(source: Source, limit: number): Run | undefined {
  const part = source.parts.find(({ role }) => role === 'answer') ?? source.parts.find((p) => p.sentences.length > 0);
  return part && { source, part, sentences: takeSentences(part.sentences, limit) };
}

function takeSentences(sentences: readonly Sentence[], limit: number, most = 3): Sentence[] {
  const taken: Sentence[] = [];
  let length = 0;
  for (const sentence of sentences.slice(0, most)) {
    length += sentence.markdown.length + 1;
    if (taken.length > 0 && length > limit) break;
    taken.push(sentence);
  }
  return taken;
}

const leansBack =
  /^\W*(?:this|that|these|those|it|its|they|them|he|she|but|so|and|or|then|both|here|there|also|such|instead|otherwise|however|the same|note|notice)\b/i;
export const asksDefinition = /^\W*(?:what(?:'s| is| are|s| does)|define|explain|meaning of|wh?at is)\b/i;

const wantedRoles: readonly (readonly [RegExp, Role])[] = [
  [
    /\b(?:an?|any|some|another|worked|concrete) example\b|\bexamples? (?:of|please)\b|for example|^\W*examples?\W*$/i,
    'example',
  ],
  [/^\W*(?:but |and |so )?why\W*(?:is that|though|so|not)?\W*$/i, 'intuition'],
  [
    /\beli5\b|like i'?m (?:five|5)|\bintuition\b|\banalogy\b|(?:simple|plain) (?:words|terms|language|english)/i,
    'intuition',
  ],
  [/\b(?:fix|stop|prevent|avoid|reduce|cure|solve|combat|get rid of)\b|what (?:should|can|do) (?:i|we) do/i, 'next'],
];
/** A next step shorter than this only points elsewhere. */
const shortestAdvice = 120;

/** What is asked for, and the labels of paragraphs that answer just that; of several the one with most of the words. */
const wantedNames: readonly (readonly [RegExp, RegExp])[] = [
  [
    /\b(?:pick|picking|choos\w+|select|decide on)\b|\bset\b(?! of)/i,
    /^(?:choosing|choice|how many|how much|how long|how large|how deep|which (?!is |means)|settings?\b|picking|setting|rules? of thumb|defaults?\b|typical|starting|values?\b|a good|what to (?:choose|take|set))/i,
  ],
  [
    /\b(?:spot|notice|detect|recogni[sz]e|tell|see|know|signs?|symptoms?)\b/i,
    /^(?:signs?\b|symptoms?|how to (?:see|notice|tell|spot|recogni[sz]e)|recogni[sz]ing|detecting|diagnos)/i,
  ],
  [
    /\b(?:raise|lower|increase|improve|boost|get (?:it|them) (?:up|down|higher|lower)|higher|fix|prevent|avoid|reduce|cure|stop|solve|against|do about|deal with|handle|too)\b/i,
    /^(?:how to (?:lower|raise|fix|avoid|prevent|reduce|cure)|remed|cures?\b|fix(?:es)?\b|what to do(?! next)|what helps|against)/i,
  ],
  [/^\W*(?:but |so |and )?why\b|\bhow come\b/i, /^why\b/i],
  [/\b(?:memory|vram|ram|gb)\b/i, /^memory\b/i],
  [/\b(?:cost|price|expensive|cheap|how long)\b/i, /^(?:cost|time|memory)\b/i],
  [/\b(?:size|big|mb|gb)\b/i, /^file size/i],
  [/\bwhen (?:should|do|would|to|is|can|not)\b|\bshould i (?:use|take)\b|\bgood for\b/i, /^(?:when to use|use it)/i],
];
const wantedFor = (question: string): readonly RegExp[] =>
  wantedNames
    .filter(([asked], at) => asked.test(question) || (at === 0 && wantsNumber.test(question)))
    .map(([, names]) => names);

/** A table or list under such a label, or with it at the head of a column. */
function isWantedFigure({ block, name }: Part, kinds: readonly RegExp[]): boolean {
  if (block.kind !== 'table' && block.kind !== 'list') return false;
  const heads =
    block.kind === 'table' ? (block.markdown.split('\n')[0] ?? '').split('|').map((head) => head.trim()) : [];
  return [...heads, name ?? ''].some((head) => head !== '' && kinds.some((names) => names.test(head)));
}

/** A label that holds words of the question is meant; one that only fits its kind must be the only one. */
const namedShare = 0.2;

function findNamed(question: string, source: Source, overlap: Overlap, plan: Plan): Run | undefined {
  const kinds = wantedFor(question);
  const parts = source.parts.filter(
    ({ name, sentences, block }) =>
      name !== undefined &&
      block.kind !== 'table' &&
      block.kind !== 'code' &&
      sentences.length > 0 &&
      kinds.some((names) => names.test(name)),
  );
  const shares = overlap(parts.map(({ name, block }) => `${name ?? ''} ${block.prose}`));
  const [best] = parts.map((part, at) => ({ part, share: shares[at] ?? 0 })).sort((a, b) => b.share - a.share);
  if (!best || (best.share < namedShare && parts.length > 1)) return undefined;
  return runFrom(source, best.part, 0, plan.lead);
}

/** The paragraph of the kind that was asked for: an example, the intuition behind it, or what to do. */
function findWanted(question: string, source: Source, overlap: Overlap, plan: Plan): Run | undefined {
  const named = isBroad(question) ? undefined : findNamed(question, source, overlap, plan);
  if (named) return named;
  const role = wantedRoles.find(([pattern]) => pattern.test(question))?.[1];
  const part = source.parts.find((candidate) => candidate.role === role && candidate.block.kind === 'paragraph');
  if (role === 'next' && (part?.block.prose.length ?? 0) < shortestAdvice) return undefined;
  // A table of remedies says more than the next step.
  if (role === 'next' && source.parts.some((other) => isWantedFigure(other, wantedFor(question)))) return undefined;
  return part && runFrom(source, part, 0, plan.lead);
}

/** Sentences from one on; a paragraph's label goes with its first sentence. */
function runFrom(source: Source, part: Part, index: number, limit: number): Run {
  const sentences = takeSentences(part.sentences.slice(index), limit);
  return { source, part, sentences: index === 0 && part.label ? [part.label, ...sentences] : sentences };
}

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
function findFocus(
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
  const fits = sentences.map((sentence, at) => {
    const [words = 0, withTitle = 0] = shares.slice(2 * at);
    const news = titled > 0.95 ? 0 : (withTitle - titled) / (1 - titled);
    const number = asksNumber && holdsNumber.test(sentence.prose.replace(sources, '')) ? weights.number : 0;
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
  const margin = asksDefinition.test(question) && !asksNumber ? clearly.definition : clearly.usual;
  if (!best || best.fit < leastFit || best.fit < base + margin) return undefined;
  const { part, index } = best.candidate;
  if (part.block.kind === 'list') return { source, part, sentences: part.sentences.slice(index, index + 1) };
  const start = index > 0 && leansBack.test(best.candidate.sentence.prose) ? index - 1 : index;
  return runFrom(source, part, start, limit);
}

/** A question whose answer is a number: "how many", "what is a good learning rate". */
const wantsNumber =
  /\bhow (?:many|much|long|big|large|small|often|high|low|deep|wide)\b|\b(?:good|right|best|typical|usual|normal|recommended|default|reasonable|decent|ideal|sensible) (?:[\w-]+ ){0,3}(?:size|rate|rank|number|value|ratio|split|alpha|length|temperature|threshold|k|epochs|score|dropout|lr)\b|\b(?:what|which) (?:[\w-]+ )?(?:rank|learning rate|lr|batch size|value|number|size|temperature|ratio|alpha|dropout|k)\b/i;
/** A year in brackets is no answer to "how many". */
const sources = /\([^()]*\b(?:19|20)\d\d\b[^()]*\)/g;
const holdsNumber = /\d|\b(?:two|three|four|five|ten|twenty|dozens?|hundreds?|thousands?|half)\b/i;

/** Windows are cut anew, so a sentence is found in them by its first letters. */
const beginningLetters = 40;

/** From −0.3, not among the nearest, to about 1, another wording of the same. */
function meaningOf({ prose }: Sentence, windows: ReturnType<Near>): number {
  const beginning = prose.slice(0, beginningLetters);
  const near = windows.find(({ text }) => text.includes(beginning) || prose.includes(text.slice(0, beginningLetters)));
  return near ? Math.max(0, (near.similarity - 0.6) / 0.4) : -0.3;
}

/** "What is X", or the bare name: everything about it is welcome. */
const isBroad = (question: string) =>
  (asksDefinition.test(question) || question.trim().split(/\s+/).length <= 3) && !wantsNumber.test(question);

/** What the section itself defines is asked for in one of its own wordings. */
export function asksForItself(question: string, source: Source, overlap: Overlap): boolean {
  return asksDefinition.test(question) && isAskedSo(source, overlap);
}

/** Learners ask for this very section in the question's words. */
function isAskedSo(source: Source, overlap: Overlap): boolean {
  return Math.max(0, ...overlap(source.asks)) >= 0.8;
}

/** A myth in quotation marks is not what the guide says. */
function isQuotedOnly({ prose }: Sentence): boolean {
  return /^["“][^"”]*["”][.!?]?$/.test(prose.trim());
}

export const wantsCode =
  /\b(?:code|python|pytorch|torch|sklearn|scikit[\s-]learn|snippet|implement\w*|program it|in numpy|api call)\b/i;
const wantsFormula = /\b(?:formula|equation|compute|calculate|calculated|math|maths|derive|derivation|how is)\b/i;
const isProgram = (part: Part) => part.block.kind === 'code' && !/^```(?:text)?\s*\n/.test(part.block.markdown);

export const holdsCode = (source: Source) => source.parts.some(isProgram);

/** The code that meets the question best, with the line above it that says what it does. */
function findCode(question: string, sources: readonly Source[], overlap: Overlap): Piece[] {
  const [first] = sources;
  const own = first && holdsCode(first) ? [first] : sources;
  const candidates = own.flatMap((source) => source.parts.filter(isProgram).map((part) => ({ source, part })));
  const scores = overlap(
    candidates.map(({ source, part }) => `${source.sectionTitle} ${part.leadIn?.prose ?? ''} ${part.block.prose}`),
  );
  const wantsTorch = /torch/i.test(question);
  const ranked = candidates
    .map((candidate, index) => ({
      ...candidate,
      score: (scores[index] ?? 0) + (wantsTorch && /torch/.test(candidate.part.block.markdown) ? 0.5 : 0),
    }))
    .sort((a, b) => b.score - a.score);
  const best = ranked[0];
  if (!best) return [];
  const { source, part } = best;
  // What stands in another section is introduced by that section's own first sentence.
  const opening = source === first ? undefined : openingOf(source, 200);
  const code = figurePiece(source, part.block.markdown);
  return opening ? [quotePiece(source, opening.sentences.slice(0, 1)), code] : [code];
}

/** What has its own place in an answer: a comparison is for those who ask for one. */
const told: ReadonlySet<Role> = new Set(['pitfall', 'next', 'related', 'comparison']);

/** What is shown with an answer to a question in particular holds this share of it. */
const leastOverlap = 0.25;

/** Tables, lists, formulas or pictures in words that go with the answer, each with the line that says what it shows. */
function findSupport(
  question: string,
  source: Source,
  overlap: Overlap,
  lead: readonly Run[],
  plan: Plan,
): readonly Piece[] {
  if (plan.figures === 0) return [];
  const used = new Set(lead.map(({ part }) => part.block));
  const candidates = source.parts
    .filter(({ block, role }) => !used.has(block) && !told.has(role))
    .flatMap((part) => {
      const isFigure = part.block.kind === 'table' || part.block.kind === 'list' || part.block.kind === 'code';
      const isExample = part.block.kind === 'paragraph' && part.role === 'example' && part.sentences.length > 0;
      if (!isFigure && !isExample && part.role !== 'intuition') return [];
      // Programs are shown when they are asked for.
      if (isProgram(part)) return [];
      // A formula below a long paragraph speaks for itself.
      const isBare = part.block.kind === 'code' && (part.leadIn?.markdown.length ?? 0) > limits.leadIn;
      const above = isBare ? undefined : (part.leadIn ?? part.heading);
      const isTitle = above?.kind === 'heading';
      const leadIn = above && !used.has(above) ? `${isTitle ? `**${above.prose}**` : above.markdown}\n\n` : '';
      const text = leadIn + part.block.markdown;
      const fits = text.length <= plan.support && leadIn.length <= limits.leadIn;
      // An example that ends in ":" stops where its table begins.
      return fits && !/:\s*$/.test(text) ? [{ part, text }] : [];
    });
  const scores = overlap(candidates.map(({ part, text }) => `${text} ${part.block.prose}`));
  const broad = isBroad(question);
  const kinds = broad ? [] : wantedFor(question);
  const formula = candidates.find(({ part }) => part.block.kind === 'code')?.part;
  const wanted = wantsFormula.test(question) || plan.figures > 1 ? 'code' : 'table';
  return candidates
    .map(({ part, text }, i) => {
      const isWanted = isWantedFigure(part, kinds);
      const isAnnounced = part.leadIn !== undefined && used.has(part.leadIn) && part.leadIn.markdown.endsWith(':');
      const bonus =
        (part.block.kind === wanted ? 0.3 : 0) +
        // The section's own formula is its first code that is no program.
        (wanted === 'code' && part === formula ? 0.6 : 0) +
        (part.role === 'example' || part.leadIn?.prose.match(/^(?:by hand|worked|a worked|example)/i) ? 0.2 : 0) +
        (isAnnounced ? 1 : 0) +
        (isWanted ? 0.8 : 0);
      const isOnPoint = isAnnounced || isWanted || broad || (scores[i] ?? 0) >= leastOverlap;
      return { text, score: isOnPoint ? (scores[i] ?? 0) + bonus : 0 };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, plan.figures)
    .map(({ text }) => figurePiece(source, text));
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
