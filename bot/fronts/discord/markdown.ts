// Our markdown → Discord's: the same words with only the marks Discord knows, everything else escaped so that it is shown
// as written and can't ping, link or format.
import type { Nodes, Parents, RootContent, Table } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { drawTable, unfence } from './tables.ts';

const parser = unified().use(remarkParse).use(remarkGfm);
const zeroWidth = '\u200B';

export function toDiscord(markdown: string): string {
  return writeBlocks(parser.parse(markdown).children);
}

/** Plain words, safe anywhere in Discord's markdown. */
export function escapeText(text: string): string {
  return text
    .replace(/[\\*_~|`<>[\]]/g, '\\$&')
    .replace(/^(\s*)(#{1,3}|-#|[-+])(?=\s)/gm, '$1\\$2')
    .replace(/^(\s*\d+)\.(?=\s)/gm, '$1\\.')
    .replace(new RegExp(`@(?!${zeroWidth})`, 'g'), `@${zeroWidth}`);
}

function writeBlocks(nodes: readonly RootContent[]): string {
  return nodes
    .map(writeBlock)
    .filter((block) => block.trim() !== '')
    .join('\n\n');
}

function writeBlock(node: RootContent): string {
  switch (node.type) {
    case 'heading': {
      const words = writeInline(node);
      return node.depth <= 3 ? `${'#'.repeat(node.depth)} ${words}` : `**${words}**`;
    }
    case 'paragraph':
      return writeInline(node);
    case 'blockquote':
      return quote(writeBlocks(node.children));
    case 'list':
      return node.children
        .map((item, index) => {
          const mark = node.ordered ? `${(node.start ?? 1) + index}. ` : '- ';
          const box = item.checked === true ? '☑ ' : item.checked === false ? '☐ ' : '';
          const body = item.children.map(writeBlock).join('\n');
          return mark + box + body.replace(/\n/g, `\n${' '.repeat(mark.length)}`);
        })
        .join('\n');
    case 'code':
      return `\`\`\`${(node.lang ?? '').replace(/[^\w+#-]/g, '')}\n${unfence(node.value)}\n\`\`\``;
    case 'table':
      return writeTable(node);
    case 'html':
      return escapeText(node.value);
    case 'thematicBreak':
    case 'definition':
    case 'yaml':
      return '';
    case 'footnoteDefinition':
      return writeBlocks(node.children);
    default:
      return writePhrase(node);
  }
}

const quote = (text: string) => text.replace(/^/gm, '> ');

function writeTable({ align, children: [head, ...rows] }: Table): string {
  const columns = (head?.children ?? []).map((cell, index) => ({
    label: wordsOf(cell),
    align: align?.[index] === 'right' ? ('right' as const) : ('left' as const),
  }));
  return drawTable({ caption: '', columns, rows: rows.map((row) => row.children.map(wordsOf)) }, escapeText);
}

/** The words of a node without any mark. */
function wordsOf(node: Nodes): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map(wordsOf).join('') : '';
}

function writeInline(node: Parents): string {
  return node.children.map(writePhrase).join('');
}

function writePhrase(node: Nodes): string {
  switch (node.type) {
    case 'text':
      return escapeText(node.value);
    case 'strong':
      return `**${writeInline(node)}**`;
    case 'emphasis':
      return `*${writeInline(node)}*`;
    case 'delete':
      return `~~${writeInline(node)}~~`;
    case 'inlineCode':
      return writeCode(node.value);
    case 'break':
      return '\n';
    case 'link':
      return /^https?:\/\//.test(node.url) && !/[\s<>]/.test(node.url)
        ? `[${writeInline(node)}](<${node.url}>)`
        : writeInline(node);
    case 'image':
      return escapeText(node.alt ?? '');
    case 'html':
      return escapeText(node.value);
    default:
      return 'children' in node ? writeInline(node) : 'value' in node ? escapeText(node.value) : '';
  }
}

/** Discord knows code spans of one or two backticks; a longer run inside is broken with zero-width spaces. */
function writeCode(value: string): string {
  const words = value.replace(/\s+/g, ' ').replaceAll('``', '`\u200B`');
  return words.includes('`') ? `\`\` ${words} \`\`` : `\`${words}\``;
}
