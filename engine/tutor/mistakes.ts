// Finds what a question wrongly takes for granted: by the guide's facts first, then by the wrong claims people are known to make.
import type { Guide, Search } from '../../knowledge/index.ts';
import { claimsSomething, createFindClaim } from './claims.ts';
import { createCheckFacts } from './facts.ts';
import { createFindMisconception } from './misconceptions.ts';

export interface Mistake {
  /** A fact of the guide is contradicted in so many words; a claim is only like a known one. */
  readonly by: 'fact' | 'claim';
  /** What is so instead, in one sentence. */
  readonly denial: string;
  readonly chapterId: string;
  readonly sectionId: string;
  /** The guide's own sentence that carries the denial; undefined where the section's nearest is to be taken. */
  readonly quote: string | undefined;
}

/** @param meant the question as it was understood, which for a follow-up holds what it follows. */
export type FindMistake = (meant: string, question: string) => Mistake | undefined;

export function createFindMistake({ facts = [], misconceptions = [] }: Guide, search: Search): FindMistake {
  const checkFacts = createCheckFacts(facts);
  const byPattern = createFindMisconception(misconceptions);
  const byClaim = createFindClaim(misconceptions, search.weigh);
  return (meant, question) => {
    // "And for classification?" puts together two things and claims nothing of them.
    if (meant !== question && !claimsSomething(question)) return undefined;
    const readings = meant === question ? [meant] : [meant, question];
    const checks = readings.map(checkFacts);
    const point = checks.find(({ mistaken }) => mistaken)?.mistaken;
    if (point) {
      const { so, chapterId, sectionId } = point;
      return { by: 'fact', denial: so, chapterId, sectionId, quote: undefined };
    }
    // Shared words say little of what is true: what the facts confirm is not called wrong for them.
    if (checks.some(({ confirmed }) => confirmed)) return undefined;
    const known = first(readings, byPattern) ?? first(readings.filter(claims), byClaim);
    return known && { by: 'claim', ...known };
  };
}

/** "How to pick k" claims nothing: words shared with a wrong claim are then about the same thing, not the same claim. */
const claims = (question: string) =>
  !/(?:^|[:;,–] )\W*(?:how to|how (?:do|can|should|would) (?:i|we|you)|which|when (?:to|should))\b/i.test(question);

function first<T>(readings: readonly string[], find: (reading: string) => T | undefined): T | undefined {
  for (const reading of readings) {
    const found = find(reading);
    if (found !== undefined) return found;
  }
  return undefined;
}
