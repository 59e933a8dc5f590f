// Finds the paragraph, or tells the table, whose label says that it answers just what was asked: "Choosing k", "How to fix it".
import { isBroad, wantedFor } from './asked.ts';
import type { Source } from './draft.ts';
import type { Part, Role } from './reading.ts';
import { type Overlap, type Run, runFrom } from './run.ts';

const wantedRoles: readonly (readonly [RegExp, Role])[] = [
  [
    /\b(?:an?|any|some|another|worked|concrete) example\b|\bexamples? (?:of|please)\b|for example|^\W*examples?\W*$/i,
    'example',
  ],
  [/^\W*(?:but |and |so )?why\W*(?:is that|though|so|not)?\W*$/i, 'intuition'],
  [
    /\beli5\b|like i'?m (?:five|5)|\bintuition\b|\banalogy\b|(?:simple|plain) (?:words|terms|language|english)/i,
    'intuition',
  ],
  [/\b(?:fix|stop|prevent|avoid|reduce|cure|solve|combat|get rid of)\b|what (?:should|can|do) (?:i|we) do/i, 'next'],
];
/** A next step shorter than this only points elsewhere. */
const shortestAdvice = 120;

/** A table or list under such a label, or with it at the head of a column. */
export function isWantedFigure({ block, name }: Part, kinds: readonly RegExp[]): boolean {
  if (block.kind !== 'table' && block.kind !== 'list') return false;
  const heads =
    block.kind === 'table' ? (block.markdown.split('\n')[0] ?? '').split('|').map((head) => head.trim()) : [];
  return [...heads, name ?? ''].some((head) => head !== '' && kinds.some((names) => names.test(head)));
}

/** A label that holds words of the question is meant; one that only fits its kind must be the only one. */
const namedShare = 0.2;

function findNamed(question: string, source: Source, overlap: Overlap, limit: number): Run | undefined {
  const kinds = wantedFor(question);
  const parts = source.parts.filter(
    ({ name, sentences, block }) =>
      name !== undefined &&
      block.kind !== 'table' &&
      block.kind !== 'code' &&
      sentences.length > 0 &&
      kinds.some((names) => names.test(name)),
  );
  const shares = overlap(parts.flatMap(({ name, block }) => [`${name ?? ''} ${block.prose}`, name ?? '']));
  const fits = parts.map((part, at) => ({ part, share: shares[2 * at] ?? 0, inName: shares[2 * at + 1] ?? 0 }));
  const [best] = fits.sort((a, b) => b.share - a.share);
  if (!best) return undefined;
  // "Settings" of all kinds, and what is asked in general, need a word in common.
  const isVague = parts.length > 1 || /^settings/i.test(best.part.name ?? '');
  if (best.share < namedShare && isVague) return undefined;
  if (isBroad(question) && best.inName < namedShare) return undefined;
  return runFrom(source, best.part, 0, limit);
}

/** The paragraph of the kind that was asked for: an example, the intuition behind it, or what to do. */
export function findWanted(question: string, source: Source, overlap: Overlap, limit: number): Run | undefined {
  const named = findNamed(question, source, overlap, limit);
  if (named) return named;
  const role = wantedRoles.find(([pattern]) => pattern.test(question))?.[1];
  const part = source.parts.find((candidate) => candidate.role === role && candidate.block.kind === 'paragraph');
  if (role === 'next' && (part?.block.prose.length ?? 0) < shortestAdvice) return undefined;
  // A table of remedies says more than the next step.
  if (role === 'next' && source.parts.some((other) => isWantedFigure(other, wantedFor(question)))) return undefined;
  return part && runFrom(source, part, 0, limit);
}
