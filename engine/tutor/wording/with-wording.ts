// A language model words what the tutor found: from its passages only, sentence by sentence, each checked before it is
// shown. Whenever the model is slow, silent, broken or untrue, the composed answer stands in its place.
import { code, plain } from '../../escape.ts';
import type { Answer, AnswerSentence, AskOptions, Citation, Tutor } from '../answer.ts';
import { type LanguageModel, LanguageModelError } from './language-model.ts';
import { givesOrders, writePrompt } from './prompt.ts';
import { createSentenceCutter } from './sentences.ts';
import type { FindEvidence } from './support.ts';

export interface WordingOptions {
  readonly model: LanguageModel;
  readonly findEvidence: FindEvidence;
  /** `Chapter › Section` of a passage. */
  readonly titleOf: (chapterId: string, sectionId: string) => string | undefined;
  readonly timeLimitMs: number;
  readonly now: () => Date;
  /** Calls back once after a delay. @returns what takes it back. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly log: { readonly warn: (details: object, message: string) => void };
}

/** Sums are exact, corrections are the guide's own words, and a refusal has nothing to word. */
const worded: ReadonlySet<Answer['kind']> = new Set(['explanation', 'comparison']);
/** After so many failures in a row the model is left alone for a while: nobody waits for what is dead. */
const failuresBorne = 3;
const restMs = 60_000;
/** Of the sentences written, the share that must be carried; with less, the model is talking of something else. */
const shareCarried = 0.5;

interface Source {
  readonly chapterId: string;
  readonly sectionId: string;
  readonly title: string;
  readonly text: string;
}

export function withWording(tutor: Tutor, options: WordingOptions): Tutor {
  const { model, now, log } = options;
  let failures = 0;
  let restsUntil = 0;

  async function word(question: string, answer: Answer, ask: AskOptions): Promise<Answer> {
    const sources = sourcesOf(answer, options.titleOf);
    if (!worded.has(answer.kind) || answer.abstained || sources.length === 0 || givesOrders(question)) return answer;
    if (now().getTime() < restsUntil) return answer;
    const cancel = new AbortController();
    let stopWaiting: (() => void) | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      stopWaiting = options.after(options.timeLimitMs, () => {
        cancel.abort();
        reject(new LanguageModelError(`it took longer than ${options.timeLimitMs / 1000} seconds`));
      });
    });
    try {
      const better = await Promise.race([write(question, answer, sources, ask, cancel.signal), tooLate]);
      failures = 0;
      return better ?? answer;
    } catch (error) {
      if (!(error instanceof LanguageModelError)) throw error;
      failures += 1;
      if (failures >= failuresBorne) restsUntil = now().getTime() + restMs;
      log.warn(
        { model: model.name, reason: error.message, failures },
        'the language model failed; the answer is composed',
      );
      return answer;
    } finally {
      stopWaiting?.();
      cancel.abort();
    }
  }

  /** @returns undefined where too little of what it wrote is carried by the passages. */
  async function write(
    question: string,
    answer: Answer,
    sources: readonly Source[],
    { level = 'student', onDraft }: AskOptions,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    const draft = createDraft(answer, sources);
    const cutter = createSentenceCutter();
    let written = 0;
    const take = async (sentences: ReturnType<typeof cutter.add>) => {
      for (const { text, cited, begins } of sentences) {
        written += 1;
        const candidates = cited.length === 0 ? [...sources.keys()] : cited.map((number) => number - 1);
        for (const at of candidates) {
          const source = sources[at];
          const evidence = source && (await options.findEvidence(text, source.text));
          if (!evidence) continue;
          draft.add(text, at, evidence.quote, begins);
          if (!signal.aborted) onDraft?.(draft.soFar());
          break;
        }
      }
    };
    try {
      for await (const piece of model.write(writePrompt(question, sources, level), signal))
        await take(cutter.add(piece));
    } catch (error) {
      if (error instanceof LanguageModelError) throw error;
      throw new LanguageModelError(error instanceof Error ? error.name : 'it failed');
    }
    await take(cutter.end());
    if (written === 0) throw new LanguageModelError('it wrote nothing');
    return draft.size() > 0 && draft.size() / written >= shareCarried ? draft.whole() : undefined;
  }

  return {
    explain: tutor.explain,
    ask: async (question, turns, ask = {}) => {
      const answer = await tutor.ask(question, turns, ask);
      return word(answer.understood, answer, ask);
    },
  };
}

/** What the answer rests on; a passage that gives orders to a model is not shown to one. */
function sourcesOf(answer: Answer, titleOf: WordingOptions['titleOf']): Source[] {
  return answer.passages.flatMap(({ chapterId, sectionId, text }) => {
    if (givesOrders(text)) return [];
    const cited = answer.citations.find((known) => known.chapterId === chapterId && known.sectionId === sectionId);
    const title = cited?.title ?? titleOf(chapterId, sectionId);
    return title === undefined ? [] : [{ chapterId, sectionId, title, text }];
  });
}

/** The answer as it grows: one citation a section, numbered in the order of use. */
function createDraft(answer: Answer, sources: readonly Source[]) {
  const citations: Citation[] = [];
  const sentences: AnswerSentence[] = [];
  let markdown = '';

  function cite({ chapterId, sectionId, title }: Source, quote: string): number {
    const at = citations.findIndex((known) => known.chapterId === chapterId && known.sectionId === sectionId);
    const known = citations[at];
    if (known === undefined) return citations.push({ chapterId, sectionId, title, quote }) - 1;
    if (!known.quote.includes(quote)) citations[at] = { ...known, quote: `${known.quote} … ${quote}` };
    return at;
  }

  const build = (words: string, told: readonly AnswerSentence[]): Answer => ({
    ...answer,
    markdown: words,
    sentences: [...told],
    citations: [...citations],
  });

  return {
    size: () => sentences.length,
    add(text: string, at: number, quote: string, begins: boolean) {
      const source = sources[at];
      if (!source) return;
      const citation = cite(source, quote);
      const shown = showSafely(text);
      markdown += `${markdown === '' ? '' : begins ? '\n\n' : ' '}${shown} [${citation + 1}]`;
      sentences.push({ text: shown, citation });
    },
    soFar: () => build(markdown, sentences),
    /** With the tables and code of the composed answer, which no rewording can better. */
    whole() {
      const figures = answer.sentences.filter(({ text }) => /^```|^\|.*\|\n/m.test(text));
      const told = figures.flatMap(({ text, citation }): AnswerSentence[] => {
        const from = answer.citations[citation];
        return from ? [{ text, citation: cite({ ...from, text: '' }, from.quote) }] : [];
      });
      const words = [markdown, ...told.map(({ text }) => text)].join('\n\n');
      return build(words, [...sentences, ...told]);
    },
  };
}

/** What a model writes is as untrusted as what it read: only bold and code are kept of its markup. */
function showSafely(text: string): string {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/)
    .map((part) => {
      if (/^`[^`]+`$/.test(part)) return code(part.slice(1, -1));
      if (/^\*\*[^*]+\*\*$/.test(part)) return `**${plain(part.slice(2, -2))}**`;
      const [before = '', after = ''] = [/^\s/.test(part) ? ' ' : '', /\s$/.test(part) ? ' ' : ''];
      return part.trim() === '' ? before : `${before}${plain(part)}${after}`;
    })
    .join('');
}
