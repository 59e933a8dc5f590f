// Cuts the blocks of a document into passages that know their headings and page; a long block is cut between sentences.
import type { DocumentBlock, DocumentPassage } from './document.ts';

const mostCharacters = 1200;
const mostHeading = 160;
const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

export function cutDocument(blocks: readonly DocumentBlock[]): DocumentPassage[] {
  const passages: DocumentPassage[] = [];
  const headings: (string | undefined)[] = [];
  let held: string[] = [];
  let page: number | undefined;
  const flush = () => {
    const text = held.join('\n\n').trim();
    held = [];
    if (text !== '') passages.push({ headings: headings.flatMap((heading) => heading ?? []), page, text });
  };
  for (const block of blocks) {
    const text = tidy(block.text);
    if (text === '') continue;
    if (block.depth !== undefined) {
      flush();
      headings.length = block.depth - 1;
      headings[block.depth - 1] = text.replace(/\s+/g, ' ').slice(0, mostHeading);
      continue;
    }
    for (const piece of cutLong(text)) {
      const length = held.reduce((sum, part) => sum + part.length + 2, 0);
      if (held.length > 0 && (block.page !== page || length + piece.length > mostCharacters)) flush();
      page = block.page;
      held.push(piece);
    }
  }
  flush();
  return passages;
}

/** Without what cannot be seen: control characters, and those that reorder or hide text. */
function tidy(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(
      /(?![\n\t])[\p{Cc}\p{Cs}\p{Co}\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF\u{E0000}-\u{E007F}]/gu,
      '',
    )
    .trim();
}

function cutLong(text: string): string[] {
  if (text.length <= mostCharacters) return [text];
  const pieces: string[] = [];
  let held = '';
  for (const part of partsOf(text)) {
    if (held !== '' && held.length + part.length > mostCharacters) {
      pieces.push(held.trim());
      held = '';
    }
    held += part;
  }
  return [...pieces, held.trim()].filter((piece) => piece !== '');
}

/** Lines, sentences of long lines, and slices of what has neither. */
function* partsOf(text: string): Generator<string, void> {
  for (const line of text.split(/(?<=\n)/)) {
    if (line.length <= mostCharacters) {
      yield line;
      continue;
    }
    for (const { segment } of segmenter.segment(line)) {
      for (let start = 0; start < segment.length; start += mostCharacters) {
        yield segment.slice(start, start + mostCharacters);
      }
    }
  }
}
