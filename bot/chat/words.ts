// Splits a typed line into words the way a shell would, so that a path or a label may hold spaces inside quotes.

/** `a "b c" --d=e` → `['a', 'b c', '--d=e']`. An unclosed quote reaches to the end. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, double, single, bare] of line.matchAll(/"([^"]*)"?|'([^']*)'?|(\S+)/g)) {
    words.push(double ?? single ?? bare ?? '');
  }
  return words;
}
