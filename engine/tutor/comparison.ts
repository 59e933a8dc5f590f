// Two to four things side by side: what each is, when to use it, what it costs, what to watch, in the guide's own sentences;
// where the guide has such a table itself, its rows are taken.
import type { Sentence } from '../../knowledge/index.ts';
import { type Piece, type Place, pointerPiece, quotePiece, type Source } from './draft.ts';
import { type Overlap, openingOf } from './run.ts';

export interface Side {
  /** As the person named it. */
  readonly name: string;
  /** As the guide names it. */
  readonly title: string;
  readonly source: Source;
  /** The glossary's sentence, with its place. */
  readonly definition: { readonly place: Place; readonly sentence: Sentence } | undefined;
}

interface Cell {
  readonly text: string;
  readonly place: Place;
  readonly quote: string;
}

interface Row {
  readonly label: string;
  readonly cells: readonly (Cell | undefined)[];
}

const longestCell = 240;
const longestLead = 420;
const mostRows = 6;

/** Rows told by a sentence of each side's own section, by the words such a sentence has. */
const aspects: readonly { readonly label: string; readonly words: RegExp; readonly roles?: readonly string[] }[] = [
  {
    label: 'When to use',
    words:
      /\b(?:use (?:it|them|when|for|this)|when to use|choose|prefer|suits?|good (?:for|when|default)|best (?:for|when)|works? (?:best|well)|fits? when|first choice|right (?:when|for))\b/i,
  },
  {
    label: 'Cost',
    words:
      /\b(?:slow(?:er)?|fast(?:er)?|memory|expensive|cheap(?:er)?|costs? (?:less|more|about|no|little|only)|in parallel|no delay|quick)\b/i,
  },
  { label: 'Watch out', words: /./, roles: ['pitfall'] },
];

/** @param whole the section that speaks of all sides, where there is one. @param unknown names the guide does not have. */
export function compareSides(
  sides: readonly Side[],
  whole: Source | undefined,
  unknown: readonly string[],
  nearby: readonly Source[],
  overlap: Overlap,
): readonly Piece[] {
  const missing = unknown.map((name) => `\`${name.replaceAll('`', '').slice(0, 60)}\``).join(', ');
  const [only] = sides;
  if (only && sides.length === 1) {
    const opening = openingOf(only.source, longestLead);
    return [
      pointerPiece(`The guide does not cover ${missing}, so it cannot compare. Of ${only.title} it says:`),
      ...(opening ? [quotePiece(only.source, opening.sentences)] : []),
    ];
  }
  const lead = findLead(sides, whole, nearby, overlap);
  const openings = lead ? [] : openEach(sides);
  const used = new Set(lead?.claims.map(({ text }) => text) ?? []);
  const own = tableOfGuide(
    sides,
    whole ? [whole, ...sides.map(({ source }) => source)] : sides.map(({ source }) => source),
  );
  const isDefined = openings.length === 0 && (own.length < 3 || areDefinedApart(sides));
  const rows = [
    ...(isDefined ? [defineRow(sides)] : []),
    ...own,
    ...(own.length >= 3 ? [] : aspects.map((aspect) => aspectRow(aspect, sides, used))),
  ]
    .filter((row) => row.cells.some((cell) => cell !== undefined))
    .slice(0, mostRows);
  // A table of the guide's stands on the first sentence of its section.
  const cites =
    lead !== undefined || openings.length > 0 || rows.some(({ cells }) => cells.some((cell) => cell?.quote));
  return [
    ...(unknown.length > 0
      ? [pointerPiece(`The guide does not cover ${missing}; here is what it says of the rest.`)]
      : []),
    ...(lead ? [lead] : openings),
    ...(cites ? [] : openFirst(whole ?? sides[0]?.source)),
    table(sides, rows),
  ];
}

function openFirst(source: Source | undefined): readonly Piece[] {
  const [first] = (source && openingOf(source, longestCell)?.sentences) ?? [];
  return source && first ? [quotePiece(source, [first])] : [];
}

const shortestLead = 40;
/** Not a list in brackets, nor a pointer such as "More in …". */
const isWhole = (prose: string) =>
  prose.length >= shortestLead && /^[\p{L}\p{N}]/u.test(prose) && !/^(?:more in|see) /i.test(prose);

/** The sentences that speak of every side, best in the section about all of them. */
function findLead(
  sides: readonly Side[],
  whole: Source | undefined,
  nearby: readonly Source[],
  overlap: Overlap,
): Piece | undefined {
  if (whole) {
    const opening = openingOf(whole, longestLead);
    if (
      opening &&
      sides.every(({ name, title }) => mentions(opening.sentences.map(({ prose }) => prose).join(' '), name, title))
    ) {
      return quotePiece(whole, opening.sentences);
    }
  }
  const sources = [...new Set([...(whole ? [whole] : []), ...sides.map(({ source }) => source), ...nearby])];
  const candidates = sources.flatMap((source) =>
    source.parts
      .filter(({ role }) => role !== 'pitfall')
      .flatMap(({ sentences, block }) => (block.kind === 'paragraph' ? sentences : []))
      .filter(({ prose }) => !prose.endsWith(':') && prose.length <= longestLead && isWhole(prose))
      .filter(({ prose }) => sides.every(({ name, title }) => mentions(prose, name, title)))
      .map((sentence) => ({ source, sentence })),
  );
  const scores = overlap(candidates.map(({ sentence }) => sentence.prose));
  const best = candidates[scores.indexOf(Math.max(...scores))];
  return best && quotePiece(best.source, [best.sentence]);
}

/** Where no sentence speaks of all: each side's first sentence, if every side has a section and a short one of its own. */
function openEach(sides: readonly Side[]): readonly Piece[] {
  const openings = sides.flatMap(({ source }) => {
    const [first] = openingOf(source, longestCell)?.sentences ?? [];
    return first ? [{ source, first }] : [];
  });
  const isOwn = new Set(openings.map(({ source }) => source)).size === sides.length;
  return isOwn ? openings.map(({ source, first }) => quotePiece(source, [first])) : [];
}

/** Not where the glossary has one entry for two of them, or none. */
const areDefinedApart = (sides: readonly Side[]) =>
  new Set(sides.flatMap(({ definition }) => definition?.sentence.prose ?? [])).size === sides.length;

function defineRow(sides: readonly Side[]): Row {
  return {
    label: 'What it is',
    cells: sides.map(({ definition, source }, index) => {
      if (definition) return cellOf(definition.place, definition.sentence);
      // Two sides of one section have one opening; it stands in the first column only.
      if (sides.findIndex((side) => side.source === source) < index) return undefined;
      const [first] = openingOf(source, longestCell)?.sentences ?? [];
      return first && cellOf(source, first);
    }),
  };
}

function aspectRow(aspect: (typeof aspects)[number], sides: readonly Side[], used: Set<string>): Row {
  const cells = sides.map(({ source, name, title }) => {
    const others = sides.filter((side) => side.name !== name);
    const shared = others.some((side) => side.source === source);
    const found = source.parts
      .filter(({ role, block }) => {
        if (block.kind !== 'paragraph' && block.kind !== 'list') return false;
        return aspect.roles ? aspect.roles.includes(role) : role !== 'pitfall' && role !== 'related' && role !== 'next';
      })
      .flatMap(({ sentences }) => sentences)
      .find(({ markdown, prose }) => {
        if (used.has(markdown) || prose.length > longestCell || prose.length < 20 || prose.endsWith(':')) return false;
        if (/^(?:["“]|try it\b)/i.test(prose) || /^(?:this|that|these|those|here|it|they)\b.{0,12}$/i.test(prose))
          return false;
        if (!aspect.words.test(prose)) return false;
        const isNamed = mentions(prose, name, title);
        // In a section about both, a sentence counts for the side it names alone; elsewhere it may also open with "Use it".
        if (shared) return isNamed && !others.some((side) => mentions(prose, side.name, side.title));
        return isNamed || aspect.roles !== undefined || /^(?:it|use|choose|good|best)\b/i.test(prose);
      });
    if (!found) return undefined;
    used.add(found.markdown);
    return cellOf(source, found);
  });
  return { label: aspect.label, cells };
}

/** A table of the guide that has the sides as columns, or as rows: then it is turned round. */
function tableOfGuide(sides: readonly Side[], sources: readonly Source[]): readonly Row[] {
  for (const source of new Set(sources)) {
    for (const { block } of source.parts) {
      if (block.kind !== 'table') continue;
      const [header, , ...body] = block.markdown.split('\n').map(splitRow);
      if (!header) continue;
      const columns = sides.map(({ name, title }) =>
        header.findIndex((cell, at) => at > 0 && (cell === title || mentions(cell, name, title))),
      );
      const cell = (text: string | undefined): Cell | undefined =>
        text === undefined || text === '' ? undefined : { text, place: source, quote: '' };
      if (new Set(columns).size === sides.length && !columns.includes(-1)) {
        return body.map((row) => ({ label: row[0] ?? '', cells: columns.map((column) => cell(row[column])) }));
      }
      const rows = sides.map(({ name, title }) => body.findIndex((row) => mentions(row[0] ?? '', name, title)));
      if (new Set(rows).size === sides.length && !rows.includes(-1) && header.length > 2) {
        return header.slice(1).map((label, at) => ({ label, cells: rows.map((row) => cell(body[row]?.[at + 1])) }));
      }
    }
  }
  return [];
}

function table(sides: readonly Side[], rows: readonly Row[]): Piece {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    line(['', ...sides.map(({ title }) => `**${title}**`)]),
    line(['---', ...sides.map(() => '---')]),
    ...rows.map(({ label, cells }) => line([label, ...cells.map((cell) => cell?.text ?? '–')])),
  ];
  const cited = rows.flatMap(({ cells }) => cells.flatMap((cell) => cell ?? []));
  // A row taken from the guide's own table stands on its section's first sentence cited beside it.
  return { text: lines.join('\n'), claims: cited };
}

function cellOf(place: Place, { markdown, prose }: Sentence): Cell {
  // The row says what kind of sentence this is; a label such as "**Pitfalls.**" before it would say so twice.
  const [label = '', words = ''] = /^\*\*([^*]{1,30}[.:])\*\*\s+(?=\S)/.exec(markdown) ?? [];
  return {
    text: markdown.slice(label.length).replace(/(?<!\\)\|/g, '\\|'),
    place,
    quote: (prose.startsWith(words) ? prose.slice(words.length) : prose).trimStart(),
  };
}

function splitRow(line: string): readonly string[] {
  return line
    .replace(/^\s*\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** A head that says this many words more than the name is about something else. */
const mostWordsMore = 3;
/** "L2 regularization" is "L2" at the head of a column. */
const kind =
  /(?<=\S)\s+(?:regulari[sz]ation|learning|models?|scores?|penalty|loss|sets?|methods?|encoding|classifiers?)$/i;
const countWords = (text: string) => text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;

/** Whether the head of a column is this name, with or without a word for its kind and a few words in brackets. */
export function isHead(head: string, name: string): boolean {
  return [name, name.replace(kind, '')].some(
    (named) => mentions(head, named) && countWords(head) <= countWords(named) + mostWordsMore,
  );
}

/** Whether a text names one of these: every word of a name, at the start of a word. */
export function mentions(text: string, ...names: readonly string[]): boolean {
  const plain = ` ${text.toLowerCase().replace(/[^\p{L}\p{N}²³]+/gu, ' ')}`;
  return names.some((name) => {
    const words = name.toLowerCase().match(/[\p{L}\p{N}²³]+/gu) ?? [];
    return (
      words.length > 0 &&
      words.every((word) =>
        plain.includes(` ${word.length > 4 ? word.replace(/(?:s|ing|isation|ization)$/, '') : word}`),
      )
    );
  });
}
