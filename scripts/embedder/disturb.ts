// Says the same once more as other people would type it: with typos, words left out, other words, other frames.
import type { Random } from '../../engine/random.ts';
import { wordsOf } from '../../knowledge/search/stem.ts';

/** Phrases of one group may stand for each other. */
export type PhraseGroups = readonly (readonly string[])[];

const frames = [
  'what is',
  'whats',
  'explain',
  'how does',
  'how do i',
  'how can i',
  'why does',
  'why is',
  'when should i',
  'can you explain',
  'pls explain',
  'help with',
  'i dont understand',
  'tell me about',
  'so',
  'hey',
  'please',
  'which',
  'is it true that',
  'what about',
  'should i',
  'what happens with',
  'need help',
  'quick question',
  'how to',
  'in simple words',
  'what do you mean by',
  'my',
]; // biome-format
const endings = [
  'please',
  'in simple words',
  'for beginners',
  'explained',
  'example',
  'help',
  'thanks',
  'lol',
  'and why',
  'in practice',
  'pls',
];
const letters = 'abcdefghijklmnopqrstuvwxyz';

export interface Disturbing {
  readonly random: Random;
  readonly phrases: PhraseGroups;
}

export function createDisturber({ random, phrases }: Disturbing): (text: string) => string {
  const swaps = new Map<string, readonly string[]>();
  for (const group of phrases) {
    const forms = group.map((phrase) => wordsOf(phrase).join(' '));
    for (const form of forms) swaps.set(form, [...(swaps.get(form) ?? []), ...forms.filter((other) => other !== form)]);
  }
  const pick = <T>(items: readonly T[]): T | undefined => items[random.below(Math.max(1, items.length))];

  function swapPhrases(words: readonly string[]): string[] {
    const result: string[] = [];
    for (let at = 0; at < words.length; ) {
      let length = Math.min(4, words.length - at);
      let others: readonly string[] | undefined;
      for (; length > 0; length--) {
        others = swaps.get(words.slice(at, at + length).join(' '));
        if (others) break;
      }
      if (others && random.next() < 0.35) result.push(...(pick(others) ?? '').split(' '));
      else result.push(...words.slice(at, at + Math.max(1, length)));
      at += Math.max(1, length);
    }
    return result;
  }

  function mistype(word: string): string {
    if (word.length < 4) return word;
    const at = 1 + random.below(word.length - 2);
    const letter = letters[random.below(letters.length)] ?? '';
    const ways = [
      word.slice(0, at) + word.slice(at + 1),
      word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2),
      word.slice(0, at) + (word[at] ?? '') + word.slice(at),
      word.slice(0, at) + letter + word.slice(at + 1),
    ];
    return pick(ways) ?? word;
  }

  return (text) => {
    let words = swapPhrases(wordsOf(text));
    const drop = random.next() < 0.4 ? 0.15 : 0;
    const kept = words.filter(() => random.next() >= drop);
    if (kept.length > 0) words = kept;
    if (random.next() < 0.25) words = [...(pick(frames) ?? '').split(' '), ...words];
    if (random.next() < 0.1) words = [...words, ...(pick(endings) ?? '').split(' ')];
    const typos = random.next() < 0.25 ? 0.25 : 0;
    return words.map((word) => (random.next() < typos ? mistype(word) : word)).join(' ');
  };
}
