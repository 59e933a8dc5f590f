// A false premise is answered by its denial first, then by the guide's own sentence that bears it out.
import type { Misconception } from '../../knowledge/index.ts';
import type { Level } from './answer.ts';
import { openingOf } from './compose.ts';
import { assemble, type Composed, joinPieces, type Piece, quotePiece, type Source } from './draft.ts';

const longestOpening = 420;
const asksWhether = /^\W*(?:is|are|does|do|should|can|could|will|would|must|has|have)\b/i;

/** @param source the section that the misconception names. @param meant the question as it was understood. */
export function correct({ denial, quote }: Misconception, source: Source, meant: string, level: Level): Composed {
  const sentence = source.parts.flatMap(({ sentences }) => sentences).find(({ prose }) => prose === quote);
  const head: Piece = {
    // Who asks whether it is so has claimed nothing.
    text: asksWhether.test(meant) ? denial : `**Not quite.** ${denial}`,
    claims: [{ text: denial, place: source, quote: sentence?.prose ?? '' }],
  };
  const said = sentence ? [quotePiece(source, [sentence])] : [];
  const rest = openingOf(source, longestOpening)?.sentences.filter(({ prose }) => prose !== quote) ?? [];
  // Each is cited by itself: what the correction took out of the middle is missing between them.
  const more = level === 'eli5' ? [] : joinPieces(rest.map((told) => quotePiece(source, [told])));
  return assemble([head, ...said, ...more]);
}
