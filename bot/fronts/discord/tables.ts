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

/** Each row as its main cell in bold (a wide one as it is), the other cells small below it with their labels. */
function drawEntries(columns: Columns, rows: Rows, widths: readonly number[], safe: (text: string) => string) {
  const widest = widths.indexOf(Math.max(...widths));
  const firstNamed = columns.findIndex(({ label }) => label !== '');
  const long = (widths[widest] ?? 0) > widestCell;
  const main = long ? widest : Math.max(0, firstNamed);
  return rows
    .map((row) => {
      const marks = columns.flatMap(({ label }, column) =>
        label === '' && column !== main && row[column] ? safe(row[column]) : [],
      );
      const words = safe(row[main] ?? '');
      const others = columns.flatMap(({ label }, column) =>
        label !== '' && column !== main && row[column] ? `${safe(label)} **${safe(row[column])}**` : [],
      );
      const first = [...marks, long ? words : `**${words}**`].join(' ');
      return others.length === 0 ? first : `${first}\n-# ${others.join(' · ')}`;
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
