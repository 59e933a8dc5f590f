// A section as the blocks and sentences an answer is made of: each sentence both as Markdown and as the prose it quotes.
import type { RootContent } from 'mdast';
import { withFormulasInWords } from '../formulas/written.ts';
import { parseMarkdown, pictureIn } from '../load/markdown.ts';
import { proseOf } from './prose.ts';

export interface Sentence {
  readonly markdown: string;
  /** Verbatim in the text of the section's passages. */
  readonly prose: string;
}

type BlockKind = 'heading' | 'paragraph' | 'list' | 'table' | 'code' | 'quote' | 'other';

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
  const source = dropLinks(withFormulasInWords(markdown));
  const nodes = parseMarkdown(source).children.filter((node) => pictureIn(node) === undefined);
  return nodes.map((node) => {
    const text = unwrap(node, source.slice(node.position?.start.offset, node.position?.end.offset));
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

/** Sentences are found in the prose and taken over to the Markdown; where a mark runs over an end, they stay together. */
function cutSentences(markdown: string, prose: string): Sentence[] {
  const line = markdown.replace(/\s*\n\s*/g, ' ');
  const sentences: Sentence[] = [];
  let proseStart = 0;
  let lineStart = 0;
  for (const { index, segment } of segmenter.segment(prose)) {
    const proseEnd = index + segment.length;
    const held = prose.slice(proseStart, proseEnd).trim();
    if (abbreviation.test(held)) continue;
    const lineEnd = proseEnd === prose.length ? line.length : endInMarkdown(line, lineStart, held);
    const candidate = line.slice(lineStart, lineEnd).trim();
    // Without marks the words are the prose; parsing is slow, so it is left to sentences that have some.
    if (candidate !== held && proseOf(parseMarkdown(candidate)) !== held) continue;
    sentences.push({ markdown: candidate, prose: held });
    proseStart = proseEnd;
    lineStart = lineEnd;
  }
  if (proseStart === prose.length) return sentences;
  return [...sentences, { markdown: line.slice(lineStart).trim(), prose: prose.slice(proseStart).trim() }];
}

/** Walks past `words` in the Markdown, stepping over the marks between their letters and the marks that close there. */
function endInMarkdown(line: string, start: number, words: string): number {
  let at = start;
  for (const letter of words) {
    while (at < line.length && line[at] !== letter) at += 1;
    at += 1;
  }
  while (at < line.length && line[at] !== ' ') at += 1;
  return at;
}

/** A chat shows every line break, so the line breaks that only keep the source narrow are taken out. */
function unwrap(node: RootContent, markdown: string): string {
  if (node.type === 'paragraph') return markdown.replace(/\s*\n\s*/g, ' ');
  if (node.type === 'list' && !markdown.includes('```')) {
    return markdown.replace(/\n\s*(?![-*+] |\d+[.)] |\s)/g, ' ');
  }
  return markdown;
}

function dropLinks(markdown: string): string {
  return markdown.replace(/\[([^\][]+)\]\((?:guide:|https?:)[^)\s]*\)/g, '$1');
}
