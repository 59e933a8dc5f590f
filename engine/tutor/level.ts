// The level that a question itself asks for: "like I'm five", "in depth".
import type { Level } from './answer.ts';

const levelWords: readonly (readonly [RegExp, Level])[] = [
  [
    /\beli5\b|like i'?m (?:a )?(?:five|5|child|kid)|\b(?:for|to) (?:a|my) (?:child|kid|grandma|grandmother|5 year old|five year old)\b|in (?:very )?simple (?:words|terms)|in layman'?s? terms/i,
    'eli5',
  ],
  [
    /\b(?:for (?:an? )?experts?|in (?:full )?depth|in (?:full )?detail|advanced level|phd level|with (?:the )?(?:math|maths|derivation|proof))\b/i,
    'expert',
  ],
];

export function levelAsked(question: string): Level | undefined {
  return levelWords.find(([pattern]) => pattern.test(question))?.[1];
}
