// PDF → blocks with their pages. Lines are joined into paragraphs; a short line in larger letters is a heading.
import { type DocumentBlock, DocumentProblem, documentLimits } from './document.ts';

interface Line {
  readonly text: string;
  /** Of its letters, and from the bottom of the page, in points. */
  readonly height: number;
  readonly y: number;
}

interface Item {
  readonly str: string;
  readonly height: number;
  readonly transform: readonly unknown[];
  readonly hasEOL: boolean;
}

const largerBy = 1.15;
const longestHeading = 120;
/** A wider gap than this many letter heights begins a paragraph. */
const paragraphGap = 1.7;

/** @throws DocumentProblem for an encrypted, damaged or scanned file. */
export async function readPdf(
  bytes: Uint8Array,
): Promise<{ title: string | undefined; pages: number; blocks: DocumentBlock[] }> {
  const { getDocumentProxy } = await import('unpdf');
  const pdf = await getDocumentProxy(bytes, { verbosity: 0 }).catch(refuse);
  if (pdf.numPages > documentLimits.pages) {
    throw new DocumentProblem(
      `The PDF has ${pdf.numPages.toLocaleString('en')} pages; ${documentLimits.pages.toLocaleString('en')} can be read.`,
      'Send the chapters that matter.',
    );
  }
  const pages: Line[][] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    pages.push(linesOf(items.flatMap((item) => ('str' in item ? [item] : []))));
    page.cleanup();
  }
  const letters = pages.flat().reduce((sum, { text }) => sum + text.replace(/\s/g, '').length, 0);
  if (letters < 8) {
    throw new DocumentProblem(
      'The PDF holds no text: its pages are pictures, as a scanner makes them.',
      'Run text recognition (OCR) over it first, then send that file.',
    );
  }
  const usual = usualHeight(pages.flat());
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }));
  const title = 'Title' in info && typeof info.Title === 'string' ? info.Title.trim() : '';
  return {
    title: title === '' ? undefined : title.slice(0, 200),
    pages: pdf.numPages,
    blocks: pages.flatMap((lines, index) => blocksOfPage(lines, index + 1, usual)),
  };
}

function refuse(error: unknown): never {
  const name = error instanceof Error ? error.name : '';
  if (name === 'PasswordException') {
    throw new DocumentProblem('The PDF is locked with a password.', 'Save a copy without one, and send that.');
  }
  throw new DocumentProblem('The PDF is damaged: it cannot be opened.', 'Save or export it again, and send that file.');
}

function linesOf(items: readonly Item[]): Line[] {
  const lines: Line[] = [];
  let text = '';
  let height = 0;
  let y = 0;
  for (const item of items) {
    const at = Number(item.transform[5] ?? 0);
    // Some files never say where a line ends: a step down by half a letter does.
    if (text !== '' && Math.abs(at - y) > Math.max(height, item.height, 1) / 2) {
      lines.push({ text: text.trim(), height, y });
      text = '';
      height = 0;
    }
    text += item.str;
    height = Math.max(height, item.height);
    y = at;
    if (item.hasEOL) {
      lines.push({ text: text.trim(), height, y });
      text = '';
      height = 0;
    }
  }
  lines.push({ text: text.trim(), height, y });
  return lines.filter((line) => line.text !== '');
}

/** The height in which most letters are set. */
function usualHeight(lines: readonly Line[]): number {
  const counts = new Map<number, number>();
  for (const { text, height } of lines) {
    const rounded = Math.round(height * 2) / 2;
    counts.set(rounded, (counts.get(rounded) ?? 0) + text.length);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

function blocksOfPage(lines: readonly Line[], page: number, usual: number): DocumentBlock[] {
  const blocks: DocumentBlock[] = [];
  let held: Line[] = [];
  const flush = () => {
    if (held.length > 0) blocks.push({ text: joinLines(held), page });
    held = [];
  };
  for (const line of lines) {
    const isHeading = line.height > usual * largerBy && line.text.length <= longestHeading && /\p{L}/u.test(line.text);
    if (isHeading) {
      flush();
      blocks.push({ text: line.text, page, depth: line.height > usual * 1.6 ? 1 : 2 });
      continue;
    }
    const before = held.at(-1);
    if (before && Math.abs(before.y - line.y) > paragraphGap * Math.max(line.height, usual, 1)) flush();
    held.push(line);
  }
  flush();
  return blocks;
}

/** A word cut at the end of a line is put together again. */
function joinLines(lines: readonly Line[]): string {
  return lines.reduce((text, line) => {
    if (text === '') return line.text;
    return /\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(line.text)
      ? text.slice(0, -1) + line.text
      : `${text} ${line.text}`;
  }, '');
}
