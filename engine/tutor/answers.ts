// What was composed becomes an answer, with what else was found; what is not covered becomes an honest refusal.
import type { Chapter, Guide, Hit, SearchResult } from '../../knowledge/index.ts';
import type { Answer, AnswerKind } from './answer.ts';
import type { Composed, Source } from './draft.ts';
import type { Found } from './find.ts';
import { nearestChapters } from './find-chapter.ts';

export interface Answers {
  /** @param first what the answer rests on: it comes before what else was found. */
  give(kind: AnswerKind, composed: Composed, found: Found, first: readonly Source[], confidence: number): Answer;
  /** @param excuse why, in a sentence, where it is known. */
  refuse(result: SearchResult, typed: string, excuse?: string): Answer;
}

const hitsShown = 5;
const chaptersOffered = 3;

export function createAnswers(guide: Guide): Answers {
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

  const dependents = (id: string) => guide.chapters.filter(({ prerequisites }) => prerequisites.includes(id)).length;
  /** Offered to a question that is near nothing: what most other chapters build on. */
  const mostNeeded = guide.chapters.toSorted((a, b) => dependents(b.id) - dependents(a.id));

  const nearest = ({ hits, confidence }: SearchResult, typed: string): readonly Chapter[] => {
    const found = confidence < 0.1 ? [] : hits.flatMap(({ passage }) => guide.chapter(passage.chapterId) ?? []);
    const rest = confidence < 0.1 ? mostNeeded : nearestChapters(guide.chapters, typed);
    return [...new Set([...found, ...rest])].slice(0, chaptersOffered);
  };

  return {
    give: (kind, composed, { result, query }, first, confidence) => ({
      kind,
      ...composed,
      abstained: false,
      confidence,
      passages: shown(result.hits, first),
      nearest: [],
      understood: query,
    }),

    refuse: (result, typed, excuse = 'The guide does not cover that, and I would rather not guess.') => {
      const chapters = nearest(result, typed);
      const list = chapters.map(({ title }) => `**${title}**`).join(', ');
      return {
        kind: 'refusal',
        markdown: `${excuse} The nearest it teaches: ${list}.`,
        sentences: [],
        abstained: true,
        confidence: Math.min(result.confidence, 0.49),
        citations: [],
        passages: shown(result.hits),
        nearest: chapters.map(({ id, title }) => ({ chapterId: id, title })),
        understood: typed,
      };
    },
  };
}

/** Greetings, thanks and the like: nothing is claimed, so nothing is cited. */
export function talk(markdown: string, question: string): Answer {
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
