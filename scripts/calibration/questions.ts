// The questions that the search is calibrated on, each with what words and vectors find for it: development questions, older
// ones, and wordings that were kept out of the index and of an embedder trained for this.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadShippedEmbedder } from '../../knowledge/embed/shipped.ts';
import type { Guide } from '../../knowledge/index.ts';
import { memoryFolder } from '../../knowledge/memory.ts';
import { analyseGuide, type GuideText, keyOf } from '../../knowledge/search/analysis.ts';
import { createLexicalIndex } from '../../knowledge/search/lexical.ts';
import { type Found, findBoth } from '../../knowledge/search/rank.ts';
import { type Outside, readOutside } from '../../knowledge/search/read-outside.ts';
import { readSynonyms } from '../../knowledge/search/read-synonyms.ts';
import { createSemanticIndex } from '../../knowledge/search/semantic.ts';
import { cutUnits } from '../../knowledge/search/units.ts';
import { readQuestions } from '../../test/support/eval-questions.ts';
import { answerable, unanswerable } from '../../test/support/questions.ts';
import { isHeldOut } from '../embedder/hold-out.ts';

/** `npm run embedder:train -- --check` writes it: an embedder that has not seen the wordings that are held out. */
export const heldOutWeights = join(memoryFolder, 'held-out.safetensors');

type Group = 'fresh' | 'older' | 'held out' | 'watched';

export interface Question {
  readonly text: string;
  /** Chapters, or `chapter#section`; none: not to be answered. */
  readonly places: readonly string[];
  readonly group: Group;
  readonly weight: number;
  readonly found: Found;
}

/** The older questions were seen while the word search was tuned, and of wordings there are many: each tells less. */
const weights = { fresh: 1, older: 0.3, wording: 0.6, outside: 1, watched: 0 };
/** Of the wordings that are held out, every so many are read. */
const stride = 3;

export async function gatherQuestions(guide: Guide): Promise<Question[]> {
  const outside = await readOutside();
  const find = await openFind(guide, outside, undefined);
  const questions: Question[] = [];
  const add = async (
    text: string,
    places: readonly string[],
    group: Group,
    weight: number,
    search: typeof find = find,
  ) => {
    questions.push({ text, places, group, weight, found: await search(text) });
  };
  for (const half of ['dev', 'tune', 'validation'] as const) {
    for (const { kind, turns, answers } of readQuestions(half)) {
      const group = half === 'validation' ? 'watched' : 'fresh';
      if (kind === 'answerable' || kind === 'unanswerable') await add(turns.join(' '), answers, group, weights[group]);
    }
  }
  for (const { question, chapters } of answerable) await add(question, chapters, 'older', weights.older);
  for (const question of unanswerable) await add(question, [], 'older', weights.older);
  if (!existsSync(heldOutWeights)) return questions;
  const taught = (texts: readonly string[]) => texts.filter((text) => !isHeldOut(text));
  const chapters = guide.chapters.map((chapter) => ({
    ...chapter,
    sections: chapter.sections.map((section) => ({ ...section, asks: taught(section.asks) })),
  }));
  const less = Object.fromEntries(Object.entries(outside).map(([subject, texts]) => [subject, taught(texts)]));
  const findLess = await openFind({ chapters, passages: guide.passages }, less, heldOutWeights);
  const wordings = guide.chapters.flatMap(({ sections }) =>
    sections.flatMap(({ chapterId, id, asks }) =>
      asks.filter(isHeldOut).map((ask) => ({ ask, key: keyOf({ chapterId, sectionId: id }) })),
    ),
  );
  for (const { ask, key } of wordings.filter((_, at) => at % stride === 0)) {
    await add(ask, [key], 'held out', weights.wording, findLess);
  }
  for (const text of Object.values(outside).flat().filter(isHeldOut)) {
    await add(text, [], 'held out', weights.outside, findLess);
  }
  return questions;
}

async function openFind(guide: GuideText, outside: Outside, weightsFile: string | undefined) {
  const analysis = analyseGuide(guide, await readSynonyms(), Object.values(outside).flat());
  const lexical = createLexicalIndex(analysis, guide);
  const embedder = await loadShippedEmbedder(weightsFile);
  const units = cutUnits(guide, outside);
  const semantic = await createSemanticIndex({ guide, embedder, folder: undefined, units });
  return (text: string): Promise<Found> => findBoth(text, lexical, semantic);
}
