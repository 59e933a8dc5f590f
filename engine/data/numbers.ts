// Reads texts with a number each, for regression; what is no number is named with its line.
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { chooseColumns } from './columns.ts';
import { headRows, openTable, peek } from './table.ts';
import { count, shown } from './text-file.ts';

export interface NumberedText {
  readonly text: string;
  readonly value: number;
}

const fewestRows = 10;

/** @throws UserError for a file that cannot be used, a column that is not there, or numbers that are all the same. */
export async function readNumbers(
  path: string,
  columns: { readonly text: string; readonly label: string },
  purpose: 'training' | 'evaluation',
): Promise<{ readonly items: readonly NumberedText[]; readonly warnings: readonly string[] }> {
  const name = basename(path);
  const table = await openTable(path, name);
  try {
    const [head, rows] = await peek(table.rows, headRows);
    const chosen = chooseColumns(name, head, table.columns, columns);
    const items: NumberedText[] = [];
    const wrong: string[] = [];
    let header = chosen.header;
    for await (const { line, cells } of rows) {
      if (header) {
        header = false;
        continue;
      }
      const text = cells[chosen.text]?.trim() ?? '';
      const number = cells[chosen.label]?.trim() ?? '';
      const value = Number(number);
      if (text !== '' && number !== '' && Number.isFinite(value)) items.push({ text, value });
      else wrong.push(`line ${line}: ${text === '' ? 'no text' : number === '' ? 'no number' : shown(number)}`);
    }
    if (wrong.length > items.length) {
      throw new UserError(
        `Most rows of ${shown(name)} have no text with a number in ${shown(columns.label)} (${wrong[0]}).`,
        'Name the column of the numbers, or use the task text-classification for labels.',
      );
    }
    if (purpose === 'training') checkNumbers(name, items);
    const warnings =
      wrong.length === 0
        ? []
        : [`${count(wrong.length)} rows were left out for want of a text or a number: ${wrong[0]}.`];
    return { items, warnings: [...chosen.warnings, ...warnings] };
  } finally {
    await table.rows.return();
  }
}

function checkNumbers(name: string, items: readonly NumberedText[]): void {
  if (items.length < fewestRows) {
    throw new UserError(
      `${shown(name)} has ${items.length} rows with a text and a number; training needs at least ${fewestRows}.`,
      'Add more examples: a few hundred are a good start.',
    );
  }
  const [first] = items;
  if (first && items.every(({ value }) => value === first.value)) {
    throw new UserError(
      `All ${count(items.length)} rows of ${shown(name)} have the same number, ${first.value}: there is nothing to learn.`,
      'Add rows with other numbers, or name another column.',
    );
  }
}
