// Markdown → blocks. What is HTML in it is left out; links are their words.
import type { Root, RootContent } from 'mdast';
import { proseOf } from '../chunk/prose.ts';
import { parseMarkdown } from '../load/markdown.ts';
import type { DocumentBlock } from './document.ts';

/** Front matter, comments and the like are no words of the document. */
const frontMatter = /^\uFEFF?---\r?\n[\s\S]*?\r?\n---\r?\n/;

export function readMarkdown(text: string): DocumentBlock[] {
  return blocksOf(parseMarkdown(text.replace(frontMatter, '')));
}

export function blocksOf({ children }: Root): DocumentBlock[] {
  return children.map((node: RootContent) => ({
    text: proseOf(node),
    ...(node.type === 'heading' ? { depth: node.depth } : {}),
  }));
}
