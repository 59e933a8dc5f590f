// Our markdown as terminal text: bold and code by colour, lists by bullets, wrapped at the width, tables left to tables.ts.
import type { Nodes, PhrasingContent, RootContent, Table, Text } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import wrapAnsi from 'wrap-ansi';
import { clean } from './clean.ts';
import type { Paint } from './paint.ts';
import { drawTable } from './tables.ts';

const parser = unified().use(remarkParse).use(remarkGfm);

/** @returns lines no wider than `width`. HTML in the markdown is shown as the text it is. */
export function renderMarkdown(markdown: string, width: number, paint: Paint): string {
  return blocks(parser.parse(markdown).children, width, paint);
}

function blocks(nodes: readonly RootContent[], width: number, paint: Paint, gap = '\n\n'): string {
  return nodes.map((node) => block(node, width, paint)).join(gap);
}

function block(node: RootContent, width: number, paint: Paint): string {
  switch (node.type) {
    case 'paragraph':
      return wrap(inline(node.children, paint), width);
    case 'heading':
      return wrap(paint.bold(inline(node.children, paint)), width);
    case 'code':
      return indent(paint.cyan(clean(node.value)), '    ');
    case 'blockquote':
      return indent(blocks(node.children, width - 2, paint), paint.dim('│ '));
    case 'list':
      return node.children
        .map((item, index) => {
          const mark = node.ordered ? `${(node.start ?? 1) + index}. ` : '• ';
          const body = blocks(item.children, width - mark.length, paint, node.spread ? '\n\n' : '\n');
          return mark + indent(body, ' '.repeat(mark.length)).slice(mark.length);
        })
        .join('\n');
    case 'thematicBreak':
      return paint.dim('─'.repeat(Math.min(width, 40)));
    case 'table':
      return markdownTable(node, width, paint);
    case 'html':
      return wrap(clean(node.value), width);
    default:
      return wrap(words(node), width);
  }
}

function inline(nodes: readonly PhrasingContent[], paint: Paint): string {
  return nodes.map((node) => span(node, paint)).join('');
}

function span(node: PhrasingContent, paint: Paint): string {
  switch (node.type) {
    case 'strong':
      return paint.bold(inline(node.children, paint));
    case 'emphasis':
      return paint.italic(inline(node.children, paint));
    case 'delete':
      return paint.dim(inline(node.children, paint));
    case 'inlineCode':
      return paint.cyan(clean(node.value));
    case 'break':
      return '\n';
    case 'link': {
      const label = inline(node.children, paint);
      return label === node.url ? label : `${label} ${paint.dim(`(${clean(node.url)})`)}`;
    }
    case 'image':
      return clean(node.alt ?? '');
    default:
      return words(node);
  }
}

function markdownTable(table: Table, width: number, paint: Paint): string {
  const [head, ...body] = table.children.map((row) => row.children.map((cell) => words(cell)));
  if (head === undefined) return '';
  const columns = head.map((label, index) => ({
    label,
    align: table.align?.[index] === 'right' ? ('right' as const) : ('left' as const),
  }));
  return drawTable(columns, body, width, paint);
}

function words(node: Nodes): string {
  if ('value' in node) return clean((node as Text).value);
  return 'children' in node ? node.children.map(words).join('') : '';
}

function wrap(text: string, width: number): string {
  return wrapAnsi(text, Math.max(10, width), { hard: true, trim: true });
}

function indent(text: string, by: string): string {
  return text
    .split('\n')
    .map((line) => by + line)
    .join('\n');
}
