// What the tutor answers with: words from the guide, each claim cited; a sum with its working; a correction of what was
// wrongly taken for granted; or an honest "not covered".
import {
  type Guide,
  type Hit,
  type Misconception,
  overviewId,
  type Search,
  type SearchResult,
  type Section,
} from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';
import type { Answer, AnswerKind, AskOptions, Level, Tutor } from './answer.ts';
import { createFindClaim } from './claims.ts';
import { splitComparison } from './compare.ts';
import { compareSides, mentions, type Side } from './comparison.ts';
import { composeAnswer, type Overlap, openingOf, qualify } from './compose.ts';
import type { Calculation, MissingNumbers, Outcome, SectionKey } from './compute/calculation.ts';
import { compute, computeAgain } from './compute/compute.ts';
import { createConcepts } from './concepts.ts';
import { assemble, type Composed, joinPieces, type Piece, pointerPiece, quotePiece, type Source } from './draft.ts';
import { findChapter, nearestChapters } from './find-chapter.ts';
import { type Reading, readInThread } from './follow-up.ts';
import { createFindMisconception, isAbsolute } from './misconceptions.ts';
import { readSection } from './reading.ts';
import { isErrand } from './scope.ts';
import { answerSmallTalk } from './small-talk.ts';

export interface TutorOptions {
  readonly guide: Guide;
  readonly search: Search;
}

const longestQuestion = 8000;
const longestExplanation = 2500;
const hitsRead = 20;
const hitsShown = 5;
/** Sentences of a long question that are tried one by one when the whole finds nothing. */
const sentencesTried = 30;
/** How sure a sum and a correction are: their patterns met, but a pattern can be met by chance. */
const matchedConfidence = 0.9;

/** How much worse, in the search's own score, a section of the chapter spoken of before may fit and still come first. */
const chapterKept = 0.6;

interface Found {
  readonly query: string;
  readonly result: SearchResult;
}

export function createTutor({ guide, search }: TutorOptions): Tutor {
  // Reading a section into sentences takes milliseconds, so each is read when it is first needed.
  const sources = new Map<string, Source>();
  const quizzed = new Set(guide.quizItems.map(({ chapterId }) => chapterId));
  const concepts = createConcepts(guide);
  const byPattern = createFindMisconception(guide.misconceptions ?? []);
  const byClaim = createFindClaim(guide.misconceptions ?? [], search.weigh);
  const findMisconception = (meant: string, question: string) =>
    byPattern(meant) ?? byPattern(question) ?? byClaim(meant) ?? byClaim(question);

  const readSource = (chapterId: string, sectionId: string): Source | undefined => {
    const key = `${chapterId}#${sectionId}`;
    const chapter = guide.chapter(chapterId);
    const section = guide.section(chapterId, sectionId);
    const known = sources.get(key);
    if (known || !chapter || !section) return known;
    const source: Source = {
      chapterId,
      sectionId,
      title: `${chapter.title} › ${section.title}`,
      sectionTitle: sectionId === overviewId ? chapter.title : section.title,
      asks: section.asks,
      parts: readSection(section),
      hasQuiz: quizzed.has(chapterId),
    };
    sources.set(key, source);
    return source;
  };
  const sourceAt = (key: SectionKey) => {
    const [chapterId = '', sectionId = ''] = key.split('#');
    return readSource(chapterId, sectionId);
  };
  const sourceOf = ({ passage }: Hit) => readSource(passage.chapterId, passage.sectionId);
  const overlapWith =
    (query: string): Overlap =>
    (texts) =>
      search.overlap(query, texts);

  const find = async (query: string): Promise<Found> => ({ query, result: await search.search(query, hitsRead) });

  /** The whole question; else its best sentence, since people tell stories around what they ask. */
  const findQuestion = async (question: string): Promise<Found> => {
    const whole = await find(question);
    if (whole.result.covered) return whole;
    const sentences = question.split(/[.!?\n]+/).filter((sentence) => sentence.trim().length > 2);
    if (sentences.length < 2) return whole;
    const parts = await Promise.all(sentences.slice(0, sentencesTried).map(find));
    return parts.reduce((best, part) => (part.result.confidence > best.result.confidence ? part : best), whole);
  };

  /** The first way to read the question that the guide covers; a later one only where it is much surer. */
  const findReading = async (reading: Reading, question: string): Promise<Found> => {
    const found = await findBest(reading);
    // A concept named anew has its own place.
    if (reading.follows === undefined || concepts.namedIn(question).length > 0) return found;
    return keepChapter(found, await find(reading.follows));
  };

  /** Of sections that fit about as well, the one in the chapter spoken of before. */
  const keepChapter = ({ query, result }: Found, before: Found): Found => {
    const chapterId = before.result.hits[0]?.passage.chapterId;
    const [best] = result.hits;
    const near = result.hits.find(({ passage }) => passage.chapterId === chapterId);
    if (!best || !near || !before.result.covered || best.score - near.score > chapterKept) return { query, result };
    return { query, result: { ...result, hits: [near, ...result.hits.filter((hit) => hit !== near)] } };
  };

  const findBest = async ({ candidates }: Reading): Promise<Found> => {
    let best: Found | undefined;
    for (const candidate of candidates) {
      const found = await findQuestion(candidate);
      const clearly = best?.result.covered ? 0.15 : 0;
      if (!best || found.result.confidence > best.result.confidence + clearly) best = found;
      if (best.result.covered && best.result.confidence > 0.8) break;
    }
    return best ?? findQuestion('');
  };

  const dependents = (id: string) => guide.chapters.filter(({ prerequisites }) => prerequisites.includes(id)).length;
  /** Offered to a question that is near nothing: what most other chapters build on. */
  const mostNeeded = guide.chapters.toSorted((a, b) => dependents(b.id) - dependents(a.id));

  const nearest = ({ hits, confidence }: SearchResult, typed: string) => {
    const found = confidence < 0.1 ? [] : hits.flatMap(({ passage }) => guide.chapter(passage.chapterId) ?? []);
    const rest = confidence < 0.1 ? mostNeeded : nearestChapters(guide.chapters, typed);
    const chapters = [...new Set([...found, ...rest])].slice(0, 3);
    return chapters.map(({ id, title }) => ({ chapterId: id, title }));
  };

  /** What the answer rests on comes first, then what else was found. */
  const shown = (hits: readonly Hit[], first: readonly Source[] = []): Answer['passages'] => {
    const isOf = ({ passage }: Hit, { chapterId, sectionId }: Source) =>
      passage.chapterId === chapterId && passage.sectionId === sectionId;
    const best = hits[0]?.score ?? 1;
    const leading = [...new Set(first)].flatMap((source): Hit[] => {
      const hit = hits.find((candidate) => isOf(candidate, source));
      const passage = guide.passages.find((p) => p.chapterId === source.chapterId && p.sectionId === source.sectionId);
      return hit ? [{ ...hit, score: best }] : passage ? [{ passage, score: best }] : [];
    });
    const rest = hits.filter((hit) => !leading.some(({ passage }) => passage.id === hit.passage.id));
    return [...leading, ...rest].slice(0, hitsShown).map(({ passage, score }) => ({
      chapterId: passage.chapterId,
      sectionId: passage.sectionId,
      score,
      text: passage.text,
    }));
  };

  const abstain = (result: SearchResult, typed: string): Answer => {
    const chapters = nearest(result, typed);
    const list = chapters.map(({ title }) => `**${title}**`).join(', ');
    return {
      kind: 'refusal',
      markdown: `The guide does not cover that, and I would rather not guess. The nearest it teaches: ${list}.`,
      sentences: [],
      abstained: true,
      confidence: Math.min(result.confidence, 0.49),
      citations: [],
      passages: shown(result.hits),
      nearest: chapters,
      understood: typed,
    };
  };

  const answerWith = (
    kind: AnswerKind,
    composed: Composed,
    { result, query }: Found,
    first: readonly Source[],
    confidence: number,
  ): Answer => ({
    kind,
    ...composed,
    abstained: false,
    confidence,
    passages: shown(result.hits, first),
    nearest: [],
    understood: query,
  });

  const findSide = async (name: string): Promise<Side | undefined> => {
    const concept = concepts.named(name);
    const { covered, hits } = await search.search(name, 1);
    const source =
      (concept && readSource(concept.chapterId, concept.sectionId)) ??
      (covered && hits[0] ? sourceOf(hits[0]) : undefined);
    const glossary = concept?.definition && readSource('glossary', concept.definition.sectionId);
    if (!source) return undefined;
    return {
      name,
      title: titleOf(name, concept?.name),
      source,
      definition: glossary && concept.definition ? { place: glossary, sentence: concept.definition } : undefined,
    };
  };

  const compare = async (found: Found): Promise<Answer | undefined> => {
    const names = splitComparison(found.query);
    if (!names) return undefined;
    // "Is 91 % better than 90 %?" and "compare two assistants with judges" put no two things of the guide side by side.
    if (!names.some((name) => concepts.named(name)) || names.some((name) => /\d\s*%|^\d/.test(name))) return undefined;
    const sides = await Promise.all(names.map(findSide));
    const known = sides.flatMap((side) => side ?? []);
    const unknown = names.filter((_, index) => sides[index] === undefined);
    if (known.length === 0 || (known.length < 2 && unknown.length === 0)) return undefined;
    // What the guide does not have at all is refused, not compared with what it has.
    if (known.length === 1 && !names.some((name) => concepts.named(name) && name === known[0]?.name)) return undefined;
    const overlap = overlapWith(found.query);
    const best = found.result.hits.slice(0, 3).flatMap((hit) => sourceOf(hit) ?? []);
    const speaksOfAll = (source: Source) => {
      const text = `${source.sectionTitle}\n${source.parts.map(({ block }) => block.prose).join('\n')}`;
      return known.every(({ name, title }) => mentions(text, name, title));
    };
    const whole = found.result.covered ? best.find(speaksOfAll) : undefined;
    const nearby = found.result.hits.slice(0, 8).flatMap((hit) => sourceOf(hit) ?? []);
    const pieces = compareSides(known, whole, unknown, nearby, overlap);
    const first = [...(whole ? [whole] : []), ...known.map(({ source }) => source)];
    return answerWith('comparison', assemble(pieces), found, first, Math.max(found.result.confidence, 0.6));
  };

  const correct = (misconception: Misconception, meant: string, found: Found, level: Level): Answer | undefined => {
    const source = readSource(misconception.chapterId, misconception.sectionId);
    if (!source) return undefined;
    const { denial, quote } = misconception;
    const sentence = source.parts.flatMap(({ sentences }) => sentences).find(({ prose }) => prose === quote);
    const place = source;
    const head: Piece = {
      // Who asks whether it is so has claimed nothing.
      text: asksWhether.test(meant) ? denial : `**Not quite.** ${denial}`,
      claims: [{ text: denial, place, quote: sentence?.prose ?? '' }],
    };
    const said = sentence ? [quotePiece(source, [sentence])] : [];
    const opening = openingOf(source, 420);
    const rest = opening?.sentences.filter(({ prose }) => prose !== quote) ?? [];
    // Each is cited by itself: what the correction took out of the middle is missing between them.
    const more = level === 'eli5' ? [] : joinPieces(rest.map((told) => quotePiece(source, [told])));
    return answerWith('correction', assemble([head, ...said, ...more]), found, [source], matchedConfidence);
  };

  const showSum = ({ result, working, note, section }: Calculation, found: Found): Answer | undefined => {
    const source = sourceAt(section);
    const opening = source && openingOf(source, 200);
    if (!source || !opening) return undefined;
    const formula = quotePiece(source, opening.sentences.slice(0, 1));
    const quote = formula.claims[0]?.quote ?? '';
    const pieces: Piece[] = [
      { text: result, claims: [{ text: result, place: source, quote }] },
      { text: `\`\`\`text\n${working.join('\n')}\n\`\`\``, claims: [] },
      ...(note === undefined ? [] : [pointerPiece(note)]),
      formula,
    ];
    return answerWith('sum', assemble(pieces), found, [source], matchedConfidence);
  };

  const askForNumbers = ({ what, missing, example, section }: MissingNumbers, found: Found): Answer | undefined => {
    const source = sourceAt(section);
    const opening = source && openingOf(source, 300);
    if (!source || !opening) return undefined;
    const pieces = [
      pointerPiece(`To compute ${what} I still need **${missing.join('** and **')}**. For example: \`${example}\``),
      quotePiece(source, opening.sentences.slice(0, 2)),
    ];
    return answerWith('sum', assemble(pieces), found, [source], matchedConfidence);
  };

  const sum = (outcome: Outcome, found: Found) =>
    outcome.kind === 'computed' ? showSum(outcome.calculation, found) : askForNumbers(outcome.needs, found);

  return {
    ask: async (question, turns, options: AskOptions = {}) => {
      checkLength(question, 'question');
      const smallTalk = answerSmallTalk(question);
      if (smallTalk !== undefined) return talk(smallTalk, question);
      const reading = readInThread(question, turns, concepts);
      const level = reading.level ?? levelAsked(question) ?? options.level ?? 'student';
      const alone = compute(question);
      // "And with fn = 20?" lacks numbers by itself that the sum before it had.
      const again = reading.follows && alone?.kind !== 'computed' ? computeAgain(reading.follows, question) : undefined;
      const outcome = again ?? alone;
      const meant = reading.candidates[0] ?? question;
      const misconception = outcome ? undefined : findMisconception(meant, question);
      const found = await findReading(reading, question);
      const special = outcome
        ? sum(outcome, found)
        : misconception
          ? correct(misconception, meant, found, level)
          : ((await compare({ ...found, query: meant })) ?? (await compare(found)));
      if (special) return special;
      // "Does it matter?" may hold no word of the guide: then what was answered before still is what it leans on.
      const before =
        !found.result.covered && reading.leans && reading.follows ? await findQuestion(reading.follows) : found;
      const { hits, covered } = before.result;
      const best = hits[0] && sourceOf(hits[0]);
      if (!covered || !best || isErrand(meant)) return abstain(found.result, question);
      const nearby = hits.slice(1, 6).flatMap((hit) => sourceOf(hit) ?? []);
      // "In code?" asks in its own words of what the question before was about.
      const words = reading.sameSubject ? `${question} ${found.query}` : found.query;
      if (isAbsolute(meant)) {
        const composed = qualify(words, best, overlapWith(words), level);
        return answerWith('correction', composed, before, [], before.result.confidence);
      }
      const composed = composeAnswer(words, best, overlapWith(found.query), { level, nearby });
      return answerWith('explanation', composed, before, [], before.result.confidence);
    },

    explain: async (concept, { level = 'student' }: AskOptions = {}) => {
      checkLength(concept, 'concept');
      const named = findNamedSection(guide, concept);
      const result = await search.search(concept, hitsRead);
      const hit = result.covered ? result.hits[0] : undefined;
      const section = named ?? (hit && guide.section(hit.passage.chapterId, hit.passage.sectionId));
      const source = section && readSource(section.chapterId, section.id);
      if (!source) return abstain(result, concept);
      const found = { query: concept, result };
      const confidence = named ? 1 : result.confidence;
      if (level === 'eli5') {
        return answerWith(
          'explanation',
          composeAnswer(concept, source, overlapWith(concept), { level }),
          found,
          [source],
          confidence,
        );
      }
      const related = [...new Set(result.hits.flatMap((other) => sourceOf(other) ?? []))]
        .filter((other) => other !== source)
        .slice(0, 3);
      const relatedLine =
        related.length === 0 ? '' : `\n\n**Related:** ${related.map(({ sectionTitle }) => sectionTitle).join(' · ')}`;
      const { markdown, quote } = trimSection(source, longestExplanation - relatedLine.length);
      const composed = {
        markdown: `### ${source.sectionTitle}\n\n${markdown}${relatedLine}`,
        citations: [{ chapterId: source.chapterId, sectionId: source.sectionId, title: source.title, quote }],
        sentences: [{ text: markdown, citation: 0 }],
      };
      return answerWith('explanation', composed, found, [source], confidence);
    },
  };
}

const asksWhether = /^\W*(?:is|are|does|do|should|can|could|will|would|must|has|have)\b/i;

const levelWords: readonly (readonly [RegExp, Level])[] = [
  [
    /\beli5\b|like i'?m (?:a )?(?:five|5|child|kid)|\b(?:for|to) (?:a|my) (?:child|kid|grandma|grandmother|5 year old|five year old)\b|in (?:very )?simple (?:words|terms)|in layman'?s? terms/i,
    'eli5',
  ],
  [
    /\b(?:for (?:an? )?experts?|in (?:full )?depth|in (?:full )?detail|advanced level|phd level|with (?:the )?(?:math|maths|derivation|proof))\b/i,
    'expert',
  ],
];

/** The level that the question itself asks for. */
function levelAsked(question: string): Level | undefined {
  return levelWords.find(([pattern]) => pattern.test(question))?.[1];
}

/** The guide's name of a side, with the person's word where that is an abbreviation of it. */
function titleOf(name: string, known: string | undefined): string {
  const asked = name.replace(/^\s*(?:a|an|the)\s+/i, '').trim();
  if (known === undefined || known.toLowerCase() === asked.toLowerCase())
    return known ?? asked.replace(/[`*_|[\]<>]/g, '');
  return known;
}

function checkLength(text: string, what: string): void {
  if (text.trim() === '')
    throw new UserError(`The ${what} is empty.`, 'Type a few words, such as: what is overfitting?');
  if (text.length <= longestQuestion) return;
  throw new UserError(
    `The ${what} has ${text.length.toLocaleString('en-US')} characters; at most ${longestQuestion.toLocaleString('en-US')} can be read.`,
    'Ask the heart of it in a few sentences.',
  );
}

function talk(markdown: string, question: string): Answer {
  return {
    kind: 'talk',
    markdown,
    sentences: [],
    abstained: false,
    confidence: 1,
    citations: [],
    passages: [],
    nearest: [],
    understood: question,
  };
}

/** A chapter by id or title is explained by its overview; a section by `chapter#section`, or by an id or title of its own. */
function findNamedSection(guide: Guide, concept: string): Section | undefined {
  const wanted = concept.trim().toLowerCase();
  const [chapterId = '', sectionId] = wanted.split('#');
  if (sectionId !== undefined) return guide.section(chapterId, sectionId);
  const isNamed = ({ id, title }: { id: string; title: string }) =>
    id === wanted.replaceAll(' ', '-') || title.toLowerCase() === wanted;
  const sections = guide.chapters.flatMap((chapter) => chapter.sections.filter(({ id }) => id !== overviewId));
  const named = sections.filter(isNamed);
  const chapter =
    guide.chapters.find(isNamed) ?? (named.length === 1 ? undefined : findChapter(guide.chapters, wanted));
  // Several chapters have a section called "evaluation": the search knows better which is meant.
  return chapter ? guide.section(chapter.id, overviewId) : named.length === 1 ? named[0] : undefined;
}

/** Whole blocks from the top of the section, as many as fit; the first paragraph is what is quoted. */
function trimSection({ parts }: Source, limit: number): { markdown: string; quote: string } {
  const blocks: string[] = [];
  let length = 0;
  for (const { block, leadIn, heading } of parts) {
    const text = heading ? `${heading.markdown}\n\n${block.markdown}` : block.markdown;
    length += text.length + 2;
    if (blocks.length > 0 && length > limit) {
      // A lead-in without its table would promise what does not come.
      if (leadIn && blocks.at(-1) === leadIn.markdown) blocks.pop();
      break;
    }
    blocks.push(text);
  }
  const quoted = parts.find(({ sentences }) => sentences.length > 0);
  const quote = quoted?.sentences.map(({ prose }) => prose).join(quoted.block.kind === 'list' ? '\n' : ' ');
  return { markdown: blocks.join('\n\n'), quote: quote ?? parts[0]?.block.prose ?? '' };
}
