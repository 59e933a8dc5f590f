// Tells whether a question takes for granted what the guide says, or its opposite: it is cut into clauses, and in each the things
// spoken of, what is said of them, negations and sizes ("lower", "too small") are read against the guide's facts.
import type { Fact, FactPoint } from '../../knowledge/index.ts';
import { clausesOf } from './clauses.ts';

/** What a question says, held against the facts. */
export interface FactCheck {
  /** The point it contradicts most plainly. */
  readonly mistaken: FactPoint | undefined;
  /** It says something that a fact confirms. */
  readonly confirmed: boolean;
}

interface Span {
  readonly from: number;
  readonly to: number;
}
interface Wording {
  readonly pattern: RegExp;
  readonly source: string;
}
interface CompiledPoint {
  readonly point: FactPoint;
  readonly right: Wording | undefined;
  readonly wrong: Wording | undefined;
}
interface CompiledFact {
  readonly names: RegExp;
  readonly size: Fact['size'];
  readonly points: readonly CompiledPoint[];
}
/** What one clause says of one thing. */
interface Finding {
  readonly point: FactPoint;
  readonly isRight: boolean;
  readonly subject: Span;
  readonly said: Span;
}

/** How many letters may stand between a thing and what is said of it. */
const farthestAfter = 45;
const farthestBefore = 14;

/** Turns round the clause it stands in, as far as "and" or "but". */
const clauseNegation =
  /(?<![a-z])(?:not|never|cannot|cant|dont|doesnt|didnt|isnt|arent|wasnt|werent|wont|wouldnt|shouldnt|couldnt|havent|hasnt|neither|nothing|nobody|hardly|barely|seldom|rarely|wrong to|wrong that|mistake|bad idea|bad|dangerous|harmful|myth|risky|forbidden|far from(?! the))(?![a-z])/g;
/** Turns round only the words right after it. */
const wordNegation =
  /(?<![a-z])(?:(?<!yes |yes or )no(?! (?:longer than|matter|doubt|better|worse|more than|less than))|nor|without|ignores?|ignoring|discards?|unlike|instead of|rather than|lacks?|rid of|avoids?|skips?|do(?:es)? away with|replaces?|dispenses? with)(?![a-z])/g;
const reach = 22;
const larger =
  /(?<![a-z])(?:high(?:er|est)?|larger?|largest|big(?:ger|gest)?|increas\w*|rais\w*|more|longer|doubl\w*|greater|up|stronger|many|stricter|growing)(?![a-z])/;
const smaller =
  /(?<![a-z])(?:low(?:er|ering|est)?|small(?:er|est)?|tiny|decreas\w*|reduc\w*|less|fewer|few|shorter|halv\w*|halve|down|weaker|turn\w* down|(?:zero|0)$)(?![a-z])/;
export function createCheckFacts(facts: readonly Fact[]): (question: string) => FactCheck {
  const shelves = shelve(facts);
  return (question) => {
    const clauses = clausesOf(question);
    const findings = clauses.parts.flatMap((clause, index) => findInOrder(clause, clauses.parts[index - 1], shelves));
    const all = findings.length > 0 ? findings : findIn(clauses.whole, spokenOf(clauses.whole, shelves));
    const mistakes = all.filter(({ isRight }) => !isRight);
    const best = mistakes.toSorted((a, b) => plainness(b) - plainness(a))[0];
    return { mistaken: best?.point, confirmed: mistakes.length === 0 && all.length > 0 };
  };
}

/** Facts whose things are looked for together: a clause speaks of few of thousands. */
interface Shelf {
  readonly anyName: RegExp;
  readonly facts: readonly CompiledFact[];
}
const factsOfShelf = 24;

function shelve(facts: readonly Fact[]): readonly Shelf[] {
  return Array.from({ length: Math.ceil(facts.length / factsOfShelf) }, (_, at) => {
    const these = facts.slice(at * factsOfShelf, (at + 1) * factsOfShelf);
    const names = these.map(({ names }) => `(?:${names})`).join('|');
    return { anyName: new RegExp(`(?<![a-z0-9])(?:${names})`), facts: these.map(compile) };
  });
}

const spokenOf = (clause: string, shelves: readonly Shelf[]): readonly CompiledFact[] =>
  shelves.flatMap(({ anyName, facts }) => (anyName.test(clause) ? facts : []));

function compile({ names, size, points }: Fact): CompiledFact {
  return {
    names: startingAt(names),
    size,
    points: points.map((point) => ({ point, right: wordingOf(point.right), wrong: wordingOf(point.wrong) })),
  };
}

const startingAt = (source: string) => new RegExp(`(?<![a-z0-9])(?:${source})`, 'g');

function wordingOf(source: string | undefined): Wording | undefined {
  if (source === undefined) return undefined;
  return { pattern: startingAt(source), source };
}

/** "a|(b|c) d" has two: "a" and "(b|c) d". */
function alternativesOf(source: string): readonly string[] {
  const found = [''];
  let depth = 0;
  for (const part of source.match(/\\.|\[(?:\\.|[^\]])*\]|[^\\[]/g) ?? []) {
    if (part === '(') depth++;
    if (part === ')') depth--;
    if (part === '|' && depth === 0) found.push('');
    else found[found.length - 1] += part;
  }
  return found;
}

/** The negations that the wording itself says where it is said in these words. */
function ownNegations({ source }: Wording, words: string): ReadonlySet<string> {
  const alternatives = alternativesOf(source);
  const fitting = alternatives.filter((alternative) => new RegExp(`^(?:${alternative})$`).test(words));
  const said = (fitting.length > 0 ? fitting : alternatives).join('|');
  return new Set([...said.matchAll(clauseNegation), ...said.matchAll(wordNegation)].map(([word]) => word));
}

/** The thing before what is said of it, near it, and in many letters. */
const plainness = ({ subject, said }: Finding) =>
  (subject.to <= said.from ? 40 : 0) + (said.to - said.from) + (subject.to - subject.from);

/** "It" and "they" stand for the thing that the clause before speaks of, the first of them that fits. */
function findInOrder(clause: string, before: string | undefined, shelves: readonly Shelf[]): readonly Finding[] {
  const found = findIn(clause, spokenOf(clause, shelves));
  const pronoun = before === undefined || found.length > 0 ? null : /(?<![a-z])(?:it|they|them)(?![a-z])/.exec(clause);
  if (before === undefined || pronoun === null) return found;
  const meant = spokenOf(before, shelves)
    .flatMap((fact) => spansOf(fact.names, before).map((span) => ({ fact, ...span })))
    .toSorted((a, b) => a.from - b.from || b.to - a.to);
  for (const { fact, from, to } of meant) {
    const told = `${clause.slice(0, pronoun.index)}${before.slice(from, to).trim()}${clause.slice(pronoun.index + pronoun[0].length)}`;
    const findings = findIn(told, [fact]).filter(({ subject }) => subject.from === pronoun.index);
    if (findings.length > 0) return findings;
  }
  return [];
}

function findIn(clause: string, facts: readonly CompiledFact[]): readonly Finding[] {
  if (clause === '') return [];
  const spoken = facts.flatMap((fact) => {
    const subjects = spansOf(fact.names, clause);
    if (subjects.length === 0) return [];
    return subjects.map((subject) => ({ fact, subject }));
  });
  const findings = spoken.flatMap(({ fact, subject }) => {
    const size = sizeOf(clause, subject, fact.size);
    if (size === 0) return [];
    const end = endOf(clause, subject, spoken);
    return fact.points.flatMap((point) => judge(clause, subject, end, size, point) ?? []);
  });
  // Of two things near the same words those are said of the one before them, and of the nearer.
  return findings.filter(
    ({ subject, said }) =>
      !findings.some(
        (other) =>
          overlaps(other.said, said) &&
          other.subject.to <= said.from &&
          !overlaps(other.subject, subject) &&
          (subject.from >= said.from || other.subject.from > subject.to),
      ),
  );
}

/** Where the clause turns to another thing: "soft voting … and hard voting …". */
function endOf(clause: string, { to }: Span, spoken: readonly { readonly subject: Span }[]): number {
  const turns = spoken.filter(
    ({ subject }) =>
      subject.from > to && /(?:^| )(?:and|but|unlike|while) (?:the |a |an )?$/.test(clause.slice(to, subject.from)),
  );
  return Math.min(clause.length, ...turns.map(({ subject }) => subject.from));
}

/** 1 for more of it, -1 for less; 0 where a size was needed and none is said. */
function sizeOf(clause: string, { from, to }: Span, size: Fact['size']): number {
  if (size === 'none') return 1;
  const before = clause.slice(0, from).split(' ').slice(-4).join(' ');
  const rest = clause.slice(to);
  const after =
    /^ (?:(?:is|are|was|were|gets?|being|set|goes) (?:set |too |very |way )*|too )(\S+)/.exec(rest)?.[1] ??
    /^ (\S+) (?:ones?|values?|numbers?|sizes?)\b/.exec(rest)?.[1] ??
    '';
  const told = `${before} ${clause.slice(from, to)}`;
  if (smaller.test(told) || smaller.test(after)) return -1;
  if (larger.test(told) || larger.test(after)) return 1;
  return size === 'usual' ? 1 : 0;
}

function judge(
  clause: string,
  subject: Span,
  end: number,
  size: number,
  { point, right, wrong }: CompiledPoint,
): Finding | undefined {
  const free = (wording: Wording | undefined) =>
    wording === undefined
      ? []
      : spansOf(wording.pattern, clause).filter((said) => said.from < end && isSaidOf(clause, subject, said));
  const found = { right: free(right), wrong: free(wrong) };
  // Words of the thing's own name ("raising the threshold …") count only where nothing else is said.
  const isApart = (said: Span) => !overlaps(said, subject);
  const apart = [...found.right, ...found.wrong].some(isApart);
  const rights = apart ? found.right.filter(isApart) : found.right;
  const wrongs = apart ? found.wrong.filter(isApart) : found.wrong;
  const vote = (said: Span, sign: number, wording: Wording | undefined) => ({
    said,
    isRight: sign * size * (isNegated(clause, subject, said, wording) ? -1 : 1) > 0,
  });
  const votes = [
    ...rights
      .filter((said) => !wrongs.some((other) => outgrows(other, said)))
      .map((said) => vote(said, 1, right))
      // The truth denied may be spoken of something else: where the opposite has words of its own, those say it.
      .filter(({ isRight }) => isRight || wrong === undefined || size !== 1),
    ...wrongs.filter((said) => !rights.some((other) => outgrows(other, said))).map((said) => vote(said, -1, wrong)),
  ];
  // The truth said once outweighs the words of its opposite: they may be spoken of another thing.
  const chosen = votes.find(({ isRight }) => isRight) ?? votes[0];
  return chosen && { point, isRight: chosen.isRight, subject, said: chosen.said };
}

function isSaidOf(clause: string, subject: Span, said: Span): boolean {
  if (contains(subject, said)) return false;
  // "Better than X" is said of another.
  if (said.from < subject.from && / (?:than|compared (?:to|with)) (?:the |an? )?$/.test(clause.slice(0, subject.from)))
    return false;
  // "BERT fills in masked words and GPT …": said of the one before.
  if (/ (?:and|but|while) /.test(clause.slice(said.to, Math.max(said.to, subject.from)))) return false;
  return said.from - subject.to <= farthestAfter && subject.from - said.to <= farthestBefore;
}

/** An odd number of negations before what is said or within it, but for those that the wording itself holds. */
function isNegated(clause: string, subject: Span, said: Span, wording: Wording | undefined): boolean {
  const isFree = (span: Span) => !overlaps(span, subject);
  const far = spansOf(clauseNegation, clause.slice(0, said.from)).filter(
    (span) => isFree(span) && !/ (?:and|but|\|) /.test(clause.slice(span.to, said.from)),
  );
  const near = spansOf(wordNegation, clause.slice(0, said.from)).filter(
    (span) => isFree(span) && said.from - span.to <= reach && !clause.slice(span.to, said.from).includes('|'),
  );
  // "More data does not cure underfitting", "its distances mean nothing".
  const between = spansOf(clauseNegation, clause.slice(said.to, Math.max(said.to, subject.from)));
  const after =
    /^\w* (?:(?:changes?|gains?|brings?|gives?|adds?|means?|helps?|says?|tells?) )?(?:nothing|little)(?![a-z])/.test(
      clause.slice(said.to),
    )
      ? 1
      : 0;
  const words = clause.slice(said.from, said.to);
  const inside = [...words.matchAll(clauseNegation), ...words.matchAll(/(?<![a-z])(?:no|without)(?![a-z])/g)];
  const own = wording === undefined || inside.length === 0 ? undefined : ownNegations(wording, words);
  const within = inside.filter(([word]) => !own?.has(word));
  return (far.length + near.length + within.length + between.length + after) % 2 === 1;
}

function spansOf(pattern: RegExp, text: string): readonly Span[] {
  return [...text.matchAll(pattern)].map((match) => ({ from: match.index, to: match.index + match[0].length }));
}

const overlaps = (a: Span, b: Span) => a.from < b.to && b.from < a.to;
/** The longer wording says it more exactly. */
const outgrows = (a: Span, b: Span) => contains(a, b) && a.to - a.from > b.to - b.from;
const contains = (outer: Span, inner: Span) => outer.from <= inner.from && inner.to <= outer.to;
