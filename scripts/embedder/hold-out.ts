// A fifth of all wordings, chosen by their own words: kept out where something is to be measured on them.
import { createHash } from 'node:crypto';

export function isHeldOut(text: string): boolean {
  return (createHash('sha256').update(text).digest()[0] ?? 0) % 5 === 0;
}
