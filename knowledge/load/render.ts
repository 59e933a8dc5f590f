// Markdown → safe HTML, for guide pages and for replies in the web page. The text may come from anybody.
import type { Element, Root as HtmlRoot } from 'hast';
import type { Root } from 'mdast';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';
import { parseGuideLink } from './link.ts';

export interface RenderOptions {
  /** Address of a section of the guide. */
  linkTo(chapterId: string, sectionId: string): string;
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
export function renderMarkdown(markdown: string, { linkTo }: RenderOptions): string {
  return String(
    unified()
      .use(remarkParse)
      .use(remarkGfm)
      .use(() => showHtmlAsText)
      .use(() => (root: Root) => resolveGuideLinks(root, linkTo))
      .use(remarkRehype)
      .use(rehypeSanitize, schema)
      .use(() => markOutwardLinks)
      .use(rehypeStringify)
      .processSync(markdown),
  );
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
