// A coloured field behind a graph: what holds at each place of a grid, in as few boxes as show it.
import type { Mark, Point } from '../charts/figure.ts';
import { range } from './numbers.ts';

export interface Field {
  readonly columns: number;
  readonly rows: number;
  readonly x: { readonly min: number; readonly max: number };
  readonly y: { readonly min: number; readonly max: number };
}

/** The middle of every cell, row by row from below. */
export function cellCentres({ columns, rows, x, y }: Field): readonly Point[] {
  return range(rows).flatMap((row) =>
    range(columns).map(
      (column): Point => [
        x.min + ((column + 0.5) * (x.max - x.min)) / columns,
        y.min + ((row + 0.5) * (y.max - y.min)) / rows,
      ],
    ),
  );
}

/** Cells of equal level that follow each other in a row become one box. */
export function drawCells(field: Field, levels: readonly number[], colours: readonly string[]): Mark {
  const { columns, rows, x, y } = field;
  const corner = (column: number, row: number): Point => [
    x.min + (column * (x.max - x.min)) / columns,
    y.min + (row * (y.max - y.min)) / rows,
  ];
  const boxes = range(rows).flatMap((row) => {
    const runs: { from: number; to: number; level: number }[] = [];
    for (const column of range(columns)) {
      const level = levels[row * columns + column] ?? 0;
      const last = runs.at(-1);
      if (last !== undefined && last.level === level) last.to = column + 1;
      else runs.push({ from: column, to: column + 1, level });
    }
    return runs.map(({ from, to, level }) => ({
      from: corner(from, row),
      // A hair too large, so that no light line shows between boxes.
      to: corner(Math.min(columns, to + 0.06), Math.min(rows, row + 1.06)),
      color: colours[Math.min(colours.length - 1, level)] ?? '#ffffff',
    }));
  });
  return { kind: 'boxes', boxes, color: '#ffffff' };
}
