// What the tutor answers with: words from the guide, each claim cited, or an honest "not covered".
import {
  type Guide,
  type Hit,
  overviewId,
  type Search,
  type SearchResult,
  type Section,
} from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';
import { splitComparison } from './compare.ts';
import { type Composed, composeAnswer, composeComparison, type Overlap, type Source } from './compose.ts';
import { findChapter, nearestChapters } from './find-chapter.ts';
import { isFollowUp, topicOf } from './follow-up.ts';
import { readSection } from './reading.ts';
import { answerSmallTalk } from './small-talk.ts';

export interface Citation {
  readonly chapterId: string;
  readonly sectionId: string;
  /** `Chapter › Section`. */
  readonly title: string;
  /** The words in the guide that carry the claim. */
  readonly quote: string;
}

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export interface Answer {
  readonly markdown: string;
  readonly abstained: boolean;
  /** From 0 to 1. */
  readonly confidence: number;
  readonly citations: readonly Citation[];
  readonly passages: readonly {
    readonly chapterId: string;
    readonly sectionId: string;
    readonly score: number;
    readonly text: string;
  }[];
  /** Chapters to offer when the guide does not cover the question. */
  readonly nearest: readonly { readonly chapterId: string; readonly title: string }[];
}

export interface Tutor {
  /**
   * Answers from the guide.
   * @throws UserError when the question is empty or longer than the limit (naming its length).
   */
  ask(question: string, turns: readonly Turn[]): Promise<Answer>;
  /** A whole section or chapter overview for a concept, found by id, title or nearest wording. */
  explain(concept: string): Promise<Answer>;
}

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

interface Found {
  readonly query: string;
  readonly result: SearchResult;
}

export function createTutor({ guide, search }: TutorOptions): Tutor {
  // Reading a section into sentences takes milliseconds, so each is read when it is first needed.
  const sources = new Map<string, Source>();
  const quizzed = new Set(guide.quizItems.map(({ chapterId }) => chapterId));
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

  const findInContext = async (question: string, turns: readonly Turn[]): Promise<Found> => {
    const alone = await findQuestion(question);
    // Without a single hit there was no content word: "can you give an example?"
    const topic = isFollowUp(question) || alone.result.hits.length === 0 ? topicOf(turns) : '';
    if (topic === '') return alone;
    const together = await find(`${topic} ${question}`);
    // "And L1?" names its own topic; "why?" and "how do I fix it?" have none without the question before.
    const namesTopic = alone.result.covered && !/\b(?:it|its|that|this|they|them)\b/i.test(question);
    return namesTopic || !together.result.covered ? alone : together;
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

  const shown = (hits: readonly Hit[]): Answer['passages'] =>
    hits.slice(0, hitsShown).map(({ passage, score }) => ({
      chapterId: passage.chapterId,
      sectionId: passage.sectionId,
      score,
      text: passage.text,
    }));

  const abstain = (result: SearchResult, typed: string): Answer => {
    const chapters = nearest(result, typed);
    const list = chapters.map(({ title }) => `**${title}**`).join(', ');
    return {
      markdown: `The guide does not cover that, and I would rather not guess. The nearest it teaches: ${list}.`,
      abstained: true,
      confidence: result.confidence,
      citations: [],
      passages: shown(result.hits),
      nearest: chapters,
    };
  };

  const compare = async (question: string, whole: Source, overlap: Overlap): Promise<Composed | undefined> => {
    const sides = splitComparison(question);
    if (!sides) return undefined;
    const results = await Promise.all(sides.map((side) => search.search(side, 1)));
    const found = results.flatMap((result) =>
      result.covered ? result.hits.flatMap((hit) => sourceOf(hit) ?? []) : [],
    );
    const different = [...new Set(found)];
    if (different.length === 0) return undefined;
    // The guide itself compares them where the best section speaks of both.
    const text = whole.parts.map(({ block }) => block.prose).join('\n');
    const speaksOfBoth = sides.every((side) => (search.overlap(side, [text])[0] ?? 0) > 0.6);
    if (!speaksOfBoth && different.length < 2) return undefined;
    return composeComparison(question, speaksOfBoth ? whole : undefined, different, overlap);
  };

  return {
    ask: async (question, turns) => {
      checkLength(question, 'question');
      const smallTalk = answerSmallTalk(question);
      if (smallTalk !== undefined) return talk(smallTalk);
      const { query, result } = await findInContext(question, turns);
      const best = result.hits[0] && sourceOf(result.hits[0]);
      if (!result.covered || !best) return abstain(result, question);
      const overlap = overlapWith(query);
      const composed = (await compare(query, best, overlap)) ?? composeAnswer(question, best, overlap);
      return {
        ...composed,
        abstained: false,
        confidence: result.confidence,
        passages: shown(result.hits),
        nearest: [],
      };
    },

    explain: async (concept) => {
      checkLength(concept, 'concept');
      const named = findNamedSection(guide, concept);
      const result = await search.search(concept, hitsRead);
      const hit = result.covered ? result.hits[0] : undefined;
      const section = named ?? (hit && guide.section(hit.passage.chapterId, hit.passage.sectionId));
      const source = section && readSource(section.chapterId, section.id);
      if (!source) return abstain(result, concept);
      const related = [...new Set(result.hits.flatMap((other) => sourceOf(other) ?? []))]
        .filter((other) => other !== source)
        .slice(0, 3);
      const relatedLine =
        related.length === 0 ? '' : `\n\n**Related:** ${related.map(({ sectionTitle }) => sectionTitle).join(' · ')}`;
      const { markdown, quote } = trimSection(source, longestExplanation - relatedLine.length);
      return {
        markdown: `### ${source.sectionTitle}\n\n${markdown}${relatedLine}`,
        abstained: false,
        confidence: named ? 1 : result.confidence,
        citations: [{ chapterId: source.chapterId, sectionId: source.sectionId, title: source.title, quote }],
        passages: shown(result.hits),
        nearest: [],
      };
    },
  };
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

function talk(markdown: string): Answer {
  return { markdown, abstained: false, confidence: 1, citations: [], passages: [], nearest: [] };
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
