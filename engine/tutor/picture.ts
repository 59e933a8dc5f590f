// What a thing is and what it is like, for those who want no formula.
import type { Source } from './draft.ts';
import { type Overlap, openingOf, type Run, takeSentences } from './run.ts';

const longestPicture = 420;

/** In a picture: one sentence that says what it is, and what it is like. */
export function findPicture(source: Source, overlap: Overlap, nearby: readonly Source[], limit: number): Run[] {
  const definition = openingOf(source, limit);
  if (!definition) return [];
  const short = { ...definition, sentences: definition.sentences.slice(0, 1) };
  const picture = intuitionOf(source) ?? likenessIn(source) ?? findNearbyPicture(overlap, nearby);
  if (!picture) return [definition];
  // The first paragraph may hold both.
  return picture.sentences.some((sentence) => short.sentences.includes(sentence)) ? [definition] : [short, picture];
}

function intuitionOf(source: Source): Run | undefined {
  const part = source.parts.find(
    ({ role, block, sentences }) => role === 'intuition' && block.kind === 'paragraph' && sentences.length > 0,
  );
  return part && { source, part, sentences: takeSentences(part.sentences, longestPicture, 5) };
}

const likens =
  /\b(?:is|works|acts|behaves) (?:a bit |much |rather )?like\b|\bimagine\b|\bthink of\b|\bas if\b|\bpicture (?:a|the|yourself)\b/i;

/** A sentence that says what it is like, where the section has no paragraph for it. */
function likenessIn(source: Source): Run | undefined {
  for (const part of source.parts.filter(({ role, block }) => role !== 'pitfall' && block.kind === 'paragraph')) {
    const sentence = part.sentences.find(({ prose }) => likens.test(prose));
    if (sentence) return { source, part, sentences: [sentence] };
  }
  return undefined;
}

/** Another section's picture counts where it speaks of most of what was asked. */
const pictureShare = 0.6;

function findNearbyPicture(overlap: Overlap, nearby: readonly Source[]): Run | undefined {
  const runs = [...new Set(nearby)].flatMap((source) => intuitionOf(source) ?? []);
  const shares = overlap(runs.map(({ sentences }) => sentences.map(({ prose }) => prose).join(' ')));
  return runs.find((_, at) => (shares[at] ?? 0) >= pictureShare);
}
