// The words of the knowledge folder: a guide has chapters, a chapter has sections, a section is cut into passages.
import type { Formula } from './formulas/written.ts';

export interface Chapter {
  readonly id: string;
  readonly title: string;
  readonly phase: string;
  readonly objectives: readonly string[];
  readonly prerequisites: readonly string[];
  readonly minutes: number;
  readonly sources: readonly string[];
  readonly sections: readonly Section[];
}

/** One `##` heading and what stands below it (`overview`: what stands above the first). `id` is stable: citations and links depend on it. */
export interface Section {
  readonly id: string;
  readonly chapterId: string;
  readonly title: string;
  readonly markdown: string;
  /** How learners ask for this section, in their words; indexed beside the text. */
  readonly asks: readonly string[];
  /** What to read beside it, where its text does not lead there by itself: no words of it, so it is not searched. */
  readonly related?: readonly SectionPlace[];
  /** Drawings that stand in it, in their order. */
  readonly pictures?: readonly SectionPicture[];
}

interface SectionPlace {
  readonly chapterId: string;
  readonly sectionId: string;
}

interface SectionPicture {
  /** Of a diagram of the guide. */
  readonly name: string;
  /** What it shows, in words, for those who cannot see it. */
  readonly alt: string;
}

/** A drawing of ours: `diagrams/<name>.svg` of the guide's folder. */
export interface Diagram {
  readonly name: string;
  readonly svg: string;
}

/** The unit that is found and cited: a few paragraphs of one section, with its headings as context. */
export interface Passage {
  /** `chapter#section` or `chapter#section/2` for later passages of a long section. */
  readonly id: string;
  readonly chapterId: string;
  readonly sectionId: string;
  /** `Chapter title › Section title`. */
  readonly title: string;
  readonly markdown: string;
  /** The same as plain prose, for indexing and quoting. */
  readonly text: string;
}

/** A part of the roadmap. `id` is that of the section in the chapter `roadmap` that tells of it. */
export interface Phase {
  readonly id: string;
  readonly title: string;
  /** Reading, quizzes and building. */
  readonly hours: number;
  /** Ids of the phases it builds on. */
  readonly needs: readonly string[];
  /** Ids, in the order to read them. */
  readonly chapters: readonly string[];
  /** The piece of work that belongs to it. */
  readonly build: string;
  /** What one can do after it: "read any result critically". */
  readonly afterwards: string;
}

/** Everything that is taught, loaded and checked. */
export interface Guide {
  readonly chapters: readonly Chapter[];
  readonly passages: readonly Passage[];
  readonly quizItems: readonly QuizItem[];
  readonly misconceptions?: readonly Misconception[];
  readonly facts?: readonly Fact[];
  readonly diagrams?: readonly Diagram[];
  readonly formulas?: readonly Formula[];
  /** The way through the chapters, in order. */
  readonly phases?: readonly Phase[];
  /** Of all the files the shipped guide was read from; what is worked out from it is remembered by this. */
  readonly hash?: string;
  chapter(chapterId: string): Chapter | undefined;
  section(chapterId: string, sectionId: string): Section | undefined;
}

/** A sentence or two of a section. */
export interface NearWindow {
  readonly text: string;
  /** About 0 for chance, about 1 for another wording of the same. */
  readonly similarity: number;
}

export interface Hit {
  readonly passage: Passage;
  /** Comparable only within one search. */
  readonly score: number;
  /** What of its section lies nearest to the question in meaning, the nearest first; may be empty. */
  readonly near?: readonly NearWindow[];
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** From 0 to 1: how sure it is that the guide covers the question. Below the calibrated threshold, abstain. */
  readonly confidence: number;
  readonly covered: boolean;
}

export interface Search {
  search(query: string, limit: number): Promise<SearchResult>;
  /** For each text, the share (0 to 1, by rarity) of the query's terms that it holds; 0 for a query without any. */
  overlap(query: string, texts: readonly string[]): readonly number[];
  /** The terms of a text, typos mended, in order, each with how rare it is in the guide. */
  weigh(text: string): readonly { readonly term: string; readonly weight: number }[];
}

/** The vector index of a search: how many, how much memory, and whether its answers are exact. */
interface IndexSize {
  readonly vectors: number;
  readonly bytes: number;
  readonly kind: 'exact' | 'hnsw';
}

/** The search of the guide, which knows its own size. */
export interface GuideSearch extends Search {
  /** Waits until all is indexed. */
  measure(): Promise<IndexSize>;
}

/** Reads a question and a passage together and says how well they fit; slower and finer than vectors. */
export interface Reranker {
  readonly id: string;
  /** @returns one score for each passage, comparable within one call; higher fits better. */
  score(query: string, passages: readonly string[]): Promise<readonly number[]>;
}

/** Turns texts into unit vectors. One ships with the project; any other may be passed in. */
export interface Embedder {
  /** Vectors are kept under it: another model must have another id. */
  readonly id: string;
  readonly dimensions: number;
  /** @returns one unit vector of length `dimensions` for each text. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
}

interface QuizChoice {
  readonly id: string;
  readonly text: string;
  /** For the right choice: why it is right. For a wrong one: the specific correction. */
  readonly feedback: string;
}

export interface QuizItem {
  readonly id: string;
  readonly chapterId: string;
  readonly sectionId: string;
  readonly question: string;
  readonly choices: readonly QuizChoice[];
  readonly correctChoiceId: string;
  readonly difficulty: 1 | 2 | 3;
}

/** Something people wrongly take for granted, found by its claims; or by patterns, regular expressions on a sentence in lower case. */
export interface Misconception {
  readonly id: string;
  /** The same wrong thing, in the ways people say it. */
  readonly claims: readonly string[];
  readonly about?: string;
  readonly says?: string;
  /** Where this stands too, something else was said. */
  readonly unless?: string;
  /** The false claim is itself a negation. */
  readonly negated: boolean;
  /** `about` comes before `says`. */
  readonly ordered: boolean;
  /** What is so instead, in one sentence. */
  readonly denial: string;
  readonly chapterId: string;
  readonly sectionId: string;
  /** The guide's own sentence that carries the denial. */
  readonly quote: string;
}

/** What the guide says of one thing. The patterns read a clause in lower case, without apostrophes and punctuation. */
export interface Fact {
  /** As it is called in a sentence: "k-means", "a random forest". */
  readonly of: string;
  readonly names: string;
  /** `usual`: the points speak of more of it, as questions do that say no size; `needed`: only with a size is anything said of it. */
  readonly size: 'none' | 'usual' | 'needed';
  readonly points: readonly FactPoint[];
}

export interface FactPoint {
  /** Wordings of the truth and of its opposite. */
  readonly right?: string;
  readonly wrong?: string;
  /** What is so, in one sentence. */
  readonly so: string;
  readonly chapterId: string;
  readonly sectionId: string;
}
