// A whole section, or a chapter's overview, for a concept named by its id, its title or other words.
import { type Guide, overviewId, type Search, type Section } from '../../knowledge/index.ts';
import type { Answer, Level } from './answer.ts';
import type { Answers } from './answers.ts';
import { composeAnswer } from './compose.ts';
import type { Source } from './draft.ts';
import { hitsRead } from './find.ts';
import { findChapter } from './find-chapter.ts';
import type { Overlap } from './run.ts';
import type { Sources } from './sources.ts';

const longestExplanation = 2500;
const relatedShown = 3;

export function createExplain(
  guide: Guide,
  search: Search,
  sources: Sources,
  answers: Answers,
  overlapWith: (query: string) => Overlap,
): (concept: string, level: Level) => Promise<Answer> {
  return async (concept, level) => {
    const asked = findNamedSection(guide, concept);
    const result = await search.search(concept, hitsRead);
    const hit = result.covered ? result.hits[0] : undefined;
    const source = asked ? sources.read(asked.chapterId, asked.id) : hit && sources.of(hit);
    if (!source) return answers.refuse(result, concept);
    const found = { query: concept, result };
    const confidence = asked ? 1 : result.confidence;
    if (level === 'eli5') {
      const composed = composeAnswer(concept, source, overlapWith(concept), { level });
      return answers.give('explanation', composed, found, [source], confidence);
    }
    const written = guide.section(source.chapterId, source.sectionId)?.related ?? [];
    const named = written.flatMap(({ chapterId, sectionId }) => sources.read(chapterId, sectionId) ?? []);
    const nearby = result.hits.flatMap((other) => sources.of(other) ?? []);
    const related = [...new Set([...named, ...nearby])].filter((other) => other !== source).slice(0, relatedShown);
    const relatedLine =
      related.length === 0 ? '' : `\n\n**Related:** ${related.map(({ sectionTitle }) => sectionTitle).join(' · ')}`;
    const { markdown, quote } = trimSection(source, longestExplanation - relatedLine.length);
    const composed = {
      markdown: `### ${source.sectionTitle}\n\n${markdown}${relatedLine}`,
      citations: [{ chapterId: source.chapterId, sectionId: source.sectionId, title: source.title, quote }],
      sentences: [{ text: markdown, citation: 0 }],
    };
    return answers.give('explanation', composed, found, [source], confidence);
  };
}

/** A chapter by id or title is explained by its overview; a section by `chapter#section`, or by an id or title of its own. */
function findNamedSection(guide: Guide, concept: string): Section | undefined {
  const wanted = concept.trim().toLowerCase();
  const [chapterId = '', sectionId] = wanted.split('#');
  if (sectionId !== undefined) return guide.section(chapterId, sectionId);
  const isNamed = ({ id, title }: { id: string; title: string }) =>
    id === wanted.replaceAll(' ', '-') || title.toLowerCase() === wanted;
  const sections = guide.chapters.flatMap((chapter) => chapter.sections.filter(({ id }) => id !== overviewId));
  const named = sections.filter(isNamed);
  const chapter =
    guide.chapters.find(isNamed) ?? (named.length === 1 ? undefined : findChapter(guide.chapters, wanted));
  // Several chapters have a section called "evaluation": the search knows better which is meant.
  return chapter ? guide.section(chapter.id, overviewId) : named.length === 1 ? named[0] : undefined;
}

/** Whole blocks from the top of the section, as many as fit; the first paragraph is what is quoted. */
function trimSection({ parts }: Source, limit: number): { markdown: string; quote: string } {
  const blocks: string[] = [];
  let length = 0;
  for (const { block, leadIn, heading } of parts) {
    const text = heading ? `${heading.markdown}\n\n${block.markdown}` : block.markdown;
    length += text.length + 2;
    if (blocks.length > 0 && length > limit) {
      // A lead-in without its table would promise what does not come.
      if (leadIn && blocks.at(-1) === leadIn.markdown) blocks.pop();
      break;
    }
    blocks.push(text);
  }
  const quoted = parts.find(({ sentences }) => sentences.length > 0);
  const quote = quoted?.sentences.map(({ prose }) => prose).join(quoted.block.kind === 'list' ? '\n' : ' ');
  return { markdown: blocks.join('\n\n'), quote: quote ?? parts[0]?.block.prose ?? '' };
}
