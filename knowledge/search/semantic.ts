// Finds sections and passages by meaning: whatever vector of theirs lies nearest to the question speaks for them.
import type { Embedder, NearWindow, Passage } from '../types.ts';
import { type GuideText, keyOf } from './analysis.ts';
import { loadUnits, type Unit } from './units.ts';
import { createVectorIndex, type Neighbour, type VectorIndex, type VectorTable } from './vectors/vector-index.ts';
import { embedTexts } from './vectors/vector-store.ts';

export interface SemanticResult {
  /** Passage ids, best first. */
  readonly ranking: readonly { readonly id: string; readonly score: number }[];
  /** Of each section near enough, by its key. */
  readonly sections: ReadonlyMap<string, SectionLikeness>;
  /** Likeness to the nearest question that the guide does not answer. */
  readonly outside: number;
  /** Of each section, its share among the nearest few; the rest is of what the guide leaves out. */
  readonly votes: ReadonlyMap<string, number>;
}

/** Likeness of the question to the nearest of its kind: about 0 for chance, about 1 for another wording of the same. */
interface SectionLikeness {
  /** To a title or a learners' wording. */
  readonly wording: number;
  readonly text: number;
  /** Of its text, the nearest first. */
  readonly near: readonly NearWindow[];
}

export interface SemanticIndex {
  /** @param wordings of one question, such as as it was typed and with its typos mended: the nearer one counts. */
  find(wordings: readonly string[]): Promise<SemanticResult>;
  readonly vectors: number;
  readonly bytes: number;
  readonly kind: VectorIndex['kind'];
}

export interface SemanticOptions {
  readonly guide: GuideText;
  readonly embedder: Embedder;
  /** Where vectors are kept; undefined: nowhere. */
  readonly folder: string | undefined;
  /** What gets a vector; the guide's own and those beside it, unless given. */
  readonly units?: readonly Unit[];
}

/** Vectors looked at for one question. */
const depth = 200;
/** Of these, the nearest vote for their sections. */
const voters = 10;
const sampleSize = 400;

export async function createSemanticIndex(options: SemanticOptions): Promise<SemanticIndex> {
  const { guide, embedder, folder } = options;
  const units = options.units ?? (await loadUnits(guide, folder));
  const table = await embedTexts(
    units.map(({ text }) => text),
    { folder, name: 'guide', embedder },
  );
  const index = await createVectorIndex(table);
  const passagesOf = groupPassages(guide);
  const rescale = measureScale(units, table);
  return {
    vectors: index.size,
    bytes: index.bytes,
    kind: index.kind,
    find: async (wordings) => {
      const vectors = await embedder.embed([...wordings]);
      const neighbours = nearestOf(vectors.map((vector) => index.nearest(vector, depth)));
      const sections = new Map<string, SectionLikeness>();
      const passages = new Map<string, number>();
      const votes = new Map<string, number>();
      let outside = 0;
      let voted = 0;
      for (const { at, similarity: cosine } of neighbours) {
        const unit = units[at];
        if (!unit) continue;
        const similarity = rescale(cosine);
        if (voted < voters) {
          voted += 1;
          if (unit.section !== undefined) votes.set(unit.section, (votes.get(unit.section) ?? 0) + 1 / voters);
        }
        if (unit.section === undefined) {
          outside = Math.max(outside, similarity);
          continue;
        }
        const { wording, text, near } = sections.get(unit.section) ?? { wording: 0, text: 0, near: [] };
        const speaks = unit.passage === undefined;
        sections.set(unit.section, {
          wording: speaks ? Math.max(wording, similarity) : wording,
          text: speaks ? text : Math.max(text, similarity),
          near: speaks ? near : [...near, { text: unit.text, similarity }],
        });
        if (unit.passage !== undefined) {
          passages.set(unit.passage, Math.max(passages.get(unit.passage) ?? 0, similarity));
        }
      }
      const ranking = [...sections].flatMap(([key, { wording, text }]) =>
        (passagesOf.get(key) ?? []).map(({ id }, place) => {
          // Within a section its nearest passage comes first; without one, the order of reading.
          const own = passages.get(id) ?? 0;
          return { id, score: Math.max(wording, text) + 0.01 * own - 0.001 * place };
        }),
      );
      return { ranking: ranking.sort((a, b) => b.score - a.score), sections, outside, votes };
    },
  };
}

/** Of several lists of neighbours one, best first. */
function nearestOf(lists: readonly (readonly Neighbour[])[]): readonly Neighbour[] {
  if (lists.length < 2) return lists[0] ?? [];
  const best = new Map<number, Neighbour>();
  for (const neighbour of lists.flat()) {
    const known = best.get(neighbour.at);
    if (!known || known.similarity < neighbour.similarity) best.set(neighbour.at, neighbour);
  }
  return [...best.values()].sort((a, b) => b.similarity - a.similarity).slice(0, depth);
}

function groupPassages({ passages }: GuideText): Map<string, Passage[]> {
  const groups = new Map<string, Passage[]>();
  for (const passage of passages) groups.set(keyOf(passage), [...(groups.get(keyOf(passage)) ?? []), passage]);
  return groups;
}

/** Cosines of one embedder mean something else than another's: chance becomes 0, two wordings of one section become 1. */
function measureScale(units: readonly Unit[], { data, dimensions }: VectorTable): (cosine: number) => number {
  const cosine = (a: number, b: number) => {
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += (data[a * dimensions + i] ?? 0) * (data[b * dimensions + i] ?? 0);
    return sum;
  };
  const sections = new Map<string, number[]>();
  for (const [at, { section, passage }] of units.entries()) {
    if (passage === undefined && section !== undefined) sections.set(section, [...(sections.get(section) ?? []), at]);
  }
  const alike: number[] = [];
  const apart: number[] = [];
  const stride = Math.max(1, Math.floor(units.length / sampleSize));
  for (let at = 0; at < units.length; at += stride) {
    const unit = units[at];
    if (unit?.section === undefined) continue;
    apart.push(cosine(at, (at + Math.floor(units.length / 2)) % units.length));
    const others = (sections.get(unit.section) ?? []).filter((other) => other !== at);
    if (unit.passage === undefined && others.length > 0)
      alike.push(Math.max(...others.map((other) => cosine(at, other))));
  }
  const [low, high] = [median(apart), median(alike)];
  return high - low < 0.01 ? (value) => value : (value) => (value - low) / (high - low);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
