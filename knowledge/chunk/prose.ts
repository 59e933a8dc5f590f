// Markdown → plain words, for the index and for quoting: no marks, no wrapped lines, one line a list item or table row.
import type { Nodes, Parent } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { readFormula } from '../formulas/written.ts';

/** Blocks are separated by an empty line, list items and table rows by a line break. */
export function proseOf(node: Nodes): string {
  switch (node.type) {
    case 'root':
      return joinChildren(node, '\n\n');
    case 'blockquote':
    case 'list':
    case 'listItem':
    case 'table':
      return joinChildren(node, '\n');
    case 'tableRow':
      return joinChildren(node, ' | ');
    case 'code':
      return (node.lang === 'math' ? readFormula(node.value)?.words : undefined) ?? node.value;
    case 'html':
      return '';
    default:
      return textOf(node).replace(/\s+/g, ' ').trim();
  }
}

function joinChildren(parent: Parent, separator: string): string {
  return parent.children
    .map(proseOf)
    .filter((text) => text !== '')
    .join(separator);
}
