// A section as the blocks and sentences an answer is made of: each sentence both as Markdown and as the prose it quotes.
import type { RootContent } from 'mdast';
import { parseMarkdown } from '../load/markdown.ts';
import { proseOf } from './prose.ts';

export interface Sentence {
  readonly markdown: string;
  /** Verbatim in the text of the section's passages. */
  readonly prose: string;
}

export type BlockKind = 'heading' | 'paragraph' | 'list' | 'table' | 'code' | 'quote' | 'other';

export interface SectionBlock {
  readonly kind: BlockKind;
  /** Links are reduced to their words: where a link leads is the reader's front's own matter. */
  readonly markdown: string;
  readonly prose: string;
  /** Of a paragraph its sentences, of a list its items; else empty. */
  readonly sentences: readonly Sentence[];
}

const kinds: { readonly [type in RootContent['type']]?: BlockKind } = {
  heading: 'heading',
  paragraph: 'paragraph',
  list: 'list',
  table: 'table',
  code: 'code',
  blockquote: 'quote',
};

export function cutBlocks(markdown: string): SectionBlock[] {
  const source = dropLinks(markdown);
  return parseMarkdown(source).children.map((node) => {
    const text = source.slice(node.position?.start.offset, node.position?.end.offset);
    return {
      kind: kinds[node.type] ?? 'other',
      markdown: text,
      prose: proseOf(node),
      sentences: sentencesOf(node, source),
    };
  });
}

function sentencesOf(node: RootContent, source: string): Sentence[] {
  if (node.type === 'paragraph') {
    return cutSentences(source.slice(node.position?.start.offset, node.position?.end.offset), proseOf(node));
  }
  if (node.type !== 'list') return [];
  return node.children.flatMap((item) => {
    const [first] = item.children;
    if (first?.type !== 'paragraph') return [];
    const markdown = source.slice(first.position?.start.offset, first.position?.end.offset).replace(/\s*\n\s*/g, ' ');
    return [{ markdown, prose: proseOf(first) }];
  });
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const abbreviation = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|fig|eq|al|no)\.\s*$/i;

/** A mark such as `**` may run over a sentence's end; such sentences stay together. */
function cutSentences(markdown: string, prose: string): Sentence[] {
  const line = markdown.replace(/\s*\n\s*/g, ' ');
  const sentences: Sentence[] = [];
  let open = '';
  let read = 0;
  for (const { segment } of segmenter.segment(line)) {
    open += segment;
    if (abbreviation.test(open)) continue;
    const candidate = proseOf(parseMarkdown(open.trim()));
    const at = prose.indexOf(candidate, read);
    if (candidate === '' || at < 0 || at > read + 1 || isOpen(open)) continue;
    sentences.push({ markdown: open.trim(), prose: candidate });
    read = at + candidate.length;
    open = '';
  }
  if (open.trim() === '') return sentences;
  // The rest could not be cut: the paragraph is one sentence.
  return [{ markdown: line, prose }];
}

function isOpen(markdown: string): boolean {
  const plain = markdown.replace(/`[^`]*`/g, '');
  return plain.includes('`') || (plain.match(/\*\*/g) ?? []).length % 2 === 1;
}

function dropLinks(markdown: string): string {
  return markdown.replace(/\[([^\][]+)\]\((?:guide:|https?:)[^)\s]*\)/g, '$1');
}
