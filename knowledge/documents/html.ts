// HTML → blocks: scripts, styles, navigation and hidden parts are left out, and only the words stay.
import type { Root } from 'mdast';
import rehypeParse from 'rehype-parse';
import rehypeRemark from 'rehype-remark';
import { unified } from 'unified';
import { SKIP, visit } from 'unist-util-visit';
import type { DocumentBlock } from './document.ts';
import { blocksOf } from './markdown.ts';

const left = new Set(
  'script style noscript template nav footer aside form button input select textarea svg iframe object embed head dialog'.split(
    ' ',
  ),
);
const dropHidden = /display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?:[;\s]|$)/i;

interface HtmlNode {
  readonly type: string;
  readonly tagName?: string;
  readonly properties?: { readonly [name: string]: unknown };
  children?: HtmlNode[];
}

export function readHtml(html: string): { title: string | undefined; blocks: DocumentBlock[] } {
  const tree = unified().use(rehypeParse).parse(html);
  const title = /<title[^>]*>([^<]{1,200})<\/title>/i.exec(html)?.[1]?.replace(/\s+/g, ' ').trim();
  const main = find(tree, 'main') ?? find(tree, 'article');
  if (main?.children !== undefined && hasText(main)) Object.assign(tree, { children: main.children });
  visit(tree, 'element', (node: HtmlNode, index, parent) => {
    if (parent === undefined || index === undefined || !isLeftOut(node)) return undefined;
    parent.children.splice(index, 1);
    return [SKIP, index];
  });
  const markdown: Root = unified().use(rehypeRemark).runSync(tree);
  return { title, blocks: blocksOf(markdown) };
}

function isLeftOut({ tagName = '', properties = {} }: HtmlNode): boolean {
  if (left.has(tagName) || properties.hidden === true || properties.hidden === '') return true;
  return properties.ariaHidden === 'true' || dropHidden.test(String(properties.style ?? ''));
}

function find(node: HtmlNode, tagName: string): HtmlNode | undefined {
  if (node.tagName === tagName) return node;
  for (const child of node.children ?? []) {
    const found = find(child, tagName);
    if (found !== undefined) return found;
  }
  return undefined;
}

const hasText = (node: HtmlNode): boolean => (node.children ?? []).length > 0;
