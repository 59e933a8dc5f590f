// "X vs Y", "X, Y or Z?", "when X instead of Y": the sides of a question that compares.
import { distance } from 'fastest-levenshtein';

const frames: readonly RegExp[] = [
  /^(?:.*?\b)?(?:difference|differences|diference|relationship|relation|comparison|trade-?off)s? (?:between|betwen|of|in) (?<sides>.+? (?:and|vs\.?|versus|or|&) .+)$/i,
  /^(?:.*?\b)?compare (?:the )?(?<sides>.+? (?:and|with|to|against|vs\.?|versus) .+)$/i,
  /^(?:when|why|where)\b.*?\b(?:use|choose|pick|prefer|take|want|need)s? (?<a>.+?) (?:instead of|rather than|over|and not) (?<b>.+)$/i,
  /^(?:.*?\b)?(?:is|are) (?<a>.+?) (?:better|worse|faster|slower|cheaper|more accurate|more \w+) than (?<b>.+)$/i,
  /^how (?:is|are|does|do) (?<a>.+?) (?:different from|different to|different than|differ from|compare to|compare with|compared to) (?<b>.+)$/i,
  /^(?:(?:what'?s?|how|is|are|does|do|which|when)\b)?\s*(?:is |are |does |do |better:? |should i use |to use )*(?<sides>.+?\s+(?:vs\.?|versus)\s+.+)$/i,
  /^(?:which|what)(?: one| is better)? (?:should|shall|do|would|can|to)(?: (?:i|we|you))?(?: better)?(?: (?:use|choose|pick|take|prefer|learn|try|want|need))?(?: first)?[,:]? (?<sides>.+? or .+)$/i,
  /^(?:should i use|should we use|should i choose|when to use|which is better[,:]?|what is better[,:]?|do i use|do i need|do i want|pick|choose|use|shall i take) (?<sides>.+? or .+)$/i,
  /^(?<sides>[\w-]+(?: [\w-]+){0,2} or [\w-]+(?: [\w-]+){0,2})$/i,
];

const separators = /\s*,\s*(?:and|or|vs\.?|versus)?\s*|\s+(?:vs\.?|versus|and|or|with|to|against|&)\s+/i;
/** What goes on after the last side: "… for small data", "… when I have little memory". */
const tail =
  /,?\s+(?:for|when|if|in terms of|in practice|on (?:a|my|small|large)|with (?:a|my|small|few|little)|which|what|\(|to (?:train|use|fine)|is better|better)\b.*$/i;
const polite = /[\s,]+(?:please|pls|plz|thanks|thank you|thx|anyone|guys|folks|again|exactly|tbh|lol)$/i;
const most = 4;

/** @returns two sides or more, in the order named; undefined when the question does not compare. */
export function splitComparison(question: string): readonly string[] | undefined {
  const line = mendFrame(question)
    .replace(/\s+/g, ' ')
    .replace(/[?!.\s]+$/, '')
    .replace(/^(?:hi|hey|hello|so|ok|and|um)[,\s]+/i, '')
    .replace(polite, '')
    .trim();
  if (line.length > 200) return undefined;
  for (const frame of frames) {
    const groups = frame.exec(line)?.groups;
    if (!groups) continue;
    const sides = groups.sides === undefined ? [groups.a ?? '', groups.b ?? ''] : cut(groups.sides);
    const clean = sides.map((side, index) => (index === sides.length - 1 ? side.replace(tail, '') : side).trim());
    if (clean.length >= 2 && clean.every((side) => side !== '' && side.split(' ').length <= 7))
      return clean.slice(0, most);
  }
  return undefined;
}

/** Words that say that something is compared, and how many slips each may have. */
const frameWords: readonly (readonly [word: string, slips: number])[] = [
  ['difference', 2],
  ['differences', 2],
  ['different', 2],
  ['between', 1],
  ['compare', 1],
  ['comparison', 2],
  ['versus', 1],
  ['instead', 1],
  ['better', 1],
];
const shortFor = new Map([
  ['btw', 'between'],
  ['btwn', 'between'],
  ['b/w', 'between'],
  ['vrs', 'vs'],
  ['verses', 'vs'],
  ['compair', 'compare'],
  ['diff', 'difference'],
  ['diffs', 'differences'],
  ['dif', 'difference'],
]);

/** "Diffrence btw precison n recall": the words of the frame as they are meant; the sides are left as they are. */
function mendFrame(question: string): string {
  const mended = question.replace(/[\p{L}/]+/gu, (word) => {
    const lower = word.toLowerCase();
    const near = frameWords.find(
      ([meant, slips]) => meant[0] === lower[0] && (distance(meant, lower) <= slips || sorted(meant) === sorted(lower)),
    );
    return shortFor.get(lower) ?? (frameWords.some(([meant]) => meant === lower) ? word : near?.[0]) ?? word;
  });
  return /\b(?:difference|differences|different|compare|comparison)\b/i.test(mended)
    ? mended.replace(/(?<=\S\s)(?:n|nd|&)(?=\s\S)/gi, 'and')
    : mended;
}

const sorted = (letters: string) => [...letters].sort().join('');

function cut(sides: string): readonly string[] {
  // Where "vs" stands, "and" may be part of a name.
  const hasVersus = /\s(?:vs\.?|versus)\s/i.test(sides);
  return sides.split(hasVersus ? /\s*,\s*|\s+(?:vs\.?|versus)\s+/i : separators).filter((side) => side.trim() !== '');
}
