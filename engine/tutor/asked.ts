// What kind of answer a question asks for, told by its wording: a definition, a number, code, a formula, a remedy.
import type { Source } from './draft.ts';
import type { Overlap } from './run.ts';

export const asksDefinition =
  /^\W*(?:what(?:'s| is| are|s| does)|define|explain|meaning of|wh?at is)\b|\bwhat(?:['’]?s| is) (?:it|that|this)\W*$/i;

/** A question whose answer is a number: "how many", "what is a good learning rate". */
export const wantsNumber =
  /\bhow (?:many|much|long|big|large|small|often|high|low|deep|wide)\b|\b(?:good|right|best|typical|usual|normal|recommended|default|reasonable|decent|ideal|sensible) (?:[\w-]+ ){0,3}(?:size|rate|rank|number|value|ratio|split|alpha|length|temperature|threshold|k|epochs|score|dropout|lr)\b|^\W*(?:[\w-]+ ){1,3}(?:rate|size|value)\W*$|\b(?:what|which) (?:[\w-]+ )?(?:rank|learning rate|lr|batch size|value|number|size|temperature|ratio|alpha|dropout|k)\b/i;

export const wantsCode =
  /\b(?:code|python|pytorch|torch|sklearn|scikit[\s-]learn|snippet|implement\w*|program it|in numpy|api call)\b/i;
export const wantsFormula =
  /\b(?:formula|equation|compute|calculate|calculated|math|maths|derive|derivation|how is)\b/i;

/** "What is X", or the bare name: everything about it is welcome. */
export const isBroad = (question: string) =>
  (asksDefinition.test(question) || question.trim().split(/\s+/).length <= 3) && !wantsNumber.test(question);

/** What the section itself defines is asked for in one of its own wordings. */
export function asksForItself(question: string, source: Source, overlap: Overlap): boolean {
  return asksDefinition.test(question) && isAskedSo(source, overlap);
}

/** Learners ask for this very section in the question's words. */
function isAskedSo(source: Source, overlap: Overlap): boolean {
  return Math.max(0, ...overlap(source.asks)) >= 0.8;
}

/** What is asked for, and the labels of paragraphs that answer just that; of several the one with most of the words. */
const wantedNames: readonly (readonly [RegExp, RegExp])[] = [
  [
    /\b(?:pick|picking|choos\w+|select|decide on)\b|\bset\b(?! of)/i,
    /^(?:choosing|choice|how many|how much|how long|how large|how deep|which (?!is |means)|settings?\b|picking|setting|rules? of thumb|defaults?\b|typical|starting|values?\b|a good|what to (?:choose|take|set))/i,
  ],
  [
    /\b(?:spot|notice|detect|recogni[sz]e|tell|see|know|signs?|symptoms?)\b/i,
    /^(?:signs?\b|symptoms?|how to (?:see|notice|tell|spot|recogni[sz]e)|recogni[sz]ing|detecting|diagnos)/i,
  ],
  [
    /\b(?:raise|lower|increase|improve|boost|get (?:it|them) (?:up|down|higher|lower)|higher|fix|prevent|avoid|reduce|cure|stop|solve|against|do about|deal with|handle|too)\b/i,
    /^(?:how to (?:lower|raise|fix|avoid|prevent|reduce|cure)|remed|cures?\b|fix(?:es)?\b|what to do(?! next)|what helps|against)/i,
  ],
  [/^\W*(?:but |so |and )?why\b|\bhow come\b/i, /^why\b/i],
  [/\b(?:memory|vram|ram|gb)\b/i, /^memory\b/i],
  [/\b(?:cost|price|expensive|cheap|how long)\b/i, /^(?:cost|time|memory)\b/i],
  [/\b(?:size|big|mb|gb)\b/i, /^file size/i],
  [/\bwhen (?:should|do|would|to|is|can|not)\b|\bshould i (?:use|take)\b|\bgood for\b/i, /^(?:when to use|use it)/i],
];
export const wantedFor = (question: string): readonly RegExp[] =>
  wantedNames
    .filter(([asked], at) => asked.test(question) || (at === 0 && wantsNumber.test(question)))
    .map(([, names]) => names);
