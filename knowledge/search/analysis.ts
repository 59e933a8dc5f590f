// What the search works out once from the guide, as plain data, so that a later start need not: the words it uses, what
// each section is about, and the passages indexed by their terms.
import MiniSearch, { type AsPlainObject, type Options } from 'minisearch';
import type { Guide, Passage } from '../types.ts';
import { type Analyser, createAnalyser } from './analyse.ts';
import { createSpelling } from './spelling.ts';
import { wordsOf } from './stem.ts';
import { createSynonyms, type SynonymGroups, type Synonyms } from './synonyms.ts';
import { measureTone, type ToneTable } from './tone.ts';

export type GuideText = Pick<Guide, 'chapters' | 'passages' | 'hash'>;

export interface Analysis {
  readonly synonyms: SynonymGroups;
  /** How often each word is used, for the spelling check. */
  readonly wordCounts: { readonly [word: string]: number };
  /** By `chapter#section`. */
  readonly sections: { readonly [key: string]: SectionTerms };
  readonly passages: AsPlainObject;
  readonly tone: ToneTable;
}

/** Terms joined by spaces, each once. */
interface SectionTerms {
  /** Of the titles and of the learners' wordings: what the section is about. */
  readonly topic: string;
  readonly body: string;
  /** Each wording, and the title, as the terms of a question. */
  readonly wordings: readonly string[];
}

type TermsOfPassage = ReadonlyMap<string, readonly string[]>;

const fieldBoosts = { asks: 3, section: 2, chapter: 0.5, text: 1 };

/** Terms come joined by spaces and are indexed as they are. */
export const indexOptions: Options<{ id: string }> = {
  fields: Object.keys(fieldBoosts),
  tokenize: splitTerms,
  processTerm: (term) => term,
  searchOptions: { boost: fieldBoosts, combineWith: 'OR' },
};

export const keyOf = ({ chapterId, sectionId }: Pick<Passage, 'chapterId' | 'sectionId'>) =>
  `${chapterId}#${sectionId}`;

export function splitTerms(terms: string): string[] {
  return terms.split(' ').filter((term) => term !== '');
}

export function openAnalyser({ synonyms, wordCounts }: Pick<Analysis, 'synonyms' | 'wordCounts'>): Analyser {
  return createAnalyser(createSynonyms(synonyms), createSpelling(new Map(Object.entries(wordCounts))));
}

/** @param outside questions that the guide does not answer. */
export function analyseGuide(guide: GuideText, synonyms: SynonymGroups, outside: readonly string[]): Analysis {
  const wordCounts = Object.fromEntries(countWords(guide, createSynonyms(synonyms), outside));
  const analyser = openAnalyser({ synonyms, wordCounts });
  const termsOfPassage = new Map(guide.passages.map(({ id, text }) => [id, analyser.documentTerms(text)]));
  return {
    synonyms,
    wordCounts,
    sections: describeSections(guide, analyser, termsOfPassage),
    passages: indexPassages(guide, analyser, termsOfPassage).toJSON(),
    tone: measureTone(
      guide.chapters.flatMap(({ sections }) => sections.flatMap(({ title, asks }) => [title, ...asks])),
      outside,
    ),
  };
}

/** Words beside the subject are known too, so that none is taken for a typo of ours. */
function countWords(guide: GuideText, synonyms: Synonyms, outside: readonly string[]): Map<string, number> {
  const texts = [
    ...guide.passages.map((passage) => passage.text),
    ...guide.chapters.flatMap(({ title, sections }) => [title, ...sections.flatMap((s) => [s.title, ...s.asks])]),
  ];
  const counts = new Map<string, number>();
  for (const word of [...texts.flatMap(wordsOf), ...synonyms.words]) counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const word of outside.flatMap(wordsOf)) counts.set(word, counts.get(word) ?? 0);
  return counts;
}

function describeSections(
  guide: GuideText,
  analyser: Analyser,
  termsOfPassage: TermsOfPassage,
): Record<string, SectionTerms> {
  const join = (terms: readonly string[]) => [...new Set(terms)].join(' ');
  const entries = guide.chapters.flatMap((chapter) =>
    chapter.sections.map((section): [string, SectionTerms] => {
      const key = keyOf({ chapterId: chapter.id, sectionId: section.id });
      const wordings = [section.id === 'overview' ? chapter.title : section.title, ...section.asks];
      const own = guide.passages.filter((passage) => keyOf(passage) === key);
      return [
        key,
        {
          topic: join([chapter.title, ...wordings].flatMap(analyser.documentTerms)),
          body: join(own.flatMap(({ id }) => termsOfPassage.get(id) ?? [])),
          wordings: wordings.map((wording) => join(analyser.queryTerms(wording).map(({ term }) => term))),
        },
      ];
    }),
  );
  return Object.fromEntries(entries);
}

function indexPassages(
  guide: GuideText,
  analyser: Analyser,
  termsOfPassage: TermsOfPassage,
): MiniSearch<{ id: string }> {
  const miniSearch = new MiniSearch(indexOptions);
  const join = (text: string) => analyser.documentTerms(text).join(' ');
  for (const chapter of guide.chapters) {
    const asks = new Map(chapter.sections.map((section) => [section.id, join(section.asks.join(' . '))]));
    const titles = new Map(chapter.sections.map((section) => [section.id, join(section.title)]));
    const passages = guide.passages.filter((passage) => passage.chapterId === chapter.id);
    miniSearch.addAll(
      passages.map((passage) => ({
        id: passage.id,
        asks: asks.get(passage.sectionId) ?? '',
        section: titles.get(passage.sectionId) ?? '',
        chapter: join(chapter.title),
        text: (termsOfPassage.get(passage.id) ?? []).join(' '),
      })),
    );
  }
  return miniSearch;
}
