// Reads one chapter file: YAML front-matter, then Markdown cut into sections at its `## Title {#id}` headings.
import type { Heading, RootContent } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { visit } from 'unist-util-visit';
import { z } from 'zod';
import { cutPassages } from '../chunk/passages.ts';
import { type Formula, readFormula } from '../formulas/written.ts';
import type { Chapter, Passage, Section } from '../types.ts';
import { type GuideLink, overviewId, parseGuideLink } from './link.ts';
import { parseMarkdown, pictureIn } from './markdown.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml.ts';

export const kebabCase = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const leastAsks = 6;
/** Characters; less than that tells nothing. */
const leastAlt = 20;

const words = z.string().trim().min(1);
const frontMatterSchema = z.strictObject({
  id: z.string().regex(kebabCase, 'an id is lower-case words joined by "-"'),
  title: words,
  phase: words,
  objectives: z.array(words).min(1),
  prerequisites: z.array(words),
  minutes: z.number().int().positive(),
  sources: z.array(words),
});

export interface LinkUse extends GuideLink {
  readonly file: string;
  readonly line: number;
}

export interface ChapterFile {
  readonly chapter: Chapter | undefined;
  readonly passages: readonly Passage[];
  /** Links into the guide, to be resolved once all chapters are read. */
  readonly links: readonly LinkUse[];
  /** Diagrams that stand in it, to be looked for beside the chapters. */
  readonly pictures: readonly PictureUse[];
  readonly formulas: readonly Formula[];
  readonly problems: readonly Problem[];
}

interface PictureUse {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

interface Draft {
  readonly id: string;
  readonly title: string;
  readonly line: number;
  /** Its blocks, without headings and comments. */
  readonly nodes: RootContent[];
  readonly asks: string[];
  /** Links of its comment, each with its line. */
  readonly related: { readonly link: GuideLink; readonly line: number }[];
}

/** @param name the file's name without `.md`, which must be the chapter's id. */
export function readChapter(source: string, file: string, name: string): ChapterFile {
  const problems: Problem[] = [];
  const text = source.replaceAll('\r\n', '\n');
  const front = /^---\n([\s\S]*?\n)---\n/.exec(text);
  if (!front?.[1]) {
    return {
      chapter: undefined,
      passages: [],
      links: [],
      pictures: [],
      formulas: [],
      problems: [{ file, line: 1, message: 'no "---" front-matter at the top' }],
    };
  }
  const meta = readYaml(front[1], frontMatterSchema, file, 2);
  problems.push(...meta.problems);
  if (meta.value && meta.value.id !== name) {
    problems.push({
      file,
      line: meta.lineOf(['id']),
      message: `id: "${meta.value.id}" differs from the file's name "${name}"`,
    });
  }
  const chapterId = meta.value?.id ?? name;
  const body = text.slice(front[0].length);
  const linesBefore = front[0].split('\n').length - 1;
  const { drafts, links, pictures, formulas } = cutSections(body, file, linesBefore, problems);
  checkSections(drafts, file, problems);
  const sections: Section[] = drafts.map(({ id, title, nodes, asks, related }) => ({
    id,
    chapterId,
    title,
    markdown: joinBlocks(nodes, body),
    asks,
    ...(related.length === 0 ? {} : { related: related.map(({ link }) => link) }),
    ...picturesOf(nodes),
  }));
  const passages = drafts.flatMap(({ id, title, nodes }) =>
    cutPassages({ chapterId, sectionId: id, title: `${meta.value?.title} › ${title}` }, nodes, body),
  );
  return { chapter: meta.value && { ...meta.value, sections }, passages, links, pictures, formulas, problems };
}

const diagramUrl = /^diagrams\/([a-z0-9]+(?:-[a-z0-9]+)*)\.svg$/;

function picturesOf(nodes: readonly RootContent[]): Pick<Section, 'pictures'> {
  const pictures = nodes.flatMap((node) => {
    const image = pictureIn(node);
    const name = image && diagramUrl.exec(image.url)?.[1];
    return image && name ? [{ name, alt: image.alt ?? '' }] : [];
  });
  return pictures.length === 0 ? {} : { pictures };
}

function cutSections(body: string, file: string, linesBefore: number, problems: Problem[]) {
  const root = parseMarkdown(body);
  const lineOf = (node: RootContent) => (node.position?.start.line ?? 1) + linesBefore;
  let draft: Draft = { id: overviewId, title: 'Overview', line: linesBefore + 1, nodes: [], asks: [], related: [] };
  const drafts = [draft];
  for (const node of root.children) {
    if (node.type === 'heading' && node.depth <= 2) {
      draft = openSection(node, file, lineOf(node), problems);
      drafts.push(draft);
    } else if (node.type === 'html') {
      readComment(node.value, file, lineOf(node), draft, problems);
    } else {
      draft.nodes.push(node);
    }
  }
  const links: LinkUse[] = drafts.flatMap(({ related }) => related.map(({ link, line }) => ({ ...link, file, line })));
  visit(root, 'link', (node) => {
    if (!node.url.startsWith('guide:')) return;
    const line = (node.position?.start.line ?? 1) + linesBefore;
    const link = parseGuideLink(node.url);
    if (link) links.push({ ...link, file, line });
    else problems.push({ file, line, message: `link "${node.url}" is not of the form guide:chapter-id#section-id` });
  });
  const pictures: PictureUse[] = [];
  const formulas: Formula[] = [];
  const alone = new Set(root.children.map(pictureIn));
  visit(root, ['image', 'code'], (node) => {
    const line = (node.position?.start.line ?? 1) + linesBefore;
    if (node.type === 'image') {
      const name = diagramUrl.exec(node.url)?.[1];
      if (name) pictures.push({ name, file, line });
      else problems.push({ file, line, message: `picture "${node.url}" is not of the form diagrams/name.svg` });
      if (!alone.has(node)) problems.push({ file, line, message: 'a picture stands alone, between empty lines' });
      if ((node.alt ?? '').trim().length < leastAlt) {
        problems.push({
          file,
          line,
          message: `picture "${node.url}" needs a text that tells what it shows: ![text](…)`,
        });
      }
    } else if (node.type === 'code' && node.lang === 'math') {
      const formula = readFormula(node.value);
      if (formula) formulas.push(formula);
      else problems.push({ file, line, message: 'a formula begins with a line "% the formula in plain words"' });
    }
  });
  return { drafts, links, pictures, formulas };
}

function joinBlocks(nodes: readonly RootContent[], source: string): string {
  return nodes.map(({ position }) => source.slice(position?.start.offset, position?.end.offset)).join('\n\n');
}

function openSection(heading: Heading, file: string, line: number, problems: Problem[]): Draft {
  const title = textOf(heading);
  if (heading.depth === 1) {
    problems.push({
      file,
      line,
      message: `"# ${title}": the title stands in the front-matter; sections start with "##"`,
    });
  }
  const match = /^(.*\S)\s*\{#([^}]*)\}$/.exec(title);
  if (!match?.[1] || match[2] === undefined) {
    problems.push({ file, line, message: `section "${title}" has no id: write "## Title {#section-id}"` });
    return { id: '', title, line, nodes: [], asks: [], related: [] };
  }
  if (!kebabCase.test(match[2])) {
    problems.push({ file, line, message: `section id "${match[2]}" is not lower-case words joined by "-"` });
  }
  return { id: match[2], title: match[1], line, nodes: [], asks: [], related: [] };
}

function readComment(html: string, file: string, line: number, draft: Draft, problems: Problem[]) {
  const comment = /^<!--([\s\S]*)-->$/.exec(html.trim())?.[1]?.trim();
  if (comment === undefined) {
    problems.push({ file, line, message: 'raw HTML is not shown: write it as Markdown' });
  } else if (comment.startsWith('related:')) {
    for (const place of comment.slice('related:'.length).split('|')) {
      const link = parseGuideLink(`guide:${place.trim()}`);
      if (link) draft.related.push({ link, line });
      else problems.push({ file, line, message: `related "${place.trim()}" is not of the form chapter-id#section-id` });
    }
  } else if (comment.startsWith('asks:')) {
    const asks = comment.slice('asks:'.length).split('|');
    draft.asks.push(...asks.map((ask) => ask.replace(/\s+/g, ' ').trim()).filter((ask) => ask !== ''));
  }
}

function checkSections(drafts: readonly Draft[], file: string, problems: Problem[]) {
  const seen = new Set<string>();
  for (const { id, title, line, nodes, asks } of drafts) {
    const report = (message: string) => problems.push({ file, line, message });
    if (id !== '' && seen.has(id)) report(`section id "${id}" stands twice in this chapter`);
    seen.add(id);
    if (nodes.length === 0) report(`section "${title}" has no text`);
    if (id === overviewId) continue;
    if (asks.length < leastAsks) report(`section "${id}" lists ${asks.length} asks; at least ${leastAsks} are needed`);
  }
}
