// A question that compares: its sides are looked up in the guide and put side by side, unless one of them cannot be compared.
import type { Guide, Search } from '../../knowledge/index.ts';
import { splitComparison } from './compare.ts';
import { compareSides, mentions, type Side } from './comparison.ts';
import type { Concepts } from './concepts.ts';
import { assemble, type Composed, type Source } from './draft.ts';
import type { Found } from './find.ts';
import type { Overlap } from './run.ts';
import { createFindSideBySide } from './side-by-side.ts';
import type { Sources } from './sources.ts';

interface Compared {
  readonly composed: Composed;
  /** What it rests on. */
  readonly first: readonly Source[];
}

/** @returns undefined for a question that puts no two things of the guide side by side. */
export type Compare = (found: Found) => Promise<Compared | undefined>;

export function createCompare(
  guide: Guide,
  search: Search,
  concepts: Concepts,
  sources: Sources,
  overlapWith: (query: string) => Overlap,
): Compare {
  const findTable = createFindSideBySide(guide, sources);
  /** @param head of its column in a table of the guide, which stands in `tabled`. */
  const findSide = async (name: string, tabled?: Source, head?: string): Promise<Side | undefined> => {
    const concept = concepts.named(name);
    const { covered, hits } = await search.search(name, 1);
    const source =
      (concept && sources.read(concept.chapterId, concept.sectionId)) ??
      tabled ??
      (covered && hits[0] ? sources.of(hits[0]) : undefined);
    const glossary = concept?.definition && sources.read('glossary', concept.definition.sectionId);
    if (!source) return undefined;
    return {
      name,
      title: head ?? titleOf(name, concept?.name),
      source,
      definition: glossary && concept.definition ? { place: glossary, sentence: concept.definition } : undefined,
    };
  };

  return async ({ query, result }) => {
    const names = splitComparison(query)?.map(concepts.spelt);
    if (!names) return undefined;
    const tabled = findTable(names.map((name) => ({ name, title: concepts.named(name)?.name ?? name })));
    // "Is 91 % better than 90 %?" and "compare two assistants with judges" put no two things of the guide side by side.
    if (!(tabled || names.some((name) => concepts.named(name))) || names.some((name) => /\d\s*%|^\d/.test(name)))
      return undefined;
    const sides = await Promise.all(names.map((name, index) => findSide(name, tabled?.source, tabled?.heads[index])));
    const known = sides.flatMap((side) => side ?? []);
    const unknown = names.filter((_, index) => sides[index] === undefined);
    if (known.length === 0 || (known.length < 2 && unknown.length === 0)) return undefined;
    // Two names of one thing are told what it is.
    if (new Set(known.map(({ title }) => title)).size < known.length) return undefined;
    // What the guide does not have at all is refused, not compared with what it has.
    if (known.length === 1 && !names.some((name) => concepts.named(name) && name === known[0]?.name)) return undefined;
    const best = result.hits.slice(0, 3).flatMap((hit) => sources.of(hit) ?? []);
    const speaksOfAll = (source: Source) => {
      const text = `${source.sectionTitle}\n${source.parts.map(({ block }) => block.prose).join('\n')}`;
      return known.every(({ name, title }) => mentions(text, name, title));
    };
    const whole = tabled?.source ?? (result.covered ? best.find(speaksOfAll) : undefined);
    const nearby = result.hits.slice(0, 8).flatMap((hit) => sources.of(hit) ?? []);
    const pieces = compareSides(known, whole, unknown, nearby, overlapWith(query));
    return { composed: assemble(pieces), first: [...(whole ? [whole] : []), ...known.map(({ source }) => source)] };
  };
}

/** The guide's name of a side; as asked where the guide has no entry for it. */
function titleOf(name: string, known: string | undefined): string {
  return (
    known ??
    name
      .replace(/^\s*(?:a|an|the)\s+/i, '')
      .trim()
      .replace(/[`*_|[\]<>]/g, '')
  );
}
