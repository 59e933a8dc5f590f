// Cuts prose into windows of a sentence or two, short enough that one vector can stand for each.
import { wordsOf } from '../search/stem.ts';

const fewestWords = 5;
const mostWords = 28;
const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Every sentence of at least five words, alone or joined with its neighbours; a long one stays whole. */
export function cutWindows(text: string): string[] {
  const windows: string[] = [];
  let held = '';
  let heldWords = 0;
  for (const line of text.split('\n')) {
    for (const { segment } of segmenter.segment(line)) {
      const sentence = segment.trim();
      const words = wordsOf(sentence).length;
      if (heldWords > 0 && heldWords + words > mostWords) {
        if (heldWords >= fewestWords) windows.push(held);
        held = sentence;
        heldWords = words;
      } else {
        held = `${held} ${sentence}`.trim();
        heldWords += words;
      }
    }
  }
  return heldWords >= fewestWords ? [...windows, held] : windows;
}
