// Markdown → safe HTML, for guide pages and for replies in the web page. The text may come from anybody.
import { randomUUID } from 'node:crypto';
import type { Element, Root as HtmlRoot } from 'hast';
import type { Root } from 'mdast';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';
import { readFormula } from '../formulas/written.ts';
import { parseGuideLink } from './link.ts';
import { pictureIn } from './markdown.ts';

export interface RenderOptions {
  /** Address of a section of the guide. */
  linkTo(chapterId: string, sectionId: string): string;
  /** Safe HTML of the guide's own drawings; only for the guide's text. Without it formulas stay words, pictures go. */
  readonly draw?: {
    diagram(url: string, alt: string): string | undefined;
    formula(words: string): string | undefined;
  };
}

const schema: typeof defaultSchema = {
  ...defaultSchema,
  // Pictures come as our own blocks, never from an address in a text: that would tell its server who reads what.
  tagNames: (defaultSchema.tagNames ?? []).filter((name) => !['img', 'picture', 'source', 'input'].includes(name)),
  protocols: { ...defaultSchema.protocols, href: ['http', 'https'] },
};

/**
 * Raw HTML in the text is shown as the characters it is (comments are dropped); `guide:` links go where `linkTo` says;
 * other links stay only with http, https or a relative address, and open without telling where the reader came from.
 */
export function renderMarkdown(markdown: string, { linkTo, draw }: RenderOptions): string {
  // Drawings are put in at the very end, in place of marks that nobody can write into a text.
  const mark = randomUUID();
  const drawings: string[] = [];
  const leaveMark = (drawing: string) => `${mark}:${drawings.push(drawing) - 1}:`;
  const html = String(
    unified()
      .use(remarkParse)
      .use(remarkGfm)
      .use(() => showHtmlAsText)
      .use(() => (root: Root) => resolveGuideLinks(root, linkTo))
      .use(() => (root: Root) => placeDrawings(root, draw, leaveMark))
      .use(remarkRehype)
      .use(rehypeSanitize, schema)
      .use(() => markOutwardLinks)
      .use(rehypeStringify)
      .processSync(markdown),
  );
  if (drawings.length === 0) return html;
  const marks = new RegExp(`<p>${mark}:(\\d+):</p>`, 'g');
  return html.replace(marks, (_, index: string) => drawings[Number(index)] ?? '');
}

function placeDrawings(root: Root, draw: RenderOptions['draw'], leaveMark: (drawing: string) => string): void {
  root.children = root.children.map((node) => {
    const picture = pictureIn(node);
    const formula = node.type === 'code' && node.lang === 'math' ? readFormula(node.value) : undefined;
    const drawing = picture ? draw?.diagram(picture.url, picture.alt ?? '') : formula && draw?.formula(formula.words);
    if (drawing !== undefined) return { type: 'paragraph', children: [{ type: 'text', value: leaveMark(drawing) }] };
    return formula === undefined ? node : { type: 'code', lang: 'text', value: formula.words };
  });
}

function showHtmlAsText(root: Root): void {
  visit(root, 'html', (node, index, parent) => {
    if (!parent || index === undefined) return;
    const value = node.value.replace(/<!--[\s\S]*?-->/g, '');
    parent.children.splice(index, 1, { type: 'text', value });
  });
}

function resolveGuideLinks(root: Root, linkTo: RenderOptions['linkTo']): void {
  visit(root, ['link', 'definition'], (node) => {
    if (node.type !== 'link' && node.type !== 'definition') return;
    const link = parseGuideLink(node.url);
    if (link) node.url = linkTo(link.chapterId, link.sectionId);
  });
}

function markOutwardLinks(root: HtmlRoot): void {
  visit(root, 'element', (node: Element) => {
    if (node.tagName !== 'a' || !/^https?:/i.test(String(node.properties.href ?? ''))) return;
    node.properties.rel = ['noopener', 'noreferrer', 'nofollow'];
    node.properties.target = '_blank';
  });
}
