// Sentences taken in a row from one paragraph of a section, and what tells which of them to take.
import type { Hit, Sentence } from '../../knowledge/index.ts';
import type { Source } from './draft.ts';
import type { Part } from './reading.ts';

/** The share of the question's terms that each text holds. */
export type Overlap = (texts: readonly string[]) => readonly number[];

/** What of a section lies nearest to the question in meaning. */
export type Near = (source: Source) => NonNullable<Hit['near']>;

export interface Run {
  readonly source: Source;
  readonly part: Part;
  readonly sentences: readonly Sentence[];
}

export const isUsed = (part: Part, runs: readonly Run[]) => runs.some((run) => run.part === part);

/** The section's first paragraph, as many whole sentences as fit, three at most. */
export function openingOf(source: Source, limit: number): Run | undefined {
  const part = source.parts.find(({ role }) => role === 'answer') ?? source.parts.find((p) => p.sentences.length > 0);
  return part && { source, part, sentences: takeSentences(part.sentences, limit) };
}

export function takeSentences(sentences: readonly Sentence[], limit: number, most = 3): Sentence[] {
  const taken: Sentence[] = [];
  let length = 0;
  for (const sentence of sentences.slice(0, most)) {
    length += sentence.markdown.length + 1;
    if (taken.length > 0 && length > limit) break;
    taken.push(sentence);
  }
  return taken;
}

/** Sentences from one on; a paragraph's label goes with its first sentence. */
export function runFrom(source: Source, part: Part, index: number, limit: number): Run {
  const sentences = takeSentences(part.sentences.slice(index), limit);
  return { source, part, sentences: index === 0 && part.label ? [part.label, ...sentences] : sentences };
}
