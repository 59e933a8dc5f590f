// Tables for a chat that has none: aligned text in a code block where it fits a phone held sideways, else one entry a row.
import stringWidth from 'string-width';

export interface TableShape {
  readonly caption: string;
  readonly columns: readonly { readonly label: string; readonly align: 'left' | 'right' }[];
  readonly rows: readonly (readonly string[])[];
}

/** Columns of text that a code block shows without wrapping on a desktop; phones wrap a little earlier. */
const widestTable = 56;
const gap = '  ';
/** A column wider than this is read as a sentence, not compared down the table. */
const widestCell = 26;
/** A column without a label and no wider than this holds marks, such as ✓. */
const widestMark = 2;
/** A first column wider than this holds sentences, not names. */
const widestName = 40;

/** @param safe makes a person's words safe in Discord's markdown. */
export function drawTable(table: TableShape, safe: (text: string) => string): string {
  const columns = table.columns.map(({ label, align }) => ({ label: oneLine(label), align }));
  const rows = table.rows.map((row) => row.map(oneLine));
  const widths = columns.map(({ label }, column) =>
    Math.max(stringWidth(label), ...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const total = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  const caption = table.caption === '' ? '' : `**${safe(oneLine(table.caption))}**\n`;
  const drawn = total <= widestTable ? drawAligned(columns, rows, widths) : drawEntries(columns, rows, widths, safe);
  return `${caption}${drawn}`;
}

type Columns = TableShape['columns'];
type Rows = TableShape['rows'];

function drawAligned(columns: Columns, rows: Rows, widths: readonly number[]): string {
  const draw = (cells: readonly string[]) =>
    columns
      .map(({ align }, column) => pad(cells[column] ?? '', widths[column] ?? 0, align))
      .join(gap)
      .trimEnd();
  const head = draw(columns.map(({ label }) => label));
  const rule = widths.map((width) => '─'.repeat(width)).join(gap);
  const lines = [...(columns.some(({ label }) => label !== '') ? [head, rule] : []), ...rows.map(draw)];
  return `\`\`\`\n${lines.map(unfence).join('\n')}\n\`\`\``;
}

/**
 * Each row under its name: the first cell that is no mark such as ✓, in bold unless it is a sentence. The other cells
 * follow with their labels, small on one line, or a bullet each where they are sentences.
 */
function drawEntries(columns: Columns, rows: Rows, widths: readonly number[], safe: (text: string) => string) {
  const width = (column: number) => Math.max(0, ...rows.map((row) => stringWidth(row[column] ?? '')));
  const isMark = (column: number) => columns[column]?.label === '' && width(column) <= widestMark;
  const main = Math.max(
    0,
    columns.findIndex((_, column) => !isMark(column)),
  );
  const others = columns.flatMap(({ label }, column) => (column === main || isMark(column) ? [] : [{ label, column }]));
  const inBullets = others.some(({ column }) => width(column) > widestCell);
  return rows
    .map((row) => {
      const name = row[main] ?? '';
      const marks = columns.flatMap((_, column) => (isMark(column) && row[column] ? safe(row[column]) : []));
      const first = [...marks, (widths[main] ?? 0) > widestName ? safe(name) : `**${safe(name)}**`].join(' ');
      const cells = others.flatMap(({ label, column }) => {
        const cell = row[column] ?? '';
        if (cell === '') return [];
        const value = inBullets ? safe(cell) : `**${safe(cell)}**`;
        return label === '' ? value : `${safe(label)}${inBullets ? ':' : ''} ${value}`;
      });
      if (cells.length === 0) return first;
      return inBullets ? [first, ...cells.map((cell) => `- ${cell}`)].join('\n') : `${first}\n-# ${cells.join(' · ')}`;
    })
    .join('\n');
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const room = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? room + text : text + room;
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Inside a code block nothing is markup but its end. */
export function unfence(text: string): string {
  return text.replaceAll('```', '`\u200B`\u200B`');
}
