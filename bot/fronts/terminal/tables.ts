// Aligned columns that fit the terminal: the widest columns give way first, and their cells wrap.
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Paint } from './paint.ts';

export interface Column {
  readonly label: string;
  readonly align: 'left' | 'right';
}

const gap = '  ';
const narrowest = 6;

export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: Paint,
): string {
  const widths = narrow(
    columns.map((column, index) =>
      Math.max(...[column.label, ...rows.map((row) => row[index] ?? '')].map((cell) => stringWidth(cell))),
    ),
    width - gap.length * (columns.length - 1),
  );
  const head = drawRow(
    columns.map((column) => column.label),
    columns,
    widths,
    (cell) => paint.bold(cell),
  );
  const rule = paint.dim(widths.map((size) => '─'.repeat(size)).join(gap));
  return [head, rule, ...rows.map((row) => drawRow(row, columns, widths, (cell) => cell))].join('\n');
}

/** Narrows the widest columns until all fit `room`, none below `narrowest`. */
function narrow(natural: readonly number[], room: number): readonly number[] {
  const widths = [...natural];
  while (widths.reduce((sum, size) => sum + size, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    const size = widths[widest];
    if (size === undefined || size <= narrowest) break;
    widths[widest] = size - 1;
  }
  return widths;
}

function drawRow(
  cells: readonly string[],
  columns: readonly Column[],
  widths: readonly number[],
  style: (cell: string) => string,
): string {
  const wrapped = columns.map((_, index) =>
    wrapAnsi(cells[index] ?? '', widths[index] ?? narrowest, { hard: true }).split('\n'),
  );
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    columns
      .map((column, index) => {
        const cell = wrapped[index]?.[line] ?? '';
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(cell)));
        return column.align === 'right' ? padding + style(cell) : style(cell) + padding;
      })
      .join(gap)
      .trimEnd(),
  ).join('\n');
}
