// "X vs Y": the two sides of a question that compares.

const frames: readonly RegExp[] = [
  /^(?:.*?\b)?(?:difference|differences|relationship|relation|comparison|trade-?off)s? (?:between|of) (.+?) (?:and|vs\.?|versus) (.+)$/i,
  /^(?:.*?\b)?compare (?:the )?(.+?) (?:and|with|to|against|vs\.?) (.+)$/i,
  /^(?:what'?s?|how|is|are|does|do|which|when)?\s*(?:is |are |does |do |better:? |should i use |to use )*(.+?)\s+(?:vs\.?|versus)\s+(.+)$/i,
  /^how (?:is|are|does|do) (.+?) (?:different from|differ from|compare to|compare with) (.+)$/i,
  /^(?:should i use|when to use|which is better,?|do i use|do i need|pick|choose) (.+?) or (.+)$/i,
  /^([\w-]+(?: [\w-]+){0,2}) or ([\w-]+(?: [\w-]+){0,2})$/i,
];

/** @returns undefined when the question does not compare. */
export function splitComparison(question: string): readonly [string, string] | undefined {
  const line = question
    .replace(/\s+/g, ' ')
    .replace(/[?!.\s]+$/, '')
    .trim();
  if (line.length > 200) return undefined;
  for (const frame of frames) {
    const match = frame.exec(line);
    if (match?.[1] && match[2]) return [match[1], match[2]];
  }
  return undefined;
}
