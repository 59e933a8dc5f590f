// Finds what a question wrongly takes for granted: what it is about and what is said of it must stand in one sentence,
// and no negation between them, or else the truth was said.
import type { Misconception } from '../../knowledge/index.ts';

export type FindMisconception = (question: string) => Misconception | undefined;

const negation =
  /\b(?:not|no|never|cannot|cant|dont|doesnt|didnt|isnt|arent|wasnt|wont|shouldnt|neither|nor|hardly|rarely|seldom|without|instead of|rather than|less|myth|wrong|false|mistake|misconception)\b/;

const premise =
  /^\W*(?:so |but |and |ok |if )*(?:since|as|because|given that|knowing that|why (?:is|are|does|do|can|will|would)|how (?:does|do|can|come))\b/i;
const absolute =
  /\b(?:always|never|guarantees?|guaranteed|automatically|in every case|every time|perfectly|impossible|no matter what|completely|eliminates?|100 ?%)(?!\w)/i;
const advice =
  /\b(?:should|must|ought to|need to|want to|recommended|not|n['’]t)\s+(?:\w+\s+){0,2}(?:always|never|automatically|completely|guarantee\w*)|\b(?:not|isn['’]?t|doesn['’]?t|don['’]?t|cannot|can['’]?t)\b/i;

const ownCase = /\b(?:my|our|mine)\b.{0,40}\b(?:always|never|perfectly|completely|every time)\b/i;

/** "…, right?" asks only to be told yes. */
const leading =
  /\b(?:right|correct|is(?:n['’]?t| not) it|does(?:n['’]?t| not) it|are(?:n['’]?t| not) they|do(?:n['’]?t| not) they|no)\s*\?*\s*$/i;

/** Takes for granted that something holds without exception, as little in this field does. */
export function isAbsolute(question: string): boolean {
  // "Why does my model always …" tells what was seen, and claims nothing of all models.
  if (ownCase.test(question)) return false;
  const claim = question.replace(leading, '');
  const presumes = premise.test(question) || claim !== question;
  return presumes && absolute.test(claim) && !advice.test(claim);
}

/** Who asks what is wrong takes nothing for granted. */
const asksForMistake =
  /what(?:'s| is| was) (?:wrong|the (?:mistake|problem|error|most likely))|is (?:it|this|that) (?:a )?(?:myth|wrong|a mistake)|which one do you|best reply/i;

export function createFindMisconception(misconceptions: readonly Misconception[]): FindMisconception {
  const compiled = misconceptions.flatMap((misconception) => {
    const { about, says, unless } = misconception;
    if (about === undefined || says === undefined) return [];
    return {
      misconception,
      about: new RegExp(`\\b(?:${about})`, 'g'),
      says: new RegExp(`(?:^|\\b|(?<=\\s))(?:${says})`, 'g'),
      unless: unless === undefined ? undefined : new RegExp(unless),
    };
  });
  return (question) => {
    if (asksForMistake.test(question)) return undefined;
    const sentences = clausesOf(question);
    for (const sentence of sentences) {
      let best: { length: number; misconception: Misconception } | undefined;
      for (const { misconception, about, says, unless } of compiled) {
        if (unless?.test(sentence)) continue;
        const length = claimIn(sentence, about, says, misconception);
        // Of several the one that explains most of the sentence.
        if (length !== undefined && (!best || length > best.length)) best = { length, misconception };
      }
      if (best) return best.misconception;
    }
    return undefined;
  };
}

/** @returns how many letters of the sentence the claim is made of; undefined where it is not claimed. */
function claimIn(
  sentence: string,
  about: RegExp,
  says: RegExp,
  { negated, ordered }: Misconception,
): number | undefined {
  const subjects = [...sentence.matchAll(about)];
  if (subjects.length === 0) return undefined;
  let longest: number | undefined;
  for (const said of sentence.matchAll(says)) {
    const end = said.index + said[0].length;
    for (const subject of subjects) {
      const subjectEnd = subject.index + subject[0].length;
      if (ordered && subject.index > said.index) continue;
      const between =
        subjectEnd <= said.index
          ? sentence.slice(subjectEnd, said.index)
          : end <= subject.index
            ? sentence.slice(end, subject.index)
            : '';
      if (between.length > 90) continue;
      const [from, to] = [Math.min(subject.index, said.index), Math.max(subjectEnd, end)];
      if (!negated && negation.test(`${sentence.slice(Math.max(0, from - 14), from)} ${sentence.slice(from, to)}`))
        continue;
      longest = Math.max(longest ?? 0, subject[0].length + said[0].length);
    }
  }
  return longest;
}

/** Lower case, without apostrophes, hyphens as spaces. */
function plainSentences(question: string): readonly string[] {
  return question
    .toLowerCase()
    .replace(/['’`]/g, '')
    .split(/(?<!\be\.g|\bi\.e|\bvs)[.!?;]+(?:\s+|$)|\n+/)
    .map((sentence) =>
      sentence
        .replace(/[-–_/(),:"“”]+/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((sentence) => sentence !== '');
}

/** Each clause by itself, then the sentence whole: "Since X, how do I …" claims X and asks for something else. */
function clausesOf(question: string): readonly string[] {
  const clauses = question.split(/,\s+|\s+(?=so\s)/).filter((clause) => clause.trim().split(/\s+/).length >= 4);
  return clauses.length < 2
    ? plainSentences(question)
    : [...clauses.flatMap(plainSentences), ...plainSentences(question)];
}
