// The level that a question itself asks for: "like I'm five", "in depth".
import type { Level } from './answer.ts';

const levelWords: readonly (readonly [RegExp, Level])[] = [
  [
    /\beli ?5\b|\blike (?:i['’]?m|i am|im|to) (?:an? )?(?:\d{1,2}|five|six|seven|eight|ten|twelve|child|kid|baby|idiot|dummy|total beginner|beginner)(?: years? old)?\b|\b(?:for|to) (?:an? |my )?(?:child|kid|grandma|grandmother|mum|mom|(?:5|five)[ -]year[ -]old|dumm(?:y|ies)|(?:total |complete |absolute )?(?:beginner|noob|newbie))s?\b|\bin (?:very |really )?(?:simple|easy|plain|layman['’]?s?) (?:words|terms|language|english)\b|\b(?:simply|in simple) explained\b|^\W*(?:please |pls |can you |could you )*explain .{2,60} (?:very |really )?simpl[ye]\W*$/i,
    'eli5',
  ],
  [
    /\b(?:(?:for|to) (?:an? )?experts?|in (?:full )?depth|in (?:full )?detail|advanced level|phd level|with (?:the )?(?:math|maths|derivation|proof))\b/i,
    'expert',
  ],
];

export function levelAsked(question: string): Level | undefined {
  return levelWords.find(([pattern]) => pattern.test(question))?.[1];
}

/** The question without the words that ask for a level: they are not what it is about. */
export function withoutLevel(question: string): string {
  return levelWords.reduce((text, [pattern]) => text.replace(pattern, ' '), question);
}
