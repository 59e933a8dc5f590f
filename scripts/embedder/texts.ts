// What the embedder learns from: for every section of the guide the ways learners ask for it, its titles, its sentences,
// its quiz questions and the glossary terms that point at it. All of it is ours; no question of test/ is among it.
import { cutWindows } from '../../knowledge/chunk/windows.ts';
import type { Guide } from '../../knowledge/index.ts';
import { keyOf } from '../../knowledge/search/analysis.ts';

export interface Subject {
  readonly key: string;
  /** As people ask: wordings, quiz questions, terms. */
  readonly asks: readonly string[];
  readonly titles: readonly string[];
  /** A sentence or two each. */
  readonly sentences: readonly string[];
}

const glossary = 'glossary';

export function gatherSubjects({ chapters, passages, quizItems }: Guide): Subject[] {
  const terms = chapters
    .filter(({ id }) => id === glossary)
    .flatMap(({ sections }) => sections.flatMap(({ markdown }) => readTerms(markdown)));
  return chapters.flatMap((chapter) =>
    chapter.sections.map((section) => {
      const key = keyOf({ chapterId: chapter.id, sectionId: section.id });
      const own = terms.filter((term) => term.key === key);
      const quizzes = quizItems.filter((item) => keyOf(item) === key);
      const texts = passages.filter((passage) => keyOf(passage) === key && passage.chapterId !== glossary);
      return {
        key,
        asks: [...section.asks, ...quizzes.map(({ question }) => question), ...own.flatMap(({ names }) => names)],
        titles: section.id === 'overview' ? [chapter.title] : [section.title, `${chapter.title} ${section.title}`],
        sentences: [
          ...texts.flatMap(({ text }) => cutWindows(text)),
          ...own.map(({ names, meaning }) => `${names[0] ?? ''} ${meaning}`),
          ...quizzes.map(({ choices, correctChoiceId }) => {
            const right = choices.find(({ id }) => id === correctChoiceId);
            return `${right?.text ?? ''} ${right?.feedback ?? ''}`;
          }),
        ],
      };
    }),
  );
}

interface Term {
  readonly names: readonly string[];
  readonly meaning: string;
  readonly key: string;
}

/** Lines such as `- **Dropout** (drop-out): Meaning. See [Title](guide:chapter#section).` */
function readTerms(markdown: string): Term[] {
  const line = /^- \*\*([^*]+)\*\*(?: \(([^)]*)\))?: ([\s\S]*?)See \[[^\]]*\]\(guide:([a-z0-9-]+#[a-z0-9-]+)\)/gm;
  return Array.from(markdown.matchAll(line), ([, name = '', others = '', meaning = '', key = '']) => ({
    names: [name, ...others.split(';')].map((text) => text.trim()).filter((text) => text !== ''),
    meaning: meaning.trim(),
    key,
  }));
}
