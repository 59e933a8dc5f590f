// Tables, lists, formulas and code of a section that go with an answer.
import { isBroad, wantedFor, wantsFormula } from './asked.ts';
import { figurePiece, type Piece, quotePiece, type Source } from './draft.ts';
import type { Part, Role } from './reading.ts';
import { type Overlap, openingOf, type Run } from './run.ts';
import { isWantedFigure } from './wanted.ts';

const longestLeadIn = 260;

const isProgram = (part: Part) => part.block.kind === 'code' && !/^```(?:text)?\s*\n/.test(part.block.markdown);

export const holdsCode = (source: Source) => source.parts.some(isProgram);

/** The code that meets the question best, with the line above it that says what it does. */
export function findCode(question: string, sources: readonly Source[], overlap: Overlap): Piece[] {
  const [first] = sources;
  const own = first && holdsCode(first) ? [first] : sources;
  const candidates = own.flatMap((source) => source.parts.filter(isProgram).map((part) => ({ source, part })));
  const scores = overlap(
    candidates.map(({ source, part }) => `${source.sectionTitle} ${part.leadIn?.prose ?? ''} ${part.block.prose}`),
  );
  const wantsTorch = /torch/i.test(question);
  const ranked = candidates
    .map((candidate, index) => ({
      ...candidate,
      score: (scores[index] ?? 0) + (wantsTorch && /torch/.test(candidate.part.block.markdown) ? 0.5 : 0),
    }))
    .sort((a, b) => b.score - a.score);
  const best = ranked[0];
  if (!best) return [];
  const { source, part } = best;
  // What stands in another section is introduced by that section's own first sentence.
  const opening = source === first ? undefined : openingOf(source, 200);
  const code = figurePiece(source, part.block.markdown);
  return opening ? [quotePiece(source, opening.sentences.slice(0, 1)), code] : [code];
}

/** What has its own place in an answer: a comparison is for those who ask for one. */
const told: ReadonlySet<Role> = new Set(['pitfall', 'next', 'related', 'comparison']);

/** What is shown with an answer to a question in particular holds this share of it. */
export const leastOverlap = 0.25;

/** Tables, lists, formulas or pictures in words that go with the answer, each with the line that says what it shows. */
export function findSupport(
  question: string,
  source: Source,
  overlap: Overlap,
  lead: readonly Run[],
  plan: { readonly figures: number; readonly support: number },
): readonly Piece[] {
  if (plan.figures === 0) return [];
  const used = new Set(lead.map(({ part }) => part.block));
  const candidates = source.parts
    .filter(({ block, role }) => !used.has(block) && !told.has(role))
    .flatMap((part) => {
      const isFigure = part.block.kind === 'table' || part.block.kind === 'list' || part.block.kind === 'code';
      const isExample = part.block.kind === 'paragraph' && part.role === 'example' && part.sentences.length > 0;
      if (!isFigure && !isExample && part.role !== 'intuition') return [];
      // Programs are shown when they are asked for.
      if (isProgram(part)) return [];
      // A formula below a long paragraph speaks for itself.
      const isBare = part.block.kind === 'code' && (part.leadIn?.markdown.length ?? 0) > longestLeadIn;
      const above = isBare ? undefined : (part.leadIn ?? part.heading);
      const isTitle = above?.kind === 'heading';
      const leadIn = above && !used.has(above) ? `${isTitle ? `**${above.prose}**` : above.markdown}\n\n` : '';
      const text = leadIn + part.block.markdown;
      const fits = text.length <= plan.support && leadIn.length <= longestLeadIn;
      // An example that ends in ":" stops where its table begins.
      return fits && !/:\s*$/.test(text) ? [{ part, text }] : [];
    });
  const scores = overlap(candidates.map(({ part, text }) => `${text} ${part.block.prose}`));
  const broad = isBroad(question);
  const kinds = broad ? [] : wantedFor(question);
  const formula = candidates.find(({ part }) => part.block.kind === 'code')?.part;
  const wanted = wantsFormula.test(question) || plan.figures > 1 ? 'code' : 'table';
  return candidates
    .map(({ part, text }, i) => {
      const isWanted = isWantedFigure(part, kinds);
      const isAnnounced = part.leadIn !== undefined && used.has(part.leadIn) && part.leadIn.markdown.endsWith(':');
      const bonus =
        (part.block.kind === wanted ? 0.3 : 0) +
        // The section's own formula is its first code that is no program.
        (wanted === 'code' && part === formula ? 0.6 : 0) +
        (part.role === 'example' || part.leadIn?.prose.match(/^(?:by hand|worked|a worked|example)/i) ? 0.2 : 0) +
        (isAnnounced ? 1 : 0) +
        (isWanted ? 0.8 : 0);
      const isOnPoint = isAnnounced || isWanted || broad || (scores[i] ?? 0) >= leastOverlap;
      return { text, score: isOnPoint ? (scores[i] ?? 0) + bonus : 0 };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, plan.figures)
    .map(({ text }) => figurePiece(source, text));
}
