// The names the guide gives its concepts: glossary entries with their other names, and short section titles.
import { distance } from 'fastest-levenshtein';
import { cutBlocks, type Guide, type Sentence } from '../../knowledge/index.ts';

interface Concept {
  readonly name: string;
  readonly chapterId: string;
  readonly sectionId: string;
  /** What the glossary says, where it has an entry. */
  readonly definition: Definition | undefined;
}

interface Definition extends Sentence {
  /** The glossary's section. */
  readonly sectionId: string;
}

export interface Concepts {
  /** By name or other name, plural or not. */
  named(name: string): Concept | undefined;
  /** The name of the guide that a misspelt one is nearest to; the name itself where it is known, or near to none or to two. */
  spelt(name: string): string;
  /** All that a text names, in order, the longest names first; words too common to be a topic are left out. */
  namedIn(text: string): readonly NamedConcept[];
}

export interface NamedConcept {
  readonly concept: Concept;
  /** As written in the text. */
  readonly written: string;
}

/** Named everywhere, so that they say nothing about the topic of a question. */
const common = new Set(
  'model models data training train learning algorithm algorithms parameter parameters example examples feature features label labels test prediction loss weight weights error score accuracy task input output layer layers inference ai ml machine learning representation evaluation token tokens run step steps value method class classes batch set dataset data set algorithm rank memory code use noise'.split(
    ' ',
  ),
);
const longestName = 5;
const generic =
  /^(.{2,}?) (?:regression|regulari[sz]ation|penalty|clustering|algorithm|network|networks|classifier|machine|search|encoding|score|tuning|loss|sampling|stopping|optimi[sz]er)$/i;

export function createConcepts(guide: Guide): Concepts {
  const byName = new Map<string, Concept>();
  const written = new Map<string, string>();
  const otherNames: [string, Concept][] = [];
  const shortNames: [string, Concept][] = [];
  const shortOthers: [string, Concept][] = [];
  const add = (name: string, concept: Concept) => {
    const key = keyOf(name);
    if (key.length < 2 || byName.has(key)) return;
    byName.set(key, concept);
    written.set(key, name);
  };
  for (const section of guide.chapters.filter(({ id }) => id === 'glossary').flatMap(({ sections }) => sections)) {
    // "See [title](guide:chapter#section)" at the end of an entry is where it is taught.
    const taught = [...section.markdown.matchAll(/^- \*\*(.+?)\*\*.*\(guide:([\w-]+)#([\w-]+)\)\.?\s*$/gm)];
    const places = new Map(taught.map(([, name, chapterId, sectionId]) => [name, { chapterId, sectionId }]));
    for (const block of cutBlocks(section.markdown)) {
      if (block.kind !== 'list') continue;
      for (const { markdown, prose } of block.sentences) {
        const entry = /^\*\*(.+?)\*\*\s*(?:\(((?:[^()]|\([^()]*\))*)\))?:\s*(.+)$/s.exec(markdown);
        const place = entry?.[1] === undefined ? undefined : places.get(entry[1]);
        if (!entry?.[1] || !entry[3]) continue;
        const concept: Concept = {
          name: entry[1],
          chapterId: place?.chapterId ?? section.chapterId,
          sectionId: place?.sectionId ?? section.id,
          definition: {
            sectionId: section.id,
            markdown: entry[3].replace(/\s*See [^.]*\.\s*$/, ''),
            prose: prose.replace(/^[^:]*(?:\([^)]*\))?[^:]*:\s*/, '').replace(/\s*See [^.]*\.\s*$/, ''),
          },
        };
        const names = [entry[1], ...(entry[2]?.split(/;|,/) ?? [])].map((name) => name.trim());
        add(entry[1].trim(), concept);
        otherNames.push(...names.slice(1).map((name): [string, Concept] => [name, concept]));
        for (const name of names) {
          // "Ridge" is short for ridge regression, "L1" for L1 regularization.
          const short = generic.exec(name)?.[1];
          if (short !== undefined && !common.has(short.toLowerCase())) {
            // An entry's own name goes before another entry's other name.
            (name === entry[1] ? shortNames : shortOthers).push([short, concept]);
          }
        }
      }
    }
  }
  // An entry's own name goes before another's other name, and both before a short one.
  for (const [name, concept] of [...otherNames, ...shortNames, ...shortOthers]) add(name, concept);
  for (const { id, sections } of guide.chapters) {
    for (const section of sections) {
      const concept = { name: section.title, chapterId: id, sectionId: section.id, definition: undefined };
      if (section.id !== 'overview' && section.title.split(/\s+/).length <= 3) add(section.title, concept);
    }
  }
  const named = (name: string) => byName.get(keyOf(withoutArticle(name)));
  return {
    named,
    spelt: (name) =>
      named(name) ? name : (written.get(nearestKey(keyOf(withoutArticle(name)), byName.keys()) ?? '') ?? name),
    namedIn: (text) => {
      const words = [...text.matchAll(/[\p{L}\p{N}²³+]+(?:['’][a-z]+)?/gu)];
      const found: NamedConcept[] = [];
      for (let index = 0; index < words.length; ) {
        let length = Math.min(longestName, words.length - index);
        for (; length > 0; length--) {
          const [first, last] = [words[index], words[index + length - 1]];
          if (!first || !last) continue;
          const written = text.slice(first.index, last.index + last[0].length);
          const concept = common.has(written.toLowerCase()) ? undefined : byName.get(keyOf(written));
          if (!concept) continue;
          found.push({ concept, written });
          break;
        }
        index += Math.max(1, length);
      }
      return found;
    },
  };
}

const withoutArticle = (name: string) => name.replace(/^\s*(?:a|an|the)\s+/i, '');

/** As many slips as a word of that length may have: none below 5 letters, where only two may be swapped. */
const slipsIn = ({ length }: string) => (length < 5 ? 0 : length < 8 ? 1 : 2);

/** @returns undefined where nothing is near enough, or two are equally near to different concepts. */
function nearestKey(key: string, keys: Iterable<string>): string | undefined {
  if (key.length < 4 || /\d/.test(key)) return undefined;
  let nearest: { key: string; slips: number; alone: boolean } | undefined;
  for (const candidate of keys) {
    const isSwapped = sorted(candidate) === sorted(key);
    // A first letter is rarely mistyped, but it is swapped with the second.
    if (!isSwapped && (candidate[0] !== key[0] || Math.abs(candidate.length - key.length) > slipsIn(key))) continue;
    const slips = isSwapped ? Math.min(1, distance(candidate, key)) : distance(candidate, key);
    if (!isSwapped && slips > slipsIn(key)) continue;
    if (nearest === undefined || slips < nearest.slips) nearest = { key: candidate, slips, alone: true };
    else if (slips === nearest.slips) nearest = { ...nearest, alone: false };
  }
  return nearest?.alone === true ? nearest.key : undefined;
}

const sorted = (letters: string) => [...letters].sort().join('');

/** `Support-vector machines` and `support vector machine` meet; so do `regularisation` and `regularization`. */
function keyOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}²³+]+/gu, ' ')
    .trim()
    .split(' ')
    .map((word) => (word.length > 3 ? word.replace(/(?<!s|u|i)s$/, '').replace(/is(e|ed|ing|ation)$/, 'iz$1') : word))
    .join('');
}
