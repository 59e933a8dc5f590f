// Whether a sentence says no more than a passage does: its words, its numbers, its names, its negations and comparisons.
import { stemsOf } from '../../../knowledge/index.ts';

interface Evidence {
  /** The sentence of the passage that carries it. */
  readonly quote: string;
}

/** Share of a sentence's content words that its passage must hold; and that one of its sentences must hold. */
const wordsHeld = 0.7;
const wordsHeldNearby = 0.34;
/** Cosine below which two texts speak of different things. */
const leastSimilarity = 0.3;

interface SupportOptions {
  readonly embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>;
}

/** @returns undefined where the passage does not carry the sentence. */
export type FindEvidence = (sentence: string, passage: string) => Promise<Evidence | undefined>;

export function createFindEvidence({ embed }: SupportOptions): FindEvidence {
  return async (sentence, passage) => {
    const words = [...new Set(stemsOf(sentence))];
    const held = new Set(stemsOf(passage));
    if (words.length === 0 || shareOf(words, held) < wordsHeld) return undefined;
    if (!numbersOf(sentence).every((number) => new Set(numbersOf(passage)).has(number))) return undefined;
    if (!namesOf(sentence).every((name) => passage.toLowerCase().includes(name.toLowerCase()))) return undefined;
    const parts = cutSentences(passage);
    const shares = parts.map((part) => shareOf(words, new Set(stemsOf(part))));
    const best = Math.max(...shares);
    const nearest = parts[shares.indexOf(best)];
    if (nearest === undefined || best < wordsHeldNearby) return undefined;
    // Where two sentences share nearly all words, a "not" more or less turns one into the opposite of the other.
    const alike = parts.filter((_, index) => (shares[index] ?? 0) >= best - 0.15);
    if (!alike.some((part) => isNegated(part) === isNegated(sentence) && !isTurned(sentence, part))) return undefined;
    const [own, other] = await embed([sentence, nearest]);
    return own && other && dot(own, other) >= leastSimilarity ? { quote: nearest } : undefined;
  };
}

function shareOf(words: readonly string[], held: ReadonlySet<string>): number {
  return words.filter((word) => held.has(word)).length / words.length;
}

/** 1,000 and 1000, .5 and 0.50, 2e-5 and 0.00002 are the same numbers. */
function numbersOf(text: string): number[] {
  const written = text.match(/(?<![\p{L}\d_])[-−]?(?:\d{1,3}(?:[,\u202F]\d{3})+|\d*\.?\d+)(?:[eE][-−+]?\d+)?/gu) ?? [];
  return written.map((number) => Math.abs(Number(number.replace(/[,\u202F]/g, '').replaceAll('−', '-'))));
}

/** Words with capitals inside a sentence or within themselves, and addresses: what cannot be made up. */
function namesOf(sentence: string): string[] {
  const words = sentence.match(/\S+/g) ?? [];
  return words.flatMap((word, index) => {
    const bare = word.replace(/^[^\p{L}\p{N}@]+|[^\p{L}\p{N}]+$/gu, '');
    if (/^(?:https?:|www\.)|@|\.(?:com|org|net|io|ai)\b/i.test(bare)) return [bare];
    const capital = /^\p{Lu}/u.test(bare) && index > 0 && !/[.!?:]["”)]*$/.test(words[index - 1] ?? '');
    return capital || /\p{L}\p{Lu}/u.test(bare) ? [bare.replace(/['’]s$/, '')] : [];
  });
}

const negations = /\b(?:not|no|never|none|neither|nor|without|cannot|hardly|nothing)\b|n['’]t\b/gi;

const isNegated = (text: string) => (text.match(negations) ?? []).length % 2 === 1;

const opposites: readonly (readonly [RegExp, RegExp])[] = [
  [/\b(?:higher|high)\b/i, /\b(?:lower|low)\b/i],
  [/\b(?:more|most)\b/i, /\b(?:less|fewer|least|fewest)\b/i],
  [/\b(?:larger|bigger|greater|large|big)\b/i, /\b(?:smaller|small|tiny)\b/i],
  [/\b(?:rises?|increas\w+|grows?|raises?)\b/i, /\b(?:falls?|decreas\w+|shrinks?|reduc\w+|lowers)\b/i],
  [/\b(?:faster|fast|quick\w*)\b/i, /\b(?:slower|slow\w*)\b/i],
  [/\b(?:better|best|good)\b/i, /\b(?:worse|worst|bad)\b/i],
  [/\b(?:always|every|all)\b/i, /\b(?:rarely|sometimes|seldom)\b/i],
  [/\bbefore\b/i, /\bafter\b/i],
  [/\boverfit\w*/i, /\bunderfit\w*/i],
  [/\bsupervised\b/i, /\bunsupervised\b/i],
];

/** Says "higher" where the passage says only "lower". */
function isTurned(sentence: string, part: string): boolean {
  return opposites.some(([one, other]) => {
    const only = (text: string) => (one.test(text) === other.test(text) ? undefined : one.test(text));
    const [said, written] = [only(sentence), only(part)];
    return said !== undefined && written !== undefined && said !== written;
  });
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

function cutSentences(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => [...segmenter.segment(line)].map(({ segment }) => segment.trim()))
    .filter((part) => part !== '');
}

function dot(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
}
