// Reciprocal-rank fusion joins rankings whose scores cannot be compared (Cormack, Clarke & Büttcher, SIGIR 2009).

const k = 60;

/** @param rankings ids, best first. @returns each id with Σ 1 / (k + rank), best first; ranks count from 1. */
export function fuseRankings(rankings: readonly (readonly string[])[]): { id: string; score: number }[] {
  const scores = new Map<string, number>();
  for (const ranking of rankings) {
    for (const [index, id] of ranking.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (k + index + 1));
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score);
}
