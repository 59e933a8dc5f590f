// What the tutor answers with: words from the guide, each claim cited; a sum with its working; a correction of what was
// wrongly taken for granted; or an honest "not covered".
import type { Guide, Hit, Search } from '../../knowledge/index.ts';
import { UserError } from '../errors.ts';
import type { Answer, AskOptions, Level, Tutor } from './answer.ts';
import { createAnswers, talk } from './answers.ts';
import { asksDefinition, asksForItself, wantsCode } from './asked.ts';
import { mentions } from './comparison.ts';
import { alsoFrom, composeAnswer, qualify } from './compose.ts';
import type { Outcome } from './compute/calculation.ts';
import { compute, computeAgain } from './compute/compute.ts';
import { createConcepts } from './concepts.ts';
import { correct } from './correct.ts';
import { assemble, type Piece, quotePiece, type Source } from './draft.ts';
import { createExplain } from './explain.ts';
import { holdsCode } from './figures.ts';
import { createFind, type Found } from './find.ts';
import { readInThread } from './follow-up.ts';
import { levelAsked } from './level.ts';
import { isAbsolute } from './misconceptions.ts';
import { createFindMistake, type Mistake } from './mistakes.ts';
import { type Near, type Overlap, openingOf } from './run.ts';
import { excuseFor, ranksProducts } from './scope.ts';
import { createCompare } from './sides.ts';
import { answerSmallTalk } from './small-talk.ts';
import { createSources } from './sources.ts';
import { showSum } from './sum.ts';

export interface TutorOptions {
  readonly guide: Guide;
  readonly search: Search;
}

const longestQuestion = 8000;
/** How sure a sum and a correction are: their patterns met, but a pattern can be met by chance. */
const matchedConfidence = 0.9;
/** Log-odds between two sections: below, the second holds what was asked in one case of ten or more (measured). */
const rivalMargin = 1.4;
/** Within this, code may stand in the second section. */
const codeMargin = 2;
/** "X vs Y" takes nothing for granted. */
const namesOnly =
  /^\W*(?:compare\b|(?:what(?:'s| is)? )?(?:the )?difference between\b|(?:[\w-]+ ){1,4}(?:vs\.?|versus) )/i;
const sureOfSection = 0.8;
/** Letters of a section's opening that are searched for a name. */
const definitionRead = 450;
/** Words of a question that asks what one thing is. */
const longestDefinition = 8;
const definitionFrame =
  /^\W*(?:(?:so|hey|ok|please|pls|can you|could you) )*(?:what(?:['’]?s| is| are| does| do)?|wh?at is|define|explain|describe|meaning of)(?: the meaning of)? (?:an? |the )?|\s(?:mean|means|stand for|what(?:['’]?s| is) (?:it|that|this))\W*$/gi;
/** "What temperature should I set" takes no more for granted. */
const asksForValue =
  /^\W*(?:so |and |ok |hey )*(?:what|which) (?:[\w-]+ ){1,4}(?:should|shall|do|would|can) (?:i|we|you|one) (?:set|use|take|choose|pick|start)\b|^\W*how (?:many|much|long) [\w -]{1,30}\b(?:for|do i|do we|should i|should we|needed|enough)\b/i;
/** What is counted takes nothing for granted. */
const asksSum = /^\W*(?:so |and |ok |hey )*(?:how (?:many|much)|compute|calculate|what(?:'?s| is) the)\b/i;
/** How sure a comparison is at the least: both its sides were found by name. */
const comparedConfidence = 0.6;

export function createTutor({ guide, search }: TutorOptions): Tutor {
  const sources = createSources(guide);
  const answers = createAnswers(guide);
  const concepts = createConcepts(guide);
  const find = createFind(search, concepts);
  const overlapWith =
    (query: string): Overlap =>
    (texts) =>
      search.overlap(query, texts);
  const compare = createCompare(guide, search, concepts, sources, overlapWith);
  const explain = createExplain(guide, search, sources, answers, overlapWith);
  const findMistake = createFindMistake(guide, search);

  /** The next section, where the question may as well mean it. */
  const findRival = (hits: readonly Hit[], best: Source): Source | undefined => {
    const rival = hits.find((hit) => sources.of(hit) !== best);
    const isNear = rival !== undefined && (hits[0]?.score ?? 0) - rival.score < rivalMargin;
    return isNear ? sources.of(rival) : undefined;
  };

  /** The first section; of those that fit about as well, one with code where code is asked for. */
  const findBest = (hits: readonly Hit[], needsCode: boolean): Source | undefined => {
    const near = hits
      .filter(({ score }) => (hits[0]?.score ?? 0) - score < codeMargin)
      .flatMap((hit) => sources.of(hit) ?? []);
    return (needsCode ? near.find(holdsCode) : undefined) ?? near[0];
  };

  /** What the glossary says of the thing asked for, unless the section opens with it. */
  const define = (question: string, best: Source | undefined): Piece | undefined => {
    if (!asksDefinition.test(question)) return undefined;
    const bare = question.replace(definitionFrame, '').replace(/\W+$/, '');
    const whole = concepts.named(bare);
    // `max_depth` is not about depth.
    const isShort = question.split(/\s+/).length <= longestDefinition && !question.includes('_');
    const { concept, written } = whole
      ? { concept: whole, written: bare }
      : isShort
        ? (concepts.namedIn(question)[0] ?? {})
        : {};
    const place = concept?.definition && sources.read('glossary', concept.definition.sectionId);
    if (!concept?.definition || !place || written === undefined) return undefined;
    if (best === undefined && !whole) return undefined;
    const [first] = (best && openingOf(best, definitionRead)?.sentences) ?? [];
    const text = `${best?.sectionTitle ?? ''} ${first?.prose ?? ''}`;
    if (mentions(text, written, concept.name)) return undefined;
    return quotePiece(place, [concept.definition], `**${concept.name}:** `);
  };

  const answerSum = (outcome: Outcome, found: Found): Answer | undefined => {
    const { section } = outcome.kind === 'computed' ? outcome.calculation : outcome.needs;
    const source = sources.at(section);
    const composed = source && showSum(outcome, source);
    return composed && answers.give('sum', composed, found, [source], matchedConfidence);
  };

  const answerMistaken = (
    mistake: Mistake | undefined,
    meant: string,
    found: Found,
    level: Level,
  ): Answer | undefined => {
    const source = mistake && sources.read(mistake.chapterId, mistake.sectionId);
    if (!source) return undefined;
    const composed = correct(mistake, source, meant, level, overlapWith(mistake.denial));
    return answers.give('correction', composed, found, [source], matchedConfidence);
  };

  const answerComparison = async (found: Found): Promise<Answer | undefined> => {
    const compared = await compare(found);
    const confidence = Math.max(found.result.confidence, comparedConfidence);
    return compared && answers.give('comparison', compared.composed, found, compared.first, confidence);
  };

  return {
    ask: async (question, turns, options: AskOptions = {}) => {
      checkLength(question, 'question');
      const smallTalk = answerSmallTalk(question);
      if (smallTalk !== undefined) return talk(smallTalk, question);
      const reading = readInThread(question, turns, concepts);
      const level = reading.level ?? levelAsked(question) ?? options.level ?? 'student';
      const alone = compute(question);
      // "And with fn = 20?" lacks numbers by itself that the sum before it had.
      const again = reading.follows && alone?.kind !== 'computed' ? computeAgain(reading.follows, question) : undefined;
      const outcome = again ?? alone;
      const meant = reading.candidates[0] ?? question;
      const found = await find.reading(reading, question);
      if (ranksProducts(question)) return answers.refuse(found.result, question, excuseFor(question));
      const compared = async () =>
        (await answerComparison({ ...found, query: meant })) ?? (await answerComparison(found));
      const mistake = findMistake(meant, question);
      const mistaken = async () => answerMistaken(mistake, meant, found, level);
      // Who has a fact wrong is told so before anything is reckoned with it.
      const special =
        outcome && (mistake?.by !== 'fact' || asksSum.test(question))
          ? answerSum(outcome, found)
          : namesOnly.test(meant) || asksForValue.test(meant)
            ? ((await compared()) ?? (asksForValue.test(meant) ? undefined : await mistaken()))
            : ((await mistaken()) ?? (await compared()));
      if (special) return special;
      // "Does it matter?" may hold no word of the guide: then what was answered before still is what it leans on.
      const before =
        !found.result.covered && reading.leans && reading.follows ? await find.question(reading.follows) : found;
      const { hits, covered, confidence } = before.result;
      const best = findBest(hits, wantsCode.test(question));
      const excuse = excuseFor(meant);
      const defined = excuse === undefined ? define(meant, covered ? best : undefined) : undefined;
      // The section that was found may be about something else: then the glossary says it alone.
      if (defined && (!covered || confidence < sureOfSection))
        return answers.give('explanation', assemble([defined]), before, [], Math.max(confidence, comparedConfidence));
      if (!covered || !best || excuse !== undefined) return answers.refuse(found.result, question, excuse);
      const near: Near = (source) => hits.find((hit) => sources.of(hit) === source)?.near ?? [];
      // "In code?" asks in its own words of what the question before was about.
      const words = reading.sameSubject ? `${question} ${found.query}` : found.query;
      if (isAbsolute(meant)) {
        const composed = qualify(words, best, overlapWith(words), near, level);
        return answers.give('correction', composed, before, [], confidence);
      }
      const nearby = hits.slice(1, 6).flatMap((hit) => sources.of(hit) ?? []);
      const overlap = overlapWith(found.query);
      const rival = level === 'eli5' || asksForItself(words, best, overlap) ? undefined : findRival(hits, best);
      const also = rival && alsoFrom(words, rival, overlap, near);
      const composed = composeAnswer(words, best, overlap, { level, nearby, near, defined, aside: also ? [also] : [] });
      const place = defined?.claims[0]?.place;
      const glossary = place && sources.read(place.chapterId, place.sectionId);
      return answers.give('explanation', composed, before, glossary ? [glossary] : [], confidence);
    },

    explain: async (concept, { level = 'student' }: AskOptions = {}) => {
      checkLength(concept, 'concept');
      return explain(concept, level);
    },
  };
}

function checkLength(text: string, what: string): void {
  if (text.trim() === '')
    throw new UserError(`The ${what} is empty.`, 'Type a few words, such as: what is overfitting?');
  if (text.length <= longestQuestion) return;
  throw new UserError(
    `The ${what} has ${text.length.toLocaleString('en-US')} characters; at most ${longestQuestion.toLocaleString('en-US')} can be read.`,
    'Ask the heart of it in a few sentences.',
  );
}
