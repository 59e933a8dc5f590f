// A false premise is answered by its denial first, then by the guide's own sentence that bears it out.
import type { Sentence } from '../../knowledge/index.ts';
import type { Level } from './answer.ts';
import { assemble, type Composed, joinPieces, type Piece, quotePiece, type Source } from './draft.ts';
import type { Mistake } from './mistakes.ts';
import { type Overlap, openingOf } from './run.ts';

const longestOpening = 420;
const asksWhether =
  /^\W*(?:(?:so|but|and|then|hey|hi),? )*(?:is|are|does|do|should|can|could|will|would|must|has|have)\b/i;
/** Whether "no" agrees or disagrees would be unclear. */
const asksNegated = /\b(?:not|never|without|no|nothing|\w+n['’]t)\b/i;

/** @param source the section that the mistake names. @param meant the question as it was understood. */
export function correct(
  { denial, quote: known }: Mistake,
  source: Source,
  meant: string,
  level: Level,
  overlap: Overlap,
): Composed {
  const sentences = source.parts.flatMap((part) => part.sentences);
  const sentence = known === undefined ? nearest(sentences, overlap) : sentences.find(({ prose }) => prose === known);
  const quote = sentence?.prose;
  const head: Piece = {
    text: `${openingTo(meant, denial)}${denial}`,
    claims: [{ text: denial, place: source, quote: sentence?.prose ?? '' }],
  };
  const said = sentence ? [quotePiece(source, [sentence])] : [];
  const rest = openingOf(source, longestOpening)?.sentences.filter(({ prose }) => prose !== quote) ?? [];
  // Each is cited by itself: what the correction took out of the middle is missing between them.
  const more = level === 'eli5' ? [] : joinPieces(rest.map((told) => quotePiece(source, [told])));
  return assemble([head, ...said, ...more]);
}

/** Who asks whether it is so has claimed nothing, and is told "no" without being told off. */
function openingTo(meant: string, denial: string): string {
  if (!asksWhether.test(meant)) return '**Not quite.** ';
  return /^no\b/i.test(denial) || asksNegated.test(meant) ? '' : '**No.** ';
}

/** @param overlap with the denial. */
function nearest(sentences: readonly Sentence[], overlap: Overlap): Sentence | undefined {
  const shares = overlap(sentences.map(({ prose }) => prose));
  const most = Math.max(...shares);
  return sentences[shares.indexOf(most)];
}
