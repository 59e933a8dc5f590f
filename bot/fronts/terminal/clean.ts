// Nothing a file or a person wrote may steer the terminal: escape sequences and control characters are taken out.
import { stripVTControlCharacters } from 'node:util';

/** Text safe to print: no escape sequences, no control characters but line breaks and tabs. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '');
}
