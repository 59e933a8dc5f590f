// Cuts a section into passages small enough to quote and rank, without ever cutting a code fence, table or list item.
import type { RootContent } from 'mdast';
import { withFormulasInWords } from '../formulas/written.ts';
import { pictureIn } from '../load/markdown.ts';
import type { Passage } from '../types.ts';
import { proseOf } from './prose.ts';

const maxCharacters = 1200;

interface Piece {
  readonly markdown: string;
  readonly text: string;
  /** A heading or a lead-in ending in ":" belongs with what follows it. */
  readonly leadsOn: boolean;
  /** What stood between the piece before and this one: a blank line between blocks, a line break between list items. */
  readonly gap: string;
}

/** @param nodes the blocks of one section; their positions are offsets into `source`. */
export function cutPassages(
  { chapterId, sectionId, title }: Pick<Passage, 'chapterId' | 'sectionId' | 'title'>,
  nodes: readonly RootContent[],
  source: string,
): Passage[] {
  const base = `${chapterId}#${sectionId}`;
  return groupPieces(cutPieces(nodes, source)).map((pieces, index) => ({
    id: index === 0 ? base : `${base}/${index + 1}`,
    chapterId,
    sectionId,
    title,
    markdown: join(pieces, ({ markdown }) => markdown),
    text: join(pieces, ({ text }) => text),
  }));
}

function cutPieces(nodes: readonly RootContent[], source: string): Piece[] {
  const markdownOf = (node: RootContent) =>
    withFormulasInWords(source.slice(node.position?.start.offset, node.position?.end.offset));
  return nodes.flatMap((node): Piece[] => {
    // A picture is shown beside the passage, not quoted from it.
    if (pictureIn(node) !== undefined) return [];
    if (node.type !== 'list' || markdownOf(node).length <= maxCharacters) {
      const text = markdownOf(node);
      return [
        { markdown: text, text: proseOf(node), leadsOn: node.type === 'heading' || text.endsWith(':'), gap: '\n\n' },
      ];
    }
    return node.children.map((item, index) => ({
      markdown: markdownOf(item),
      text: proseOf(item),
      leadsOn: false,
      gap: index === 0 ? '\n\n' : '\n',
    }));
  });
}

function groupPieces(pieces: readonly Piece[]): Piece[][] {
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
  return groups;
}

function join(pieces: readonly Piece[], wordsOf: (piece: Piece) => string): string {
  return pieces.map((piece, index) => (index === 0 ? '' : piece.gap) + wordsOf(piece)).join('');
}

function trailingLeads(group: readonly Piece[]): number {
  const last = group.findLastIndex((piece) => !piece.leadsOn);
  return group.length - 1 - last;
}

function lengthOf(group: readonly Piece[]): number {
  return group.reduce((sum, piece) => sum + piece.gap.length + piece.markdown.length, 0);
}
