// How the command line prints: a JSON value a line, or words.

export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printWords(words: string): void {
  process.stdout.write(`${words}\n`);
}
