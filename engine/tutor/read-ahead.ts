// Reads the guide's sections one by one before anybody asks: it takes milliseconds that the first answer from each would wait for.
import { setTimeout } from 'node:timers/promises';
import type { Guide } from '../../knowledge/index.ts';
import { readSection } from './reading.ts';

/** @param pauseMs between two sections, for whoever asks meanwhile; a process that ends does not wait for it. */
export async function readAhead(guide: Guide, pauseMs = 50): Promise<void> {
  for (const section of guide.chapters.flatMap(({ sections }) => sections)) {
    await setTimeout(pauseMs, undefined, { ref: false });
    readSection(section);
  }
}
