// Tables: as a table block where Slack has room for one, with letters elsewhere.
import stringWidth from 'string-width';
import { type Cell, mrkdwn, type SlackBlock } from './blocks.ts';
import { type Drawing, packLines, textPart } from './drawing.ts';
import { cut, limits } from './limits.ts';
import { type Align, escapeText, quiet } from './markdown.ts';

/** A message may have one table; the others, and those too large for one, are drawn with letters. */
export function drawTable(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  drawing: Drawing,
): readonly SlackBlock[] {
  const left = rows.length - limits.tableRows;
  const kept = rows.slice(0, limits.tableRows).map((row) => row.slice(0, limits.tableColumns).map(tidyCell));
  const more: readonly SlackBlock[] =
    left > 0 ? [{ type: 'context', elements: [mrkdwn(`… and ${left} more rows`)] }] : [];
  const [head = [], ...body] = kept;
  const native: SlackBlock = {
    type: 'table',
    rows: [head.map(headCell), ...body.map((row) => row.map((text): Cell => ({ type: 'raw_text', text })))],
    column_settings: head.map((_, index) => ({ align: aligns[index] ?? 'left', is_wrapped: true })),
  };
  const characters = kept.flat().reduce((sum, text) => sum + text.length, 0);
  const fits = characters <= limits.tableCharacters && JSON.stringify(native).length <= limits.blockCharacters;
  if (!drawing.plain && fits && drawing.tables < limits.tablesPerMessage) {
    drawing.tables += 1;
    return [native, ...more];
  }
  return [...drawLetters(kept, aligns, drawing.plain === true), ...more];
}

const tidyCell = (text: string) => {
  const tidy = quiet(text.replace(/\s+/g, ' ').trim());
  return tidy === '' ? ' ' : cut(tidy, 500);
};

const headCell = (text: string): Cell => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text, style: { bold: true } }] }],
});

const widestCell = 44;

function drawLetters(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  plain: boolean,
): readonly SlackBlock[] {
  const cells = rows.map((row) => row.map((text) => cut(text.trim(), widestCell)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ''))));
  const lines = cells.map((row) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? '';
        const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
        return aligns[column] === 'right' ? space + text : text + space;
      })
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  const drawn = [head, widths.map((width) => '─'.repeat(width)).join('  '), ...body];
  return packLines(drawn, textPart).map(
    (text): SlackBlock =>
      plain
        ? { type: 'section', text: mrkdwn(`\`\`\`\n${escapeText(text.replaceAll('```', "'''"))}\n\`\`\``) }
        : {
            type: 'rich_text',
            elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: quiet(text) }] }],
          },
  );
}
