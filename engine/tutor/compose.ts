// Words an answer from sections of the guide: the answer first, then an example or table, a pitfall, the next step.
// Only sentences of the guide are used, so that each is cited by its own words.
import type { Sentence } from '../../knowledge/index.ts';
import type { Part, Role } from './reading.ts';
import type { Citation } from './tutor.ts';

export interface Source {
  readonly chapterId: string;
  readonly sectionId: string;
  /** `Chapter › Section`. */
  readonly title: string;
  readonly sectionTitle: string;
  /** How learners ask for this section. */
  readonly asks: readonly string[];
  readonly parts: readonly Part[];
  /** Whether its chapter has questions to test oneself with. */
  readonly hasQuiz: boolean;
}

export interface Composed {
  readonly markdown: string;
  readonly citations: readonly Citation[];
}

/** The share of the question's terms that each text holds. */
export type Overlap = (texts: readonly string[]) => readonly number[];

const limits = { total: 1200, lead: 450, side: 300, support: 620, leadIn: 260, pitfall: 280, next: 220 };

interface Run {
  readonly source: Source;
  readonly part: Part;
  readonly sentences: readonly Sentence[];
}

export function composeAnswer(
  question: string,
  source: Source,
  overlap: Overlap,
  sides: readonly Run[] = [],
): Composed {
  const lead = findLead(question, source, overlap);
  const support = findSupport(question, source, overlap, lead);
  const pitfall = findPitfall(source, overlap, lead);
  const paragraphs = lead.map(wordsOf);
  const cited: Run[] = [...lead];
  const fits = (text: string) => [...paragraphs, text].join('\n\n').length <= limits.total;
  if (sides.length > 0) {
    paragraphs.push(listSides(sides));
    cited.push(...sides);
  }
  if (support && fits(support)) paragraphs.push(support);
  if (pitfall) {
    const text = `**Watch out:** ${wordsOf(pitfall)}`;
    if (fits(text)) {
      paragraphs.push(text);
      cited.push(pitfall);
    }
  }
  const next = nextStep(source, lead);
  if (next && fits(next)) paragraphs.push(next);
  return { markdown: paragraphs.join('\n\n'), citations: cite(cited) };
}

/** The section's own short answer, or what was asked for in particular together with a shorter definition. */
function findLead(question: string, source: Source, overlap: Overlap): Run[] {
  const definition = openingOf(source, limits.lead);
  const wanted = findWanted(question, source);
  const focus = wanted ?? findFocus(question, source, overlap, definition);
  if (!focus || !definition || focus.part === definition.part) return definition ? [definition] : [];
  const short = { ...definition, sentences: definition.sentences.slice(0, 2) };
  // An example makes sense after what it is an example of.
  return focus.part.role === 'example' ? [short, focus] : [focus, short];
}

/** Each side in its own words; `whole`, where the guide compares them itself, comes first. */
export function composeComparison(
  question: string,
  whole: Source | undefined,
  sides: readonly Source[],
  overlap: Overlap,
): Composed {
  const runs = sides.filter((side) => side !== whole).flatMap((side) => openingOf(side, limits.side) ?? []);
  if (whole) return composeAnswer(question, whole, overlap, isAskedSo(whole, overlap) ? [] : runs);
  return { markdown: listSides(runs), citations: cite(runs) };
}

function listSides(runs: readonly Run[]): string {
  return runs.map((run) => `- **${run.source.sectionTitle}:** ${wordsOf(run)}`).join('\n');
}

/** The section's first paragraph, as many whole sentences as fit, three at most. */
function openingOf(source: Source, limit: number): Run | undefined {
  const part = source.parts.find(({ role }) => role === 'answer') ?? source.parts.find((p) => p.sentences.length > 0);
  return part && { source, part, sentences: takeSentences(part.sentences, limit) };
}

function takeSentences(sentences: readonly Sentence[], limit: number): Sentence[] {
  const taken: Sentence[] = [];
  let length = 0;
  for (const sentence of sentences.slice(0, 3)) {
    length += sentence.markdown.length + 1;
    if (taken.length > 0 && length > limit) break;
    taken.push(sentence);
  }
  return taken;
}

const leansBack =
  /^\W*(?:this|that|these|those|it|its|they|them|he|she|but|so|and|or|then|both|here|there|also|such|instead|otherwise|however|the same|note|notice)\b/i;
const asksDefinition = /^\W*(?:what(?:'s| is| are|s| does)|define|explain|meaning of|wh?at is)\b/i;

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

/** The paragraph of the kind that was asked for: an example, the intuition behind it, or what to do. */
function findWanted(question: string, source: Source): Run | undefined {
  const role = wantedRoles.find(([pattern]) => pattern.test(question))?.[1];
  const part = source.parts.find((candidate) => candidate.role === role && candidate.block.kind === 'paragraph');
  if (role === 'next' && (part?.block.prose.length ?? 0) < shortestAdvice) return undefined;
  return part && runFrom(source, part, 0, limits.lead);
}

/** Sentences from one on; a paragraph's label goes with its first sentence. */
function runFrom(source: Source, part: Part, index: number, limit: number): Run {
  const sentences = takeSentences(part.sentences.slice(index), limit);
  return { source, part, sentences: index === 0 && part.label ? [part.label, ...sentences] : sentences };
}

/** Sentences elsewhere in the section that meet the question clearly better than its first paragraph does. */
function findFocus(question: string, source: Source, overlap: Overlap, definition: Run | undefined): Run | undefined {
  // A question in one of the section's own wordings is answered by its first paragraph.
  if (isAskedSo(source, overlap)) return undefined;
  const candidates = source.parts
    .filter((part) => part !== definition?.part && ['text', 'pitfall', 'example', 'intuition'].includes(part.role))
    .flatMap((part) => part.sentences.map((sentence, index) => ({ part, index, sentence })))
    .filter(({ sentence }) => !sentence.prose.endsWith(':') && !isQuotedOnly(sentence));
  const texts = candidates.map(({ sentence }) => sentence.prose);
  const [base = 0, ...scores] = overlap([definition?.sentences.map(({ prose }) => prose).join(' ') ?? '', ...texts]);
  let best: { score: number; candidate: (typeof candidates)[number] } | undefined;
  for (const [i, candidate] of candidates.entries()) {
    const score = scores[i] ?? 0;
    if (!best || score > best.score) best = { score, candidate };
  }
  const margin = asksDefinition.test(question) ? 0.5 : 0.34;
  if (!best || best.score < 0.6 || best.score < base + margin) return undefined;
  const { part, index } = best.candidate;
  if (part.block.kind === 'list') return { source, part, sentences: part.sentences.slice(index, index + 1) };
  const start = index > 0 && leansBack.test(best.candidate.sentence.prose) ? index - 1 : index;
  return runFrom(source, part, start, limits.lead - 100);
}

/** Learners ask for this very section in the question's words. */
function isAskedSo(source: Source, overlap: Overlap): boolean {
  return Math.max(0, ...overlap(source.asks)) >= 0.8;
}

/** A myth in quotation marks is not what the guide says. */
function isQuotedOnly({ prose }: Sentence): boolean {
  return /^["“][^"”]*["”][.!?]?$/.test(prose.trim());
}

const wantsFormula =
  /\b(?:formula|equation|compute|calculate|calculated|math|maths|derive|code|python|implement|how is)\b/i;

/** A table, list, formula or picture in words that goes with the answer, with the line that says what it shows. */
function findSupport(question: string, source: Source, overlap: Overlap, lead: readonly Run[]): string | undefined {
  const used = new Set(lead.map(({ part }) => part.block));
  const candidates = source.parts
    .filter(({ block, role }) => !used.has(block) && ['text', 'example', 'intuition', 'answer'].includes(role))
    .flatMap((part) => {
      const isFigure = part.block.kind === 'table' || part.block.kind === 'list' || part.block.kind === 'code';
      if (!isFigure && part.role !== 'intuition') return [];
      const above = part.leadIn ?? part.heading;
      const isTitle = above?.kind === 'heading';
      const leadIn = above && !used.has(above) ? `${isTitle ? `**${above.prose}**` : above.markdown}\n\n` : '';
      const text = leadIn + part.block.markdown;
      const fits = text.length <= limits.support && leadIn.length <= limits.leadIn;
      return fits ? [{ part, text }] : [];
    });
  const scores = overlap(candidates.map(({ part, text }) => `${text} ${part.block.prose}`));
  const wanted = wantsFormula.test(question) ? 'code' : 'table';
  const ranked = candidates
    .map(({ part, text }, i) => {
      const isAnnounced = part.leadIn !== undefined && used.has(part.leadIn) && part.leadIn.markdown.endsWith(':');
      return { text, score: (scores[i] ?? 0) + (part.block.kind === wanted ? 0.3 : 0) + (isAnnounced ? 1 : 0) };
    })
    .sort((a, b) => b.score - a.score);
  return ranked[0]?.text;
}

function findPitfall(source: Source, overlap: Overlap, lead: readonly Run[]): Run | undefined {
  // Of a paragraph nothing is left out: its first sentence may be the very myth that the rest corrects.
  const candidates: Run[] = source.parts
    .filter((part) => part.role === 'pitfall' && !lead.some((run) => run.part === part))
    .flatMap((part) => {
      const choices = part.block.kind === 'list' ? part.sentences.map((item) => [item]) : [part.sentences];
      return choices.map((sentences) => ({ source, part, sentences }));
    })
    .filter((run) => run.sentences.length > 0 && wordsOf(run).length <= limits.pitfall);
  const scores = overlap(candidates.map(({ sentences }) => sentences.map(({ prose }) => prose).join(' ')));
  return candidates[scores.indexOf(Math.max(...scores))];
}

function nextStep(source: Source, lead: readonly Run[]): string | undefined {
  const part = source.parts.find(
    (candidate) => candidate.role === 'next' && !lead.some((run) => run.part === candidate),
  );
  if (part && part.block.markdown.length <= limits.next + 30) return part.block.markdown;
  return source.hasQuiz ? `**Next:** test yourself with \`quiz ${source.chapterId}\`.` : undefined;
}

function wordsOf(run: Run): string {
  return run.sentences.map(({ markdown }) => markdown).join(' ');
}

function cite(runs: readonly Run[]): Citation[] {
  return runs.map(({ source, sentences }) => ({
    chapterId: source.chapterId,
    sectionId: source.sectionId,
    title: source.title,
    quote: sentences.map(({ prose }) => prose).join(' '),
  }));
}
