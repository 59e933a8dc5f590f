// The group's own documents beside the guide: where one of them fits a question better it answers, in its own words, cited
// by name and page; where it fits as well it is pointed to. What stands in a document is only ever shown, never obeyed.
import { plain } from '../escape.ts';
import type { Material, OwnPassage } from '../material/material.ts';
import type { Answer, AnswerSentence, Citation, Tutor } from './answer.ts';
import { excuseFor } from './scope.ts';

/** Share of the question's terms, by rarity, that a document must hold to answer it; and to be pointed to. */
const answersFrom = 0.6;
const pointsFrom = 0.75;
/** How much more than the guide it must hold to answer in its place. */
const clearly = 0.2;
/** "Our cluster", "do we": asked of the group, so the guide must hold more to go before its own words. */
const ofGroup = /\b(?:ours?|us)\b|\bwe\b(?! mean)/i;
/** Where the guide has nothing to say, this much will do. */
const answersAlone = { coverage: 0.5, similarity: 0.62 };
/** "What is X" is asked of the guide, where it is sure. */
const asksWhat = /^\W*(?:what(?:['’]?s| is| are| does)|explain|define|meaning of)\b/i;
const longestDefinition = 7;
const sure = 0.9;
/** Below, the guide answered for want of something better. */
const unsure = 0.8;
const leadCharacters = 360;
const passagesShown = 5;

type Asked = Awaited<ReturnType<Material['search']>>;

export function withMaterial(tutor: Tutor, material: Pick<Material, 'search'>): Tutor {
  return {
    explain: tutor.explain,
    ask: async (question, turns, options = {}) => {
      const answer = await tutor.ask(question, turns, options);
      if (options.where === undefined || answer.kind === 'talk' || answer.kind === 'sum') return answer;
      const guide = answer.passages.slice(0, 3).map(({ text }) => `\n${text}`);
      // What it was understood as, and in its own words: a document may name what the guide never heard of.
      const asked = await material.search(options.where, answer.understood, guide);
      const own = asked && choose(asked, answer, question);
      if (!own) return answer;
      return own.answers ? answerFrom(own.passages, answer) : pointTo(own.passages, answer);
    },
  };
}

function choose({ passages, others }: NonNullable<Asked>, answer: Answer, question: string) {
  const [best] = passages;
  if (!best) return undefined;
  const guide = answer.abstained ? 0 : Math.max(0, ...others.map(({ close }) => close));
  const whole = answer.abstained ? 0 : Math.max(0, ...others.map(shareOf));
  const likeness = answer.abstained ? 0 : Math.max(0, ...others.map(({ similarity }) => similarity));
  const near = passages.filter(
    ({ coverage, document }) => coverage >= best.coverage - 0.1 || document === best.document,
  );
  const isNamed = best.document.length > 3 && question.toLowerCase().includes(best.document.toLowerCase());
  if (isNamed && best.coverage >= 0.4) return { answers: true, passages: near };
  const isNear = best.coverage >= answersAlone.coverage && best.similarity >= answersAlone.similarity;
  if (best.coverage < answersFrom && !(answer.abstained && isNear && excuseFor(question) === undefined))
    return undefined;
  if (answer.abstained) return { answers: true, passages: near };
  const isGeneral =
    asksWhat.test(question) && question.split(/\s+/).length <= longestDefinition && !ofGroup.test(question);
  if (!(isGeneral && answer.confidence >= sure)) {
    if (shareOf(best) >= whole + clearly) return { answers: true, passages: near };
    const isOfGroup = ofGroup.test(question) || answer.confidence < unsure;
    if (isOfGroup && best.coverage >= pointsFrom && best.close >= guide) return { answers: true, passages: near };
  }
  const fits = best.coverage >= pointsFrom && best.close >= guide && best.similarity >= likeness - 0.1;
  return fits && answer.kind !== 'correction' ? { answers: false, passages: near } : undefined;
}

/** What it holds in all, and close together. */
const shareOf = ({ coverage, close }: Pick<OwnPassage, 'coverage' | 'close'>) => (coverage + close) / 2;

interface Quoted {
  readonly sentence: AnswerSentence;
  readonly citation: Citation;
}

function quote({ chapterId, sectionId, title, text, window }: OwnPassage, limit: number, at: number): Quoted {
  const words = leadOf(text, window, limit);
  return {
    sentence: { text: plain(words), citation: at },
    citation: { chapterId, sectionId, title: title.replace(/\s+/g, ' '), quote: words },
  };
}

/** From the sentence that fits best on; a short passage whole. */
function leadOf(text: string, window: string, limit: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= limit) return line;
  const start = Math.max(0, line.indexOf(window.replace(/\s+/g, ' ').slice(0, 60)));
  const rest = line.slice(start);
  if (rest.length <= limit) return rest;
  const end = Math.max(...['. ', '! ', '? ', '; '].map((mark) => rest.lastIndexOf(mark, limit)));
  return end > limit / 3 ? rest.slice(0, end + 1) : `${rest.slice(0, limit).replace(/\s\S*$/, '')} …`;
}

function answerFrom(passages: readonly OwnPassage[], answer: Answer): Answer {
  const [best, ...others] = passages;
  if (!best) return answer;
  const second = others.find(({ document, coverage }) => document !== best.document && coverage >= best.coverage - 0.1);
  const lead = quote(best, leadCharacters, 0);
  const more = second && quote(second, leadCharacters / 2, 1);
  const paragraphs = [
    `**From your group’s ${plain(best.document)}:** ${lead.sentence.text}`,
    ...(more && second ? [`**${plain(second.document)} says, too:** ${more.sentence.text}`] : []),
  ];
  return {
    kind: 'explanation',
    markdown: paragraphs.join('\n\n'),
    sentences: [lead.sentence, ...(more ? [more.sentence] : [])],
    abstained: false,
    confidence: Math.min(0.95, 0.4 + best.coverage / 2),
    citations: [lead.citation, ...(more ? [more.citation] : [])],
    passages: [...shown(passages), ...(answer.abstained ? [] : answer.passages)].slice(0, passagesShown),
    nearest: [],
    understood: answer.understood,
  };
}

/** The guide's answer, with where the group's own words on it stand. */
function pointTo(passages: readonly OwnPassage[], answer: Answer): Answer {
  const [best] = passages;
  if (!best) return answer;
  const { sentence, citation } = quote(best, leadCharacters / 2, answer.citations.length);
  return {
    ...answer,
    markdown: `${answer.markdown}\n\n**Your group’s ${plain(best.document)} says:** ${sentence.text}`,
    sentences: [...answer.sentences, sentence],
    citations: [...answer.citations, citation],
    passages: [...answer.passages.slice(0, passagesShown - 1), ...shown([best])],
  };
}

const shown = (passages: readonly OwnPassage[]): Answer['passages'] =>
  passages.map(({ chapterId, sectionId, text, coverage, similarity }) => ({
    chapterId,
    sectionId,
    score: coverage + similarity,
    text,
  }));
