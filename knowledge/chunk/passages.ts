// Cuts a section into passages small enough to quote and rank, without ever cutting a code fence, table or list item.
import type { RootContent } from 'mdast';
import { parseMarkdown } from '../load/markdown.ts';
import type { Chapter, Passage, Section } from '../types.ts';
import { proseOf } from './prose.ts';

const maxCharacters = 1200;

interface Piece {
  readonly markdown: string;
  /** A heading or a lead-in ending in ":" belongs with what follows it. */
  readonly leadsOn: boolean;
  /** What stood between the piece before and this one: a blank line between blocks, a line break between list items. */
  readonly gap: string;
}

export function cutPassages(chapter: Pick<Chapter, 'id' | 'title'>, section: Section): Passage[] {
  const base = `${chapter.id}#${section.id}`;
  return groupPieces(cutPieces(section.markdown)).map((markdown, index) => ({
    id: index === 0 ? base : `${base}/${index + 1}`,
    chapterId: chapter.id,
    sectionId: section.id,
    title: `${chapter.title} › ${section.title}`,
    markdown,
    text: proseOf(parseMarkdown(markdown)),
  }));
}

function cutPieces(markdown: string): Piece[] {
  const source = (node: RootContent) => markdown.slice(node.position?.start.offset, node.position?.end.offset);
  return parseMarkdown(markdown).children.flatMap((node): Piece[] => {
    if (node.type !== 'list' || source(node).length <= maxCharacters) {
      const text = source(node);
      return [{ markdown: text, leadsOn: node.type === 'heading' || text.endsWith(':'), gap: '\n\n' }];
    }
    return node.children.map((item, index) => ({
      markdown: source(item),
      leadsOn: false,
      gap: index === 0 ? '\n\n' : '\n',
    }));
  });
}

function groupPieces(pieces: readonly Piece[]): string[] {
  const groups: Piece[][] = [];
  let group: Piece[] = [];
  for (const piece of pieces) {
    if (group.length > 0 && lengthOf([...group, piece]) > maxCharacters) {
      const carried = trailingLeads(group);
      // A group of leads alone is not cut: it goes with what it leads to, though that makes it long.
      if (carried < group.length) {
        groups.push(group.slice(0, group.length - carried));
        group = group.slice(group.length - carried);
      }
    }
    group.push(piece);
  }
  if (group.length > 0) groups.push(group);
  return groups.map((members) => members.map(({ gap, markdown }, i) => (i === 0 ? markdown : gap + markdown)).join(''));
}

function trailingLeads(group: readonly Piece[]): number {
  const last = group.findLastIndex((piece) => !piece.leadsOn);
  return group.length - 1 - last;
}

function lengthOf(group: readonly Piece[]): number {
  return group.reduce((sum, piece) => sum + piece.gap.length + piece.markdown.length, 0);
}
