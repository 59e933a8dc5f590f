// Which chapter a person means by what they typed: its id, its title, or enough of either to be the only one.
import { distance } from 'fastest-levenshtein';
import type { Chapter } from '../../knowledge/index.ts';

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();

/** @returns undefined when no chapter, or more than one, is meant. */
export function findChapter<T extends Pick<Chapter, 'id' | 'title'>>(
  chapters: readonly T[],
  typed: string,
): T | undefined {
  const wanted = plain(typed);
  const exact = chapters.find(({ id, title }) => plain(id) === wanted || plain(title) === wanted);
  if (exact || wanted.length < 4) return exact;
  const holding = chapters.filter(({ id, title }) => ` ${plain(id)} ${plain(title)} `.includes(` ${wanted} `));
  if (holding.length === 1) return holding[0];
  const near = chapters.filter(({ id, title }) => [id, title].some((name) => distance(plain(name), wanted) <= 2));
  return near.length === 1 ? near[0] : undefined;
}

/** The chapters, those spelt most like `typed` first. */
export function nearestChapters<T extends Pick<Chapter, 'id' | 'title'>>(chapters: readonly T[], typed: string): T[] {
  const wanted = plain(typed).slice(0, 80);
  const far = ({ id, title }: T) =>
    Math.min(...[id, title].map((name) => distance(plain(name), wanted) / Math.max(name.length, wanted.length)));
  return chapters.toSorted((a, b) => far(a) - far(b));
}
