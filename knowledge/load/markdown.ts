// One Markdown parser for the whole guide: CommonMark with tables, as GitHub reads it.
import type { Image, Root, RootContent } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

const parser = unified().use(remarkParse).use(remarkGfm).freeze();

export function parseMarkdown(markdown: string): Root {
  return parser.parse(markdown);
}

/** @returns the picture a paragraph consists of; undefined for any other block. */
export function pictureIn(node: RootContent): Image | undefined {
  const [only] = node.type === 'paragraph' && node.children.length === 1 ? node.children : [];
  return only?.type === 'image' ? only : undefined;
}
