// Cuts markdown into parts that fit a platform's limit. A part never ends inside a code fence, a table row or a character:
// a fence is closed and opened again, a table repeats its head.

interface Piece {
  readonly kind: 'fence' | 'table' | 'words';
  readonly lines: readonly string[];
}

const fenceLine = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const tableRule = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/**
 * @param limit UTF-16 units of each part, at least 40.
 * @returns parts in order, none empty; [] for blank text.
 */
export function splitMarkdown(markdown: string, limit: number): readonly string[] {
  if (limit < 40) throw new RangeError(`a part must have room for 40 characters, not ${limit}`);
  if (markdown.trim() !== '' && markdown.length <= limit) return [markdown.trim()];
  const parts: string[] = [];
  for (const piece of readPieces(markdown)) {
    const whole = piece.lines.join('\n');
    const last = parts.at(-1);
    if (last !== undefined && last.length + 2 + whole.length <= limit) parts[parts.length - 1] = `${last}\n\n${whole}`;
    else if (whole.length <= limit) parts.push(whole);
    else parts.push(...cut[piece.kind](piece.lines, limit));
  }
  return parts;
}

function readPieces(markdown: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let words: string[] = [];
  const endWords = () => {
    if (words.some((line) => line.trim() !== '')) pieces.push({ kind: 'words', lines: words });
    words = [];
  };
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const fence = fenceLine.exec(line)?.[1];
    if (fence !== undefined) {
      endWords();
      const end = findClosing(lines, at + 1, fence);
      const body = lines.slice(at, end);
      pieces.push({ kind: 'fence', lines: [...body, lines[end] ?? fence] });
      at = end;
    } else if (line.includes('|') && tableRule.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').includes('-')) {
      endWords();
      let end = at + 2;
      while ((lines[end] ?? '').includes('|')) end++;
      pieces.push({ kind: 'table', lines: lines.slice(at, end) });
      at = end - 1;
    } else if (line.trim() === '') endWords();
    else words.push(line);
  }
  endWords();
  return pieces;
}

/** The line that closes the fence, or the number of lines where none does. */
function findClosing(lines: readonly string[], from: number, fence: string): number {
  const at = lines.findIndex((line, index) => {
    const marks = fenceLine.exec(line);
    return index >= from && marks?.[1]?.startsWith(fence) === true && marks[2]?.trim() === '';
  });
  return at === -1 ? lines.length : at;
}

const cut: { readonly [K in Piece['kind']]: (lines: readonly string[], limit: number) => readonly string[] } = {
  fence(lines, limit) {
    const closing = lines.at(-1) ?? '```';
    const opening = (lines[0] ?? closing).length > limit / 2 ? closing : (lines[0] ?? closing);
    const room = limit - opening.length - closing.length - 2;
    return pack(lines.slice(1, -1), room).map((body) => `${opening}\n${body}\n${closing}`);
  },
  table([head = '', rule = '', ...rows], limit) {
    const room = limit - head.length - rule.length - 2;
    if (room < 20 || rows.some((row) => row.length > room)) return pack([head, rule, ...rows], limit);
    return pack(rows, room).map((body) => `${head}\n${rule}\n${body}`);
  },
  words: (lines, limit) => pack(lines, limit),
};

/** As many lines in each part as fit; a line too long for one is cut at a sentence, a word, or between characters. */
function pack(lines: readonly string[], room: number): readonly string[] {
  const parts: string[] = [];
  for (const line of lines.flatMap((long) => cutLine(long, room))) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= room) parts[parts.length - 1] = `${last}\n${line}`;
    else parts.push(line);
  }
  return parts;
}

function cutLine(line: string, room: number): readonly string[] {
  const parts: string[] = [];
  let rest = line;
  while (rest.length > room) {
    const head = rest.slice(0, room + 1);
    const sentence = Math.max(...['. ', '! ', '? '].map((end) => head.lastIndexOf(end))) + 1;
    const word = head.lastIndexOf(' ');
    const at = sentence > room / 2 ? sentence : word > room / 4 ? word : betweenCharacters(rest, room);
    parts.push(rest.slice(0, at));
    rest = rest.slice(at).replace(/^ /, '');
  }
  return [...parts, rest];
}

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The last place at or before `limit` between two characters as people see them; between code points where one alone is longer. */
function betweenCharacters(text: string, limit: number): number {
  let at = 0;
  for (const { index, segment } of characters.segment(text.slice(0, limit + 2))) {
    if (index + segment.length > limit) break;
    at = index + segment.length;
  }
  if (at > 0) return at;
  const unit = text.charCodeAt(limit);
  return unit >= 0xdc00 && unit <= 0xdfff ? limit - 1 : limit;
}
