// Our markdown in Slack's forms: rich text (exact: nothing in it is markup), mrkdwn (for places that take only text), plain words.
import type { List, ListItem, Nodes, PhrasingContent, Root, Table } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { isWebLink } from './links.ts';

export interface Style {
  readonly bold?: true;
  readonly italic?: true;
  readonly strike?: true;
  readonly code?: true;
}

export type Leaf =
  | { readonly type: 'text'; readonly text: string; readonly style?: Style }
  | { readonly type: 'link'; readonly url: string; readonly text: string; readonly style?: Style };

export interface Section {
  readonly type: 'rich_text_section';
  readonly elements: readonly Leaf[];
}

export type RichElement =
  | Section
  | {
      readonly type: 'rich_text_list';
      readonly style: 'bullet' | 'ordered';
      readonly indent: number;
      readonly offset?: number;
      readonly elements: readonly Section[];
    }
  | { readonly type: 'rich_text_preformatted'; readonly elements: readonly Leaf[] }
  | { readonly type: 'rich_text_quote'; readonly elements: readonly Leaf[] };

/** What a piece of markdown becomes, in order. */
export type Part =
  | { readonly kind: 'rich'; readonly elements: readonly RichElement[] }
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[]; readonly aligns: readonly Align[] };
export type Align = 'left' | 'center' | 'right';

const parser = unified().use(remarkParse).use(remarkGfm);

export function readMarkdown(markdown: string): readonly Part[] {
  const parts: Part[] = [];
  let rich: RichElement[] = [];
  const flush = () => {
    if (rich.length > 0) parts.push({ kind: 'rich', elements: rich });
    rich = [];
  };
  for (const node of parse(markdown).children) {
    if (node.type === 'heading') {
      flush();
      parts.push({ kind: 'heading', text: plainWords(node) });
    } else if (node.type === 'table') {
      flush();
      parts.push(readTable(node));
    } else {
      const before = rich.at(-1);
      for (const element of toElements(node, 0)) {
        const last = rich.at(-1);
        // Paragraphs one after the other are one section with an empty line between, as Slack's own composer writes them.
        if (element.type === 'rich_text_section' && last?.type === 'rich_text_section' && last === before) {
          rich[rich.length - 1] = join(last, element);
        } else rich.push(element);
      }
    }
  }
  flush();
  return parts;
}

const parse = (markdown: string): Root => parser.parse(markdown);

const join = (first: Section, second: Section): Section => ({
  type: 'rich_text_section',
  elements: [...first.elements, { type: 'text', text: '\n\n' }, ...second.elements],
});

function toElements(node: Nodes, indent: number): readonly RichElement[] {
  switch (node.type) {
    case 'paragraph':
      return section(leaves(node.children, {}));
    case 'list':
      return listElements(node, indent);
    case 'code':
      return [{ type: 'rich_text_preformatted', elements: [leaf(node.value === '' ? ' ' : node.value, {})] }];
    case 'blockquote': {
      const inside = node.children.flatMap((child, index) => [
        ...(index === 0 ? [] : [leaf('\n', {})]),
        ...(child.type === 'paragraph' ? leaves(child.children, {}) : wordsOf(child)),
      ]);
      return inside.length === 0 ? [] : [{ type: 'rich_text_quote', elements: inside }];
    }
    case 'thematicBreak':
      return section([leaf('———', {})]);
    case 'definition':
      return [];
    default:
      return section(wordsOf(node));
  }
}

const section = (elements: readonly Leaf[]): readonly RichElement[] =>
  elements.length === 0 ? [] : [{ type: 'rich_text_section', elements }];

const wordsOf = (node: Nodes): readonly Leaf[] => {
  const words = plainWords(node);
  return words === '' ? [] : [leaf(words, {})];
};

function listElements(list: List, indent: number): readonly RichElement[] {
  const elements: RichElement[] = [];
  const style = list.ordered === true ? 'ordered' : 'bullet';
  let items: Section[] = [];
  let first = (list.start ?? 1) - 1;
  const flush = () => {
    if (items.length === 0) return;
    elements.push({
      type: 'rich_text_list',
      style,
      indent: Math.min(indent, 8),
      ...(style === 'ordered' && first > 0 ? { offset: first } : {}),
      elements: items,
    });
    first += items.length;
    items = [];
  };
  for (const item of list.children) {
    const { own, under } = readItem(item, indent);
    items.push({ type: 'rich_text_section', elements: own });
    if (under.length > 0) {
      flush();
      elements.push(...under);
    }
  }
  flush();
  return elements;
}

function readItem(item: ListItem, indent: number): { own: readonly Leaf[]; under: readonly RichElement[] } {
  const own: Leaf[] = item.checked === null || item.checked === undefined ? [] : [leaf(item.checked ? '☑ ' : '☐ ', {})];
  const under: RichElement[] = [];
  for (const child of item.children) {
    if (child.type === 'paragraph' && under.length === 0) {
      if (own.length > 0 && own.at(-1)?.text.endsWith(' ') !== true) own.push(leaf('\n', {}));
      own.push(...leaves(child.children, {}));
    } else under.push(...toElements(child, indent + 1));
  }
  return { own: own.length === 0 ? [leaf(' ', {})] : own, under };
}

function leaves(nodes: readonly PhrasingContent[], style: Style): readonly Leaf[] {
  return nodes.flatMap((node): readonly Leaf[] => {
    switch (node.type) {
      case 'text':
        return node.value === '' ? [] : [leaf(node.value, style)];
      case 'strong':
        return leaves(node.children, { ...style, bold: true });
      case 'emphasis':
        return leaves(node.children, { ...style, italic: true });
      case 'delete':
        return leaves(node.children, { ...style, strike: true });
      case 'inlineCode':
        return node.value === '' ? [] : [leaf(node.value, { ...style, code: true })];
      case 'break':
        return [leaf('\n', style)];
      case 'link': {
        const words = plainWords(node);
        if (!isWebLink(node.url)) return words === '' ? [] : [leaf(words, style)];
        return [{ type: 'link', url: node.url, text: quiet(words === '' ? node.url : words), ...styled(style) }];
      }
      case 'image':
        return [leaf(node.alt ?? 'picture', { ...style, italic: true })];
      default: {
        const words = plainWords(node);
        return words === '' ? [] : [leaf(words, style)];
      }
    }
  });
}

const leaf = (text: string, style: Style): Leaf => ({ type: 'text', text: quiet(text), ...styled(style) });
const styled = (style: Style) => (Object.keys(style).length === 0 ? {} : { style });

/** Rich text is no markup; still, what looks like a mention is broken by a character nobody sees. */
export const quiet = (text: string) =>
  text.replace(/<(?=[@!#])/g, '<\u200B').replace(/@(?=everyone|channel|here)/gi, '@\u200B');

function readTable(table: Table): Part {
  const [head] = table.children;
  return {
    kind: 'table',
    aligns: (head?.children ?? []).map((_, index) => table.align?.[index] ?? 'left'),
    rows: table.children.map((row) => row.children.map((cell) => plainWords(cell))),
  };
}

/** The words of a node without any markup. */
export function plainWords(node: Nodes): string {
  if (node.type === 'break') return '\n';
  if (node.type === 'image') return node.alt ?? '';
  if ('value' in node) return node.value;
  if ('children' in node) {
    const between = node.type === 'root' || node.type === 'list' || node.type === 'listItem' ? '\n' : '';
    const cells = node.type === 'tableRow' ? ' · ' : node.type === 'table' ? '\n' : between;
    return node.children.map(plainWords).join(cells);
  }
  return '';
}

export const wordsOfMarkdown = (markdown: string) => plainWords(parse(markdown));

/** `&`, `<` and `>` as Slack's text wants them: nothing in it is a link, a mention or a command any more. */
export const escapeText = (text: string) =>
  quiet(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Other words inside mrkdwn: escaped, and with its emphasis marks made harmless. */
export const escapeMrkdwn = (text: string) => escapeText(text).replace(/[*_~`]/g, '\u200B$&\u200B');

/** Markdown as Slack's older markup, for the places that take nothing else. */
export function toMrkdwn(markdown: string): string {
  return parse(markdown)
    .children.map((node) => mrkdwn(node, 0))
    .join('\n\n');
}

function mrkdwn(node: Nodes, indent: number): string {
  switch (node.type) {
    case 'text':
      return escapeMrkdwn(node.value);
    case 'strong':
      return wrap(node.children, '*', indent);
    case 'emphasis':
      return wrap(node.children, '_', indent);
    case 'delete':
      return wrap(node.children, '~', indent);
    case 'inlineCode':
      return `\`${escapeText(node.value.replaceAll('`', "'"))}\``;
    case 'code':
      return `\`\`\`\n${escapeText(node.value.replaceAll('```', "'''"))}\n\`\`\``;
    case 'break':
      return '\n';
    case 'link': {
      const words = escapeMrkdwn(plainWords(node)).replaceAll('|', '/');
      return isWebLink(node.url) ? `<${escapeText(new URL(node.url).href.replaceAll('|', '%7C'))}|${words}>` : words;
    }
    case 'heading':
      return wrap(node.children, '*', indent);
    case 'list':
      return node.children
        .map((item, index) => {
          const mark = node.ordered === true ? `${(node.start ?? 1) + index}.` : '•';
          const inside = item.children.map((child) => mrkdwn(child, indent + 1)).join('\n');
          return `${'    '.repeat(indent)}${mark} ${inside}`;
        })
        .join('\n');
    case 'blockquote':
      return node.children
        .map((child) => mrkdwn(child, indent))
        .join('\n')
        .replace(/^/gm, '> ');
    case 'table':
      return `\`\`\`\n${escapeText(plainWords(node))}\n\`\`\``;
    case 'html':
      return escapeMrkdwn(node.value);
    default:
      return 'children' in node
        ? node.children.map((child) => mrkdwn(child, indent)).join('')
        : escapeMrkdwn(plainWords(node));
  }
}

function wrap(children: readonly Nodes[], mark: string, indent: number): string {
  const inside = children.map((child) => mrkdwn(child, indent)).join('');
  return inside.trim() === '' ? inside : `${mark}${inside.trim()}${mark}`;
}
