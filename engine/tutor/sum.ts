// A sum as it is shown: the result, its working, and the guide's sentence about the formula; or what is missing for it.

import type { Outcome } from './compute/calculation.ts';
import { assemble, type Composed, type Piece, pointerPiece, quotePiece, type Source } from './draft.ts';
import { openingOf } from './run.ts';

/** @param source the section that teaches the formula. @returns undefined where that has no sentence to cite. */
export function showSum(outcome: Outcome, source: Source): Composed | undefined {
  if (outcome.kind === 'missing') {
    const opening = openingOf(source, 300);
    if (!opening) return undefined;
    const { what, missing, example } = outcome.needs;
    return assemble([
      pointerPiece(`To compute ${what} I still need **${missing.join('** and **')}**. For example: \`${example}\``),
      quotePiece(source, opening.sentences.slice(0, 2)),
    ]);
  }
  const opening = openingOf(source, 200);
  if (!opening) return undefined;
  const { result, working, note } = outcome.calculation;
  const formula = quotePiece(source, opening.sentences.slice(0, 1));
  const pieces: Piece[] = [
    { text: result, claims: [{ text: result, place: source, quote: formula.claims[0]?.quote ?? '' }] },
    { text: `\`\`\`text\n${working.join('\n')}\n\`\`\``, claims: [] },
    ...(note === undefined ? [] : [pointerPiece(note)]),
    formula,
  ];
  return assemble(pieces);
}
