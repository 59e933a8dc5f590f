// Finds passages of a group's own documents: by words (BM25+) and by meaning, joined by rank. Each document is a shelf of
// its own, so that adding or removing one leaves the others as they are. Typed arrays, so that 100,000 passages are quick.
import { createHash } from 'node:crypto';
import { cutWindows } from '../chunk/windows.ts';
import { memoryFolder } from '../memory.ts';
import type { Embedder } from '../types.ts';
import { createAnalyser } from './analyse.ts';
import { type GuideText, splitTerms } from './analysis.ts';
import { fuseRankings } from './fuse.ts';
import { loadAnalysis } from './remembered.ts';
import { createSpelling } from './spelling.ts';
import { stem } from './stem.ts';
import { createSynonyms } from './synonyms.ts';
import { createSignedVectors, nearestBySigns, type SignedVectors } from './vectors/signs.ts';

/** What is worked out once from a passage, and kept beside it. */
export interface PreparedPassage {
  /** Joined by spaces, with repeats. */
  readonly terms: string;
  readonly vector: Float32Array;
}

interface Posting {
  /** Places of passages, and how often each holds the term. */
  readonly at: Uint32Array;
  readonly times: Uint8Array;
}

/** The passages of one document, indexed. */
export interface Shelf {
  readonly size: number;
  readonly bytes: number;
  readonly postings: ReadonlyMap<string, Posting>;
  /** In terms. */
  readonly lengths: Uint16Array;
  readonly termCount: number;
  readonly vectors: SignedVectors;
}

interface MaterialHit {
  /** Which of the shelves, and which passage of it, from 0. */
  readonly shelf: number;
  readonly at: number;
  readonly score: number;
}

/** How well a text fits a question. */
export interface Fit {
  /** Share of the question's terms, by rarity, that it holds. */
  readonly coverage: number;
  /** Cosine of the question and the nearest sentence or two of the text. */
  readonly similarity: number;
  /** The sentence or two that fit best, by words and meaning, from the first that holds a word of the question. */
  readonly window: string;
  /** Share of the terms that these and the first line hold: words far apart in a long text say little. */
  readonly close: number;
}

export interface MaterialSearch {
  /** Passages prepared by another version must be prepared again. */
  readonly version: string;
  prepare(passages: readonly { readonly title: string; readonly text: string }[]): Promise<readonly PreparedPassage[]>;
  shelve(passages: readonly PreparedPassage[]): Promise<Shelf>;
  find(query: string, shelves: readonly Shelf[], limit: number): Promise<readonly MaterialHit[]>;
  /** @param shelves decide how rare a word is. */
  fit(query: string, texts: readonly string[], shelves: readonly Shelf[]): Promise<readonly Fit[]>;
}

interface Reading {
  readonly held: ReadonlySet<string>;
  windows: Promise<{ readonly windows: readonly string[]; readonly vectors: readonly Float32Array[] }> | undefined;
}

/** BM25+'s saturation, length normalisation and floor (Lv and Zhai 2011). */
const [k1, b, delta] = [1.2, 0.7, 0.5];
const depth = 50;
/** Vectors whose signs are nearest to the question's. */
const comparedExactly = 3000;
const readClosely = 4;
const readingsKept = 2000;
const preparedAtOnce = 16;
const shelvedAtOnce = 500;

export async function createMaterialSearch({
  guide,
  embedder,
  memory = memoryFolder,
}: {
  readonly guide: GuideText;
  readonly embedder: Embedder;
  readonly memory?: string;
}): Promise<MaterialSearch> {
  const analysis = await loadAnalysis(guide, memory);
  const synonyms = createSynonyms(analysis.synonyms);
  const spelling = createSpelling(new Map(Object.entries(analysis.wordCounts)));
  const documents = createAnalyser(synonyms, spelling);
  const version = createHash('sha256')
    .update(`1 ${embedder.id} ${JSON.stringify(analysis.synonyms)}`)
    .digest('hex')
    .slice(0, 16);

  /** A word that stands in the documents is no typo, however near it is to one of the guide's. */
  const readTerms = (query: string, shelves: readonly Shelf[]) => {
    const isThere = (word: string) => shelves.some(({ postings }) => postings.has(stem(word)));
    const analyser = createAnalyser(synonyms, {
      knows: (word) => spelling.knows(word) || isThere(word),
      correct: spelling.correct,
    });
    return analyser.queryTerms(query).map(({ term }) => term);
  };
  let lastRead: { query: string; shelves: readonly Shelf[]; terms: readonly string[] } | undefined;
  /** What is found is then fitted, by the same question. */
  const termsOf = (query: string, shelves: readonly Shelf[]): readonly string[] => {
    const isSame =
      lastRead?.query === query &&
      lastRead.shelves.length === shelves.length &&
      shelves.every((shelf, index) => shelf === lastRead?.shelves[index]);
    if (!isSame || !lastRead) lastRead = { query, shelves, terms: readTerms(query, shelves) };
    return lastRead.terms;
  };

  const readings = new Map<string, Reading>();
  /** What was read once is likely asked about again. */
  const reading = (text: string): Reading => {
    const known = readings.get(text);
    if (known) return known;
    if (readings.size >= readingsKept) readings.clear();
    const fresh: Reading = { held: new Set(documents.documentTerms(text)), windows: undefined };
    readings.set(text, fresh);
    return fresh;
  };
  const readWindows = (text: string) => {
    const held = reading(text);
    held.windows ??= (async () => {
      const cut = cutWindows(text);
      const windows = cut.length === 0 ? [text] : cut;
      return { windows, vectors: await embedder.embed(windows) };
    })();
    return held.windows;
  };

  return {
    version,
    async prepare(passages) {
      const prepared: PreparedPassage[] = [];
      for (let start = 0; start < passages.length; start += preparedAtOnce) {
        const chosen = passages.slice(start, start + preparedAtOnce);
        // Whoever else this process serves must not wait for the whole.
        await new Promise((resolve) => setImmediate(resolve));
        const vectors = await embedder.embed(chosen.map(({ title, text }) => `${title}. ${text}`.slice(0, 600)));
        for (const [index, { title, text }] of chosen.entries()) {
          const terms = [...documents.documentTerms(title), ...documents.documentTerms(text)].join(' ');
          prepared.push({ terms, vector: vectors[index] ?? new Float32Array(embedder.dimensions) });
        }
      }
      return prepared;
    },
    shelve: (passages) => shelve(passages, embedder.dimensions),
    async find(query, shelves, limit) {
      const terms = termsOf(query, shelves);
      const byWords = rankByWords(terms, shelves);
      const [vector] = await embedder.embed([query]);
      const byMeaning = vector ? rankByMeaning(vector, shelves) : [];
      return fuseRankings([byWords, byMeaning])
        .slice(0, limit)
        .map(({ id, score }) => {
          const [shelf = 0, at = 0] = id.split('/').map(Number);
          return { shelf, at, score };
        });
    },
    async fit(query, texts, shelves) {
      const terms = termsOf(query, shelves);
      const rarity = measureRarity(shelves);
      const mass = (held: readonly string[]) => held.reduce((sum, term) => sum + rarity(term), 0);
      const total = mass(terms);
      const coverages = texts.map((text) => {
        const { held } = reading(text);
        return total === 0 ? 0 : mass(terms.filter((term) => held.has(term))) / total;
      });
      const [asked] = await embedder.embed([query]);
      // Sentences are embedded for what may be the best only: they are what an answer spends its time on.
      const read = [...texts.keys()].sort((a, b) => (coverages[b] ?? 0) - (coverages[a] ?? 0)).slice(0, readClosely);
      return Promise.all(
        texts.map(async (text, at) => {
          const coverage = coverages[at] ?? 0;
          if (!asked || !read.includes(at)) return { coverage, similarity: 0, window: text, close: 0 };
          const { windows, vectors } = await readWindows(text);
          const heading = text.slice(0, Math.max(0, text.indexOf('\n')));
          const shareOf = (words: string) => {
            const held = new Set(documents.documentTerms(words));
            return total === 0 ? 0 : mass(terms.filter((term) => held.has(term))) / total;
          };
          const fits = windows.map((window, index) => {
            const vector = vectors[index];
            return { window, similarity: vector ? dot(asked, vector) : 0, close: shareOf(`${heading}\n${window}`) };
          });
          const similarity = Math.max(...fits.map((one) => one.similarity));
          const [best] = fits.sort((one, other) => fitOf(other) - fitOf(one));
          return { coverage, similarity, window: fromFirst(best?.window ?? text, shareOf), close: best?.close ?? 0 };
        }),
      );
    },
  };
}

const fitOf = ({ similarity, close }: Pick<Fit, 'similarity' | 'close'>) => similarity + close;

/** Without the sentences before the first that holds a word of what is asked. */
function fromFirst(window: string, shareOf: (words: string) => number): string {
  const sentences = window.split(/(?<=[.!?])\s+/);
  const first = sentences.findIndex((sentence) => shareOf(sentence) > 0);
  return sentences.slice(Math.max(0, first)).join(' ');
}

async function shelve(passages: readonly PreparedPassage[], dimensions: number): Promise<Shelf> {
  const found = new Map<string, { at: number[]; times: number[] }>();
  const lengths = new Uint16Array(passages.length);
  const data = new Float32Array(passages.length * dimensions);
  for (const [at, { terms, vector }] of passages.entries()) {
    if (at % shelvedAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    const words = splitTerms(terms);
    lengths[at] = Math.min(words.length, 65_535);
    data.set(vector.subarray(0, dimensions), at * dimensions);
    for (const term of words) {
      const entry = found.get(term) ?? { at: [], times: [] };
      if (entry.at.length === 0) found.set(term, entry);
      if (entry.at.at(-1) === at) entry.times[entry.times.length - 1] = Math.min(255, (entry.times.at(-1) ?? 0) + 1);
      else {
        entry.at.push(at);
        entry.times.push(1);
      }
    }
  }
  const postings = new Map(
    [...found].map(([term, { at, times }]) => [term, { at: Uint32Array.from(at), times: Uint8Array.from(times) }]),
  );
  let bytes = data.byteLength + lengths.byteLength;
  for (const { at } of postings.values()) bytes += at.length * 5 + 120;
  return {
    size: passages.length,
    bytes,
    postings,
    lengths,
    termCount: lengths.reduce((sum, length) => sum + length, 0),
    vectors: createSignedVectors({ dimensions, data }),
  };
}

/** BM25's inverse document frequency over all passages of the shelves; a word of none counts as one of two. */
function measureRarity(shelves: readonly Shelf[]): (term: string) => number {
  const size = shelves.reduce((sum, shelf) => sum + shelf.size, 0);
  return (term) => {
    const holding = shelves.reduce((sum, { postings }) => sum + (postings.get(term)?.at.length ?? 0), 0);
    const count = Math.max(Math.min(2, size / 2), holding);
    return Math.log(1 + (Math.max(size, 20) - count + 0.5) / (count + 0.5));
  };
}

/** @returns `shelf/place`, best first. */
function rankByWords(terms: readonly string[], shelves: readonly Shelf[]): string[] {
  const rarity = measureRarity(shelves);
  const size = shelves.reduce((sum, shelf) => sum + shelf.size, 0);
  const average = shelves.reduce((sum, shelf) => sum + shelf.termCount, 0) / Math.max(1, size);
  const best = keepBest();
  for (const [index, { postings, lengths, size: count }] of shelves.entries()) {
    const known = terms.flatMap((term) => {
      const posting = postings.get(term);
      return posting ? [{ posting, weight: rarity(term) }] : [];
    });
    if (known.length === 0) continue;
    const scores = new Float32Array(count);
    for (const { posting, weight } of known) {
      const { at, times } = posting;
      for (let i = 0; i < at.length; i++) {
        const place = at[i] ?? 0;
        const often = times[i] ?? 0;
        const norm = k1 * (1 - b + (b * (lengths[place] ?? 0)) / average);
        scores[place] = (scores[place] ?? 0) + weight * (delta + (often * (k1 + 1)) / (often + norm));
      }
    }
    for (let place = 0; place < count; place++) {
      const score = scores[place] ?? 0;
      if (score > best.least()) best.add({ id: `${index}/${place}`, score });
    }
  }
  return best.ids();
}

function rankByMeaning(vector: Float32Array, shelves: readonly Shelf[]): string[] {
  const best = keepBest();
  const tables = shelves.map(({ vectors }) => vectors);
  for (const { table, at, similarity } of nearestBySigns(vector, tables, comparedExactly)) {
    if (similarity > best.least()) best.add({ id: `${table}/${at}`, score: similarity });
  }
  return best.ids();
}

/** The best few of many, which come one by one. */
function keepBest() {
  let held: { readonly id: string; readonly score: number }[] = [];
  let least = 0;
  const trim = () => {
    held.sort((one, other) => other.score - one.score);
    held = held.slice(0, depth);
    if (held.length === depth) least = held.at(-1)?.score ?? least;
  };
  return {
    least: () => least,
    add(entry: { readonly id: string; readonly score: number }) {
      held.push(entry);
      if (held.length >= 2 * depth) trim();
    },
    ids() {
      trim();
      return held.map(({ id }) => id);
    },
  };
}

function dot(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
}
