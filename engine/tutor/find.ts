// What the search finds for a question: for the whole of it or its best sentence, and for the ways a follow-up may be meant.
import type { Hit, Search, SearchResult } from '../../knowledge/index.ts';
import { wantsCode } from './asked.ts';
import type { Concepts } from './concepts.ts';
import type { Reading } from './follow-up.ts';
import { withoutLevel } from './level.ts';

export interface Found {
  readonly query: string;
  readonly result: SearchResult;
}

export interface Find {
  /** The whole question; else its best sentence, since people tell stories around what they ask. */
  question(question: string): Promise<Found>;
  /** The first way to read the question that the guide covers; a later one only where it is much surer. */
  reading(reading: Reading, question: string): Promise<Found>;
}

export const hitsRead = 20;
/** Sentences of a long question that are tried one by one when the whole finds nothing. */
const sentencesTried = 30;
const clearlySurer = 0.05;
/** How much worse, in the search's own score, a section of the chapter spoken of before may fit and still come first. */
const chapterKept = 0.6;

export function createFind(search: Search, concepts: Concepts): Find {
  const find = async (query: string): Promise<Found> => {
    const subject = `${subjectOf(query)} ${symptomIn(query)}`.trim();
    const asked = subject !== query && search.weigh(subject).length > 0 ? subject : query;
    return { query, result: await search.search(asked, hitsRead) };
  };

  const findQuestion = async (question: string): Promise<Found> => {
    const whole = await find(question);
    if (whole.result.covered) return findAsked(question, whole);
    const sentences = question.split(/[.!?\n]+/).filter((sentence) => sentence.trim().length > 2);
    if (sentences.length < 2) return whole;
    const parts = await Promise.all(sentences.slice(0, sentencesTried).map(find));
    return parts.reduce((best, part) => (part.result.confidence > best.result.confidence ? part : best), whole);
  };

  /** "Ignore what I said before. What is overfitting?": a sentence that asks comes before the words around it. */
  const findAsked = async (question: string, whole: Found): Promise<Found> => {
    const asked = question.match(/[^.!?\n]+\?/g) ?? [];
    if (asked.length !== 1 || asked[0]?.trim() === question.trim()) return whole;
    const alone = await find(asked[0]?.trim() ?? '');
    return alone.result.confidence > whole.result.confidence + clearlySurer ? alone : whole;
  };

  const findBest = async ({ candidates }: Reading): Promise<Found> => {
    let best: Found | undefined;
    for (const candidate of candidates) {
      const found = await findQuestion(candidate);
      const clearly = best?.result.covered ? 0.15 : 0;
      if (!best || found.result.confidence > best.result.confidence + clearly) best = found;
      if (best.result.covered && best.result.confidence > 0.8) break;
    }
    return best ?? findQuestion('');
  };

  return {
    question: findQuestion,
    reading: async (reading, question) => {
      const found = await findBest(reading);
      // A concept named anew has its own place.
      if (reading.follows === undefined || concepts.namedIn(question).length > 0) return found;
      const before = await find(reading.follows);
      return reading.sameSubject ? keepSection(found, before, wantsCode.test(question)) : keepChapter(found, before);
    },
  };
}

const kind = '(?:working|simple|short|minimal|sample|example|python|pytorch|sklearn|scikit-learn)';
const program = '(?:code|snippet|script)s?(?: example| snippet)?';
/** "Show me code for k-fold in sklearn" is about k-fold. */
const codeFrames: readonly RegExp[] = [
  new RegExp(
    `\\b(?:show|give|write|send|got|have|need|want)(?: (?:me|us|you))?(?: (?:some|the|an?|any))?(?: ${kind})* ${program}(?: (?:for|of|to do))?\\b`,
    'i',
  ),
  new RegExp(`^\\W*(?:some |the |an? |any )?(?:${kind} )*${program} (?:for|of|to do)\\b`, 'i'),
  new RegExp(`\\b(?:${kind} )*${program}\\W*$`, 'i'),
  /\bin (?:plain )?(?:python|sklearn|scikit-learn|pytorch|torch|numpy|code)\b/i,
];

function subjectOf(question: string): string {
  const subject = codeFrames.reduce((text, frame) => text.replace(frame, ' '), withoutLevel(question));
  return subject.replace(/\s+/g, ' ').trim();
}

const share = '(\\d+(?:\\.\\d+)?)\\s*(?:%|percent)?';
const onTraining = 'train(?:ing)?';
const onHeldOut = '(?:test(?:ing)?|val(?:idation)?|dev|held[- ]?out|unseen|new data)';
const said =
  '(?:\\s+(?:set|data|acc(?:uracy)?|score|is|was|of|at|gets?|gives?|the|my|about|only|just|=))*\\s*[:=]?\\s*';
const scorePairs = [
  new RegExp(
    `${share}(?:\\s+(?:acc(?:uracy)?|on|in|the|for|during|my))*\\s+${onTraining}\\b.*?${share}(?:\\s+(?:acc(?:uracy)?|on|in|the|for|my))*\\s+${onHeldOut}\\b`,
    'i',
  ),
  new RegExp(`\\b${onTraining}\\b${said}${share}.*?\\b${onHeldOut}\\b${said}${share}`, 'i'),
];
/** Points of accuracy between training and test from which on the one is clearly the better. */
const clearGap = 8;
const lopsided =
  /\b\d+(?:\.\d+)?\s*(?:%|percent)\s*(?:of (?:the |my )?(?:\w+ )?(?:are|is) |are |is )?(?:class )?(?:negatives?|positives?|zeros?|ones?|normal|healthy|fraud\w*|legit\w*|spam|ham|churn\w*)\b|\bonly (?:a few|\d+) (?:positives?|fraud\w*|sick)\b/i;

/** Numbers tell what is the matter: "99 % train, 62 % test" is overfitting, "95 % negatives" are imbalanced classes. */
function symptomIn(question: string): string {
  if (lopsided.test(question)) return 'imbalanced classes';
  if (/\bloss\b/i.test(question)) return '';
  const pair = scorePairs.map((pattern) => pattern.exec(question)).find((match) => match !== null);
  const [training, heldOut] = [Number(pair?.[1]), Number(pair?.[2])].map((value) => (value <= 1 ? 100 * value : value));
  if (training === undefined || heldOut === undefined || !(training - heldOut >= clearGap)) return '';
  return 'overfitting';
}

/** "Why?" and "in code?" stay with what was answered before; code is shown from the nearest place that has some. */
function keepSection({ query, result }: Found, before: Found, needsCode: boolean): Found {
  const near = before.result.hits.slice(0, hitsShownBefore);
  const kept = needsCode ? near.find(({ passage }) => passage.markdown.includes('```')) : near[0];
  if (!kept || !before.result.covered) return keepChapter({ query, result }, before);
  const isKept = (hit: Hit) => hit.passage.id === kept.passage.id;
  const best = { ...kept, score: Math.max(kept.score, result.hits[0]?.score ?? kept.score) };
  const { covered, confidence } = before.result;
  const hits = [best, ...result.hits.filter((hit) => !isKept(hit))];
  return {
    query,
    result: { hits, covered: covered || result.covered, confidence: Math.max(confidence, result.confidence) },
  };
}
const hitsShownBefore = 6;

/** Of sections that fit about as well, the one in the chapter spoken of before. */
function keepChapter({ query, result }: Found, before: Found): Found {
  const chapterId = before.result.hits[0]?.passage.chapterId;
  const [best] = result.hits;
  const near = result.hits.find(({ passage }) => passage.chapterId === chapterId);
  if (!best || !near || !before.result.covered || best.score - near.score > chapterKept) return { query, result };
  return { query, result: { ...result, hits: [near, ...result.hits.filter((hit) => hit !== near)] } };
}
