// Finds the wrong claim that a question makes, in whatever words: by the terms it shares with the claims people are known to
// make, the direction of what is said (more or less, before or after, needed or not), and its negations.
import type { Misconception, Search } from '../../knowledge/index.ts';
import { claimedFrom, claimWeights } from './claim-weights.ts';

/** What speaks for and against a question making a claim. */
export interface ClaimFeatures {
  /** Share of the claim's terms, by rarity, that the question holds; and of the question's that the claim holds. */
  readonly held: number;
  readonly explained: number;
  /** The rarest term of the claim stands in the question. */
  readonly subject: number;
  /** Opposite directions: the claim says more, the question less. */
  readonly opposed: number;
  /** One is negated and the other is not. */
  readonly negated: number;
  /** Shared terms that stand in the other order. */
  readonly swapped: number;
  /** The question takes something for granted, or asks whether it is so; 0 where it only asks. */
  readonly presumes: number;
  readonly wonders: number;
}

export const claimFeatureNames = [
  'held',
  'explained',
  'subject',
  'opposed',
  'negated',
  'swapped',
  'presumes',
  'wonders',
] as const satisfies readonly (keyof ClaimFeatures)[];

interface Statement {
  /** Each term with its weight, in the order of the words. */
  readonly terms: ReadonlyMap<string, number>;
  readonly mass: number;
  /** Direction along each axis. */
  readonly directions: ReadonlyMap<string, 1 | -1>;
  readonly isNegated: boolean;
}

interface ClaimMatch {
  readonly misconception: Misconception;
  readonly features: ClaimFeatures;
}

type Weigh = Search['weigh'];

/** Words that say in which direction something goes; each axis with its two ends. */
const axes: { readonly [axis: string]: readonly [string, string] } = {
  amount: [
    'increas\\w*|rais\\w*|rise[sn]?|rising|grow\\w*|more|higher|high|larger|large|bigger|big|greater|most|up|uphill|longer|long|many|gains?|adds?|adding|doubles?',
    'reduc\\w*|decreas\\w*|lower\\w*|low|less|shrink\\w*|small|smaller|tiny|drops?|fewer|few|falls?|declin\\w*|down|downhill|shorter|short|minimi\\w*|cuts?',
  ],
  quality: [
    'better|best|good|great|superior|beats?|wins?|optimal|ideal|improv\\w*|helps?|cures?|fix(?:es)?|solves?|safe|safest|fine|perfect|robust|reliable|trust\\w*',
    'worse|worst|bad|poor|harm\\w*|hurts?|damag\\w*|useless|inferior|fails?|worthless',
  ],
  speed: ['fast\\w*|quick\\w*|speeds?|efficient', 'slow\\w*|latency|delay\\w*'],
  need: [
    'needs?|needed|requir\\w*|must|has to|have to|necessary|mandatory',
    'optional|unnecessary|skip\\w*|obsolete|replac\\w*|no need',
  ],
  sameness: ['same|identical\\w*|equals?|equal to|synonym\\w*|just another|alike', 'differ\\w*|unlike'],
  order: ['before|first|beforehand|prior', 'after\\w*|later|then|afterwards'],
  scope: [
    'always|every|everything|all|any|guarante\\w*|certain\\w*|cannot|impossible|never|automatically|by itself|by themselves|perfectly|completely|only',
    'sometimes|seldom|some|partly|usually',
  ],
  side: ['training set|training data|train set|on train', 'test set|test data|validation|held out'],
  course: [
    'parallel|independent\\w*|simultaneous\\w*',
    'sequen\\w*|one after another|one by one|corrects?|one at a time',
  ],
  shape: ['complex|flexible|deep|deeper', 'simple|simpler|rigid|shallow|straight'],
};
const compiledAxes = Object.entries(axes).map(([axis, [up, down]]) => ({
  axis,
  up: new RegExp(`\\b(?:${up})\\b`, 'g'),
  down: new RegExp(`\\b(?:${down})\\b`, 'g'),
}));
/** How much a direction says beside a term of middling rarity. */
const directionWeight: { readonly [axis: string]: number } = { scope: 1, amount: 2, quality: 2 };
const usualWeight = 2.5;

const negations =
  /\b(?:not|no|never|cannot|cant|dont|doesnt|didnt|isnt|arent|wasnt|wont|shouldnt|neither|nor|without|nothing|nobody|none)\b/g;

const leadIns =
  /^(?:(?:so|but|and|ok|okay|hi|hey|well|wait|hm+|then|also|since|because|as|given that|knowing that|if|why|how come|is it true that|is it right that|isnt it true that|i (?:just )?(?:read|heard|think|thought|learned|learnt|assume|assumed|believe|know|was told|am told|understand)(?: that)?|people say(?: that)?|they say(?: that)?|everyone says|my \w+ (?:says|said|told me)(?: that)?|correct me if i am wrong|am i right that|does that mean(?: that)?|that means|it means)\s+)+/;
const tags =
  /\s*(?:right|correct|no|ok|okay|yes|true|fine|or not|arent they|isnt it|isnt that \w+|doesnt it|dont they|isnt he|wont it|cant it|is that so|is that right|am i right|aint it)\s*$/;
const negativeOpening = /^(?:isnt|arent|doesnt|dont|wont|cant|wouldnt|shouldnt)\s+/;

const presuming =
  /^\W*(?:so |but |and |ok |well |if )*(?:since|because|as|given that|knowing that|why|how come|i (?:just )?(?:read|heard|think|thought|learned|assume|believe|was told)|people say|they say|so\b)|\b(?:right|correct|isn['’]?t it|doesn['’]?t it|aren['’]?t they|don['’]?t they|no|ok|fine|isn['’]?t that \w+)\s*\?*\s*$|\b(?:so|because) /i;
const wondering =
  /^\W*(?:so |but |and |ok |well )*(?:is|are|isn['’]?t|aren['’]?t|does|do|doesn['’]?t|don['’]?t|should|can|could|will|would|must|has|have)\b/i;

/** "Which layers does it delete?" takes for granted that it does. */
const presupposing = /^\W*(?:so |but |and )*(?:which|what|how much|how many) \w+ (?:does|do|did)\b/i;
const asksOpenly =
  /^\W*(?:so |but |and |ok |then )*(?:how (?:do|can|should|would|to)\b|(?:is|are) there\b|what (?:is|are|if|happens)\b|should i\b|can i\b)/i;

/** Takes something for granted, or asks whether it is so. */
export function claimsSomething(question: string): boolean {
  if (asksOpenly.test(question)) return false;
  return presuming.test(question) || wondering.test(question) || presupposing.test(question);
}

export interface ClaimMatcher {
  /** The entries nearest to what the question claims, each by its best claim. */
  match(question: string): readonly ClaimMatch[];
}

export function createClaimMatcher(misconceptions: readonly Misconception[], weigh: Weigh): ClaimMatcher {
  const known = misconceptions.flatMap((misconception) =>
    misconception.claims.map((claim) => ({ misconception, claim: read(claim, weigh) })),
  );
  const holding = new Map<string, typeof known>();
  for (const one of known) {
    for (const term of one.claim.terms.keys()) {
      if (isContent(term)) holding.set(term, [...(holding.get(term) ?? []), one]);
    }
  }
  return {
    match: (question) => {
      const presumes = presuming.test(question) ? 1 : 0;
      const wonders = wondering.test(question) ? 1 : 0;
      const statements = propositionsIn(question).map((text) => read(text, weigh));
      const best = new Map<Misconception, ClaimFeatures>();
      for (const statement of statements) {
        const near = new Set([...statement.terms.keys()].flatMap((term) => holding.get(term) ?? []));
        for (const { misconception, claim } of near) {
          const features = compareStatements(claim, statement);
          if (!features) continue;
          const before = best.get(misconception);
          if (!before || quickScore(features) > quickScore(before))
            best.set(misconception, { ...features, presumes, wonders });
        }
      }
      return [...best].map(([misconception, features]) => ({ misconception, features }));
    },
  };
}

/** Finds the one claim that a question most surely makes. */
export function createFindClaim(
  misconceptions: readonly Misconception[],
  weigh: Weigh,
): (question: string) => Misconception | undefined {
  const matcher = createClaimMatcher(misconceptions, weigh);
  return (question) => {
    // Who neither takes for granted nor asks whether it is so claims nothing: no such question reaches the limit.
    if (!presuming.test(question) && !wondering.test(question)) return undefined;
    let best: { readonly misconception: Misconception; readonly logit: number } | undefined;
    for (const { misconception, features } of matcher.match(question)) {
      const logit = claimFeatureNames.reduce(
        (sum, name) => sum + features[name] * claimWeights[name],
        claimWeights.constant,
      );
      if (logit >= claimedFrom && (!best || logit > best.logit)) best = { misconception, logit };
    }
    return best?.misconception;
  };
}

/** Not a direction. */
const isContent = (term: string) => !/[+-]$/.test(term);

const quickScore = ({ held, explained, opposed, negated }: Omit<ClaimFeatures, 'presumes' | 'wonders'>) =>
  held + 0.6 * explained - 0.4 * opposed - 0.5 * negated;

/** The clauses of a question as plain statements: without "since", "why does", "right?". */
function propositionsIn(question: string): readonly string[] {
  const sentences = question.toLowerCase().split(/(?<!\be\.g|\bi\.e|\bvs)[.!?;]+(?:\s+|$)|\n+/);
  const texts = sentences.flatMap((sentence) => {
    const clauses = sentence
      .split(/,\s+|\s+(?=(?:so|because|but)\s)/)
      .filter((clause) => clause.split(/\s+/).length >= 4);
    return clauses.length > 1 ? [...clauses, sentence] : [sentence];
  });
  return [...new Set(texts.map(plainStatement))].filter((text) => text.includes(' '));
}

function plainStatement(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/['’`]/g, '')
    .replace(/[-–_/(),:"“”?!.;]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.replace(tags, '').replace(leadIns, '').replace(negativeOpening, '').trim();
}

function read(text: string, weigh: Weigh): Statement {
  const plain = plainStatement(text);
  const terms = new Map(weigh(plain).map(({ term, weight }) => [term, weight]));
  const directions = new Map<string, 1 | -1>();
  for (const { axis, up, down } of compiledAxes) {
    const balance = [...plain.matchAll(up)].length - [...plain.matchAll(down)].length;
    if (balance === 0) continue;
    const direction = balance > 0 ? 1 : -1;
    directions.set(axis, direction);
    terms.set(`${axis}${direction > 0 ? '+' : '-'}`, directionWeight[axis] ?? usualWeight);
  }
  return {
    terms,
    mass: [...terms.values()].reduce((sum, weight) => sum + weight, 0),
    directions,
    isNegated: [...plain.matchAll(negations)].length % 2 === 1,
  };
}

function compareStatements(
  claim: Statement,
  statement: Statement,
): Omit<ClaimFeatures, 'presumes' | 'wonders'> | undefined {
  const shared = [...claim.terms].filter(([term]) => statement.terms.has(term));
  const contents = shared.filter(([term]) => isContent(term));
  const claimed = [...claim.terms.keys()].filter(isContent);
  // One word of several in common is the same subject, not the same claim.
  if (contents.length < Math.min(2, claimed.length)) return undefined;
  const mass = shared.reduce((sum, [, weight]) => sum + weight, 0);
  const [rarest] = [...claim.terms].filter(([term]) => isContent(term)).sort(([, a], [, b]) => b - a);
  const axesShared = [...claim.directions].filter(([axis]) => statement.directions.has(axis));
  const places = [...statement.terms.keys()];
  const order = contents.map(([term]) => places.indexOf(term));
  return {
    held: mass / claim.mass,
    explained: mass / statement.mass,
    subject: rarest && statement.terms.has(rarest[0]) ? 1 : 0,
    opposed: axesShared.filter(([axis, direction]) => statement.directions.get(axis) !== direction).length,
    negated: claim.isNegated === statement.isNegated ? 0 : 1,
    swapped: order.some((place, at) => at > 0 && place < (order[at - 1] ?? 0)) ? 1 : 0,
  };
}
