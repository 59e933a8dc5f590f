// Finds passages by their words (BM25+ over weighted fields), and gathers the evidence that the best one fits.
import MiniSearch from 'minisearch';
import { overviewId } from '../load/link.ts';
import type { QueryTerm } from './analyse.ts';
import { type Analysis, type GuideText, indexOptions, keyOf, openAnalyser, splitTerms } from './analysis.ts';
import type { Evidence } from './confidence.ts';
import { stem, wordsOf } from './stem.ts';
import { toneOf } from './tone.ts';

export interface LexicalResult {
  /** Passage ids, best first. */
  readonly ranking: readonly { readonly id: string; readonly score: number }[];
  readonly evidence: Evidence;
  /** How well one section, by its key, fits the question. */
  evidenceOf(section: string): Evidence | undefined;
  /** Whether one section is asked for in just these words. */
  isExact(section: string): boolean;
  /** It speaks of what the projects are about: cats, lungs, films. */
  readonly namesProject: boolean;
  /** About −1 (sounds like what the guide leaves out) to 1 (like what learners ask). */
  readonly tone: number;
}

export interface LexicalIndex {
  find(query: string): LexicalResult;
  /** For each text, the share (0 to 1, by rarity) of the query's terms that it holds. */
  overlap(query: string, texts: readonly string[]): readonly number[];
  /** Its words, typos mended. */
  mend(text: string): string;
  /** The terms of a text, in order, each with its rarity. */
  weigh(text: string): readonly { readonly term: string; readonly weight: number }[];
}

interface IndexedSection {
  readonly key: string;
  /** Terms of the titles and of the learners' wordings: what the section is about. */
  readonly topic: ReadonlySet<string>;
  readonly body: ReadonlySet<string>;
  /** Each wording, and the titles, as the terms of a question. */
  readonly wordings: readonly { readonly terms: readonly string[]; readonly mass: number }[];
}

/** A passage whose section is asked for in just these words scores up to four times as much. */
const likenessBoost = 3;
/** "What is bagging" meets the section asked for in just this way before the one asked "when not to use bagging". */
const exactBoost = 1.5;
/** Chapters that sum up what others teach: those come first where both answer. */
export const summaries: ReadonlySet<string> = new Set(['cheat-sheet', 'glossary', 'roadmap']);
/** Chapters that use what others teach: those come first unless the question names the work itself. */
export const isProject = (chapterId: string) => chapterId.startsWith('project-');
/** Words of the projects: the share of the sections about them that belong to projects, and how many these are at the least. */
const projectShare = 0.55;
const projectSections = 3;
const summaryWeight = 0.6;
const mendedWeight = 0.8;
const prefixWeight = 0.6;
const bodyOnlyWeight = 0.5;
/** The best passages, one of whose sections must fit the question. */
const passagesJudged = 5;
const textsRemembered = 10_000;

/** Of a question without a content word. */
const noEvidence: Evidence = { coverage: 0, likeness: 0, unknown: 1, terseness: 1, foreign: 1, concepts: 0 };
const nothing: LexicalResult = {
  ranking: [],
  evidence: noEvidence,
  evidenceOf: () => undefined,
  isExact: () => false,
  namesProject: false,
  tone: 0,
};

/** @param guide the one that was analysed. */
export function createLexicalIndex(analysis: Analysis, guide: GuideText): LexicalIndex {
  const analyser = openAnalyser(analysis);
  const rarity = measureRarity(analysis);
  const sections = openSections(analysis, rarity);
  const miniSearch = MiniSearch.loadJS(analysis.passages, indexOptions);
  const asksExactly = createExactMatch(guide);
  const projectTerms = findProjectTerms(analysis);
  const passageOf = new Map(guide.passages.map((passage) => [passage.id, passage]));

  const held = new Map<string, ReadonlySet<string>>();
  /** Sentences of the guide are met again and again. */
  const termsHeld = (text: string): ReadonlySet<string> => {
    const known = held.get(text);
    if (known) return known;
    if (held.size >= textsRemembered) held.clear();
    const terms = new Set(analyser.documentTerms(text));
    held.set(text, terms);
    return terms;
  };

  return {
    mend: (text) => analyser.words(text).join(' '),
    weigh: (text) => analyser.queryTerms(text).map(({ term }) => ({ term, weight: rarity.of(term) })),
    overlap: (query, texts) => {
      const terms = analyser.queryTerms(query).map(({ term }) => term);
      const total = massOf(terms, rarity);
      return texts.map((text) => {
        const held = termsHeld(text);
        const shared = terms.filter((term) => held.has(term));
        return total === 0 ? 0 : massOf(shared, rarity) / total;
      });
    },
    find: (query) => {
      const terms = analyser.queryTerms(query);
      const tone = toneOf(analyser.words(query), analysis.tone);
      if (terms.length === 0) return { ...nothing, tone };
      const isPrefix = (term: string) => !rarity.knows(term) && term.length >= 4 && !term.startsWith('=');
      const results = miniSearch.search(terms.map(({ term }) => term).join(' '), {
        prefix: isPrefix,
        boostTerm: (term) => (terms.find((candidate) => candidate.term === term)?.mended ? mendedWeight : 1),
      });
      const likeness = new Map<string, number>();
      const evidences = new Map<string, Evidence>();
      const ranking = results
        .map((result) => {
          const passage = passageOf.get(String(result.id));
          const section = passage && sections.get(keyOf(passage));
          if (!section) return { id: String(result.id), score: 0 };
          const similar = likeness.get(section.key) ?? likenessOf(terms, section, rarity);
          likeness.set(section.key, similar);
          const weight = summaries.has(passage.chapterId) ? summaryWeight : 1;
          const exact = similar > 0.99 && asksExactly(query, section.key) ? exactBoost : 1;
          return { id: passage.id, score: exact * weight * result.score * (1 + likenessBoost * similar) };
        })
        .sort((a, b) => b.score - a.score);
      const near = ranking.slice(0, passagesJudged).flatMap(({ id }) => {
        const passage = passageOf.get(id);
        return (passage && sections.get(keyOf(passage))) ?? [];
      });
      return {
        ranking,
        evidence:
          strongest([...new Set(near)].map((section) => gatherEvidence(terms, section, rarity))) ??
          gatherEvidence(terms, undefined, rarity),
        evidenceOf: (key) => {
          const section = sections.get(key);
          const evidence = evidences.get(key) ?? (section && gatherEvidence(terms, section, rarity));
          if (evidence) evidences.set(key, evidence);
          return evidence;
        },
        isExact: (key) => asksExactly(query, key),
        namesProject: terms.some(({ term }) => projectTerms.has(term)),
        tone,
      };
    },
  };
}

function openSections(analysis: Analysis, rarity: Rarity): Map<string, IndexedSection> {
  return new Map(
    Object.entries(analysis.sections).map(([key, { topic, body, wordings }]) => [
      key,
      {
        key,
        topic: new Set(splitTerms(topic)),
        body: new Set(splitTerms(body)),
        wordings: wordings.map(splitTerms).map((terms) => ({ terms, mass: massOf(terms, rarity) })),
      },
    ]),
  );
}

function findProjectTerms({ sections }: Analysis): ReadonlySet<string> {
  const counts = new Map<string, { all: number; own: number }>();
  for (const [key, { topic }] of Object.entries(sections)) {
    for (const term of splitTerms(topic)) {
      const { all, own } = counts.get(term) ?? { all: 0, own: 0 };
      counts.set(term, { all: all + 1, own: own + (isProject(key) ? 1 : 0) });
    }
  }
  const ours = [...counts].filter(([, { all, own }]) => own >= projectSections && own / all >= projectShare);
  return new Set(ours.map(([term]) => term));
}

const definitionFrames =
  /^(?:(?:so|hey|please|pls|can you|could you) )*(?:(?:what|wat) (?:is|are)|whats|explain|define|describe|tell me about|meaning of)(?: (?:a|an|the))? | (?:explained|definition|meaning|in simple words|in plain english)$/g;

/** Whether a section's title or one of its wordings is the question, however a definition is asked for. */
function createExactMatch({ chapters }: GuideText): (query: string, key: string) => boolean {
  const bare = (text: string) => wordsOf(wordsOf(text).join(' ').replace(definitionFrames, '')).map(stem).join(' ');
  const sections = new Map(
    chapters.flatMap(({ title, sections }) =>
      sections.map((section) => [
        keyOf({ chapterId: section.chapterId, sectionId: section.id }),
        { ...section, chapterTitle: title },
      ]),
    ),
  );
  const known = new Map<string, ReadonlySet<string>>();
  return (query, key) => {
    const section = sections.get(key);
    if (!section) return false;
    const title = section.id === overviewId ? section.chapterTitle : section.title;
    const wordings = known.get(key) ?? new Set([title, ...section.asks].map(bare));
    known.set(key, wordings);
    return wordings.has(bare(query));
  };
}

interface Rarity {
  knows(term: string): boolean;
  /** Some section is about it: it stands in a title or in a learner's wording. */
  isTopic(term: string): boolean;
  /** BM25's inverse document frequency over sections, from two on: a word of none says no more than a word of two. */
  of(term: string): number;
}

function measureRarity(analysis: Analysis): Rarity {
  const sections = Object.values(analysis.sections);
  const counts = new Map<string, number>();
  const topics = new Set<string>();
  for (const { topic, body } of sections) {
    const terms = splitTerms(topic);
    for (const term of terms) topics.add(term);
    for (const term of new Set([...terms, ...splitTerms(body)])) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  const rarityOf = (count: number) => Math.log(1 + (sections.length - count + 0.5) / (count + 0.5));
  const rarities = new Map(Array.from(counts, ([term, count]) => [term, rarityOf(Math.max(2, count))]));
  const unknown = rarityOf(2);
  return {
    knows: (term) => counts.has(term),
    isTopic: (term) => topics.has(term),
    of: (term) => rarities.get(term) ?? unknown,
  };
}

/** The best Dice overlap, by rarity, of the question with one of the section's wordings. */
function likenessOf(terms: readonly QueryTerm[], section: IndexedSection, rarity: Rarity): number {
  const asked = new Set(terms.map(({ term }) => term));
  const askedMass = massOf([...asked], rarity);
  let best = 0;
  // Thousands of wordings are met for one question: nothing is made for each.
  for (const wording of section.wordings) {
    let shared = 0;
    for (const term of wording.terms) if (asked.has(term)) shared += rarity.of(term);
    const mass = askedMass + wording.mass;
    if (mass > 0) best = Math.max(best, (2 * shared) / mass);
  }
  return best;
}

function gatherEvidence(terms: readonly QueryTerm[], section: IndexedSection | undefined, rarity: Rarity): Evidence {
  const total = massOf(
    terms.map(({ term }) => term),
    rarity,
  );
  const unknown = terms.filter(({ term }) => !rarity.knows(term)).map(({ term }) => term);
  const foreign = terms.filter(({ term }) => !rarity.isTopic(term)).map(({ term }) => term);
  const concepts = terms.filter(({ term }) => term.startsWith('=')).map(({ term }) => term);
  const covered = terms.reduce((sum, { term, mended }) => {
    const weight = section ? weightIn(section, term) : 0;
    return sum + weight * (mended ? mendedWeight : 1) * rarity.of(term);
  }, 0);
  const likeness = section ? likenessOf(terms, section, rarity) : 0;
  return {
    coverage: covered / total,
    likeness,
    unknown: massOf(unknown, rarity) / total,
    terseness: (1 - likeness) / terms.length,
    foreign: massOf(foreign, rarity) / total,
    concepts: massOf(concepts, rarity) / total,
  };
}

function strongest(evidences: readonly Evidence[]): Evidence | undefined {
  return evidences.toSorted((a, b) => b.coverage + b.likeness - a.coverage - a.likeness)[0];
}

function weightIn({ topic, body }: IndexedSection, term: string): number {
  if (topic.has(term)) return 1;
  if (body.has(term)) return bodyOnlyWeight;
  const begins = (candidate: string) => term.length >= 4 && candidate.startsWith(term);
  return [...topic].some(begins) ? prefixWeight : 0;
}

function massOf(terms: readonly string[], rarity: Rarity): number {
  return terms.reduce((sum, term) => sum + rarity.of(term), 0);
}
